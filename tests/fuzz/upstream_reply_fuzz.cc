// Any bytes as an upstream's reply, behind one that says how it was asked for
// and who wants it. The id and the question are taken for ours. What is passed
// on must be well formed: every TTL where the answer says, and
// readable by ldns if the reply was.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "dnsd/forward/upstream_answer.h"
#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr uint8_t kOfDo = 1;
constexpr uint8_t kOfTcp = 2;
constexpr uint8_t kOfStale = 4;
constexpr uint8_t kOfEdns = 8;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

bool LdnsReads(std::span<const uint8_t> bytes) {
  testing::Message message;
  return testing::ParseMessage(bytes, &message).empty();
}

// The end of the name at `at`, which must be one.
size_t EndOfName(const std::string& bytes, size_t at) {
  for (;;) {
    Require(at < bytes.size(), "a name is cut off");
    const auto size = static_cast<uint8_t>(bytes[at]);
    if (size >= 0xc0) return at + 2;
    if (size == 0) return at + 1;
    at += 1u + size;
  }
}

void CheckShape(const UpstreamAnswer& answer) {
  const std::string& bytes = answer.bytes;
  const uint8_t* wire = WireBytes(bytes).data();
  size_t at = EndOfName(bytes, kHeaderBytes) + 4;
  for (uint16_t ttl_at : answer.ttl_at) {
    at = EndOfName(bytes, at);
    Require(at + 10 <= bytes.size(), "a record is cut off");
    Require(ttl_at == at + 4, "ttl_at is not where a TTL is");
    at += 10u + Load16(wire + at + 8);
  }
  Require(at == bytes.size(), "bytes behind the last record");
  Require(answer.ttl_at.size() == size_t{Load16(wire + 6)} + Load16(wire + 8),
          "not as many records as counted");
  const UpstreamAnswer::Rotation& set = answer.rotation;
  Require(set.count == 0 || set.first_rdata_at +
                                    size_t{set.stride} * (set.count - 1u) +
                                    set.rdata_size <=
                                bytes.size(),
          "a rotation leaves the answer");
}

// A client that asks the same.
void WriteFor(const UpstreamAnswer& answer, SentQuery sent, uint8_t choices,
              bool ldns_reads) {
  sent.udp_size = (choices & kOfEdns) != 0 ? 1232 : 0;
  std::string packet = WriteUpstreamQuery(sent);
  Query query;
  Require(ParseQuery(WireBytes(packet), &query) == ParseResult::kOk,
          "our own query cannot be read");
  ClientAnswerOptions options;
  options.age_s = choices;
  options.is_stale = (choices & kOfStale) != 0;
  const Transport transport =
      (choices & kOfTcp) != 0 ? Transport::kTcp : Transport::kUdp;
  Random random(choices);
  std::vector<uint8_t> out(kResponseBytesMax);
  const size_t size =
      WriteForClient(answer, query, transport, options, &random, out.data());
  Require(transport == Transport::kTcp || size <= 1232, "too large");
  Require(!ldns_reads || LdnsReads({out.data(), size}), "ldns cannot read it");
}

void ReadAndWrite(std::span<const uint8_t> reply, uint8_t choices) {
  SentQuery sent;
  sent.udp_size = 1232;
  sent.question.dnssec_ok = (choices & kOfDo) != 0;
  if (reply.size() >= kHeaderBytes) {
    sent.id = Load16(reply.data());
    Name name;
    const size_t size = ParseName(reply.subspan(kHeaderBytes), &name);
    if (size != 0 && reply.size() - kHeaderBytes - size >= 4) {
      const uint8_t* type = &reply[kHeaderBytes] + size;
      sent.question.name.assign(reinterpret_cast<const char*>(name.lower),
                                name.size);
      sent.question.qtype = Load16(type);
      sent.question.qclass = Load16(type + 2);
    }
  }
  UpstreamAnswer answer;
  const ReplyVerdict verdict =
      ReadReply(reply, sent, (choices & kOfTcp) != 0, &answer);
  if (verdict != ReplyVerdict::kAnswer) {
    Require(answer.bytes.empty(), "a failure left something behind");
    return;
  }
  CheckShape(answer);
  WriteFor(answer, sent, choices, LdnsReads(reply));
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  dnsd::ReadAndWrite({data + 1, size - 1}, data[0]);
  return 0;
}
