#include "dnsd/serve/udp_groups.h"

#include <netinet/in.h>
#include <string.h>

#include "catalog/base/check.h"

namespace dnsd {
namespace {

// The kernel's own limits: UDP_MAX_SEGMENTS, which was 64 before it was 128,
// and what an IP packet holds less the headers.
constexpr size_t kGroupAnswersMax = 64;
constexpr size_t kGroupBytesMax = 65'535 - 40 - 8;

// A socket of another family, in a test, cuts nothing apart.
bool IsIp(const SocketAddress& client) {
  return client.sa.sa_family == AF_INET || client.sa.sa_family == AF_INET6;
}

size_t HashOf(const SocketAddress& client, size_t size) {
  // The end of the address tells hosts apart, and IPv4 and IPv6 have the port
  // in one place.
  uint32_t host = 0;
  const std::span<const uint8_t> ip = client.ip_bytes();
  memcpy(&host, ip.data() + ip.size() - sizeof(host), sizeof(host));
  return (ntohl(host) * 31u + ntohs(client.v4.sin_port)) * 7u + size * 5u;
}

bool SameBytes(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() &&
         (a.empty() || memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

void UdpGroups::Clear() {
  answer_count_ = 0;
  group_count_ = 0;
  places_.fill(kNone);
}

void UdpGroups::Add(const SocketAddress& client,
                    std::span<const uint8_t> control, size_t size,
                    bool may_join) {
  DNSD_DCHECK(answer_count_ < kUdpBatchMessages);
  const auto answer = static_cast<uint8_t>(answer_count_++);
  groups_[group_count_] = {answer, answer, 1, static_cast<uint16_t>(size)};
  keys_[group_count_] = {&client, control};
  const auto new_group = static_cast<uint8_t>(group_count_++);
  if (!may_join || size > kUdpSegmentBytesMax || !IsIp(client)) return;
  for (size_t at = HashOf(client, size);; ++at) {
    uint8_t& place = places_[at % places_.size()];
    if (place == kNone) {
      place = new_group;
      return;
    }
    Group& group = groups_[place];
    if (group.size != size || !(*keys_[place].client == client) ||
        !SameBytes(keys_[place].control, control)) {
      continue;
    }
    if (group.count == kGroupAnswersMax ||
        (group.count + 1u) * size > kGroupBytesMax) {
      place = new_group;
      return;
    }
    next_[group.last] = answer;
    group.last = answer;
    ++group.count;
    --group_count_;
    return;
  }
}

}  // namespace dnsd
