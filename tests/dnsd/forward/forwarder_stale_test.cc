// What is past its time, for when nobody answers (RFC 8767).
#include <gtest/gtest.h>

#include "dnsd/forward/forwarder.h"
#include "tests/dnsd/forward/forwarder_fixture.h"
#include "tests/dnsd/forward/scripted_upstream.h"

namespace dnsd::testing {
namespace {

constexpr int kServFailed = 2;

class ForwarderStaleTest : public ForwarderTest {
 protected:
  // "www" is known, and past its time.
  void MakeStale(ScriptedUpstream* upstream) {
    rule_.timeout_ms = 50;
    options_.cache.ttl_max_s = 1;
    Make({upstream->address()});
    ASSERT_EQ(Rcode("www"), 0);
    Pass(1'100);
  }
};

TEST_F(ForwarderStaleTest, IsAskedForAgainWhileSomebodyAnswers) {
  ScriptedUpstream upstream;
  ASSERT_NO_FATAL_FAILURE(MakeStale(&upstream));
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_EQ(upstream.questions(), 2);
  EXPECT_EQ(stats_.stale.value(), 0u);
}

TEST_F(ForwarderStaleTest, IsTheAnswerWhenNobodyAnswered) {
  ScriptedUpstream upstream;
  ASSERT_NO_FATAL_FAILURE(MakeStale(&upstream));
  upstream.SetAnswers(false);
  EXPECT_TRUE(Ask(Query(7, "www")).is_waiting);
  ASSERT_TRUE(Await(delivered_.size() + 1));
  EXPECT_EQ(delivered_.back()[3] & 15, 0);
  EXPECT_EQ(AnswerCount(), 1);
  EXPECT_EQ(stats_.stale.value(), 1u);
  EXPECT_EQ(Rcode("other"), kServFailed);
}

TEST_F(ForwarderStaleTest, IsTheAnswerAtOnceWhileAllAreDown) {
  ScriptedUpstream upstream;
  ASSERT_NO_FATAL_FAILURE(MakeStale(&upstream));
  upstream.SetAnswers(false);
  EXPECT_EQ(Rcode("a"), kServFailed);
  EXPECT_EQ(Rcode("b"), kServFailed);
  ASSERT_TRUE(forwarder_->upstream(0).is_down());
  const uint64_t sent = stats_.sent.value();
  EXPECT_FALSE(Ask(Query(7, "www")).is_waiting);
  EXPECT_EQ(out_[3] & 15, 0);
  EXPECT_EQ(out_[7], 1);
  EXPECT_EQ(stats_.stale.value(), 1u);
  // It is asked for meanwhile, once.
  EXPECT_EQ(stats_.sent.value(), sent + 1);
  EXPECT_FALSE(Ask(Query(8, "www")).is_waiting);
  EXPECT_EQ(stats_.sent.value(), sent + 1);
}

}  // namespace
}  // namespace dnsd::testing
