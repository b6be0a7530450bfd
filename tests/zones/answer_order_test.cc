// Answers come in a random order, and each instance gets its share: Consul's
// ServiceLookup_Randomize and PerfectlyRandomChoices, on Respond().
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/state.h"
#include "gtest/gtest.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/seeds.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

class AnswerOrderTest : public ::testing::Test {
 protected:
  void Register(int count, Compat compat) {
    ZonePolicy policy;
    policy.compat = compat;
    ChangeBatch batch;
    for (int i = 1; i <= count; ++i) {
      Node node;
      node.name = absl::StrCat("n", i);
      node.datacenter = "dc1";
      node.address = absl::StrCat("127.0.0.", i);
      ServiceInstance instance;
      instance.name = instance.id = "web";
      batch.changes.push_back(UpsertNode{node});
      batch.changes.push_back(UpsertInstance{{"dc1", node.name}, instance});
    }
    Dirty dirty;
    ASSERT_TRUE(state_.Apply(batch, &dirty).ok());
    view_ = BuildView(state_, policy, {}, 1);
    context_.random = Random(TestSeed());
  }

  // The addresses of one answer, in order.
  std::vector<std::string> Ask() {
    std::string packet = BuildQuery("web.service.consul.", kTypeA, {});
    std::vector<uint8_t> out(kResponseBytesMax);
    Response response = Respond(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
        Transport::kUdp, *view_, &context_, out.data());
    Message message;
    EXPECT_EQ(ParseMessage({out.data(), response.size}, &message), "");
    std::vector<std::string> addresses;
    for (const Rr& rr : message.answer) addresses.push_back(rr.rdata);
    return addresses;
  }

  State state_;
  std::unique_ptr<const View> view_;
  RespondContext context_;
};

TEST_F(AnswerOrderTest, ServiceLookupRandomize) {
  Register(10, Compat::kConsul);
  std::set<std::vector<std::string>> orders;
  for (int i = 0; i < 10; ++i) {
    std::vector<std::string> answer = Ask();
    EXPECT_EQ(answer.size(), 3u);
    EXPECT_EQ(std::set<std::string>(answer.begin(), answer.end()).size(), 3u);
    orders.insert(answer);
  }
  EXPECT_GE(orders.size(), 2u);
}

// With n instances each is first in one answer of n, within five standard
// deviations, and follows each other one about as often.
TEST_F(AnswerOrderTest, PerfectlyRandomChoices) {
  constexpr int kInstances = 5;
  constexpr int kQueries = 5000;
  Register(kInstances, Compat::kRfc);
  std::map<std::string, int> first;
  std::map<std::string, int> pairs;
  for (int i = 0; i < kQueries; ++i) {
    std::vector<std::string> answer = Ask();
    ASSERT_EQ(answer.size(), static_cast<size_t>(kInstances));
    ++first[answer[0]];
    ++pairs[answer[0] + answer[1]];
  }
  // sqrt(5000 * 0.2 * 0.8) is 28, sqrt(5000 * 0.05 * 0.95) is 15.
  EXPECT_EQ(first.size(), 5u);
  for (const auto& [address, count] : first) EXPECT_NEAR(count, 1000, 141);
  EXPECT_EQ(pairs.size(), 20u);
  for (const auto& [pair, count] : pairs) EXPECT_NEAR(count, 250, 77);
}

}  // namespace
}  // namespace dnsd::testing
