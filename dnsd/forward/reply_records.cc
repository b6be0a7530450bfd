#include "dnsd/forward/reply_records.h"

#include <cstring>
#include <iterator>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {}  // namespace

size_t ExpandName(std::span<const uint8_t> message, size_t at,
                  std::string* name) {
  name->clear();
  size_t size_in_place = 0;  // 0: no pointer was met yet
  size_t begin = at;
  // Where the part that is being read begins: pointers lie in front of it.
  size_t bound = at;
  while (at < message.size()) {
    uint8_t size = message[at];
    if (size >= 0xc0) {
      if (message.size() - at < 2) return 0;
      if (size_in_place == 0) size_in_place = at + 2 - begin;
      size_t target = Load16(&message[at]) & kPointerMax;
      if (target < kHeaderBytes || target >= bound) return 0;
      at = bound = target;
      continue;
    }
    if (size > kLabelBytesMax || message.size() - at < 1u + size ||
        name->size() + 1 + size > kNameBytesMax) {
      return 0;
    }
    name->append(reinterpret_cast<const char*>(&message[at]), 1u + size);
    at += 1u + size;
    if (size == 0) return size_in_place != 0 ? size_in_place : at - begin;
  }
  return 0;
}

void LowerName(std::string* name) {
  for (char& c : *name) {
    c = static_cast<char>(LowerByte(static_cast<uint8_t>(c)));
  }
}

bool IsAtOrBelow(std::span<const uint8_t> name,
                 std::span<const uint8_t> ancestor) {
  if (name.size() < ancestor.size()) return false;
  size_t skip = name.size() - ancestor.size();
  size_t label = 0;
  while (label < skip) label += 1u + name[label];
  return label == skip &&
         std::memcmp(&name[skip], ancestor.data(), ancestor.size()) == 0;
}

bool ReplyRecords::Read(std::span<const uint8_t> reply, size_t at) {
  reply_ = reply;
  all_.clear();
  names_.clear();
  extended_rcode_ = 0;
  static constexpr ReplySection kSections[] = {ReplySection::kAnswer,
                                               ReplySection::kAuthority,
                                               ReplySection::kAdditional};
  for (size_t i = 0; i < std::size(kSections); ++i) {
    uint16_t count = Load16(&reply[6 + 2 * i]);
    for (uint16_t j = 0; j < count; ++j) {
      at = ReadOne(at, kSections[i]);
      if (at == 0) return false;
    }
  }
  return true;
}

size_t ReplyRecords::ReadOne(size_t at, ReplySection section) {
  std::string name;
  size_t name_size = ExpandName(reply_, at, &name);
  if (name_size == 0) return 0;
  at += name_size;
  if (reply_.size() - at < kRecordHeadBytes) return 0;
  const uint8_t* head = &reply_[at];
  at += kRecordHeadBytes;
  ReplyRecord rr;
  rr.type = Load16(head);
  rr.rclass = Load16(head + 2);
  rr.ttl = Load32(head + 4);
  rr.rdata_size = Load16(head + 8);
  if (reply_.size() - at < rr.rdata_size) return 0;
  if (section == ReplySection::kAdditional) {
    if (rr.type == kTypeOpt) extended_rcode_ = head[4];
    // Nothing of this section is passed on.
    return at + rr.rdata_size;
  }
  if ((rr.ttl & 0x80000000u) != 0) rr.ttl = 0;
  LowerName(&name);
  rr.rdata_at = static_cast<uint16_t>(at);
  rr.section = section;
  rr.name_size = static_cast<uint16_t>(name.size());
  // Records of one set follow each other and share their owner.
  if (!all_.empty() && all_.back().name_size == rr.name_size &&
      std::memcmp(owner(all_.back()).data(), name.data(), name.size()) == 0) {
    rr.name_at = all_.back().name_at;
  } else {
    rr.name_at = static_cast<uint32_t>(names_.size());
    names_ += name;
  }
  all_.push_back(rr);
  return at + rr.rdata_size;
}

}  // namespace dnsd
