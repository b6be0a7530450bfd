// UdpGroups finds the answers of a batch that may leave as one message: those
// of one size to one client, which the kernel cuts apart again (UDP_SEGMENT)
// after they went through its layers once. HOT PATH
//
// A client that asks through few sockets, as resolvers and proxies do, has many
// answers in a batch. Where every client has one, this costs some nanoseconds.
//
// Threads:   one worker's.
// Ownership: borrows the clients and controls until Clear().
// Limits:    kUdpBatchMessages answers, kUdpSegmentBytesMax each. Allocates
//            nothing.
#ifndef DNSD_DNSD_SERVE_UDP_GROUPS_H_
#define DNSD_DNSD_SERVE_UDP_GROUPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/limits.h"
#include "dnsd/socket_address.h"

namespace dnsd {

class UdpGroups {
 public:
  struct Group {
    uint8_t first;  // answers, see ForEachAnswer()
    uint8_t last;
    uint8_t count;
    uint16_t size;  // of each of them
  };

  void Clear();

  // The next answer, counted from 0. It joins the latest group of its client
  // and size, if it may and there is room, else it begins one. `control`: the
  // reply's packet info.
  void Add(const SocketAddress& client, std::span<const uint8_t> control,
           size_t size, bool may_join);

  [[nodiscard]] std::span<const Group> groups() const {
    return {groups_.data(), group_count_};
  }
  // The answers of a group, in order.
  template <typename Visit>
  void ForEachAnswer(const Group& group, Visit visit) const {
    size_t answer = group.first;
    for (; answer != group.last; answer = next_[answer]) visit(answer);
    visit(answer);
  }

 private:
  struct Key {
    const SocketAddress* client;
    std::span<const uint8_t> control;
  };

  static constexpr uint8_t kNone = UINT8_MAX;
  static_assert(kUdpBatchMessages < kNone);
  static_assert(kUdpBatchMessages * kUdpSegmentBytesMax < 1u << 17);

  size_t answer_count_ = 0;
  size_t group_count_ = 0;
  std::array<Group, kUdpBatchMessages> groups_;
  std::array<Key, kUdpBatchMessages> keys_;      // of groups_
  std::array<uint8_t, kUdpBatchMessages> next_;  // of an answer, in its group
  // The latest group of each client and size, where their hash says or behind
  // it: twice as many places as groups, so that there is always a free one.
  std::array<uint8_t, 2 * kUdpBatchMessages> places_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_UDP_GROUPS_H_
