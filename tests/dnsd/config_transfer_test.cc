// zone_transfer { }: what it may say, and what is said about the rest.
#include "dnsd/config_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dnsd/config.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::WireName;

Config Load(const std::string& text, Problems* problems) {
  const testing::TempDir dir;
  dir.Write("z.zone", "@ 1 SOA ns h 5 1 1 1 1\n@ 1 NS ns\n");
  return LoadConfigFiles({dir.Write("c.hcl", text)}, problems);
}

Config LoadGood(const std::string& text) {
  Problems problems;
  Config config = Load(text, &problems);
  EXPECT_THAT(problems.errors(), IsEmpty());
  return config;
}

std::string ErrorOf(const std::string& text) {
  Problems problems;
  (void)Load("zone_transfer { " + text + " }", &problems);
  if (problems.errors().size() != 1) {
    return std::to_string(problems.errors().size()) + " errors";
  }
  EXPECT_THAT(problems.errors()[0], HasSubstr("zone_transfer"));
  return problems.errors()[0];
}

TEST(ConfigTransferTest, NobodyUnlessItSaysSo) {
  const Config config = LoadGood("");
  EXPECT_FALSE(config.transfer.enabled());
  EXPECT_FALSE(config.policy.has_secondaries);
}

TEST(ConfigTransferTest, ReadsAllOfIt) {
  const Config config = LoadGood(R"(
    zones = [{ name = "example.test", file = "z" }]
    zone_transfer {
      allow = ["192.0.2.0/24", "2001:db8::1"]
      keys = [
        { name = "XFR.example.", secret = "c2VjcmV0" },
        { name = "other", algorithm = "hmac-sha512", secret = "b3RoZXI=" }
      ]
      notify = ["192.0.2.1", "[2001:db8::1]:5353"]
      notify_interval = "500ms"
      zones = ["consul", "example.test."]
    })");
  const TransferOptions& options = config.transfer;
  EXPECT_EQ(options.allow.size(), 2u);
  ASSERT_EQ(options.keys.size(), 2u);
  EXPECT_EQ(options.keys[0].name, WireName("xfr.example."));
  EXPECT_EQ(options.keys[0].algorithm, TsigAlgorithm::kHmacSha256);
  EXPECT_EQ(options.keys[0].secret, "secret");
  EXPECT_EQ(options.keys[1].algorithm, TsigAlgorithm::kHmacSha512);
  ASSERT_EQ(options.notify.size(), 2u);
  EXPECT_EQ(options.notify[0].address.port(), 53);
  EXPECT_EQ(options.notify[1].address.port(), 5353);
  EXPECT_TRUE(options.notify[1].address.is_v6());
  EXPECT_EQ(options.notify_interval_ms, 500u);
  EXPECT_THAT(options.zones,
              ElementsAre(WireName("consul."), WireName("example.test.")));
  EXPECT_TRUE(config.policy.has_secondaries);
}

TEST(ConfigTransferTest, TheCatalogMayStayOut) {
  const Config config = LoadGood(R"(
    zones = [{ name = "example.test", file = "z" }]
    zone_transfer { allow = "127.0.0.1" zones = "example.test" })");
  EXPECT_TRUE(config.transfer.enabled());
  EXPECT_FALSE(config.policy.has_secondaries);
}

TEST(ConfigTransferTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("allow = [\"192.0.2.0/33\"]"),
              HasSubstr("\"192.0.2.0/33\" is not a network"));
  EXPECT_THAT(ErrorOf("notify = [\"ns2.example\"]"),
              HasSubstr("\"ns2.example\" is not an IP address"));
  EXPECT_THAT(ErrorOf("notify = [\"0.0.0.0\"]"), HasSubstr("0.0.0.0"));
  EXPECT_THAT(ErrorOf("notify_interval = \"-1s\""), HasSubstr("negative"));
  EXPECT_THAT(ErrorOf("zones = [\"other\"]"),
              HasSubstr("\"other\" is no zone of this agent"));
  EXPECT_THAT(ErrorOf("keys = [{ name = \"a b\", secret = \"c2VjcmV0\" }]"),
              HasSubstr("\"a b\" is not a domain name"));
  EXPECT_THAT(ErrorOf("keys = [{ name = \"a\", algorithm = \"hmac-md5\", "
                      "secret = \"c2VjcmV0\" }]"),
              HasSubstr("\"hmac-md5\" is none of"));
  EXPECT_THAT(ErrorOf("keys = [{ name = \"a\", secret = \"c2VjcmV0\" }, "
                      "{ name = \"A.\", secret = \"c2VjcmV0\" }]"),
              HasSubstr("duplicate key"));
}

TEST(ConfigTransferTest, NoMessageShowsASecret) {
  const std::string error =
      ErrorOf("keys = [{ name = \"a\", secret = \"hush!hush\" }]");
  EXPECT_THAT(error, HasSubstr("not base64"));
  EXPECT_THAT(error, Not(HasSubstr("hush")));
  EXPECT_THAT(ErrorOf("keys = [{ name = \"a\" }]"), HasSubstr("not base64"));
}

TEST(ConfigTransferTest, WarnsWhenNobodyMay) {
  Problems problems;
  (void)Load("zone_transfer { zones = [\"consul\"] }", &problems);
  EXPECT_THAT(problems.errors(), IsEmpty());
  EXPECT_THAT(problems.warnings(), ElementsAre(HasSubstr("allows nobody")));
}

}  // namespace
}  // namespace dnsd
