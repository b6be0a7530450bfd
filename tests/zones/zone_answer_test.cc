// What Respond() makes of zones from files beside what LookupZone() says of
// them: minimal answers to ANY, DS at the apex, what answers are counted for.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::BuildQuery;
using testing::QueryOptions;
using testing::RrListText;

constexpr char kParent[] =
    "$TTL 60\n"
    "@ SOA ns root 1 2 3 4 5\n"
    "@ NS ns\n"
    "ns A 192.0.2.1\n"
    "many MX 10 ns.test.\n"
    "many TXT \"a text that is longer than an address\"\n"
    "many A 192.0.2.2\n"
    "child NS ns\n"
    "child DS 1 8 2 "
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "*.wild A 192.0.2.3\n";
constexpr char kChild[] =
    "$TTL 60\n"
    "@ SOA ns root 7 2 3 4 5\n"
    "@ NS ns\n"
    "ns A 192.0.2.4\n";

class ZoneAnswers : public ::testing::Test {
 protected:
  void Serve(const std::vector<std::pair<std::string, std::string>>& zones) {
    ViewBuilder::Zones read;
    for (const auto& [apex, text] : zones) {
      auto zone = ParseZone(apex, apex, text);
      ASSERT_TRUE(zone.ok()) << zone.status().ToString();
      read.push_back(*zone);
    }
    view_ = BuildView(state_, policy_, read, 1);
  }

  testing::Message Ask(const std::string& name, uint16_t type,
                       Transport transport = Transport::kUdp) {
    const std::string packet = BuildQuery(name, type, QueryOptions());
    const Response response =
        Respond(WireBytes(packet), transport, *view_, &context_, out_.data());
    testing::Message message;
    EXPECT_EQ(ParseMessage({out_.data(), response.size}, &message), "");
    counted_ = packet.substr(context_.counted.at, context_.counted.size);
    return message;
  }
  std::string CountedFor(const std::string& name, uint16_t type = kTypeA) {
    (void)Ask(name, type);
    return counted_.empty() ? "" : NameToText(WireBytes(counted_));
  }

  State state_;
  ZonePolicy policy_;
  std::unique_ptr<const View> view_;
  RespondContext context_;
  std::string counted_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

TEST_F(ZoneAnswers, MinimalAnyIsTheSmallestSetOverUdp) {
  policy_.minimal_any = true;
  Serve({{"test.", kParent}});
  const auto udp = Ask("many.test.", kTypeAny);
  EXPECT_EQ(RrListText(udp.answer), "  many.test. 60 IN A 192.0.2.2\n");
  EXPECT_TRUE(udp.additional.empty());
  EXPECT_EQ(udp.flags & kFlagTc, 0);
  EXPECT_EQ(Ask("many.test.", kTypeAny, Transport::kTcp).answer.size(), 3u);
  policy_.minimal_any = false;
  Serve({{"test.", kParent}});
  EXPECT_EQ(Ask("many.test.", kTypeAny).answer.size(), 3u);
}

// RFC 4035 3.1.4.1: the parent's to answer, NODATA from the child alone.
TEST_F(ZoneAnswers, DsAtAnApexIsTheParentsWhereItIsServed) {
  Serve({{"test.", kParent}, {"child.test.", kChild}});
  const auto parent = Ask("child.test.", kTypeDs);
  ASSERT_EQ(parent.answer.size(), 1u);
  EXPECT_EQ(parent.answer[0].type, kTypeDs);
  EXPECT_EQ(Ask("child.test.", kTypeSoa).answer.size(), 1u);
  Serve({{"child.test.", kChild}});
  const auto child = Ask("child.test.", kTypeDs);
  EXPECT_EQ(child.rcode(), kNoError);
  EXPECT_TRUE(child.answer.empty());
  ASSERT_EQ(child.authority.size(), 1u);
  EXPECT_EQ(child.authority[0].type, kTypeSoa);
}

// A parent without the delegation would deny the child's whole zone.
TEST_F(ZoneAnswers, DsIsTheChildsWhereTheParentDoesNotDelegate) {
  Serve(
      {{"test.", kParent}, {"other.test.", kChild}, {"x.wild.test.", kChild}});
  for (const char* name : {"other.test.", "x.wild.test."}) {
    const auto message = Ask(name, kTypeDs);
    EXPECT_EQ(message.rcode(), kNoError) << name;
    ASSERT_EQ(message.authority.size(), 1u) << name;
    EXPECT_EQ(NameToText(WireBytes(message.authority[0].owner)), name);
  }
}

TEST_F(ZoneAnswers, DsOfTheCatalogsDomainIsNodataOrTheParents) {
  Serve({});
  const auto alone = Ask("consul.", kTypeDs);
  EXPECT_EQ(alone.rcode(), kNoError);
  ASSERT_EQ(alone.authority.size(), 1u);
  policy_.domain = "child.test.";
  Serve({{"test.", kParent}});
  EXPECT_EQ(Ask("child.test.", kTypeDs).answer.size(), 1u);
  // Below it, and for other types, the catalog answers.
  EXPECT_EQ(Ask("a.service.child.test.", kTypeDs).rcode(), kNxDomain);
  EXPECT_EQ(Ask("child.test.", kTypeSoa).answer.size(), 1u);
}

TEST_F(ZoneAnswers, WhatClientsCanMakeUpCountsForTheZone) {
  Serve({{"test.", kParent}});
  EXPECT_EQ(CountedFor("MANY.test."), "MANY.test.");
  EXPECT_EQ(CountedFor("many.test.", kTypeAaaa), "many.test.");
  EXPECT_EQ(CountedFor("x.many.test."), "test.");
  EXPECT_EQ(CountedFor("x.wild.test."), "test.");
  EXPECT_EQ(CountedFor("x.child.test."), "test.");
  EXPECT_EQ(CountedFor("consul.", kTypeSoa), "consul.");
  EXPECT_EQ(CountedFor("x.service.consul."), "consul.");
  EXPECT_EQ(CountedFor("_x.service.consul."), "consul.");
  EXPECT_EQ(CountedFor("0a000001.addr.consul."), "consul.");
  EXPECT_EQ(CountedFor("1.0.10.in-addr.arpa.", kTypePtr), "in-addr.arpa.");
  EXPECT_EQ(CountedFor("9.1.0.10.in-addr.arpa.", kTypePtr), "in-addr.arpa.");
  EXPECT_EQ(CountedFor("example.com."), "");
}

}  // namespace
}  // namespace dnsd
