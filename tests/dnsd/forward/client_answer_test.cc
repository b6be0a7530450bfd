// What WriteForClient(), WriteFailure() and WriteUpstreamQuery() write.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "dnsd/forward/upstream_answer.h"
#include "tests/dnsd/forward/upstream_packets.h"
#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using testing::ClientQuery;
using testing::EdnsOptions;
using testing::ForClient;
using testing::Message;
using testing::MustRead;
using testing::QueryOptions;
using testing::ReplyText;
using testing::RrText;
using testing::Sent;
using testing::WireName;

ReplyText Addresses(size_t count) {
  ReplyText text;
  for (size_t i = 0; i < count; ++i) {
    text.answer.push_back("www.example.com. 100 IN A 192.0.2." +
                          std::to_string(i));
  }
  return text;
}

QueryOptions WithEdns(uint16_t udp_size) {
  QueryOptions options;
  options.edns = EdnsOptions();
  options.edns->udp_size = udp_size;
  return options;
}

TEST(WriteForClient, EveryAddressComesFirstAndNoneIsLost) {
  const UpstreamAnswer answer =
      MustRead(Addresses(5), Sent("www.example.com.", kTypeA));
  const ClientQuery client("www.example.com.", kTypeA);
  std::set<std::string> first;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Message got = ForClient(answer, client, {}, Transport::kUdp, seed);
    first.insert(RrText(got.answer[0]));
    std::set<std::string> all;
    for (const testing::Rr& rr : got.answer) all.insert(RrText(rr));
    EXPECT_EQ(all.size(), 5u);
  }
  EXPECT_EQ(first.size(), 5u);
}

TEST(WriteForClient, LargeAnswersAreTruncatedOverUdp) {
  // 12 + 21 + 40 * 16 = 673 bytes, and an OPT of 11.
  const UpstreamAnswer answer =
      MustRead(Addresses(40), Sent("www.example.com.", kTypeA));
  ASSERT_EQ(answer.bytes.size(), 673u);
  struct Case {
    QueryOptions query;
    uint16_t ours;
    bool fits;
  };
  for (const Case& c :
       {Case{{}, 1232, false}, Case{WithEdns(1232), 1232, true},
        Case{WithEdns(684), 1232, true}, Case{WithEdns(683), 1232, false},
        Case{WithEdns(100), 1232, false}, Case{WithEdns(4096), 684, true},
        Case{WithEdns(4096), 683, false}}) {
    const ClientQuery client("www.example.com.", kTypeA, c.query);
    const Message got = ForClient(answer, client, {.udp_size_max = c.ours});
    EXPECT_EQ((got.flags & kFlagTc) == 0, c.fits);
    EXPECT_EQ(got.answer.size(), c.fits ? 40u : 0u);
    EXPECT_EQ(got.opt.has_value(), c.query.edns.has_value());
    if (got.opt.has_value()) {
      EXPECT_EQ(got.opt->udp_size, c.ours);
    }
    const Message tcp = ForClient(answer, client, {}, Transport::kTcp);
    EXPECT_EQ(tcp.answer.size(), 40u);
    EXPECT_EQ(tcp.flags & kFlagTc, 0);
  }
}

TEST(WriteForClient, TtlsCountDownAndStaleOnesAreThirty) {
  const UpstreamAnswer answer =
      MustRead(Addresses(1), Sent("www.example.com.", kTypeA));
  const ClientQuery client("www.example.com.", kTypeA, WithEdns(1232));
  const auto ttl = [&](const ClientAnswerOptions& options) {
    return ForClient(answer, client, options).answer.at(0).ttl;
  };
  EXPECT_EQ(ttl({}), 100u);
  EXPECT_EQ(ttl({.age_s = 99}), 1u);
  EXPECT_EQ(ttl({.age_s = 101}), 0u);
  EXPECT_EQ(ttl({.age_s = 10, .ttl_cap = 60}), 60u);
  EXPECT_EQ(ttl({.age_s = 1000, .is_stale = true}), 30u);
  const Message stale = ForClient(answer, client, {.is_stale = true});
  EXPECT_EQ(stale.opt->options, testing::EdnsOption(15, {"\0\3", 2}));
  EXPECT_EQ(ForClient(answer, client).opt->options, "");
}

TEST(WriteForClient, BitsOfTheHeader) {
  ReplyText text = Addresses(1);
  text.flags |= kFlagAd;
  const UpstreamAnswer answer = MustRead(text, Sent(text.qname, kTypeA));
  const ClientQuery plain(text.qname, kTypeA,
                          {.id = 7, .rd = false, .edns = {}});
  EXPECT_EQ(ForClient(answer, plain).id, 7);
  EXPECT_EQ(ForClient(answer, plain).flags, kFlagQr | kFlagRa);
  const ClientQuery all(text.qname, kTypeA,
                        {.ad = true, .cd = true, .edns = {}});
  EXPECT_EQ(ForClient(answer, all).flags,
            kFlagQr | kFlagRa | kFlagRd | kFlagAd | kFlagCd);
}

TEST(WriteFailure, SaysWhyAndWhoAsked) {
  const ClientQuery client("wWw.example.com.", kTypeA, WithEdns(4096));
  std::vector<uint8_t> out(kResponseBytesMax);
  const size_t size = WriteFailure(client.query, kServFail, {}, out.data());
  Message message;
  ASSERT_EQ(testing::ParseMessage({out.data(), size}, &message), "");
  EXPECT_EQ(message.rcode(), kServFail);
  EXPECT_EQ(message.qname, WireName("wWw.example.com."));
  EXPECT_NE(message.flags & kFlagRa, 0);
  EXPECT_TRUE(message.opt.has_value());
}

TEST(WriteUpstreamQuery, IsAQueryWeReadBackAsAsked) {
  QueryOptions options = WithEdns(4096);
  options.edns->dnssec_ok = true;
  options.cd = true;
  const ClientQuery client("wWw.example.com.", kTypeAaaa, options);
  SentQuery sent;
  sent.question = ForwardKey(client.query).Kept();
  sent.id = 0x4321;
  EXPECT_EQ(sent.question.name, WireName("www.example.com."));
  sent.spelled_name = WireName("www.EXAMPLE.com.");
  sent.udp_size = 1400;
  const std::string packet = WriteUpstreamQuery(sent);
  Query query;
  ASSERT_EQ(ParseQuery(WireBytes(packet), &query), ParseResult::kOk);
  EXPECT_EQ(ForwardKey(query).Kept(), sent.question);
  EXPECT_EQ(query.udp_size, 1400);
  EXPECT_EQ(query.flags, kFlagRd | kFlagAd | kFlagCd);
  EXPECT_EQ(packet.substr(0, 2), "\x43\x21");
  EXPECT_EQ(packet.substr(kHeaderBytes, sent.spelled_name.size()),
            sent.spelled_name);
  sent.udp_size = 0;
  const std::string plain = WriteUpstreamQuery(sent);
  ASSERT_EQ(ParseQuery(WireBytes(plain), &query), ParseResult::kOk);
}

TEST(WriteUpstreamQuery, PadsToBlocksOf128) {
  SentQuery sent;
  sent.question.qtype = kTypeA;
  sent.question.qclass = kClassIn;
  sent.is_padded = true;
  std::set<size_t> sizes;
  for (size_t labels = 0; labels <= 126; ++labels) {
    sent.question.name.clear();
    for (size_t i = 0; i < labels; ++i) sent.question.name += "\1a";
    sent.question.name.push_back('\0');
    sent.udp_size = 1232;
    const std::string packet = WriteUpstreamQuery(sent);
    EXPECT_EQ(packet.size() % 128, 0u) << labels;
    sizes.insert(packet.size());
    Query query;
    ASSERT_EQ(ParseQuery(WireBytes(packet), &query), ParseResult::kOk);
    EXPECT_EQ(query.udp_size, 1232);
    EXPECT_EQ(ForwardKey(query).Kept(), sent.question);
    // There is no padding without the record that it stands in.
    sent.udp_size = 0;
    EXPECT_EQ(WriteUpstreamQuery(sent).size(), 12 + labels * 2 + 1 + 4);
  }
  EXPECT_EQ(sizes, (std::set<size_t>{128, 256, 384}));
}

}  // namespace
}  // namespace dnsd
