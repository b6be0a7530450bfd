// Runs tests/testdata/scenarios/*.txt against Respond(): each case is a test
// of its own, named as in the file. The reference has to be content with the
// same response.
#include "tests/testing/scenario.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "catalog/state.h"
#include "gtest/gtest.h"
#include "tests/testing/reference_responder.h"
#include "tests/testing/response_check.h"
#include "zones/responder.h"
#include "zones/view_builder.h"

namespace dnsd::testing {

// gtest prints parameters; the name is enough.
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

namespace {

constexpr uint64_t kRepeats = 3;  // answers are random; look again

std::vector<Scenario> AllScenarios() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(
           DNSD_SOURCE_DIR "/tests/testdata/scenarios")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Scenario> all;
  for (const std::string& file : files) {
    absl::StatusOr<std::vector<Scenario>> scenarios = ReadScenarios(file);
    if (!scenarios.ok()) {
      // An empty case fails when it runs, with the message as its name.
      std::fprintf(stderr, "%s\n", scenarios.status().ToString().c_str());
      all.push_back({"Unreadable", {}});
      continue;
    }
    all.insert(all.end(), scenarios->begin(), scenarios->end());
  }
  return all;
}

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class ScenarioTest : public ::testing::TestWithParam<Scenario> {
 protected:
  void Run(const ScenarioQuery& query) {
    State state;
    Dirty dirty;
    ChangeBatch batch;
    batch.changes = query.catalog;
    absl::Status applied = state.Apply(batch, &dirty);
    ASSERT_TRUE(applied.ok()) << applied.ToString();
    std::unique_ptr<const View> view = BuildView(state, query.policy, {}, 1);
    ASSERT_NE(view, nullptr);
    ReferenceAnswer answer =
        AskReference(state, query.policy, Bytes(query.packet), query.transport);
    for (uint64_t i = 0; i < kRepeats && !HasFailure(); ++i) {
      Ask(query, *view, answer, 1000 + i * 7919);
    }
  }

 private:
  void Ask(const ScenarioQuery& query, const View& view,
           const ReferenceAnswer& answer, uint64_t seed) {
    std::vector<uint8_t> out(kResponseBytesMax);
    RespondContext context;
    context.random = Random(seed);
    Response response = Respond(Bytes(query.packet), query.transport, view,
                                &context, out.data());
    std::span<const uint8_t> bytes(out.data(), response.size);
    if (query.dropped) {
      EXPECT_TRUE(bytes.empty()) << query.where;
      return;
    }
    Message message;
    ASSERT_EQ(ParseMessage(bytes, &message), "") << query.where;
    EXPECT_EQ(CheckExpectation(query, message), "") << query.where << "\n"
                                                    << MessageText(message);
    EXPECT_EQ(CheckResponse(query.policy, answer, bytes), "")
        << query.where << "\n"
        << MessageText(message);
  }
};

TEST_P(ScenarioTest, Answers) {
  ASSERT_FALSE(GetParam().queries.empty());
  for (const ScenarioQuery& query : GetParam().queries) Run(query);
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioTest,
                         ::testing::ValuesIn(AllScenarios()),
                         [](const ::testing::TestParamInfo<Scenario>& param) {
                           return param.param.name;
                         });

}  // namespace
}  // namespace dnsd::testing
