// Consul's own cases for trimming (trimUDPResponse, trimTCPResponse,
// syncExtra), and message lengths against a packet ldns wrote.
#include "tests/testing/reference_truncation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

Rr Read(const std::string& text) {
  Rr rr;
  std::string error = ParseRr(text, &rr);
  EXPECT_EQ(error, "");
  return rr;
}

RefPacket ServicePacket(int count) {
  RefPacket packet;
  packet.qname = WireName("redis-cache-redis.service.consul.");
  for (int i = 0; i < count; ++i) {
    std::string target = absl::StrCat("ip-10-0-1-", i, ".node.dc1.consul.");
    packet.answer.push_back(
        Read(absl::StrCat("redis-cache-redis.service.consul. 0 IN SRV 1 1 ",
                          7000 + i, " ", target)));
    packet.additional.push_back(
        Read(absl::StrCat(target, " 0 IN A 10.0.", i / 256, ".", i % 256)));
  }
  return packet;
}

// By hand: RFC 1035 4.1.4, with SRV targets written in full (RFC 2782).
TEST(ReferenceTruncation, CountsCompressedBytes) {
  RefPacket packet = ServicePacket(1);
  size_t question = 12 + 34 + 4;
  size_t target = 29;  // ip-10-0-1-0.node.dc1.consul.
  EXPECT_EQ(PacketLength(packet),
            question + (2 + 10 + 6 + target) + (2 + 10 + 4));
  packet.compress = false;
  EXPECT_EQ(PacketLength(packet),
            question + (34 + 10 + 6 + target) + (target + 10 + 4));
}

TEST(ReferenceTruncation, PointsIntoUncompressedTargets) {
  RefPacket packet;
  packet.qname = WireName("a.consul.");
  packet.answer.push_back(Read("a.consul. 0 IN SRV 1 1 80 n.node.x."));
  packet.additional.push_back(Read("m.node.x. 0 IN A 10.0.0.1"));
  // "m" and a pointer to node.x. inside the target.
  EXPECT_EQ(PacketLength(packet),
            12u + 10 + 4 + (2 + 10 + 6 + 10) + (2 + 2 + 10 + 4));
}

TEST(ReferenceTruncation, CompressesSoaAndKeepsCase) {
  RefPacket packet;
  packet.qname = WireName("x.Consul.");
  packet.authority.push_back(
      Read("consul. 0 IN SOA ns.consul. hostmaster.consul. 1 2 3 4 5"));
  // Consul's library compares names with case: Consul. is not consul.
  EXPECT_EQ(PacketLength(packet),
            12u + 10 + 4 + (8 + 10 + (3 + 2) + (11 + 2) + 20));
}

TEST(ReferenceTruncation, TrimUdpResponseNoTrim) {
  RefPacket packet = ServicePacket(1);
  TrimResult result = ConsulTrimUdp(std::nullopt, 3, &packet);
  EXPECT_FALSE(result.trimmed);
  EXPECT_EQ(packet.answer.size(), 1u);
  EXPECT_EQ(packet.additional.size(), 1u);
}

TEST(ReferenceTruncation, TrimUdpResponseTrimLimit) {
  RefPacket packet = ServicePacket(4);
  TrimResult result = ConsulTrimUdp(std::nullopt, 3, &packet);
  EXPECT_TRUE(result.trimmed);
  EXPECT_EQ(packet.answer.size(), 3u);
  ASSERT_EQ(packet.additional.size(), 3u);
  EXPECT_EQ(packet.additional[2].owner,
            WireName("ip-10-0-1-2.node.dc1.consul."));
}

// What is in AUTHORITY stays when only the count was too large.
TEST(ReferenceTruncation, TrimUdpResponseTrimLimitWithNs) {
  RefPacket packet = ServicePacket(4);
  packet.authority.push_back(
      Read("consul. 0 IN SOA ns.consul. hostmaster.consul. 1 2 3 4 5"));
  EXPECT_TRUE(ConsulTrimUdp(std::nullopt, 3, &packet).trimmed);
  EXPECT_EQ(packet.answer.size(), 3u);
  EXPECT_EQ(packet.additional.size(), 3u);
  EXPECT_EQ(packet.authority.size(), 1u);
}

// The count is measured without compression, the message is sent with it.
TEST(ReferenceTruncation, CompressionTrimUdpResponse) {
  RefPacket packet = ServicePacket(12);
  EXPECT_TRUE(ConsulTrimUdp(std::nullopt, 8, &packet).trimmed);
  EXPECT_TRUE(packet.compress);
  size_t sent = PacketLength(packet);
  packet.compress = false;
  EXPECT_LE(PacketLength(packet), 504u);
  EXPECT_LT(sent, PacketLength(packet));
}

TEST(ReferenceTruncation, TrimUdpResponseTrimSize) {
  RefPacket packet = ServicePacket(100);
  TrimResult result = ConsulTrimUdp(std::nullopt, 100, &packet);
  EXPECT_TRUE(result.trimmed);
  EXPECT_LE(packet.answer.size(), 8u);
  packet.compress = false;
  EXPECT_LE(PacketLength(packet), 512u);
  EXPECT_EQ(packet.answer.size(), packet.additional.size());
}

TEST(ReferenceTruncation, TrimUdpResponseTrimSizeEdns) {
  RefPacket plain = ServicePacket(100);
  RefPacket edns = plain;
  edns.additional.push_back(Read(". 0 CLASS2048 TYPE41 \\# 0"));
  EXPECT_TRUE(ConsulTrimUdp(std::nullopt, 100, &plain).trimmed);
  TrimResult result = ConsulTrimUdp(2048, 100, &edns);
  EXPECT_TRUE(result.trimmed);
  EXPECT_TRUE(result.synced);
  EXPECT_GT(edns.answer.size(), plain.answer.size());
  EXPECT_LE(PacketLength(edns), 2040u);
  for (const Rr& rr : edns.additional) EXPECT_NE(rr.type, kTypeOpt);
  // One more would not have fitted.
  RefPacket more = ServicePacket(static_cast<int>(edns.answer.size()) + 1);
  EXPECT_GT(PacketLength(more), 2040u);
}

TEST(ReferenceTruncation, TrimUdpResponseTrimSizeMaxSize) {
  RefPacket packet = ServicePacket(1600);
  RefPacket same = packet;
  EXPECT_TRUE(ConsulTrimUdp(65535, 100, &packet).trimmed);
  EXPECT_TRUE(ConsulTrimUdp(65467, 100, &same).trimmed);
  EXPECT_EQ(packet.answer.size(), same.answer.size());
  EXPECT_LE(PacketLength(packet), 65467u - 8);
}

TEST(ReferenceTruncation, TrimTcpResponseTrimLimitWithNs) {
  RefPacket packet = ServicePacket(5001);
  packet.authority.push_back(
      Read("consul. 0 IN SOA ns.consul. hostmaster.consul. 1 2 3 4 5"));
  TrimResult result = ConsulTrimTcp(kTypeSrv, &packet);
  EXPECT_TRUE(result.trimmed);
  EXPECT_LE(packet.answer.size(), 1024u);
  EXPECT_GT(packet.answer.size(), 800u);
  EXPECT_TRUE(packet.authority.empty());
  EXPECT_LE(PacketLength(packet), 65523u);
}

TEST(ReferenceTruncation, SyncExtraFollowsCnamesOnceAndIgnoresCase) {
  RefPacket packet;
  packet.qname = WireName("redis.service.consul.");
  for (const char* target :
       {"FOO.consul.", "foo.consul.", "alias.consul.", "lost.consul."}) {
    packet.answer.push_back(
        Read(absl::StrCat("redis.service.consul. 0 IN SRV 1 1 1001 ", target)));
  }
  for (const char* text :
       {"foo.consul. 0 IN A 10.0.1.1", "foo.consul. 0 IN TXT \"x\"",
        "alias.consul. 0 IN CNAME real.consul.",
        "real.consul. 0 IN CNAME alias.consul.",
        "other.consul. 0 IN A 10.0.1.9"}) {
    packet.additional.push_back(Read(text));
  }
  packet.answer.push_back(packet.answer[0]);
  ConsulTrimUdp(std::nullopt, 4, &packet);
  EXPECT_EQ(RrListText(packet.additional),
            "  foo.consul. 0 IN A 10.0.1.1\n"
            "  alias.consul. 0 IN CNAME real.consul.\n"
            "  real.consul. 0 IN CNAME alias.consul.\n");
}

// Enough is left over that nothing needs to go but TXT records and OPT:
// Consul drops them and calls the answer complete.
TEST(ReferenceTruncation, DropsExtrasAloneWithoutCallingItTrimmed) {
  RefPacket packet = ServicePacket(8);
  for (int i = 0; i < 8; ++i) {
    packet.additional.push_back(
        Read(absl::StrCat("ip-10-0-1-", i, ".node.dc1.consul. 0 IN TXT \"",
                          std::string(100, 'x'), "\"")));
  }
  TrimResult result = ConsulTrimUdp(1000, 3, &packet);
  EXPECT_FALSE(result.trimmed);
  EXPECT_TRUE(result.synced);
  EXPECT_EQ(packet.answer.size(), 8u);
  EXPECT_EQ(packet.additional.size(), 8u);
}

}  // namespace
}  // namespace dnsd::testing
