#include "dnsd/serve/udp_groups.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace dnsd {
namespace {

SocketAddress ClientAt(uint16_t port, uint8_t last_byte = 1) {
  SocketAddress address;
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  address.v4.sin_addr.s_addr = htonl(0x7f000000u | last_byte);
  return address;
}

// The answers of each group, in order.
std::vector<std::vector<size_t>> Members(const UdpGroups& groups) {
  std::vector<std::vector<size_t>> members;
  for (const UdpGroups::Group& group : groups.groups()) {
    std::vector<size_t>& of = members.emplace_back();
    groups.ForEachAnswer(group, [&of](size_t answer) { of.push_back(answer); });
    EXPECT_EQ(of.size(), group.count);
    EXPECT_EQ(of.back(), group.last);
  }
  return members;
}

using Lists = std::vector<std::vector<size_t>>;

TEST(UdpGroups, JoinsOneSizeToOneClient) {
  const SocketAddress a = ClientAt(1000);
  const SocketAddress b = ClientAt(1001);
  UdpGroups groups;
  groups.Clear();
  groups.Add(a, {}, 100, true);
  groups.Add(b, {}, 100, true);
  groups.Add(a, {}, 100, true);
  groups.Add(a, {}, 60, true);
  groups.Add(b, {}, 100, true);
  groups.Add(a, {}, 100, true);
  EXPECT_EQ(Members(groups), (Lists{{0, 2, 5}, {1, 4}, {3}}));
  EXPECT_EQ(groups.groups()[0].size, 100u);
  groups.Clear();
  EXPECT_TRUE(groups.groups().empty());
}

TEST(UdpGroups, SamePortOfAnotherHostIsAnotherClient) {
  const SocketAddress a = ClientAt(1000, 1);
  const SocketAddress b = ClientAt(1000, 2);
  UdpGroups groups;
  groups.Clear();
  for (int i = 0; i < 2; ++i) {
    groups.Add(a, {}, 100, true);
    groups.Add(b, {}, 100, true);
  }
  EXPECT_EQ(Members(groups), (Lists{{0, 2}, {1, 3}}));
}

TEST(UdpGroups, LeavesFromTheAddressThatWasAsked) {
  const SocketAddress client = ClientAt(1000);
  const std::vector<uint8_t> first = {1, 2, 3};
  const std::vector<uint8_t> second = {1, 2, 4};
  const std::vector<uint8_t> same_as_first = first;
  UdpGroups groups;
  groups.Clear();
  groups.Add(client, first, 100, true);
  groups.Add(client, same_as_first, 100, true);
  groups.Add(client, second, 100, true);
  groups.Add(client, {}, 100, true);
  EXPECT_EQ(Members(groups), (Lists{{0, 1}, {2}, {3}}));
}

TEST(UdpGroups, WhatMayNotJoinIsAlone) {
  const SocketAddress client = ClientAt(1000);
  UdpGroups groups;
  groups.Clear();
  groups.Add(client, {}, 100, true);
  groups.Add(client, {}, 100, false);
  groups.Add(client, {}, kUdpSegmentBytesMax + 1, true);
  groups.Add(client, {}, kUdpSegmentBytesMax + 1, true);
  groups.Add(client, {}, 100, true);
  EXPECT_EQ(Members(groups), (Lists{{0, 4}, {1}, {2}, {3}}));
}

TEST(UdpGroups, ManyClientsWithTwoAnswersEach) {
  std::vector<SocketAddress> clients;
  for (size_t i = 0; i < kUdpBatchMessages / 2; ++i) {
    clients.push_back(ClientAt(static_cast<uint16_t>(1000 + 64 * i)));
  }
  UdpGroups groups;
  groups.Clear();
  for (int round = 0; round < 2; ++round) {
    for (const SocketAddress& client : clients) {
      groups.Add(client, {}, 100, true);
    }
  }
  ASSERT_EQ(groups.groups().size(), clients.size());
  for (const UdpGroups::Group& group : groups.groups()) {
    EXPECT_EQ(group.count, 2);
    EXPECT_EQ(group.last, group.first + clients.size());
  }
}

TEST(UdpGroups, OtherFamiliesAreAlone) {
  SocketAddress client;
  client.sa.sa_family = AF_UNIX;
  UdpGroups groups;
  groups.Clear();
  groups.Add(client, {}, 100, true);
  groups.Add(client, {}, 100, true);
  EXPECT_EQ(groups.groups().size(), 2u);
}

TEST(UdpGroups, AGroupFitsAnIpPacket) {
  const SocketAddress client = ClientAt(1000);
  UdpGroups groups;
  groups.Clear();
  for (size_t i = 0; i < kUdpBatchMessages; ++i) {
    groups.Add(client, {}, kUdpSegmentBytesMax, true);
  }
  size_t answers = 0;
  for (const UdpGroups::Group& group : groups.groups()) {
    EXPECT_LE(group.count * group.size, 65'535 - 48);
    answers += group.count;
  }
  EXPECT_EQ(answers, kUdpBatchMessages);
  EXPECT_EQ(groups.groups().size(), 2u);
}

}  // namespace
}  // namespace dnsd
