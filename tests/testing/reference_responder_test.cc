// The reference against what a real Consul answered, and against the
// scenarios: what is expected there must be something it allows.
#include "tests/testing/reference_responder.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/response_assembly.h"
#include "tests/testing/response_check.h"
#include "tests/testing/scenario.h"

namespace dnsd::testing {
namespace {

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(
           DNSD_SOURCE_DIR "/tests/testdata/scenarios")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<std::string> MetaTexts(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : pairs) texts.push_back(MetaText(key, value));
  return texts;
}

class ReferenceScenarioTest : public ::testing::TestWithParam<std::string> {};

// Whatever the reference would answer itself is what the scenario expects,
// and passes its own check.
TEST_P(ReferenceScenarioTest, AgreesWithExpectations) {
  absl::StatusOr<std::vector<Scenario>> scenarios = ReadScenarios(GetParam());
  ASSERT_TRUE(scenarios.ok()) << scenarios.status().ToString();
  ASSERT_FALSE(scenarios->empty());
  for (const Scenario& scenario : *scenarios) {
    for (const ScenarioQuery& query : scenario.queries) {
      State state;
      Dirty dirty;
      ChangeBatch batch;
      batch.changes = query.catalog;
      absl::Status applied = state.Apply(batch, &dirty);
      ASSERT_TRUE(applied.ok()) << scenario.name << applied.ToString();
      ReferenceAnswer answer = AskReference(
          state, query.policy, Bytes(query.packet), query.transport);
      EXPECT_EQ(answer.dropped, query.dropped) << query.where;
      if (query.dropped || answer.loose_header) continue;
      Message message = Realize(query.policy, answer);
      EXPECT_EQ(CheckExpectation(query, message), "") << scenario.name << "\n"
                                                      << query.where << "\n"
                                                      << MessageText(message);
      EXPECT_EQ(CheckMessage(query.policy, answer, message), "")
          << scenario.name << "\n"
          << query.where << "\n"
          << MessageText(message);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, ReferenceScenarioTest, ::testing::ValuesIn(ScenarioFiles()),
    [](const ::testing::TestParamInfo<std::string>& param) {
      return std::filesystem::path(param.param).stem().string();
    });

// Consul's own vectors for RFC 1464 text.
TEST(ReferenceRecords, EncodesMetaAsRfc1464) {
  EXPECT_EQ(MetaTexts({{"color", "blue"},
                       {"equation", "a=4"},
                       {"a=a", "true"},
                       {"a\\=a", "false"},
                       {"=", "\\="},
                       {"string", "\"Cat\""},
                       {"string2", "`abc`"},
                       {"novalue", ""},
                       {"a b", "c d"},
                       {"abc ", "123 "},
                       {" abc", " 321"},
                       {"`a", "b"}}),
            (std::vector<std::string>{
                "color=blue", "equation=a=4", "a`=a=true", "a\\`=a=false",
                "`==\\=", "string=\"Cat\"", "string2=``abc``",
                "novalue=", "a b=c d", "abc` =123 ", "` abc= 321", "``a=b"}));
  EXPECT_EQ(MetaText("RFC1035-x", "a=`b"), "a=`b");
}

TEST(ReferenceNames, ReadsLocalitiesAsConsulsTestsDo) {
  EXPECT_EQ(ReadLocality({"dc1", "dc"}).datacenter, "dc1");
  EXPECT_EQ(ReadLocality({"p", "peer"}).peer, "p");
  EXPECT_EQ(ReadLocality({"x"}).peer_or_datacenter, "x");
  EXPECT_TRUE(ReadLocality({}).valid);
  EXPECT_FALSE(ReadLocality({"a", "b", "c"}).valid);
  EXPECT_FALSE(ReadLocality({"a", "b"}).valid);
  EXPECT_FALSE(ReadLocality({"a", "dc", "b", "peer"}).valid);
  EXPECT_FALSE(ReadLocality({"a", "dc", "b", "dc", "c"}).valid);
  RefLocality both;
  both.datacenter = "a";
  both.peer_or_datacenter = "b";
  EXPECT_EQ(both.EffectiveDatacenter("c"), "a");
  both.datacenter.clear();
  EXPECT_EQ(both.EffectiveDatacenter("c"), "b");
  EXPECT_EQ(RefLocality().EffectiveDatacenter("c"), "c");
}

TEST(ReferenceNames, ReversesAddresses) {
  EXPECT_EQ(ReverseName("127.0.0.11"), "11.0.0.127.in-addr.arpa.");
  EXPECT_EQ(ReverseName("2001:db8::5"),
            "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
            "ip6.arpa.");
  EXPECT_EQ(ReverseName("www.example.com"), "");
}

}  // namespace
}  // namespace dnsd::testing
