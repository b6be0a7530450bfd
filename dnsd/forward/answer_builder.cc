#include "dnsd/forward/answer_builder.h"

#include <cstring>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// Enough for the owners of a chain; those of proofs are not looked for again.
constexpr size_t kKnownNamesMax = 24;
constexpr uint16_t kTailAny = UINT16_MAX;

// Where a type's rdata has names.
struct RdataShape {
  uint16_t type;
  uint8_t skip;   // bytes in front of them
  uint8_t names;  // how many, one behind the other
  uint16_t tail;  // bytes behind them
  bool may_point;
};

// The types whose rdata may come compressed, and of those the ones that may be
// compressed when sent (RFC 3597 section 4). A and AAAA for their size.
constexpr RdataShape kShapes[] = {
    {kTypeA, 4, 0, 0, false},
    {kTypeAaaa, 16, 0, 0, false},
    {kTypeNs, 0, 1, 0, true},
    {3 /* MD */, 0, 1, 0, true},
    {4 /* MF */, 0, 1, 0, true},
    {kTypeCname, 0, 1, 0, true},
    {kTypeSoa, 0, 2, 20, true},
    {7 /* MB */, 0, 1, 0, true},
    {8 /* MG */, 0, 1, 0, true},
    {9 /* MR */, 0, 1, 0, true},
    {kTypePtr, 0, 1, 0, true},
    {14 /* MINFO */, 0, 2, 0, true},
    {kTypeMx, 2, 1, 0, true},
    {17 /* RP */, 0, 2, 0, false},
    {18 /* AFSDB */, 2, 1, 0, false},
    {21 /* RT */, 2, 1, 0, false},
    {24 /* SIG */, 18, 1, kTailAny, false},
    {26 /* PX */, 2, 2, 0, false},
    {30 /* NXT */, 0, 1, kTailAny, false},
    {kTypeSrv, 6, 1, 0, false},
    {36 /* KX */, 2, 1, 0, false},
    {kTypeDname, 0, 1, 0, false},
    {kTypeRrsig, 18, 1, kTailAny, false},
    {kTypeNsec, 0, 1, kTailAny, false},
};

const RdataShape* ShapeOf(uint16_t type) {
  for (const RdataShape& shape : kShapes) {
    if (shape.type == type) return &shape;
  }
  return nullptr;
}

// The bytes in front of NAPTR's name: two numbers and three strings (RFC 3403
// section 4.1). SIZE_MAX when they do not fit.
size_t NaptrSkip(std::span<const uint8_t> rdata) {
  size_t at = 4;
  for (int i = 0; i < 3; ++i) {
    if (at >= rdata.size()) return SIZE_MAX;
    at += 1u + rdata[at];
  }
  return at;
}

}  // namespace

AnswerBuilder::AnswerBuilder(const ForwardQuestion& question, uint16_t flags,
                             const ReplyRecords* records,
                             UpstreamAnswer* answer)
    : records_(records), answer_(answer), qname_size_(question.name.size()) {
  uint8_t header[kHeaderBytes] = {};
  Store16(header + 2, flags);
  Store16(header + 4, 1);
  answer_->bytes.assign(reinterpret_cast<const char*>(header), sizeof(header));
  answer_->bytes += question.name;
  Put16(question.qtype);
  Put16(question.qclass);
}

void AnswerBuilder::Put16(uint32_t value) {
  answer_->bytes += static_cast<char>(value >> 8);
  answer_->bytes += static_cast<char>(value);
}

// Where the name `lower` without what is in front of `label` is already
// written; 0: nowhere.
size_t AnswerBuilder::PointerTo(const std::string& lower, size_t label) const {
  size_t size = lower.size() - label;
  const std::span<const uint8_t> qname =
      WireBytes(answer_->bytes).subspan(kHeaderBytes, qname_size_);
  if (IsAtOrBelow(qname, WireBytes(lower).subspan(label))) {
    return kHeaderBytes + qname_size_ - size;
  }
  for (const auto& [name, at] : known_) {
    if (name.size() == size && lower.compare(label, size, name) == 0) {
      return at;
    }
  }
  return 0;
}

void AnswerBuilder::PutName(const std::string& name, bool may_point) {
  std::string& out = answer_->bytes;
  if (!may_point) {
    out += name;
    return;
  }
  std::string lower = name;
  LowerName(&lower);
  size_t at = out.size();
  size_t label = 0;
  size_t pointer = 0;
  while (name[label] != 0) {
    pointer = PointerTo(lower, label);
    if (pointer != 0) break;
    label += 1u + static_cast<uint8_t>(name[label]);
  }
  if (label != 0 && at <= kPointerMax && known_.size() < kKnownNamesMax) {
    known_.emplace_back(std::move(lower), static_cast<uint16_t>(at));
  }
  if (pointer == 0) {
    out += name;
    return;
  }
  out.append(name, 0, label);
  Put16(0xc000u | static_cast<uint32_t>(pointer));
}

bool AnswerBuilder::PutNames(const ReplyRecord& rr, size_t at, size_t count,
                             bool may_point, size_t* end) {
  const std::span<const uint8_t> reply = records_->reply();
  const size_t rdata_end = size_t{rr.rdata_at} + rr.rdata_size;
  std::string name;
  for (size_t i = 0; i < count; ++i) {
    size_t size = ExpandName(reply.first(rdata_end), at, &name);
    if (size == 0) return false;
    PutName(name, may_point);
    at += size;
  }
  *end = at;
  return true;
}

bool AnswerBuilder::PutRdata(const ReplyRecord& rr) {
  const std::span<const uint8_t> rdata = records_->rdata(rr);
  const auto put = [&](size_t from, size_t size) {
    answer_->bytes.append(reinterpret_cast<const char*>(rdata.data()) + from,
                          size);
  };
  const RdataShape naptr = {kTypeNaptr, 0, 1, 0, false};
  const RdataShape* shape = rr.type == kTypeNaptr ? &naptr : ShapeOf(rr.type);
  if (shape == nullptr) {
    put(0, rdata.size());
    return true;
  }
  size_t skip = rr.type == kTypeNaptr ? NaptrSkip(rdata) : shape->skip;
  if (skip > rdata.size()) return false;
  put(0, skip);
  size_t end = 0;
  if (!PutNames(rr, rr.rdata_at + skip, shape->names, shape->may_point, &end)) {
    return false;
  }
  size_t tail = rr.rdata_at + rdata.size() - end;
  if (shape->tail != kTailAny && shape->tail != tail) return false;
  put(rdata.size() - tail, tail);
  return true;
}

bool AnswerBuilder::Add(const ReplyRecord& rr, uint32_t ttl) {
  std::string& out = answer_->bytes;
  const std::span<const uint8_t> owner = records_->owner(rr);
  PutName(
      std::string(reinterpret_cast<const char*>(owner.data()), owner.size()),
      true);
  size_t head = out.size();
  out.append(kRecordHeadBytes, '\0');
  if (!PutRdata(rr) || out.size() > kAnswerBytesMax) return false;
  auto* bytes = reinterpret_cast<uint8_t*>(out.data());
  Store16(bytes + head, rr.type);
  Store16(bytes + head + 2, rr.rclass);
  Store32(bytes + head + 4, ttl);
  size_t rdata_size = out.size() - head - kRecordHeadBytes;
  Store16(bytes + head + 8, static_cast<uint32_t>(rdata_size));
  Store16(bytes + count_at_, Load16(bytes + count_at_) + 1u);
  answer_->ttl_at.push_back(static_cast<uint16_t>(head + 4));
  rdata_at_ = static_cast<uint16_t>(head + kRecordHeadBytes);
  return true;
}

}  // namespace dnsd
