#include "dnsd/explain/explain_answer.h"

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "zones/name.h"
#include "zones/rcode_text.h"
#include "zones/zone_rdata.h"

namespace dnsd {
namespace {

struct PacketFree {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct CharFree {
  void operator()(char* text) const { std::free(text); }
};

void Put16(uint32_t value, std::string* out) {
  out->push_back(static_cast<char>(value >> 8));
  out->push_back(static_cast<char>(value));
}

std::string BytesOf(const ldns_rdf& rdf) {
  return {reinterpret_cast<const char*>(ldns_rdf_data(&rdf)),
          ldns_rdf_size(&rdf)};
}

ExplainedRecord RecordOf(const ldns_rr& rr) {
  ExplainedRecord record;
  record.owner = BytesOf(*ldns_rr_owner(&rr));
  record.name = NameToText(WireBytes(record.owner));
  record.ttl = ldns_rr_ttl(&rr);
  record.type_number = static_cast<uint16_t>(ldns_rr_get_type(&rr));
  record.type = TypeText(record.type_number);
  for (size_t i = 0; i < ldns_rr_rd_count(&rr); ++i) {
    const ldns_rdf* const rdf = ldns_rr_rdf(&rr, i);
    record.rdata += BytesOf(*rdf);
    const std::unique_ptr<char, CharFree> text(ldns_rdf2str(rdf));
    absl::StrAppend(&record.data, i == 0 ? "" : " ",
                    text == nullptr ? "" : text.get());
  }
  return record;
}

std::vector<ExplainedRecord> RecordsOf(const ldns_rr_list* list) {
  std::vector<ExplainedRecord> records;
  for (size_t i = 0; list != nullptr && i < ldns_rr_list_rr_count(list); ++i) {
    records.push_back(RecordOf(*ldns_rr_list_rr(list, i)));
  }
  return records;
}

}  // namespace

std::string ExplainPacket(const ExplainQuestion& question) {
  std::string packet;
  const bool has_opt = question.edns_bytes > 0;
  for (const uint32_t word :
       {0u, uint32_t{kFlagRd}, 1u, 0u, 0u, has_opt ? 1u : 0u}) {
    Put16(word, &packet);
  }
  packet += question.name;
  Put16(question.type, &packet);
  Put16(kClassIn, &packet);
  if (!has_opt) return packet;
  packet.push_back('\0');
  for (const uint32_t word :
       {uint32_t{kTypeOpt}, uint32_t{question.edns_bytes}, 0u, 0u, 0u}) {
    Put16(word, &packet);
  }
  return packet;
}

Outcome AskResponder(const ExplainContext& context,
                     const ExplainQuestion& question,
                     Explanation* explanation) {
  explanation->name = NameToText(WireBytes(question.name));
  explanation->type =
      question.type == kTypeAny ? "ANY" : TypeText(question.type);
  RespondContext respond;
  respond.random = Random(context.seed);
  respond.unix_time = context.unix_time;
  std::vector<uint8_t> out(kResponseBytesMax);
  const std::string packet = ExplainPacket(question);
  const Response response = Respond(WireBytes(packet), question.transport,
                                    context.view, &respond, out.data());
  explanation->asked = respond.asked;
  if (response.size == 0) return response.outcome;
  ldns_pkt* raw = nullptr;
  explanation->rcode = RcodeText(Load16(out.data() + 2) & 0xfu);
  explanation->is_truncated = (Load16(out.data() + 2) & kFlagTc) != 0;
  const ldns_status status = ldns_wire2pkt(&raw, out.data(), response.size);
  const std::unique_ptr<ldns_pkt, PacketFree> read(raw);
  if (status != LDNS_STATUS_OK) {
    explanation->steps.push_back(
        absl::StrCat("The answer's records cannot be shown: ",
                     ldns_get_errorstr_by_id(status), "."));
    return response.outcome;
  }
  explanation->answer = RecordsOf(ldns_pkt_answer(raw));
  explanation->authority = RecordsOf(ldns_pkt_authority(raw));
  explanation->additional = RecordsOf(ldns_pkt_additional(raw));
  return response.outcome;
}

}  // namespace dnsd
