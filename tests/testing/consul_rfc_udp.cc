#include "tests/testing/consul_rfc_udp.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_trim.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// Type, class, TTL and length behind a record's owner.
constexpr size_t kFixedBytes = 10;
constexpr size_t kOptBytes = 11;  // without options

size_t SkipName(std::span<const uint8_t> packet, size_t at) {
  while (packet[at] != 0) {
    if ((packet[at] & 0xc0) == 0xc0) return at + 2;
    at += 1u + packet[at];
  }
  return at + 1;
}

// What `part` lacks of `full`; nothing when it has what `full` has not.
std::optional<std::vector<Rr>> Missing(const std::vector<Rr>& full,
                                       const std::vector<Rr>& part) {
  std::vector<Rr> missing = MaskSerials(full);
  for (const Rr& rr : MaskSerials(part)) {
    const auto same = std::find(missing.begin(), missing.end(), rr);
    if (same == missing.end()) return std::nullopt;
    missing.erase(same);
  }
  return missing;
}

// Whether each of these would have found room.
bool AllFit(const std::vector<Rr>& missing, const RecordSizes& sizes,
            size_t room) {
  return std::all_of(missing.begin(), missing.end(), [&](const Rr& rr) {
    const auto size = sizes.find(RrText(rr));
    return size != sizes.end() && size->second <= room;
  });
}

// Whether `rr` is about a name in the data of one of `others`.
bool IsNamedBy(const std::vector<Rr>& others, const Rr& rr) {
  return std::any_of(others.begin(), others.end(), [&](const Rr& other) {
    return other.type != kTypeTxt && other.rdata.ends_with(rr.owner);
  });
}

// Those of `additional` that belong to `answers`: what is known of their
// targets, and texts.
std::vector<Rr> OfTargets(const std::vector<Rr>& additional,
                          const std::vector<Rr>& answers) {
  std::vector<Rr> found;
  for (const Rr& rr : additional) {
    if (rr.type == kTypeTxt || IsNamedBy(answers, rr) ||
        IsNamedBy(additional, rr)) {
      found.push_back(rr);
    }
  }
  return found;
}

}  // namespace

RecordSizes ReadRecordSizes(std::span<const uint8_t> packet,
                            const Message& message) {
  std::vector<const Rr*> records;
  for (const auto* section :
       {&message.answer, &message.authority, &message.additional}) {
    for (const Rr& rr : *section) records.push_back(&rr);
  }
  RecordSizes sizes;
  size_t at = kHeaderBytes;
  if (message.has_question) at = SkipName(packet, at) + 4;
  // OPT is not among them, and stands last if it is there at all.
  for (const Rr* rr : records) {
    const size_t behind_owner = SkipName(packet, at);
    const size_t end = behind_owner + kFixedBytes +
                       Load16(&packet[behind_owner + kFixedBytes - 2]);
    sizes[RrText(*rr)] = end - at;
    at = end;
  }
  return sizes;
}

size_t RfcUdpBytesMax(const RfcConfig& config, const QueryOptions& options) {
  if (!options.edns) return kUdpPlainMax;
  return std::max(kUdpPlainMax,
                  static_cast<size_t>(
                      std::min(options.edns->udp_size, config.edns_udp_size)));
}

std::string CheckRfcUdp(const RfcConfig& config, const QueryOptions& options,
                        const Message& full, const RecordSizes& sizes,
                        const Message& udp) {
  const size_t bytes_max = RfcUdpBytesMax(config, options);
  if (udp.size > bytes_max) {
    return absl::StrCat(udp.size, " bytes, where ", bytes_max, " may be");
  }
  const std::optional<std::vector<Rr>> answers =
      Missing(full.answer, udp.answer);
  const std::optional<std::vector<Rr>> additional =
      Missing(full.additional, udp.additional);
  if (!answers) return "answers that TCP does not give";
  if (!additional) return "ADDITIONAL that TCP does not give";
  Message expected = full;
  expected.answer = udp.answer;
  expected.additional = udp.additional;
  if (!answers->empty()) expected.flags |= kFlagTc;
  const std::string difference = Compare(expected, udp);
  if (!difference.empty()) return difference;
  // ADDITIONAL is what there was room for behind the answers.
  const size_t opt_bytes = udp.opt ? kOptBytes + udp.opt->options.size() : 0;
  const size_t answers_room = bytes_max - (udp.answer_end + opt_bytes);
  const bool at_limit = !options.edns && config.udp_answer_limit &&
                        udp.answer.size() == *config.udp_answer_limit;
  if (!answers->empty() && !at_limit && AllFit(*answers, sizes, answers_room)) {
    return "room for answers";
  }
  const std::vector<Rr> wanted = OfTargets(*additional, udp.answer);
  if (!wanted.empty() && AllFit(wanted, sizes, bytes_max - udp.size)) {
    return "room for ADDITIONAL";
  }
  if (OfTargets(udp.additional, udp.answer).size() < udp.additional.size()) {
    return "ADDITIONAL of answers that are missing";
  }
  return "";
}

}  // namespace dnsd::testing
