#include "catalog/base/heartbeat.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "catalog/base/event_loop.h"
#include "tests/testing/consul_api.h"

namespace dnsd {
namespace {

using testing::WaitUntil;

// It is young while the loop turns, grows while the loop is held up, and is
// young again afterwards.
TEST(Heartbeat, IsOldWhenItsLoopIsHeldUpAndOnlyThen) {
  EventLoop loop;
  Heartbeat beat(&loop);
  beat.Start();
  EXPECT_LT(beat.AgeMs(), Heartbeat::kBeatMs);
  std::promise<void> release;
  std::thread thread([&loop] { loop.Run(); });
  loop.Post([future = release.get_future().share()] { future.wait(); });
  EXPECT_TRUE(
      WaitUntil([&beat] { return beat.AgeMs() > 3 * Heartbeat::kBeatMs / 2; }));
  release.set_value();
  EXPECT_TRUE(WaitUntil([&beat] { return beat.AgeMs() < Heartbeat::kBeatMs; }));
  loop.Stop();
  thread.join();
}

TEST(Heartbeat, GrowsOldWhenTheLoopHasEnded) {
  EventLoop loop;
  Heartbeat beat(&loop);
  beat.Start();
  loop.Stop();
  loop.Run();
  EXPECT_TRUE(
      WaitUntil([&beat] { return beat.AgeMs() > 3 * Heartbeat::kBeatMs / 2; }));
}

}  // namespace
}  // namespace dnsd
