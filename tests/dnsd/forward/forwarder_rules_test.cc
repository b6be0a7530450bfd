// Which upstreams a name goes to, other rules at run time, and loops.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "dnsd/forward/forwarder.h"
#include "tests/dnsd/forward/forwarder_fixture.h"
#include "tests/dnsd/forward/scripted_upstream.h"

namespace dnsd::testing {
namespace {

constexpr int kServFailed = 2;
constexpr int kRefusedCode = 5;

class ForwarderRulesTest : public ForwarderTest {
 protected:
  ForwardRule Rule(const std::string& zone,
                   const std::vector<UpstreamAddress>& upstreams) const {
    ForwardRule rule = rule_;
    rule.zone = Wire(zone);
    rule.upstreams = upstreams;
    return rule;
  }
  // Of labels that nobody has asked for yet.
  std::string Fresh() { return "n" + std::to_string(next_id_); }
};

TEST_F(ForwarderRulesTest, TheLongestSuffixSaysWhomToAsk) {
  ScriptedUpstream general;
  ScriptedUpstream inner;
  options_.rules = {Rule(".", {general.address()}),
                    Rule("corp.test", {inner.address()}), Rule("ads.test", {}),
                    Rule("www.ads.test", {inner.address()})};
  Make();
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_EQ(general.questions(), 1);
  EXPECT_EQ(Rcode("corp"), 0);
  EXPECT_EQ(Rcode("a.b.corp"), 0);
  EXPECT_EQ(inner.questions(), 2);
  EXPECT_EQ(Rcode("xcorp"), 0);
  EXPECT_EQ(general.questions(), 2);
  EXPECT_EQ(Rcode("ads"), kRefusedCode);
  EXPECT_EQ(Rcode("x.ads"), kRefusedCode);
  EXPECT_EQ(Rcode("x.www.ads"), 0);
  EXPECT_EQ(inner.questions(), 3);
  EXPECT_EQ(stats_.refused.value(), 2u);
}

TEST_F(ForwarderRulesTest, NamesWithoutARuleAreRefused) {
  ScriptedUpstream inner;
  options_.rules = {Rule("corp.test", {inner.address()})};
  Make();
  EXPECT_EQ(Rcode("www"), kRefusedCode);
  EXPECT_EQ(Rcode("a.corp"), 0);
}

TEST_F(ForwarderRulesTest, AnUpstreamOfTwoRulesIsOne) {
  ScriptedUpstream silent(false);
  rule_.timeout_ms = 50;
  options_.rules = {Rule(".", {silent.address()}),
                    Rule("corp.test", {silent.address()})};
  Make();
  EXPECT_EQ(forwarder_->upstream_count(), 1u);
  EXPECT_EQ(Rcode("a"), kServFailed);
  EXPECT_EQ(Rcode("a.corp"), kServFailed);
  EXPECT_EQ(Rcode("b"), kServFailed);
  EXPECT_TRUE(forwarder_->upstream(0).is_down());
}

TEST_F(ForwarderRulesTest, AnUpstreamLeavesRoomForTheOthers) {
  ScriptedUpstream silent(false);
  ScriptedUpstream upstream;
  options_.sockets_max = 4;
  options_.rules = {Rule(".", {silent.address()}),
                    Rule("corp.test", {upstream.address()})};
  Make();
  EXPECT_TRUE(Ask(Query(1, "a")).is_waiting);
  EXPECT_TRUE(Ask(Query(2, "b")).is_waiting);
  EXPECT_FALSE(Ask(Query(3, "c")).is_waiting);
  EXPECT_EQ(stats_.table_full.value(), 1u);
  EXPECT_EQ(Rcode("x.corp"), 0);
  EXPECT_EQ(Rcode("y.corp"), 0);
}

TEST_F(ForwarderRulesTest, RandomAsksAll) {
  ScriptedUpstream one;
  ScriptedUpstream two;
  rule_.strategy = ForwardStrategy::kRandom;
  options_.rules = {Rule(".", {one.address(), two.address()})};
  Make();
  // Both, but for once in 2^63.
  for (int i = 0; i < 64; ++i) EXPECT_EQ(Rcode(Fresh()), 0);
  EXPECT_GT(one.questions(), 0);
  EXPECT_GT(two.questions(), 0);
}

TEST_F(ForwarderRulesTest, FastestAsksWhoAnswersSoonest) {
  ScriptedUpstream slow;
  ScriptedUpstream quick;
  slow.SetDelay(std::chrono::milliseconds(100));
  options_.hedge_ms_min = 1'000;  // nobody is asked beside another
  rule_.strategy = ForwardStrategy::kFastest;
  options_.rules = {Rule(".", {slow.address(), quick.address()})};
  Make();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(Rcode(Fresh()), 0);
  EXPECT_GT(quick.questions(), 2 * slow.questions());
}

TEST_F(ForwarderRulesTest, OtherRulesForgetWhatOthersSaidAndNothingElse) {
  ScriptedUpstream one;
  ScriptedUpstream two;
  options_.rules = {Rule(".", {one.address()}),
                    Rule("corp.test", {one.address()})};
  Make();
  for (const char* label : {"www", "a.corp", "a.lab"}) {
    EXPECT_EQ(Rcode(label), 0);
  }
  EXPECT_EQ(one.questions(), 3);
  options_.rules = {Rule(".", {one.address()}),
                    Rule("corp.test", {two.address()}),
                    Rule("lab.test", {one.address()})};
  options_.rules[0].timeout_ms = 1234;
  forwarder_->Configure(options_);
  for (const char* label : {"www", "a.corp", "a.lab"}) {
    EXPECT_EQ(Rcode(label), 0);
  }
  EXPECT_EQ(one.questions(), 3);
  EXPECT_EQ(two.questions(), 1);
  options_.rules = {};
  forwarder_->Configure(options_);
  EXPECT_EQ(Rcode("www"), kRefusedCode);
  EXPECT_EQ(forwarder_->upstream_count(), 0u);
}

TEST_F(ForwarderRulesTest, WhatIsBeingAskedIsAskedToTheEndAndNotKept) {
  ScriptedUpstream one;
  ScriptedUpstream two;
  Make({one.address()});
  EXPECT_TRUE(Ask(Query(1, "late")).is_waiting);
  options_.rules = {Rule(".", {two.address()})};
  forwarder_->Configure(options_);
  ASSERT_TRUE(Await(1));
  EXPECT_EQ(delivered_[0][3] & 15, 0);
  EXPECT_EQ(two.questions(), 0);
  EXPECT_EQ(Rcode("late"), 0);
  EXPECT_EQ(two.questions(), 1);
}

TEST_F(ForwarderRulesTest, UpstreamsThatStayAreKnownAsBefore) {
  ScriptedUpstream silent(false);
  ScriptedUpstream upstream;
  rule_.timeout_ms = 50;
  Make({silent.address()});
  EXPECT_EQ(Rcode("a"), kServFailed);
  EXPECT_EQ(Rcode("b"), kServFailed);
  ASSERT_TRUE(forwarder_->upstream(0).is_down());
  options_.rules = {Rule(".", {upstream.address(), silent.address()})};
  forwarder_->Configure(options_);
  EXPECT_FALSE(forwarder_->upstream(0).is_down());
  EXPECT_TRUE(forwarder_->upstream(1).is_down());
  // One that goes while it is probed, or asked.
  Pass(20);
  EXPECT_TRUE(Ask(Query(1, "drop")).is_waiting);
  options_.rules = {};
  forwarder_->Configure(options_);
  ASSERT_TRUE(Await(delivered_.size() + 1));
  EXPECT_EQ(delivered_.back()[3] & 15, kServFailed);
}

TEST_F(ForwarderRulesTest, OtherNetworksMayAskFromThenOn) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("www"), 0);
  options_.allow = {*IpNetwork::Parse("192.0.2.0/24")};
  forwarder_->Configure(options_);
  EXPECT_EQ(Rcode("www"), kRefusedCode);
  EXPECT_FALSE(Ask(Query(1, "www"), Transport::kUdp, "192.0.2.1").is_waiting);
  EXPECT_EQ(out_[3] & 15, 0);
  EXPECT_EQ(upstream.questions(), 1);
}

TEST_F(ForwarderRulesTest, AQueryOfOursThatComesBackIsALoop) {
  ScriptedUpstream silent(false);
  rule_.timeout_ms = 50;
  options_.loop_labels = MakeLoopLabels();
  ASSERT_EQ(options_.loop_labels.size(), 34u);
  options_.rules = {Rule("test", {silent.address()})};
  Make();
  EXPECT_EQ(Rcode("a"), kServFailed);
  for (int i = 0; i < 1000 && silent.loop_questions() == 0; ++i) Pass(10);
  EXPECT_EQ(silent.loop_questions(), 1);
  EXPECT_EQ(Rcode("b"), kServFailed);
  Pass(20);
  EXPECT_EQ(silent.loop_questions(), 1);  // not again so soon
  EXPECT_EQ(stats_.loops.value(), 0u);

  std::string query = Query(1, "x");
  query.replace(12, 2, options_.loop_labels);
  query[13] = 'A';  // letter case may be lost, or others'
  options_.loop_labels[1] = 'a';
  forwarder_->Configure(options_);
  EXPECT_FALSE(Ask(query).is_waiting);
  EXPECT_EQ(out_[3] & 15, kRefusedCode);
  EXPECT_EQ(stats_.loops.value(), 1u);
  ASSERT_EQ(loops_.size(), 1u);
  EXPECT_EQ(loops_[0], Wire("test"));
  EXPECT_NE(MakeLoopLabels(), MakeLoopLabels());
}

TEST_F(ForwarderRulesTest, AConnectionThatEndsWaitsNoMore) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  char connections[2];  // only their addresses are used
  const auto connection = [&](int i) {
    return reinterpret_cast<TcpConnection*>(&connections[i]);
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(
        Ask(Query(1, "late"), Transport::kTcp, "127.0.0.1", connection(i))
            .is_waiting);
  }
  EXPECT_EQ(forwarder_->waiting_count(), 2u);
  forwarder_->Drop(connection(0));
  EXPECT_EQ(forwarder_->waiting_count(), 1u);
  ASSERT_TRUE(Await(1));
  Pass(20);
  EXPECT_EQ(delivered_.size(), 1u);
  EXPECT_EQ(forwarder_->waiting_count(), 0u);
}

}  // namespace
}  // namespace dnsd::testing
