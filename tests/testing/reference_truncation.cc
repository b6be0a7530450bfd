#include "tests/testing/reference_truncation.h"

#include <algorithm>
#include <map>
#include <set>

#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr size_t kCompressionOffsetMax = 16384;
constexpr int kUdpAnswersMax = 8;
constexpr size_t kUdpBytesMax = 65467;
constexpr size_t kTcpBytesMax = 65523;
constexpr size_t kTcpSrvAnswersMax = 1024;
constexpr size_t kTcpAnswersMax = 4096;
// Consul searches instead of counting down when it is over by more than this.
constexpr size_t kSearchFromBytes = 100;
// ... and stops searching when no record could fit in what is left.
constexpr size_t kCloseEnoughBytes = 10;

using NameIndex = std::map<std::string, Rr>;

size_t LabelEnd(const std::string& wire, size_t at) {
  return at + 1 + static_cast<uint8_t>(wire[at]);
}

// Counts one message's bytes; remembers the names that were written.
class LengthCounter {
 public:
  explicit LengthCounter(bool compress) : compress_(compress) {}

  void AddBytes(size_t count) { length_ += count; }

  // `may_point`: the name itself may be shortened to a pointer.
  void AddName(const std::string& wire, bool may_point) {
    size_t start = length_;
    if (wire.size() <= 1 || !compress_ ||
        (!may_point && start >= kCompressionOffsetMax)) {
      length_ += wire.size();
      return;
    }
    for (size_t at = 0; wire[at] != '\0'; at = LabelEnd(wire, at)) {
      std::string suffix = wire.substr(at);
      if (seen_.count(suffix) > 0) {
        length_ += may_point ? at + 2 : wire.size();
        return;
      }
      if (start + at < kCompressionOffsetMax) seen_.insert(suffix);
    }
    length_ += wire.size();
  }

  void AddRr(const Rr& rr) {
    AddName(rr.owner, true);
    AddBytes(10);  // type, class, TTL, rdata length
    switch (rr.type) {
      case kTypeNs:
      case kTypeCname:
      case kTypePtr:
        AddName(rr.rdata, true);
        return;
      case kTypeSrv:
        AddBytes(6);
        AddName(rr.rdata.substr(6), false);
        return;
      case kTypeSoa: {
        size_t end = 0;
        while (rr.rdata[end] != '\0') end = LabelEnd(rr.rdata, end);
        ++end;
        AddName(rr.rdata.substr(0, end), true);
        AddName(rr.rdata.substr(end, rr.rdata.size() - 20 - end), true);
        AddBytes(20);
        return;
      }
      default:
        AddBytes(rr.rdata.size());
    }
  }

  [[nodiscard]] size_t length() const { return length_; }

 private:
  bool compress_;
  size_t length_ = 0;
  std::set<std::string> seen_;
};

// The first additional record of each name.
NameIndex IndexOf(const std::vector<Rr>& additional) {
  NameIndex index;
  for (const Rr& rr : additional) index.emplace(LowerName(rr.owner), rr);
  return index;
}

void SyncAdditional(const NameIndex& index, RefPacket* packet) {
  std::vector<Rr> kept;
  std::set<std::string> resolved;
  for (const Rr& answer : packet->answer) {
    if (answer.type != kTypeSrv) continue;
    std::string target = LowerName(answer.rdata.substr(6));
    while (resolved.insert(target).second) {
      auto found = index.find(target);
      if (found == index.end()) break;
      kept.push_back(found->second);
      if (found->second.type != kTypeCname) break;
      target = LowerName(found->second.rdata);
    }
  }
  packet->additional = kept;
}

// How many answers fit in `bytes_max`, found the way Consul finds it.
size_t SearchAnswerCount(const RefPacket& packet, size_t bytes_max,
                         const NameIndex& index, bool has_additional) {
  size_t low = 0;
  size_t high = packet.answer.size() + 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    RefPacket attempt = packet;
    attempt.answer.resize(middle);
    if (has_additional) SyncAdditional(index, &attempt);
    size_t length = PacketLength(attempt);
    if (length > bytes_max) {
      high = middle;
    } else if (bytes_max - length < kCloseEnoughBytes) {
      return middle;
    } else {
      low = middle;
    }
  }
  return low;
}

// Takes answers away until the message is at most `bytes_wanted` long; the
// search aims at `bytes_max`. Returns whether it had to.
bool CutToSize(size_t bytes_wanted, size_t bytes_max, const NameIndex& index,
               bool has_additional, RefPacket* packet) {
  bool cut = false;
  while (packet->answer.size() > 1 && PacketLength(*packet) > bytes_wanted) {
    cut = true;
    packet->authority.clear();
    if (PacketLength(*packet) > bytes_max + kSearchFromBytes) {
      packet->answer.resize(
          SearchAnswerCount(*packet, bytes_max, index, has_additional));
    } else {
      packet->answer.pop_back();
    }
    if (has_additional) SyncAdditional(index, packet);
  }
  return cut;
}

}  // namespace

size_t PacketLength(const RefPacket& packet) {
  LengthCounter counter(packet.compress);
  counter.AddBytes(kHeaderBytes);
  counter.AddName(packet.qname, true);
  counter.AddBytes(4);
  for (const auto* section :
       {&packet.answer, &packet.authority, &packet.additional}) {
    for (const Rr& rr : *section) counter.AddRr(rr);
  }
  return counter.length();
}

TrimResult ConsulTrimUdp(std::optional<uint16_t> edns_size,
                         int udp_answer_limit, RefPacket* packet,
                         size_t udp_header_bytes) {
  TrimResult result;
  size_t answer_count = packet->answer.size();
  bool has_additional = !packet->additional.empty();
  size_t bytes_max = kUdpPlainMax;
  if (edns_size) bytes_max = std::max<size_t>(bytes_max, *edns_size);
  bytes_max = std::min(bytes_max, kUdpBytesMax);
  NameIndex index = IndexOf(packet->additional);
  bool compress = packet->compress;
  auto answers_max =
      static_cast<size_t>(std::min(kUdpAnswersMax, udp_answer_limit));
  if (bytes_max == kUdpPlainMax && answer_count > answers_max) {
    packet->compress = false;
    packet->answer.resize(answers_max);
    if (has_additional) SyncAdditional(index, packet);
    result.synced = has_additional;
  }
  if (CutToSize(bytes_max - udp_header_bytes, bytes_max, index, has_additional,
                packet)) {
    result.synced = has_additional;
  }
  packet->compress = compress;
  result.trimmed = packet->answer.size() < answer_count;
  return result;
}

TrimResult ConsulTrimTcp(uint16_t qtype, RefPacket* packet) {
  TrimResult result;
  bool has_additional = !packet->additional.empty();
  size_t answers_max = qtype == kTypeSrv ? kTcpSrvAnswersMax : kTcpAnswersMax;
  if (packet->answer.size() > answers_max) packet->answer.resize(answers_max);
  NameIndex index = IndexOf(packet->additional);
  result.trimmed =
      CutToSize(kTcpBytesMax, kTcpBytesMax, index, has_additional, packet);
  result.synced = result.trimmed && has_additional;
  return result;
}

}  // namespace dnsd::testing
