#include "dnsd/forward/external_answers.h"

#include <algorithm>
#include <cstring>

#include "dnsd/forward/reply_records.h"
#include "zones/query.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kTargetsBytesMax = 16 * kNameBytesMax;  // aliases of an answer
constexpr uint32_t kStaleTtl = 30;                       // RFC 8767 section 4
constexpr size_t kRecordHeadBytes = 10;  // behind the owner (RFC 1035 3.2.1)

}  // namespace

ForwardQuestion ExternalQuestion(const AskedKey& asked) {
  ForwardQuestion question;
  question.name.assign(reinterpret_cast<const char*>(asked.name),
                       asked.name_size);
  question.qtype = asked.qtype;
  question.qclass = kClassIn;
  return question;
}

ExternalAnswers::ExternalAnswers(Forwarder* forwarder)
    : forwarder_(forwarder), records_() {
  name_.reserve(kNameBytesMax + 1);
  targets_.reserve(kTargetsBytesMax);
}

ExternalNames::Known ExternalAnswers::Find(std::span<const uint8_t> name,
                                           uint16_t type,
                                           std::span<const Record>* records) {
  // As a query, which is what the cache is asked by.
  uint8_t packet[kHeaderBytes + kNameBytesMax + 4] = {};
  Store16(packet + 2, kFlagRd);
  Store16(packet + 4, 1);
  std::memcpy(packet + kHeaderBytes, name.data(), name.size());
  Store16(packet + kHeaderBytes + name.size(), type);
  Store16(packet + kHeaderBytes + name.size() + 2, kClassIn);
  Query query;
  if (ParseQuery({packet, kHeaderBytes + name.size() + 4}, &query) !=
      ParseResult::kOk) {
    return Known::kNobody;
  }
  for (size_t i = 0; told_ != nullptr && i < told_->size(); ++i) {
    const auto& [question, answer] = (*told_)[i];
    if (question.qtype != type || question.name.size() != name.size() ||
        std::memcmp(question.name.data(), query.qname.lower, name.size()) !=
            0) {
      continue;
    }
    if (!answer) return Known::kNobody;
    *records = Read(*answer, 0, false);
    return Known::kYes;
  }
  const ForwardCache::Hit hit = forwarder_->Recall(query, gives_up_);
  if (hit.answer == nullptr) {
    return gives_up_ ? Known::kNobody : Known::kNotYet;
  }
  *records = Read(*hit.answer, hit.age_s, hit.is_stale);
  return Known::kYes;
}

// The CNAMEs and addresses of ANSWER, which are in order.
std::span<const ExternalNames::Record> ExternalAnswers::Read(
    const UpstreamAnswer& answer, uint32_t age_s, bool is_stale) {
  targets_.clear();
  const std::span<const uint8_t> message(
      reinterpret_cast<const uint8_t*>(answer.bytes.data()),
      answer.bytes.size());
  if (message.size() < kHeaderBytes || answer.is_negative) return {};
  size_t left = Load16(message.data() + 6);
  size_t at = kHeaderBytes + ExpandName(message, kHeaderBytes, &name_) + 4;
  size_t count = 0;
  for (; left > 0 && count < kRecordsMax; --left) {
    // ReadReply() has checked all that is read here.
    at += ExpandName(message, at, &name_);
    const uint8_t* head = message.data() + at;
    Record record;
    record.type = static_cast<uint16_t>(Load16(head));
    const uint32_t ttl = Load32(head + 4);
    record.ttl = is_stale ? kStaleTtl : ttl - std::min(ttl, age_s);
    const size_t size = Load16(head + 8);
    at += kRecordHeadBytes;
    record.rdata = message.subspan(at, size);
    if (record.type == kTypeCname) {
      if (ExpandName(message, at, &name_) == 0 ||
          targets_.size() + name_.size() > kTargetsBytesMax) {
        break;
      }
      record.rdata = {
          reinterpret_cast<const uint8_t*>(targets_.data()) + targets_.size(),
          name_.size()};
      targets_ += name_;  // within what was reserved: it does not move
    }
    at += size;
    if (record.type == kTypeCname || record.type == kTypeA ||
        record.type == kTypeAaaa) {
      records_[count++] = record;
    }
  }
  return {records_.data(), count};
}

}  // namespace dnsd
