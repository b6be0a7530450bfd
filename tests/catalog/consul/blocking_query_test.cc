// A long poll against a server that answers what it is told, and counts what
// it is asked.
#include "catalog/consul/blocking_query.h"

#include <uv.h>

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/http_wire.h"

namespace dnsd {
namespace {

// An answer with this X-Consul-Index; nothing: without one.
std::string Reply(std::optional<uint64_t> index, const std::string& body = "[]",
                  int status = 200) {
  return absl::StrCat(
      "HTTP/1.1 ", status, " Said\r\n",
      index ? absl::StrCat("X-Consul-Index: ", *index, "\r\n") : "",
      "Content-Length: ", body.size(), "\r\n\r\n", body);
}

class BlockingQueryTest : public ::testing::Test {
 protected:
  // What the server answers, one after another, and then nothing any more.
  void Script(std::vector<std::string> answers) {
    const std::lock_guard lock(mutex_);
    answers_.assign(answers.begin(), answers.end());
  }
  void Make(int64_t spacing_ms = 100, int burst = 10) {
    BlockingQuery::Options options;
    options.path = "/v1/health/service/web";
    options.wait_ms = 60'000;
    options.spacing_ms = spacing_ms;
    options.burst = burst;
    if (!filters_.empty()) {
      options.next_filter = [this] {
        std::string filter = filters_.front();
        filters_.pop_front();
        return filter;
      };
    }
    ConsulOptions consul;
    consul.addresses = {
        {absl::StrCat("http://127.0.0.1:", server_.port()), ""}};
    client_.emplace(&loop_, consul);
    BlockingQuery::Events events;
    events.on_change = [this](ConsulReply* reply) {
      told_.push_back(absl::StrCat(reply->index, reply->body));
      return reply->body == "broken" ? absl::InvalidArgumentError("broken")
                                     : absl::OkStatus();
    };
    events.on_regress = [this] { ++regresses_; };
    events.on_error = [this](const ConsulReply& reply) {
      errors_.push_back(reply.http_status);
    };
    if (wants_woken_) events.on_woken = [this] { ++woken_; };
    query_.emplace(&loop_, &*client_, options, std::move(events));
  }

  bool RunUntil(const std::function<bool()>& happened) {
    constexpr uint64_t kPatienceNs = 30'000'000'000;
    const uint64_t start_ns = uv_hrtime();
    Timer tick(&loop_, [] {});  // so that the loop wakes up
    tick.Start(5, 5);
    while (!happened()) {
      if (uv_hrtime() - start_ns > kPatienceNs) return false;
      uv_run(loop_.uv(), UV_RUN_ONCE);
    }
    return true;
  }
  void RunFor(uint64_t ms) {
    const uint64_t end_ns = uv_hrtime() + ms * 1'000'000;
    EXPECT_TRUE(RunUntil([&] { return uv_hrtime() >= end_ns; }));
  }
  // The targets that were asked for, and when.
  std::vector<std::string> targets() {
    const std::lock_guard lock(mutex_);
    return targets_;
  }
  std::vector<uint64_t> times_ms() {
    const std::lock_guard lock(mutex_);
    return times_ms_;
  }
  bool RunUntilAsked(size_t times) {
    return RunUntil([&] { return targets().size() >= times; });
  }
  static bool Asks(const std::string& target, uint64_t index) {
    return absl::StrContains(target, absl::StrCat("index=", index, "&wait="));
  }

  bool wants_woken_ = true;
  std::deque<std::string> filters_;
  std::vector<std::string> told_;
  std::vector<int> errors_;
  int regresses_ = 0;
  int woken_ = 0;
  std::mutex mutex_;  // what the server's threads share
  std::deque<std::string> answers_;
  std::vector<std::string> targets_;
  std::vector<uint64_t> times_ms_;
  testing::ScriptedServer server_{
      [this](const std::string& head, const std::string&) {
        const std::lock_guard lock(mutex_);
        targets_.push_back(head.substr(4, head.find(' ', 4) - 4));
        times_ms_.push_back(uv_hrtime() / 1'000'000);
        if (answers_.empty()) return std::string();
        std::string answer = answers_.front();
        answers_.pop_front();
        return answer;
      }};
  EventLoop loop_;
  std::optional<ConsulClient> client_;
  std::optional<BlockingQuery> query_;
};

using Lines = std::vector<std::string>;

TEST_F(BlockingQueryTest, TellsNewsAndWaitsForWhatIsNewer) {
  Script({Reply(5, "a"), Reply(7, "b")});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(3));
  EXPECT_EQ(told_, (Lines{"5a", "7b"}));
  EXPECT_FALSE(absl::StrContains(targets()[0], "index=")) << targets()[0];
  EXPECT_TRUE(Asks(targets()[1], 5)) << targets()[1];
  EXPECT_TRUE(Asks(targets()[2], 7)) << targets()[2];
  EXPECT_TRUE(query_->is_asking());
  query_->Stop();
  EXPECT_FALSE(query_->is_asking());
  EXPECT_EQ(regresses_ + woken_, 0);
}

TEST_F(BlockingQueryTest, IndexThatWentBackStopsIt) {
  Script({Reply(5), Reply(3)});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntil([&] { return regresses_ > 0; }));
  RunFor(300);
  EXPECT_EQ(told_, Lines{"5[]"});
  EXPECT_EQ(regresses_, 1);
  EXPECT_FALSE(query_->running());
  EXPECT_EQ(targets().size(), 2u);
}

// A restored snapshot: the poll ends at once, with what it had. It may happen
// now and then, and then it is asked again at once; a server that always does
// it is not asked without pause.
TEST_F(BlockingQueryTest, ReturnWithoutNewsAndWithoutWaitingWakes) {
  constexpr size_t kReturns = BlockingQuery::kWokenBurst + 3;
  std::vector<std::string> answers(1 + kReturns, Reply(5));
  Script(answers);
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(2 + kReturns));
  EXPECT_EQ(told_, Lines{"5[]"});
  EXPECT_EQ(woken_, static_cast<int>(kReturns));
  // Three rests of an eighth less than kWokenMs, but for what is earned
  // meanwhile.
  EXPECT_GE(times_ms().back() - times_ms()[1], 1'300u);
}

// A request with another filter does not wait for news of the one before.
TEST_F(BlockingQueryTest, AskedAnewItAsksForWhatThereIs) {
  Script({Reply(5, "a"), Reply(7, "b"), Reply(7, "c")});
  filters_ = {"one", "two words", "three", "four"};
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntil([&] { return told_.size() == 1; }));
  query_->AskAnew();
  ASSERT_TRUE(RunUntilAsked(4));
  EXPECT_EQ(told_, (Lines{"5a", "7b", "7c"}));
  EXPECT_TRUE(absl::StrContains(targets()[0], "filter=one")) << targets()[0];
  EXPECT_TRUE(absl::StrContains(targets()[1], "filter=two%20words"))
      << targets()[1];
  EXPECT_TRUE(Asks(targets()[1], 5)) << targets()[1];
  EXPECT_TRUE(absl::StrContains(targets()[2], "filter=three")) << targets()[2];
  EXPECT_FALSE(absl::StrContains(targets()[2], "index=")) << targets()[2];
  EXPECT_TRUE(Asks(targets()[3], 7)) << targets()[3];
  EXPECT_EQ(regresses_ + woken_, 0);
}

// The index is another query's, so a lower one is no step back.
TEST_F(BlockingQueryTest, BorrowedIndexMayBeHigherThanItsOwn) {
  Script({Reply(5)});
  Make();
  query_->Start(9);
  ASSERT_TRUE(RunUntil([&] { return woken_ > 0; }));
  EXPECT_TRUE(Asks(targets()[0], 9)) << targets()[0];
  EXPECT_EQ(regresses_, 0);
  EXPECT_EQ(told_, Lines());
  ASSERT_TRUE(RunUntilAsked(2));
  EXPECT_TRUE(Asks(targets()[1], 5)) << targets()[1];
}

TEST_F(BlockingQueryTest, EndOfTheWaitIsNoNewsAndWakesNobody) {
  wants_woken_ = false;
  Script({Reply(5), Reply(5), Reply(5), Reply(6)});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(5));
  EXPECT_EQ(told_, (Lines{"5[]", "6[]"}));
  EXPECT_EQ(regresses_, 0);
}

// 0 is never waited with: that would be a loop as fast as the network.
TEST_F(BlockingQueryTest, AnswersWithoutAnIndexAreAskedForNowAndThen) {
  std::vector<std::string> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(i % 2 == 0 ? Reply(std::nullopt) : Reply(0));
  }
  Script(answers);
  Make(200, 2);
  query_->Start(0);
  RunFor(1'100);
  EXPECT_EQ(regresses_, 0);
  EXPECT_GE(told_.size(), 3u);
  EXPECT_LE(told_.size(), 10u);
  for (const std::string& target : targets()) {
    EXPECT_FALSE(absl::StrContains(target, "index=0")) << target;
  }
}

TEST_F(BlockingQueryTest, ConstantNewsComeNoFasterThanTheirSpacing) {
  std::vector<std::string> answers;
  for (uint64_t i = 1; i < 200; ++i) answers.push_back(Reply(i));
  Script(answers);
  Make(200, 3);
  query_->Start(0);
  RunFor(1'100);
  EXPECT_GE(told_.size(), 4u);   // the burst, at once
  EXPECT_LE(told_.size(), 11u);  // and five a second
}

TEST_F(BlockingQueryTest, ErrorsAreRetriedEverMoreSlowlyWithTheSameIndex) {
  Script({Reply(5), Reply(0, "no leader", 500), Reply(0, "slow down", 429),
          Reply(0, "no", 403), Reply(8)});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(6));
  EXPECT_EQ(errors_, (std::vector<int>{500, 429, 403}));
  EXPECT_EQ(told_, (Lines{"5[]", "8[]"}));
  const std::vector<uint64_t> at = times_ms();
  EXPECT_GE(at[2] - at[1], 200u);
  EXPECT_GT(at[3] - at[2], at[2] - at[1]);
  EXPECT_GT(at[4] - at[3], at[3] - at[2]);
  for (size_t i = 1; i <= 4; ++i) {
    EXPECT_TRUE(Asks(targets()[i], 5)) << targets()[i];
  }
}

TEST_F(BlockingQueryTest, ConnectionThatEndsIsAnErrorWithoutStatus) {
  Script({"CLOSE", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[CLOSE",
          Reply(5)});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntil([&] { return !told_.empty(); }));
  EXPECT_EQ(errors_, (std::vector<int>{0, 0}));
}

TEST_F(BlockingQueryTest, WhatIsNotUnderstoodIsAskedForAnew) {
  Script({Reply(5), Reply(6, "broken"), Reply(6, "mended")});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(4));
  EXPECT_EQ(told_, (Lines{"5[]", "6broken", "6mended"}));
  EXPECT_EQ(errors_, std::vector<int>{200});
  EXPECT_TRUE(Asks(targets()[1], 5));
  EXPECT_FALSE(absl::StrContains(targets()[2], "index=")) << targets()[2];
  EXPECT_TRUE(Asks(targets()[3], 6));
}

TEST_F(BlockingQueryTest, PausedQueryTellsNothingAndIsNotAskedTwice) {
  Script({Reply(5)});
  Make();
  query_->Start(0);
  ASSERT_TRUE(RunUntilAsked(2));
  query_->Pause();
  EXPECT_FALSE(query_->running());
  EXPECT_TRUE(query_->is_asking());
  query_->Start(7);
  RunFor(200);
  EXPECT_EQ(targets().size(), 2u);
  query_->Stop();
  query_->Start(7);
  ASSERT_TRUE(RunUntilAsked(3));
  EXPECT_TRUE(Asks(targets()[2], 7)) << targets()[2];
  // It would wait for what may never come.
  query_->Pause();
  query_->Start(4);
  ASSERT_TRUE(RunUntilAsked(4));
  EXPECT_TRUE(Asks(targets()[3], 4)) << targets()[3];
  EXPECT_EQ(told_, Lines{"5[]"});
}

}  // namespace
}  // namespace dnsd
