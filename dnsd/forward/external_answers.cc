#include "dnsd/forward/external_answers.h"

#include "dnsd/forward/reply_records.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kTargetsBytesMax = 16 * kNameBytesMax;  // aliases of an answer

}  // namespace

ForwardQuestion ExternalQuestion(const AskedKey& asked) {
  return ForwardKey({asked.name, asked.name_size}, asked.qtype).Kept();
}

ExternalAnswers::ExternalAnswers(Forwarder* forwarder)
    : forwarder_(forwarder), records_() {
  name_.reserve(kNameBytesMax + 1);
  targets_.reserve(kTargetsBytesMax);
}

ExternalNames::Known ExternalAnswers::Find(std::span<const uint8_t> name,
                                           uint16_t type,
                                           std::span<const Record>* records) {
  const ForwardKey key(name, type);
  bool takes_stale = gives_up_;
  for (size_t i = 0; told_ != nullptr && i < told_->size(); ++i) {
    const auto& [question, answer] = (*told_)[i];
    if (ForwardKey(question) != key) continue;
    if (!answer) {
      takes_stale = true;  // better than nothing (RFC 8767 section 5)
      break;
    }
    *records = Read(*answer, 0, false);
    return Known::kYes;
  }
  const ForwardCache::Hit hit = forwarder_->Recall(key, takes_stale);
  if (hit.answer == nullptr) {
    return takes_stale ? Known::kNobody : Known::kNotYet;
  }
  *records = Read(*hit.answer, hit.age_s, hit.is_stale);
  return Known::kYes;
}

// The CNAMEs and addresses of ANSWER, which are in order.
std::span<const ExternalNames::Record> ExternalAnswers::Read(
    const UpstreamAnswer& answer, uint32_t age_s, bool is_stale) {
  targets_.clear();
  const std::span<const uint8_t> message = WireBytes(answer.bytes);
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
    record.ttl = TtlLeft(Load32(head + 4), age_s, is_stale);
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
