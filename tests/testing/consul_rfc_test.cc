// The oracle for compat = "rfc" finds what it is there to find.
#include "tests/testing/consul_rfc.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_rfc_existence.h"
#include "tests/testing/consul_rfc_udp.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

Rr MakeRr(const std::string& text) {
  Rr rr;
  EXPECT_EQ(ParseRr(text, &rr), "");
  return rr;
}

Message Question(const std::string& name, uint16_t qtype) {
  Message message;
  message.flags = kFlagQr | kFlagAa;
  message.has_question = true;
  message.qname = WireName(name);
  message.qtype = qtype;
  message.qclass = kClassIn;
  return message;
}

RfcCatalog SmallCatalog() {
  RfcCatalog catalog;
  catalog.service_tags["web"] = {"v1.x", "blue"};
  catalog.nodes = {"a.b"};
  catalog.datacenters = {"dc1"};
  return catalog;
}

std::optional<RfcRow> RowOf(const std::string& name) {
  const AskedName asked =
      ReadAskedName("consul.", "", WireName(name + ".consul."));
  const HasAnswers all = [](const std::vector<std::string>& labels, uint16_t) {
    return labels.front() != "_dead";
  };
  return ExistsBy(SmallCatalog(), asked, all);
}

TEST(ConsulRfcExistence, EmptyNonTerminalsExist) {
  for (const char* name :
       {"service", "dc1", "dc", "dc1.dc", "node.dc1", "query.dc1",
        "x.web.service", "x.web.service.dc1", "b.node", "addr.what.ever"}) {
    EXPECT_EQ(RowOf(name), RfcRow::kEmptyNonTerminal) << name;
  }
  EXPECT_EQ(RowOf("_tcp.service"), RfcRow::kUnderscore);
  EXPECT_EQ(RowOf("_tcp.dc1"), RfcRow::kUnderscore);
  EXPECT_EQ(RowOf("_web._tcp"), RfcRow::kShortSrvName);
}

TEST(ConsulRfcExistence, OtherNamesDoNot) {
  for (const char* name :
       {"foo", "dc2", "dc2.dc", "service.dc2", "v1.web.service", "1.x.service",
        "x\\.web.service", "x.web.service.dc2", "a.node", "x.dc1", "_dead._tcp",
        "_tcp.dc2", "_tcp.node", "query.dc1.dc", "blue.web.service"}) {
    EXPECT_EQ(RowOf(name), std::nullopt) << name;
  }
}

TEST(ConsulRfcExistence, ShortReverseNamesBeginAnAddress) {
  EXPECT_TRUE(IsShortReverse({"in-addr", "arpa"}));
  EXPECT_TRUE(IsShortReverse({"0", "10", "in-addr", "arpa"}));
  EXPECT_TRUE(IsShortReverse({"f", "0", "ip6", "arpa"}));
  EXPECT_FALSE(IsShortReverse({"arpa"}));
  EXPECT_FALSE(IsShortReverse({"256", "in-addr", "arpa"}));
  EXPECT_FALSE(IsShortReverse({"01", "in-addr", "arpa"}));
  EXPECT_FALSE(IsShortReverse({"1", "0", "0", "127", "in-addr", "arpa"}));
  EXPECT_FALSE(IsShortReverse({"10", "ip6", "arpa"}));
}

// Sixty addresses at 16 bytes each, behind a question of 36 - 12 bytes.
class RfcUdpTest : public ::testing::Test {
 protected:
  RfcUdpTest() : full_(Question("web.service.consul.", kTypeA)) {
    for (int i = 0; i < 60; ++i) {
      full_.answer.push_back(
          MakeRr(absl::StrCat("web.service.consul. 0 IN A 10.0.0.", i)));
      sizes_[RrText(full_.answer.back())] = kAnswerBytes;
    }
    SetSize(60, &full_);
  }

  void SetSize(size_t answers, Message* message) const {
    message->answer.resize(answers);
    message->size = kQuestionEnd + answers * kAnswerBytes;
    message->answer_end = message->size;
  }

  [[nodiscard]] Message Cut(size_t answers) const {
    Message udp = full_;
    udp.flags |= kFlagTc;
    SetSize(answers, &udp);
    return udp;
  }

  [[nodiscard]] std::string Check(const Message& udp) const {
    return CheckRfcUdp(RfcConfig(), QueryOptions(), full_, sizes_, udp);
  }

  static constexpr size_t kQuestionEnd = 36;
  static constexpr size_t kAnswerBytes = 16;
  Message full_;
  RecordSizes sizes_;
};

TEST_F(RfcUdpTest, AsMuchAsFitsIsRight) {
  EXPECT_EQ(Check(Cut(29)), "");  // 36 + 29 * 16 = 500
}

TEST_F(RfcUdpTest, TooMuchTooLittleAndSilenceAreWrong) {
  EXPECT_NE(Check(Cut(30)), "");
  EXPECT_NE(Check(Cut(28)), "");
  Message silent = Cut(29);
  silent.flags = full_.flags;
  EXPECT_NE(Check(silent), "");
  Message foreign = Cut(29);
  foreign.answer[0] = MakeRr("web.service.consul. 0 IN A 10.9.9.9");
  EXPECT_NE(Check(foreign), "");
}

TEST_F(RfcUdpTest, TheSmallerSizeIsTheLimit) {
  RfcConfig config;
  QueryOptions options;
  EXPECT_EQ(RfcUdpBytesMax(config, options), 512u);
  options.edns.emplace();
  options.edns->udp_size = 4096;
  EXPECT_EQ(RfcUdpBytesMax(config, options), 1232u);
  options.edns->udp_size = 700;
  EXPECT_EQ(RfcUdpBytesMax(config, options), 700u);
  options.edns->udp_size = 100;
  EXPECT_EQ(RfcUdpBytesMax(config, options), 512u);
}

TEST(ConsulRfcRows, HaveNamesOfTheirOwn) {
  std::vector<std::string> names;
  for (int i = 0; i < static_cast<int>(RfcRow::kCount); ++i) {
    const std::string name = RfcRowName(static_cast<RfcRow>(i));
    EXPECT_FALSE(name.empty()) << i;
    for (const std::string& other : names) EXPECT_NE(name, other);
    names.push_back(name);
  }
}

}  // namespace
}  // namespace dnsd::testing
