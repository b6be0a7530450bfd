#include "tests/testing/response_check.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/testing/response_assembly.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

bool Contains(const std::vector<Rr>& rrs, const Rr& rr) {
  return std::find(rrs.begin(), rrs.end(), rr) != rrs.end();
}

std::set<std::string> AuthorityTexts(const std::vector<Rr>& rrs) {
  std::set<std::string> texts;
  for (const Rr& rr : MaskSerials(rrs)) texts.insert(RrText(rr));
  return texts;
}

std::string Difference(const std::string& what,
                       const std::vector<std::string>& expected,
                       const std::vector<std::string>& got) {
  return absl::StrCat(what, ": expected ", expected.size(), "\n  ",
                      absl::StrJoin(expected, "\n  "), "\ngot ", got.size(),
                      "\n  ", absl::StrJoin(got, "\n  "), "\n");
}

std::string CheckHeader(const ZonePolicy& policy,
                        const ReferenceAnswer& reference,
                        const Message& message) {
  const Message& query = reference.query;
  if (message.id != query.id) return "id differs";
  if ((message.flags & kFlagQr) == 0) return "QR is not set";
  if (message.has_question) {
    if (message.qname != query.qname || message.qtype != query.qtype ||
        message.qclass != query.qclass) {
      return "the question is not echoed as it came";
    }
  } else if (!reference.bare_allowed) {
    return "the question is missing";
  }
  if (reference.rcodes.count(message.rcode()) == 0) {
    return absl::StrCat("rcode ", RcodeText(message.rcode()), ", expected ",
                        RcodeText(*reference.rcodes.begin()));
  }
  if (reference.loose_header) return "";
  if (((message.flags ^ query.flags) & kOpcodeMask) != 0) {
    return "opcode is not echoed";
  }
  uint16_t expected = reference.aa ? kFlagAa : 0;
  if (reference.aa && policy.recursion_available) expected |= kFlagRa;
  uint16_t mask = kFlagAa | kFlagRa | kFlagAd | 0x0040;
  // miekg/dns echoes RD and CD for QUERY only.
  if ((query.flags & kOpcodeMask) == 0) {
    expected |= query.flags & (kFlagRd | kFlagCd);
    mask |= kFlagRd | kFlagCd;
  }
  if ((message.flags & mask) != expected) {
    return absl::StrCat("flags 0x", absl::Hex(message.flags), ", expected 0x",
                        absl::Hex(expected), " of mask 0x", absl::Hex(mask));
  }
  return "";
}

std::string CheckOpt(const ZonePolicy& policy, const ReferenceAnswer& reference,
                     const Message& message, bool required) {
  if (!message.opt) return required ? "OPT is missing" : "";
  if (!reference.query.opt) return "OPT without one in the query";
  if (!required && reference.opt != RefOpt::kOptional) return "OPT is there";
  if (!message.opt_is_last) return "OPT is not the last record";
  Rr expected = ExpectedOpt(policy, reference);
  const Opt& opt = *message.opt;
  bool options_fit = opt.options == expected.rdata ||
                     (policy.compat == Compat::kRfc && opt.options.empty());
  if (opt.udp_size != expected.rclass || opt.version != 0 ||
      opt.dnssec_ok != ((expected.ttl & 0x8000) != 0) || !options_fit) {
    return absl::StrCat("OPT size ", opt.udp_size, " version ", opt.version,
                        opt.dnssec_ok ? " do" : "", ", ", opt.options.size(),
                        " bytes of options; expected size ", expected.rclass,
                        ", ", expected.rdata.size(), " bytes of options");
  }
  return "";
}

std::string CheckAuthority(const ReferenceAnswer& reference,
                           const std::vector<Rr>& expected,
                           const Message& message) {
  std::set<std::string> wanted = AuthorityTexts(expected);
  std::set<std::string> got = AuthorityTexts(message.authority);
  if (wanted == got) return "";
  if (reference.soa == RefSoa::kOptional) {
    wanted.merge(AuthorityTexts({reference.soa_record}));
    if (wanted == got) return "";
  }
  return Difference("authority", {wanted.begin(), wanted.end()},
                    {got.begin(), got.end()});
}

// After Consul rebuilt ADDITIONAL: one record for each target, CNAMEs
// followed. Which one depends on the shuffle when a name has several.
std::string CheckSynced(const std::vector<Rr>& all, const Message& message) {
  std::set<std::string> names;
  std::vector<std::string> queue;
  for (const Rr& rr : message.answer) {
    if (rr.type == kTypeSrv) queue.push_back(LowerName(rr.rdata.substr(6)));
  }
  std::vector<std::string> got = SortedTexts(message.additional);
  size_t expected_count = 0;
  while (!queue.empty()) {
    std::string name = queue.back();
    queue.pop_back();
    if (!names.insert(name).second) continue;
    bool exists = false;
    bool found = false;
    for (const Rr& rr : all) {
      if (LowerName(rr.owner) != name || rr.type == kTypeOpt) continue;
      exists = true;
      if (found || !Contains(message.additional, rr)) continue;
      found = true;
      if (rr.type == kTypeCname) queue.push_back(LowerName(rr.rdata));
    }
    if (!exists) continue;
    ++expected_count;
    if (!found) {
      return absl::StrCat("additional: nothing for ", NameText(name), "\n");
    }
  }
  if (got.size() != expected_count) {
    return absl::StrCat("additional: ", got.size(), " records, expected ",
                        expected_count, " after trimming\n",
                        RrListText(message.additional));
  }
  return "";
}

// Chains that are drawn at random: as many records for each name as expected,
// each of them one that may come.
std::string CheckDrawn(const std::vector<Rr>& expected,
                       const std::vector<Rr>& possible, const Message& message,
                       const std::string& difference) {
  std::map<std::string, int> counts;
  for (const Rr& rr : expected) ++counts[LowerName(rr.owner)];
  for (const Rr& rr : message.additional) {
    --counts[LowerName(rr.owner)];
    if (!Contains(possible, rr)) return difference;
  }
  bool equal = std::all_of(counts.begin(), counts.end(),
                           [](const auto& count) { return count.second == 0; });
  return equal ? "" : difference;
}

std::string CheckConsulOnce(const ZonePolicy& policy,
                            const ReferenceAnswer& reference,
                            const Message& message, size_t chain,
                            HiddenOrder order) {
  Assembly assembly = Assemble(policy, reference, message, chain, order);
  if (!assembly.error.empty()) return assembly.error;
  std::vector<Rr> all_additional = assembly.packet.additional;
  RefPacket& packet = assembly.packet;
  TrimResult trim = CutLikeConsul(policy, reference, &packet);
  std::vector<std::string> expected = SortedTexts(packet.answer);
  std::vector<std::string> got = SortedTexts(MaskSerials(message.answer));
  if (expected != got) return Difference("answer", expected, got);
  bool tc = trim.trimmed && policy.enable_truncate;
  if (((message.flags & kFlagTc) != 0) != tc) {
    return tc ? "TC is not set" : "TC is set";
  }
  std::string error = CheckAuthority(reference, packet.authority, message);
  if (!error.empty()) return error;
  bool opt_required = false;
  std::vector<Rr> additional;
  for (const Rr& rr : packet.additional) {
    if (rr.type == kTypeOpt) {
      opt_required = true;
    } else {
      additional.push_back(rr);
    }
  }
  error = CheckOpt(policy, reference, message, opt_required);
  if (!error.empty()) return error;
  if (trim.synced) return CheckSynced(all_additional, message);
  expected = SortedTexts(additional);
  got = SortedTexts(message.additional);
  if (expected == got) return "";
  std::string difference = Difference("additional", expected, got);
  return assembly.additional_is_drawn
             ? CheckDrawn(additional, assembly.possible, message, difference)
             : difference;
}

// What a record takes at least, and (far into a message, or without
// compression) at most.
size_t RecordBytes(const Rr& rr, bool pointer) {
  return (pointer ? 2 : rr.owner.size()) + 10 + rr.rdata.size();
}

std::string CheckRfcAnswers(const ZonePolicy& policy,
                            const ReferenceAnswer& reference,
                            const Message& message, const Assembly& assembly,
                            bool* complete) {
  const std::vector<Rr>& all = assembly.packet.answer;
  std::vector<Rr> missing;
  for (size_t i = 0; i < all.size(); ++i) {
    if (Contains(MaskSerials(message.answer), all[i])) continue;
    uint16_t asked = reference.query.qtype;
    bool in_chain = i < assembly.chain_size;
    bool follows = asked == kTypeA || asked == kTypeAaaa || asked == kTypeAny;
    bool wanted =
        !in_chain || i == 0 || !reference.chain_by_type ||
        (follows && (all[i].type == kTypeCname || all[i].type == asked ||
                     (asked == kTypeAny && all[i].type != kTypeTxt)));
    if (wanted) missing.push_back(all[i]);
  }
  *complete = missing.empty();
  bool tc = (message.flags & kFlagTc) != 0;
  if (missing.empty()) {
    return tc && reference.any_subset.empty()
               ? "TC is set, but nothing is missing"
               : "";
  }
  if (!tc) {
    return absl::StrCat("missing without TC:\n", RrListText(missing));
  }
  if (reference.transport == Transport::kUdp && !reference.query.opt &&
      policy.udp_answer_limit) {
    auto limit = static_cast<size_t>(*policy.udp_answer_limit);
    size_t count = message.answer.size();
    if (count == limit || count == std::min<size_t>(limit, 8)) return "";
  }
  size_t used = message.answer_end + (message.opt ? 11 : 0) +
                (message.opt ? message.opt->options.size() : 0);
  // Filling may stop at the first record that does not fit.
  size_t largest = 0;
  for (const Rr& rr : missing) {
    largest = std::max(largest, RecordBytes(rr, !policy.disable_compression));
  }
  if (used + largest <= RfcBytesMax(policy, reference)) {
    return absl::StrCat("cut at ", used, " bytes, but ", largest,
                        " more would fit:\n", RrListText(missing));
  }
  return "";
}

std::string CheckRfcAdditional(const ZonePolicy& policy,
                               const ReferenceAnswer& reference,
                               const Message& message, const Assembly& assembly,
                               bool complete) {
  const std::vector<Rr>& all = assembly.packet.additional;
  for (const Rr& rr : message.additional) {
    if (!Contains(all, rr) && !Contains(reference.optional_extras, rr)) {
      return absl::StrCat("unexpected additional: ", RrText(rr));
    }
  }
  // With TC the client asks again; what is beside the answer is a courtesy.
  if (!complete) return "";
  size_t bytes_max = RfcBytesMax(policy, reference);
  bool far = policy.disable_compression || bytes_max > kPointerMax;
  // Filling may stop at the first record that does not fit.
  size_t largest = 0;
  std::string missing;
  for (const Rr& rr : all) {
    if (rr.type == kTypeOpt || Contains(message.additional, rr)) continue;
    bool pointer = !far && (rr.type == kTypeA || rr.type == kTypeAaaa);
    size_t bytes = RecordBytes(rr, pointer);
    if (bytes > largest) missing = RrText(rr);
    largest = std::max(largest, bytes);
  }
  if (largest > 0 && message.size + largest <= bytes_max) {
    return absl::StrCat("missing though there is room (", message.size, " of ",
                        bytes_max, " bytes): ", missing);
  }
  // No text may sit where an address would have had room.
  size_t text_bytes = 0;
  for (const Rr& rr : message.additional) {
    if (Contains(assembly.texts, rr)) text_bytes += RecordBytes(rr, true);
  }
  for (const Rr& rr : assembly.addresses) {
    if (!Contains(message.additional, rr) && text_bytes > 0 &&
        message.size - text_bytes + RecordBytes(rr, !far) <= bytes_max) {
      return absl::StrCat("TXT took the room of ", RrText(rr));
    }
  }
  return "";
}

std::string CheckRfcOnce(const ZonePolicy& policy,
                         const ReferenceAnswer& reference,
                         const Message& message, size_t chain) {
  Assembly assembly =
      Assemble(policy, reference, message, chain, HiddenOrder());
  if (!assembly.error.empty()) return assembly.error;
  if (message.size > RfcBytesMax(policy, reference)) {
    return absl::StrCat(message.size, " bytes, at most ",
                        RfcBytesMax(policy, reference), " fit");
  }
  bool complete = false;
  std::string error =
      CheckRfcAnswers(policy, reference, message, assembly, &complete);
  if (!error.empty()) return error;
  error = CheckAuthority(reference, assembly.packet.authority, message);
  if (!error.empty()) return error;
  error =
      CheckOpt(policy, reference, message, reference.opt == RefOpt::kRequired);
  if (!error.empty()) return error;
  return CheckRfcAdditional(policy, reference, message, assembly, complete);
}

// Does the chain name the same alias twice?
bool HasLoop(const ReferenceAnswer& reference, size_t chain) {
  if (chain >= reference.chains.size()) return false;
  const std::vector<Rr>& fixed = reference.chains[chain].fixed;
  for (size_t i = 0; i < fixed.size(); ++i) {
    if (fixed[i].type == kTypeCname &&
        std::count(fixed.begin(), fixed.end(), fixed[i]) > 1) {
      return true;
    }
  }
  return false;
}

// Consul repeats a loop until its budget is used up. What matters is that
// the answer ends, begins with the alias and says nothing else.
std::string CheckLoop(const ReferenceAnswer& reference, const Message& message,
                      size_t chain) {
  const Chain& loop = reference.chains[chain];
  if (!Contains(message.answer, loop.fixed.front())) return "no alias";
  for (const Rr& rr : message.answer) {
    bool known = Contains(loop.fixed, rr) || Contains(loop.pool, rr);
    for (const RefSlot& slot : reference.slots) {
      known = known || Contains(slot.records, rr);
    }
    if (!known) return absl::StrCat("unexpected record: ", RrText(rr));
  }
  return "";
}

}  // namespace

std::string CheckMessage(const ZonePolicy& policy,
                         const ReferenceAnswer& reference,
                         const Message& message) {
  if (reference.dropped) return "answered what must be dropped";
  std::string error = CheckHeader(policy, reference, message);
  if (!error.empty()) return error;
  if (reference.loose_header) {
    bool empty = message.answer.empty() && message.authority.empty() &&
                 message.additional.empty();
    return empty ? "" : "records in an error response";
  }
  size_t chains = std::max<size_t>(reference.chains.size(), 1);
  std::string first;
  for (size_t chain = 0; chain < chains; ++chain) {
    if (HasLoop(reference, chain)) {
      error = CheckLoop(reference, message, chain);
      if (error.empty()) return "";
    }
    for (HiddenOrder order : {HiddenOrder{true, false},
                              {false, false},
                              {true, true},
                              {false, true}}) {
      error = policy.compat == Compat::kConsul
                  ? CheckConsulOnce(policy, reference, message, chain, order)
                  : CheckRfcOnce(policy, reference, message, chain);
      if (error.empty()) return "";
      if (first.empty()) first = error;
      if (policy.compat == Compat::kRfc) break;
    }
  }
  return first;
}

std::string CheckResponse(const ZonePolicy& policy,
                          const ReferenceAnswer& reference,
                          std::span<const uint8_t> response) {
  if (response.empty()) {
    return reference.dropped ? "" : "nothing was sent";
  }
  Message message;
  std::string error = ParseMessage(response, &message);
  if (!error.empty()) return absl::StrCat("unreadable response: ", error);
  return CheckMessage(policy, reference, message);
}

}  // namespace dnsd::testing
