// ReadReply(): what of an upstream's reply may be passed on and kept.
//
// Whoever can make an upstream say something may hang records of any name on
// it. So only those are taken that the question leads to: the aliases from its
// name on, and what was asked for at their end (RFC 5452 section 6).
#include <algorithm>
#include <cstring>
#include <optional>

#include "dnsd/forward/answer_builder.h"
#include "dnsd/forward/reply_records.h"
#include "dnsd/forward/upstream_answer.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// Longer chains are a mistake; resolvers stop at 8 to 16.
constexpr size_t kAliasesMax = 16;
constexpr size_t kSoaTailBytes = 4;  // MINIMUM is its last number

// What is left of a reply once its header and question are known to be ours.
class ReplyReader {
 public:
  ReplyReader(const SentQuery& sent, UpstreamAnswer* answer)
      : question_(sent.question), answer_(answer) {}

  [[nodiscard]] ReplyVerdict Read(std::span<const uint8_t> reply,
                                  size_t records_at);

 private:
  [[nodiscard]] bool Asked(const ReplyRecord& rr) const {
    return rr.type == question_.qtype ||
           (question_.qtype == kTypeAny && rr.type != kTypeOpt);
  }
  [[nodiscard]] bool OwnedBy(const ReplyRecord& rr,
                             const std::string& name) const {
    const std::span<const uint8_t> owner = records_.owner(rr);
    return owner.size() == name.size() &&
           std::memcmp(owner.data(), name.data(), name.size()) == 0;
  }
  // Whether it is in that section and of our class.
  [[nodiscard]] bool In(const ReplyRecord& rr, ReplySection section) const {
    return rr.section == section &&
           (rr.rclass == question_.qclass || question_.qclass == kClassAny);
  }
  [[nodiscard]] uint16_t Covered(const ReplyRecord& rr) const {
    const std::span<const uint8_t> rdata = records_.rdata(rr);
    return rdata.size() < 2 ? 0 : Load16(rdata.data());
  }
  [[nodiscard]] bool AnswerAt(const std::string& name) const;
  [[nodiscard]] const ReplyRecord* AliasAt(const std::string& name) const;
  [[nodiscard]] bool FollowAliases();

  [[nodiscard]] bool Add(const ReplyRecord& rr);
  [[nodiscard]] bool AddSignatures(ReplySection section,
                                   std::span<const uint8_t> owner,
                                   uint16_t covered);
  [[nodiscard]] bool AddDnames(const std::string& name);
  [[nodiscard]] bool AddChain();
  [[nodiscard]] bool AddAsked();
  [[nodiscard]] const ReplyRecord* FindSoa() const;
  [[nodiscard]] bool AddSoa(const ReplyRecord& soa);
  [[nodiscard]] bool AddProofs();
  [[nodiscard]] uint16_t CountForeign() const;
  void NoteRotation(uint16_t rdata_at, uint16_t rdata_size);

  const ForwardQuestion& question_;
  UpstreamAnswer* answer_;
  ReplyRecords records_;
  // The question's name and what it is an alias of, one after the other;
  // aliases_[i] leads from names_[i] to the next.
  std::vector<std::string> names_;
  std::vector<const ReplyRecord*> aliases_;
  bool has_data_ = false;
  std::vector<const ReplyRecord*> dnames_;  // those that were added
  std::optional<AnswerBuilder> builder_;
};

bool ReplyReader::AnswerAt(const std::string& name) const {
  const std::vector<ReplyRecord>& all = records_.all();
  return std::any_of(all.begin(), all.end(), [&](const ReplyRecord& rr) {
    return In(rr, ReplySection::kAnswer) && Asked(rr) && OwnedBy(rr, name);
  });
}

const ReplyRecord* ReplyReader::AliasAt(const std::string& name) const {
  for (const ReplyRecord& rr : records_.all()) {
    if (In(rr, ReplySection::kAnswer) && rr.type == kTypeCname &&
        OwnedBy(rr, name)) {
      return &rr;
    }
  }
  return nullptr;
}

// False for a chain without end, and for a DNAME without the CNAME that goes
// with it (RFC 6672 section 3.1).
bool ReplyReader::FollowAliases() {
  names_.push_back(question_.name);
  for (;;) {
    if (AnswerAt(names_.back())) {
      has_data_ = true;
      return true;
    }
    const ReplyRecord* alias = AliasAt(names_.back());
    if (alias == nullptr) break;
    std::string target;
    const size_t end = size_t{alias->rdata_at} + alias->rdata_size;
    if (aliases_.size() == kAliasesMax ||
        ExpandName(records_.reply().first(end), alias->rdata_at, &target) !=
            alias->rdata_size) {
      return false;
    }
    LowerName(&target);
    aliases_.push_back(alias);
    names_.push_back(std::move(target));
  }
  for (const ReplyRecord& rr : records_.all()) {
    if (In(rr, ReplySection::kAnswer) && rr.type == kTypeDname &&
        rr.name_size < names_.back().size() &&
        IsAtOrBelow(WireBytes(names_.back()), records_.owner(rr))) {
      return false;
    }
  }
  return true;
}

bool ReplyReader::Add(const ReplyRecord& rr) {
  answer_->ttl = std::min(answer_->ttl, rr.ttl);
  return builder_->Add(rr, rr.ttl);
}

bool ReplyReader::AddSignatures(ReplySection section,
                                std::span<const uint8_t> owner,
                                uint16_t covered) {
  if (!question_.dnssec_ok) return true;
  for (const ReplyRecord& rr : records_.all()) {
    if (!In(rr, section) || rr.type != kTypeRrsig || Covered(rr) != covered ||
        rr.name_size != owner.size() ||
        std::memcmp(records_.owner(rr).data(), owner.data(), owner.size()) !=
            0) {
      continue;
    }
    if (!Add(rr)) return false;
  }
  return true;
}

// The DNAMEs above a name of the chain, which explain its CNAME.
bool ReplyReader::AddDnames(const std::string& name) {
  for (const ReplyRecord& rr : records_.all()) {
    if (!In(rr, ReplySection::kAnswer) || rr.type != kTypeDname ||
        rr.name_size >= name.size() ||
        !IsAtOrBelow(WireBytes(name), records_.owner(rr)) ||
        std::find(dnames_.begin(), dnames_.end(), &rr) != dnames_.end()) {
      continue;
    }
    // A chain needs no more of them than aliases.
    if (dnames_.size() == kAliasesMax) return false;
    dnames_.push_back(&rr);
    if (!Add(rr) ||
        !AddSignatures(ReplySection::kAnswer, records_.owner(rr), kTypeDname)) {
      return false;
    }
  }
  return true;
}

bool ReplyReader::AddChain() {
  for (size_t i = 0; i < aliases_.size(); ++i) {
    if (!AddDnames(names_[i]) || !Add(*aliases_[i]) ||
        !AddSignatures(ReplySection::kAnswer, WireBytes(names_[i]),
                       kTypeCname)) {
      return false;
    }
  }
  return true;
}

// Addresses lie one behind the other, as AddAsked() writes them.
void ReplyReader::NoteRotation(uint16_t rdata_at, uint16_t rdata_size) {
  if (question_.qtype != kTypeA && question_.qtype != kTypeAaaa) return;
  UpstreamAnswer::Rotation& set = answer_->rotation;
  if (set.count == 0) {
    set = {rdata_at, 0, 1, rdata_size};
    return;
  }
  const auto stride = static_cast<uint16_t>(rdata_at - set.first_rdata_at -
                                            set.stride * (set.count - 1));
  if (set.count == 1) set.stride = stride;
  // The first may have its owner written out, and those behind it point there.
  if (stride == set.stride) ++set.count;
}

bool ReplyReader::AddAsked() {
  const std::string& last = names_.back();
  for (const ReplyRecord& rr : records_.all()) {
    if (!In(rr, ReplySection::kAnswer) || !Asked(rr) || !OwnedBy(rr, last)) {
      continue;
    }
    if (!Add(rr)) return false;
    NoteRotation(builder_->rdata_at(), rr.rdata_size);
  }
  return question_.qtype == kTypeAny ||
         AddSignatures(ReplySection::kAnswer, WireBytes(last), question_.qtype);
}

const ReplyRecord* ReplyReader::FindSoa() const {
  for (const ReplyRecord& rr : records_.all()) {
    if (In(rr, ReplySection::kAuthority) && rr.type == kTypeSoa &&
        IsAtOrBelow(WireBytes(names_.back()), records_.owner(rr))) {
      return &rr;
    }
  }
  return nullptr;
}

// Its TTL is what a negative answer lives (RFC 2308 section 5).
bool ReplyReader::AddSoa(const ReplyRecord& soa) {
  const std::span<const uint8_t> rdata = records_.rdata(soa);
  if (rdata.size() < kSoaTailBytes) return false;
  const uint32_t minimum = Load32(&rdata[rdata.size() - kSoaTailBytes]);
  const uint32_t ttl = std::min(soa.ttl, minimum);
  answer_->ttl = std::min(answer_->ttl, ttl);
  return builder_->Add(soa, ttl) &&
         AddSignatures(ReplySection::kAuthority, records_.owner(soa), kTypeSoa);
}

// Proofs of what does not exist, which wildcards need too (RFC 4035 3.1.3.3).
// They are owned by names beside the one asked for.
bool ReplyReader::AddProofs() {
  if (!question_.dnssec_ok) return true;
  for (const ReplyRecord& rr : records_.all()) {
    if (!In(rr, ReplySection::kAuthority)) continue;
    const uint16_t type = rr.type == kTypeRrsig ? Covered(rr) : rr.type;
    if (type != kTypeNsec && type != kTypeNsec3) continue;
    if (!Add(rr)) return false;
  }
  return true;
}

// Of names that are not in the chain. DNAMEs stand above it, with their
// signatures.
uint16_t ReplyReader::CountForeign() const {
  const std::vector<ReplyRecord>& all = records_.all();
  return static_cast<uint16_t>(
      std::count_if(all.begin(), all.end(), [&](const ReplyRecord& rr) {
        return rr.section == ReplySection::kAnswer && rr.type != kTypeDname &&
               rr.type != kTypeRrsig &&
               std::none_of(
                   names_.begin(), names_.end(),
                   [&](const std::string& name) { return OwnedBy(rr, name); });
      }));
}

ReplyVerdict ReplyReader::Read(std::span<const uint8_t> reply,
                               size_t records_at) {
  if (!records_.Read(reply, records_at) || !FollowAliases()) {
    return ReplyVerdict::kMalformed;
  }
  // BADVERS and the like: no error that the client made.
  if (records_.extended_rcode() != 0) return ReplyVerdict::kServerFailed;
  const uint16_t flags = Load16(&reply[2]);
  answer_->rcode = static_cast<uint8_t>(flags & 0xf);
  if (has_data_ && answer_->rcode == kNxDomain) return ReplyVerdict::kMalformed;
  answer_->is_negative = !has_data_;
  answer_->ttl = UINT32_MAX;

  const ReplyRecord* soa = has_data_ ? nullptr : FindSoa();
  if (!has_data_ && soa == nullptr && answer_->rcode == kNoError) {
    for (const ReplyRecord& rr : records_.all()) {
      // A referral (RFC 2308 section 2.2.1): no resolver of this name.
      if (In(rr, ReplySection::kAuthority) && rr.type == kTypeNs) {
        return ReplyVerdict::kServerFailed;
      }
    }
  }
  builder_.emplace(question_,
                   kFlagQr | kFlagRa | (flags & kFlagAd) | answer_->rcode,
                   &records_, answer_);
  if (!AddChain() || (has_data_ && !AddAsked())) {
    return ReplyVerdict::kMalformed;
  }
  builder_->BeginAuthority();
  if ((soa != nullptr && !AddSoa(*soa)) || !AddProofs()) {
    return ReplyVerdict::kMalformed;
  }
  if (!has_data_ && soa == nullptr) answer_->ttl = 0;
  answer_->foreign_records = CountForeign();
  answer_->bytes.shrink_to_fit();
  answer_->ttl_at.shrink_to_fit();
  return ReplyVerdict::kAnswer;
}

ReplyVerdict FailureOf(uint8_t rcode, const SentQuery& sent) {
  const bool may_be_edns = rcode == kFormErr || rcode == kNotImp;
  return may_be_edns && sent.udp_size != 0 ? ReplyVerdict::kNoEdns
                                           : ReplyVerdict::kServerFailed;
}

}  // namespace

ReplyVerdict ReadReply(std::span<const uint8_t> reply, const SentQuery& sent,
                       bool over_tcp, UpstreamAnswer* answer) {
  if (reply.size() < kHeaderBytes || reply.size() > kResponseBytesMax ||
      Load16(&reply[0]) != sent.id) {
    return ReplyVerdict::kNotOurs;
  }
  const uint16_t flags = Load16(&reply[2]);
  if ((flags & kFlagQr) == 0 || (flags & kOpcodeMask) != 0) {
    return ReplyVerdict::kNotOurs;
  }
  const auto rcode = static_cast<uint8_t>(flags & 0xf);
  const bool failed = rcode != kNoError && rcode != kNxDomain;
  const uint16_t question_count = Load16(&reply[4]);
  // Who cannot read a query may send its header back, and nothing else.
  if (failed && question_count == 0 && reply.size() == kHeaderBytes) {
    return FailureOf(rcode, sent);
  }
  if (question_count != 1) return ReplyVerdict::kNotOurs;
  Name qname;
  const size_t size = ParseName(reply.subspan(kHeaderBytes), &qname);
  const ForwardQuestion& question = sent.question;
  const size_t type_at = kHeaderBytes + size;
  if (size == 0 || reply.size() - type_at < 4 || size != question.name.size() ||
      std::memcmp(qname.lower, question.name.data(), size) != 0 ||
      Load16(&reply[type_at]) != question.qtype ||
      Load16(&reply[type_at + 2]) != question.qclass) {
    return ReplyVerdict::kNotOurs;
  }
  if (!sent.spelled_name.empty() &&
      std::memcmp(&reply[kHeaderBytes], sent.spelled_name.data(),
                  std::min(size, sent.spelled_name.size())) != 0) {
    return ReplyVerdict::kWrongCase;
  }
  if (failed) return FailureOf(rcode, sent);
  if ((flags & kFlagTc) != 0 && !over_tcp) return ReplyVerdict::kTruncated;
  UpstreamAnswer read;
  const ReplyVerdict verdict =
      ReplyReader(sent, &read).Read(reply, type_at + 4);
  if (verdict == ReplyVerdict::kAnswer) *answer = std::move(read);
  return verdict;
}

}  // namespace dnsd
