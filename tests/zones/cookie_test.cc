// DNS cookies: the vectors of RFC 9018 appendix A, and what Respond() makes of
// a query's cookie.
#include "zones/cookie.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/responder.h"
#include "zones/siphash.h"
#include "zones/view_builder.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::BuildQuery;
using testing::EdnsOption;
using testing::MakeNode;
using testing::QueryOptions;

constexpr uint8_t kCookieOption = 10;
constexpr uint8_t kKeepaliveOption = 11;

SipKey Key(const std::string& hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  SipKey key;
  EXPECT_EQ(bytes.size(), sizeof(key.bytes));
  std::copy(bytes.begin(), bytes.end(), key.bytes);
  return key;
}

CookiePolicy On(const std::string& secret_hex) {
  CookiePolicy policy;
  policy.use = Cookies::kOn;
  policy.secret = Key(secret_hex);
  return policy;
}

struct Judged {
  CookieState state;
  std::string reply_hex;
};

Judged Judge(const std::string& cookie_hex, const std::string& client,
             const CookiePolicy& policy, uint32_t unix_time) {
  const std::string cookie = absl::HexStringToBytes(cookie_hex);
  uint8_t reply[kCookieBytes] = {};
  const CookieState state = JudgeCookie(WireBytes(cookie), WireBytes(client),
                                        policy, unix_time, reply);
  return {state, absl::BytesToHexString(absl::string_view(
                     reinterpret_cast<const char*>(reply), sizeof(reply)))};
}

const std::string kClient("\xc6\x33\x64\x64", 4);  // 198.51.100.100
constexpr char kSecret[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
constexpr char kOldCookie[] =
    "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
constexpr uint32_t kOldTime = 1559731985;

TEST(SipHash, IsThatOfItsPaper) {
  std::vector<uint8_t> data(15);
  SipKey key;
  for (uint8_t i = 0; i < 16; ++i) key.bytes[i] = i;
  for (uint8_t i = 0; i < 15; ++i) data[i] = i;
  EXPECT_EQ(SipHash24(key, data), 0xa129ca6149be45e5u);
  EXPECT_EQ(SipHash24(key, {}), 0x726fdb47dd0e0e31u);
}

TEST(Cookie, OfANewClientIsRfc9018A1) {
  const Judged judged =
      Judge("2464c4abcf10c957", kClient, On(kSecret), kOldTime);
  EXPECT_EQ(judged.state, CookieState::kClientOnly);
  EXPECT_EQ(judged.reply_hex, kOldCookie);
}

TEST(Cookie, IsRenewedAfterHalfAnHourRfc9018A2) {
  const Judged judged = Judge(kOldCookie, kClient, On(kSecret), 1559734385);
  EXPECT_EQ(judged.state, CookieState::kGood);
  EXPECT_EQ(judged.reply_hex,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
}

TEST(Cookie, ReservedBitsAreHashedAsTheyCameRfc9018A3) {
  const std::string client("\xcb\x00\x71\xcb", 4);  // 203.0.113.203
  const std::string shown = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
  constexpr uint32_t kMade = 0x5cf78f71;
  EXPECT_EQ(Judge(shown, client, On(kSecret), kMade).state, CookieState::kGood);
  const Judged judged = Judge(shown, client, On(kSecret), 1559734700);
  EXPECT_EQ(judged.state, CookieState::kBad) << "older than an hour";
  EXPECT_EQ(judged.reply_hex,
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
}

TEST(Cookie, OfThePreviousSecretIsGoodRfc9018A4) {
  // 2001:db8:220:1:59de:d0f4:8769:82b8
  const std::string v6 =
      absl::HexStringToBytes("20010db80220000159ded0f4876982b8");
  const std::string shown = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
  CookiePolicy policy = On("445536bcd2513298075a5d379663c962");
  EXPECT_EQ(Judge(shown, v6, policy, 1559741961).state, CookieState::kBad);
  policy.previous = Key("dd3bdf9344b678b185a6f5cb60fca715");
  EXPECT_EQ(Judge(shown, v6, policy, 1559741961).state, CookieState::kBad)
      << "its hour is over";
  policy.previous_until = 1559741962;
  const Judged judged = Judge(shown, v6, policy, 1559741961);
  EXPECT_EQ(judged.state, CookieState::kGood);
  EXPECT_EQ(judged.reply_hex,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
}

TEST(Cookie, IsGoodForAnHourAndItsClient) {
  const CookiePolicy policy = On(kSecret);
  const auto state = [&](const std::string& cookie, const std::string& client,
                         uint32_t time) {
    return Judge(cookie, client, policy, time).state;
  };
  EXPECT_EQ(state(kOldCookie, kClient, kOldTime + 3600), CookieState::kGood);
  EXPECT_EQ(state(kOldCookie, kClient, kOldTime + 3601), CookieState::kBad);
  EXPECT_EQ(state(kOldCookie, kClient, kOldTime - 300), CookieState::kGood);
  EXPECT_EQ(state(kOldCookie, kClient, kOldTime - 301), CookieState::kBad);
  EXPECT_EQ(state(kOldCookie, "\x01\x02\x03\x04", kOldTime), CookieState::kBad);
  // Any byte of it changed, its client's part too.
  for (size_t i = 0; i < kCookieBytes; ++i) {
    std::string cookie = absl::HexStringToBytes(kOldCookie);
    cookie[i] = static_cast<char>(cookie[i] ^ 1);
    EXPECT_EQ(state(absl::BytesToHexString(cookie), kClient, kOldTime),
              CookieState::kBad)
        << i;
  }
  // While it is fresh it stays the same, which costs one hash, not two.
  EXPECT_EQ(Judge(kOldCookie, kClient, policy, kOldTime + 1800).reply_hex,
            kOldCookie);
}

TEST(Cookie, OfALengthThatThereIsNotIsMalformed) {
  for (size_t size = 0; size <= 64; ++size) {
    const Judged judged =
        Judge(std::string(2 * size, '0'), kClient, On(kSecret), kOldTime);
    const bool is_sound = size == 8 || (size >= 16 && size <= 40);
    EXPECT_EQ(judged.state, !is_sound   ? CookieState::kMalformed
                            : size == 8 ? CookieState::kClientOnly
                                        : CookieState::kBad)
        << size;
  }
}

// One node, asked with a cookie.
class CookieAnswers : public ::testing::Test {
 protected:
  void SetUp() override {
    BatchMaker batch;
    batch.Put(MakeNode("n1", "10.0.0.1"));
    batch.ApplyTo(&state_);
    policy_.cookies = On(kSecret);
  }

  // Asks for `name`; `options` are those of the OPT.
  testing::Message Ask(const std::string& name, const std::string& options,
                       Transport transport = Transport::kUdp) {
    QueryOptions query;
    query.edns.emplace().options = options;
    return Send(BuildQuery(name, 1, query), transport);
  }

  testing::Message Send(const std::string& packet,
                        Transport transport = Transport::kUdp) {
    const auto view = BuildView(state_, policy_, {}, 1);
    std::vector<uint8_t> out(kResponseBytesMax);
    context_.client = WireBytes(kClient);
    context_.unix_time = kOldTime;
    outcome_ = Outcome::kCount;
    const Response response =
        Respond(WireBytes(packet), transport, *view, &context_, out.data());
    outcome_ = response.outcome;
    testing::Message message;
    EXPECT_EQ(ParseMessage({out.data(), response.size}, &message), "");
    return message;
  }

  static std::string Option(const std::string& hex) {
    return EdnsOption(kCookieOption, absl::HexStringToBytes(hex));
  }
  // What the OPT of a response has.
  static std::string OptionsOf(const testing::Message& message) {
    return message.opt ? message.opt->options : "no OPT";
  }

  State state_;
  ZonePolicy policy_;
  RespondContext context_;
  Outcome outcome_ = Outcome::kCount;
};

TEST_F(CookieAnswers, EveryKindOfAnswerHasOne) {
  for (const char* name :
       {"n1.node.consul.", "none.node.consul.", "consul.", "example.com."}) {
    for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
      const auto message = Ask(name, Option("2464c4abcf10c957"), transport);
      EXPECT_EQ(OptionsOf(message), Option(kOldCookie)) << name;
      EXPECT_EQ(context_.cookie, CookieState::kClientOnly);
    }
  }
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", Option(kOldCookie))),
            Option(kOldCookie));
  EXPECT_EQ(context_.cookie, CookieState::kGood);
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", "")), "");
  EXPECT_EQ(context_.cookie, CookieState::kNone);
}

TEST_F(CookieAnswers, AMalformedOneIsFormerr) {
  const auto message = Ask("n1.node.consul.", Option("2464c4abcf10c95701"));
  EXPECT_EQ(message.rcode(), kFormErr);
  EXPECT_EQ(outcome_, Outcome::kFormErr);
}

TEST_F(CookieAnswers, OnlyTheFirstCounts) {
  const auto message =
      Ask("n1.node.consul.", Option("2464c4abcf10c957") + Option("01"));
  EXPECT_EQ(OptionsOf(message), Option(kOldCookie));
}

TEST_F(CookieAnswers, WithoutCookiesTheOptionIsUnknown) {
  policy_.cookies.use = Cookies::kOff;
  for (const char* cookie : {"2464c4abcf10c957", "01"}) {
    const auto message = Ask("n1.node.consul.", Option(cookie));
    EXPECT_EQ(message.rcode(), kNoError);
    EXPECT_EQ(OptionsOf(message), "");
  }
}

TEST_F(CookieAnswers, WhereRequiredABadOneIsBadcookieOverUdp) {
  policy_.cookies.use = Cookies::kRequired;
  const auto bad = Ask("n1.node.consul.", Option("2464c4abcf10c957"));
  EXPECT_EQ(bad.rcode(), kBadCookie);
  EXPECT_EQ(outcome_, Outcome::kBadCookie);
  EXPECT_TRUE(bad.answer.empty());
  EXPECT_EQ(OptionsOf(bad), Option(kOldCookie));
  // With what it got it is answered, over TCP and without any cookie too.
  for (const auto& [cookie, transport] :
       {std::pair{Option(kOldCookie), Transport::kUdp},
        std::pair{Option("2464c4abcf10c957"), Transport::kTcp},
        std::pair{std::string(), Transport::kUdp}}) {
    EXPECT_EQ(Ask("n1.node.consul.", cookie, transport).answer.size(), 1u);
  }
}

TEST_F(CookieAnswers, AQueryWithoutAQuestionGetsOne) {
  QueryOptions query;
  query.edns.emplace().options = Option("2464c4abcf10c957");
  std::string packet = BuildQuery(".", 1, query);
  packet.erase(kHeaderBytes, 5);  // the root, type, class
  packet[5] = 0;                  // QDCOUNT
  const auto message = Send(packet);
  EXPECT_EQ(message.rcode(), kNoError);
  EXPECT_EQ(OptionsOf(message), Option(kOldCookie));
  // Without a cookie it asks for nothing.
  query.edns->options.clear();
  packet = BuildQuery(".", 1, query);
  packet.erase(kHeaderBytes, 5);
  packet[5] = 0;
  EXPECT_EQ(Send(packet).rcode(), kFormErr);
}

TEST_F(CookieAnswers, TheEmptyAnswerWithTcHasOne) {
  QueryOptions query;
  query.edns.emplace().options = Option("2464c4abcf10c957");
  const std::string packet = BuildQuery("n1.node.consul.", 1, query);
  Send(packet);  // fills the context
  const auto view = BuildView(state_, policy_, {}, 1);
  std::vector<uint8_t> out(kResponseBytesMax);
  const size_t size =
      TruncatedResponse(WireBytes(packet), *view, context_, out.data());
  testing::Message message;
  ASSERT_EQ(ParseMessage({out.data(), size}, &message), "");
  EXPECT_NE(message.flags & kFlagTc, 0);
  EXPECT_TRUE(message.answer.empty() && message.authority.empty());
  EXPECT_EQ(OptionsOf(message), Option(kOldCookie));
}

TEST_F(CookieAnswers, KeepaliveIsToldOverTcpToWhoAsks) {
  context_.tcp_keepalive = 100;
  const std::string asked = EdnsOption(kKeepaliveOption, "");
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", asked, Transport::kTcp)),
            EdnsOption(kKeepaliveOption, std::string("\x00\x64", 2)));
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", asked)), "");
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", "", Transport::kTcp)), "");
  policy_.compat = Compat::kConsul;
  EXPECT_EQ(OptionsOf(Ask("n1.node.consul.", asked, Transport::kTcp)), "");
}

}  // namespace
}  // namespace dnsd
