#include "tests/testing/consul_trim.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/testing/reference_truncation.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// What 1.8.7 takes off the client's UDP size, found by asking it.
constexpr size_t kUdpHeaderBytes187 = 7;

Rr OptRecord(const Opt& opt) {
  Rr rr;
  rr.owner = std::string(1, '\0');
  rr.type = kTypeOpt;
  rr.rclass = opt.udp_size;
  rr.ttl = static_cast<uint32_t>(opt.extended_rcode) << 24;
  rr.rdata = opt.options;
  return rr;
}

// The records that come into ADDITIONAL with each SRV answer: addresses, then
// the texts of its node. Empty when the two sections do not fit together.
std::vector<std::vector<Rr>> ExtrasOfAnswers(const Message& full,
                                             size_t text_count) {
  std::vector<std::vector<Rr>> groups;
  size_t at = 0;
  for (size_t i = 0; i < full.answer.size(); ++i) {
    std::vector<Rr> group;
    size_t texts = 0;
    const bool last = i + 1 == full.answer.size();
    while (at < full.additional.size()) {
      const Rr& rr = full.additional[at];
      if (text_count == 0 && !last && !group.empty()) break;
      if (texts == text_count && texts > 0) break;
      if (rr.type == kTypeTxt) ++texts;
      group.push_back(rr);
      ++at;
    }
    groups.push_back(group);
  }
  if (at != full.additional.size()) groups.clear();
  return groups;
}

// `full` with the answers of `like` first.
std::optional<RefPacket> Reorder(const Message& full, const Message& like,
                                 size_t text_count, bool large_first) {
  std::vector<std::vector<Rr>> extras;
  if (full.qtype == kTypeSrv) extras = ExtrasOfAnswers(full, text_count);
  std::vector<size_t> order;
  std::vector<bool> used(full.answer.size());
  for (const Rr& rr : MaskSerials(like.answer)) {
    size_t i = 0;
    while (i < full.answer.size() &&
           (used[i] || MaskSerial(full.answer[i]) != rr)) {
      ++i;
    }
    if (i == full.answer.size()) return std::nullopt;
    used[i] = true;
    order.push_back(i);
  }
  const auto rest = static_cast<std::ptrdiff_t>(order.size());
  for (size_t i = 0; i < full.answer.size(); ++i) {
    if (!used[i]) order.push_back(i);
  }
  std::stable_sort(order.begin() + rest, order.end(), [&](size_t a, size_t b) {
    const size_t a_size = full.answer[a].rdata.size();
    const size_t b_size = full.answer[b].rdata.size();
    return large_first ? a_size > b_size : a_size < b_size;
  });
  RefPacket packet;
  packet.qname = full.qname;
  packet.authority = full.authority;
  if (extras.empty()) packet.additional = full.additional;
  for (const size_t i : order) {
    packet.answer.push_back(full.answer[i]);
    if (extras.empty()) continue;
    packet.additional.insert(packet.additional.end(), extras[i].begin(),
                             extras[i].end());
  }
  return packet;
}

// Consul keeps the first record of each target's name, which may be a TXT that
// came with another instance of the node. We always keep the address.
void PreferAddresses(const Message& full, std::vector<Rr>* additional) {
  for (Rr& rr : *additional) {
    if (rr.type != kTypeTxt) continue;
    const auto address = std::find_if(
        full.additional.begin(), full.additional.end(), [&](const Rr& other) {
          return other.owner == rr.owner && other.type != kTypeTxt;
        });
    if (address != full.additional.end()) rr = *address;
  }
}

// Not Rr::operator<: the order means nothing.
std::vector<Rr> Sorted(const std::vector<Rr>& rrs) {
  std::vector<Rr> sorted = MaskSerials(rrs);
  const auto key = [](const Rr& rr) {
    return std::tie(rr.owner, rr.type, rr.rclass, rr.ttl, rr.rdata);
  };
  std::sort(sorted.begin(), sorted.end(),
            [&](const Rr& a, const Rr& b) { return key(a) < key(b); });
  return sorted;
}

}  // namespace

std::optional<Message> TrimForUdp(const ReleaseConfig& config, Release release,
                                  const Message& full, const Message& like,
                                  bool large_first) {
  const bool newest = release != Release::k187;
  size_t text_count = config.node_text_count;
  if (text_count > 0 && !newest && !config.mirrored) ++text_count;
  std::optional<RefPacket> packet =
      Reorder(full, like, text_count, large_first);
  if (!packet) return std::nullopt;
  packet->compress = config.compress;
  std::optional<uint16_t> edns_size;
  if (full.opt) {
    edns_size = full.opt->udp_size;
    if (newest) packet->additional.push_back(OptRecord(*full.opt));
  }
  TrimResult trim;
  if (newest || IsTrimmedBy187(config, full)) {
    trim = ConsulTrimUdp(edns_size, config.udp_answer_limit, &*packet,
                         release == Release::kNewest ? kConsulUdpHeaderBytes
                                                     : kUdpHeaderBytes187);
  }
  Message message = full;
  message.answer = packet->answer;
  message.authority = packet->authority;
  message.additional.clear();
  if (newest) message.opt.reset();
  for (const Rr& rr : packet->additional) {
    if (rr.type == kTypeOpt) {
      message.opt = full.opt;
    } else {
      message.additional.push_back(rr);
    }
  }
  if (trim.synced && newest) PreferAddresses(full, &message.additional);
  if (trim.trimmed && config.enable_truncate) message.flags |= kFlagTc;
  return message;
}

std::string Compare(const Message& expected, const Message& got) {
  std::vector<std::string> differences;
  if (expected.flags != got.flags) {
    differences.push_back(absl::StrCat("flags 0x", absl::Hex(expected.flags),
                                       " / 0x", absl::Hex(got.flags)));
  }
  if (expected.has_question != got.has_question ||
      expected.qname != got.qname || expected.qtype != got.qtype ||
      expected.qclass != got.qclass) {
    differences.push_back("question");
  }
  if (Sorted(expected.answer) != Sorted(got.answer)) {
    differences.push_back("answer");
  }
  if (Sorted(expected.authority) != Sorted(got.authority)) {
    differences.push_back("authority");
  }
  if (Sorted(expected.additional) != Sorted(got.additional)) {
    differences.push_back("additional");
  }
  if (expected.opt != got.opt) differences.push_back("OPT");
  return absl::StrJoin(differences, ", ");
}

}  // namespace dnsd::testing
