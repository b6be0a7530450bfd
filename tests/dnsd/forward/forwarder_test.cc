#include "dnsd/forward/forwarder.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/dnsd/forward/forwarder_fixture.h"
#include "tests/dnsd/forward/scripted_upstream.h"

namespace dnsd::testing {
namespace {

TEST_F(ForwarderTest, AnswersOnceFromUpstreamThenFromTheCache) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_EQ(AnswerCount(), 1);
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_EQ(upstream.questions(), 1);
  EXPECT_EQ(stats_.cache_hits.value(), 1u);
  const UpstreamCounts& counts = forwarder_->upstream(0).counts();
  EXPECT_EQ(counts.sent, 1u);
  EXPECT_EQ(counts.failures, 0u);
  EXPECT_EQ(Rcode("nx"), 3);
  EXPECT_EQ(Rcode("fail"), 2);
  EXPECT_EQ(counts.sent, stats_.sent.value());
  EXPECT_EQ(counts.failures, stats_.upstream_failures.value());
  EXPECT_GE(counts.failures, 1u);
  EXPECT_EQ(counts.timeouts, 0u);
  EXPECT_EQ(std::accumulate(counts.delay.counts.begin(),
                            counts.delay.counts.end(), uint64_t{0}),
            counts.sent);
}

TEST_F(ForwarderTest, AsksOverTcpWhatIsTruncatedOrForged) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("big", Transport::kTcp), 0);
  EXPECT_EQ(AnswerCount(), 100);
  EXPECT_EQ(Rcode("wrong"), 0);
  EXPECT_EQ(stats_.wrong_replies.value(), 21u);
  EXPECT_EQ(upstream.tcp_questions(), 2);
}

TEST_F(ForwarderTest, LivesWithUpstreamsWithoutEdnsAndLetterCase) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("plain"), 0);
  EXPECT_EQ(stats_.no_edns.value(), 1u);
  EXPECT_EQ(Rcode("plainer"), 0);
  EXPECT_EQ(stats_.no_edns.value(), 1u);
  // So long a name is not in lower case by chance.
  EXPECT_EQ(Rcode("lowercaseofaverylongnamewithmanyletters"), 0);
  EXPECT_EQ(stats_.wrong_case.value(), 1u);
  EXPECT_EQ(upstream.tcp_questions(), 1);
}

TEST_F(ForwarderTest, AsksWithoutEdnsWhoIsSilentToIt) {
  ScriptedUpstream upstream;
  rule_.timeout_ms = 1'000;
  Make({upstream.address()});
  for (const char* label : {"mute1", "mute2", "mute3"}) {
    EXPECT_EQ(stats_.no_edns.value(), 0u);
    EXPECT_EQ(Rcode(label), 0) << label;
  }
  EXPECT_EQ(stats_.no_edns.value(), 1u);
  const int questions = upstream.questions();
  EXPECT_EQ(Rcode("mute4"), 0);
  EXPECT_EQ(upstream.questions(), questions + 1);
}

// Whoever has answered with EDNS knows it: his silence is something else.
TEST_F(ForwarderTest, OneThatKnowsEdnsIsAskedWithIt) {
  ScriptedUpstream upstream;
  rule_.timeout_ms = 1'000;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_EQ(Rcode("mute1"), 2);
  EXPECT_EQ(stats_.no_edns.value(), 0u);
}

TEST(Upstream, AnOutageIsNoLackOfEdns) {
  Upstream upstream(SocketAddress(), 1'000, 30'000);
  upstream.AnsweredEdns();
  for (int i = 0; i < kForwardFailuresMax; ++i) upstream.Failed(1);
  EXPECT_FALSE(upstream.wants_edns(1, false));
  // What was asked without meanwhile is answered all at once.
  for (int i = 0; i < 5; ++i) {
    upstream.Answered(1);
    EXPECT_FALSE(upstream.LostEdns(1, /*is_beside=*/false));
  }
  EXPECT_TRUE(upstream.wants_edns(1, false));
  EXPECT_FALSE(upstream.LostEdns(1, true));
  EXPECT_TRUE(upstream.LostEdns(1, true));
  EXPECT_FALSE(upstream.wants_edns(1, false));
}

TEST(Upstream, InTlsNothingDropsEdns) {
  UpstreamAddress address(SocketAddress(), "dns.example");
  Upstream upstream(address, 1'000, 30'000);
  upstream.Failed(1);
  EXPECT_TRUE(upstream.wants_edns(1, true));
}

TEST_F(ForwarderTest, ManyClientsWithOneQuestionAskItOnce) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  for (uint16_t id = 0; id < 100; ++id) {
    EXPECT_TRUE(Ask(Query(id, "late")).is_waiting);
  }
  EXPECT_TRUE(Ask(Query(7, "late")).is_waiting);  // sent again
  ASSERT_TRUE(Await(100));
  EXPECT_EQ(stats_.sent.value(), 1u);
  EXPECT_EQ(stats_.coalesced.value(), 99u);
  EXPECT_EQ(forwarder_->waiting_count(), 0u);
}

TEST_F(ForwarderTest, AnotherUpstreamTakesOver) {
  ScriptedUpstream silent(false);
  ScriptedUpstream upstream;
  Make({silent.address(), upstream.address()});
  for (const char* label : {"a", "b", "c"}) EXPECT_EQ(Rcode(label), 0);
  EXPECT_TRUE(forwarder_->upstream(0).is_down());
  EXPECT_EQ(Rcode("d"), 0);
  EXPECT_GE(stats_.hedged.value(), 3u);
}

TEST_F(ForwarderTest, AnUpstreamThatIsBackIsNoticed) {
  ScriptedUpstream upstream(false);
  rule_.timeout_ms = 50;
  options_.probe_ms_min = 20;
  Make({upstream.address()});
  EXPECT_EQ(Rcode("a"), 2);
  EXPECT_EQ(Rcode("b"), 2);
  EXPECT_TRUE(forwarder_->upstream(0).is_down());
  EXPECT_EQ(forwarder_->upstream(0).counts().timeouts,
            forwarder_->upstream(0).counts().sent);
  upstream.SetAnswers(true);
  Timer look(&loop_, [this] {
    if (!forwarder_->upstream(0).is_down()) loop_.Stop();
  });
  look.Start(5, 5);
  EXPECT_FALSE(Await(3));
  EXPECT_FALSE(forwarder_->upstream(0).is_down());
}

TEST_F(ForwarderTest, RefusesStrangersAndWhoDoesNotWantRecursion) {
  ScriptedUpstream upstream;
  Make({upstream.address()});
  EXPECT_FALSE(Ask(Query(1, "www"), Transport::kUdp, "8.8.8.8").is_waiting);
  EXPECT_EQ(out_[3] & 15, 5);
  EXPECT_FALSE(Ask(Query(1, "www", false)).is_waiting);
  EXPECT_EQ(out_[3] & 15, 5);
  EXPECT_EQ(stats_.refused.value(), 2u);
  policy_.compat = Compat::kConsul;
  EXPECT_TRUE(Ask(Query(1, "www", false)).is_waiting);
  EXPECT_TRUE(Await(1));
}

TEST_F(ForwarderTest, FailsAtOnceWhenTheTableIsFullAndAtClose) {
  ScriptedUpstream upstream(false);
  options_.waiting_max = 3;
  options_.waiting_per_question_max = 2;
  Make({upstream.address()});
  EXPECT_TRUE(Ask(Query(1, "a")).is_waiting);
  EXPECT_TRUE(Ask(Query(2, "a")).is_waiting);
  EXPECT_FALSE(Ask(Query(3, "a")).is_waiting);
  EXPECT_TRUE(Ask(Query(4, "b")).is_waiting);
  EXPECT_FALSE(Ask(Query(5, "c")).is_waiting);
  EXPECT_EQ(stats_.table_full.value(), 2u);
  forwarder_->Close();
  EXPECT_EQ(delivered_.size(), 3u);
  EXPECT_FALSE(Ask(Query(6, "d")).is_waiting);
}

}  // namespace
}  // namespace dnsd::testing
