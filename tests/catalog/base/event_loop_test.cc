// Timers of zero and one millisecond and a pipe: nothing here waits for time
// to pass longer than that.
#include "catalog/base/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace dnsd {
namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_), 0); }
  ~Pipe() {
    ::close(fds_[0]);
    ::close(fds_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int read_end() const { return fds_[0]; }
  void Write() const { EXPECT_EQ(::write(fds_[1], "x", 1), 1); }
  void Read() const {
    char byte;
    EXPECT_EQ(::read(fds_[0], &byte, 1), 1);
  }

 private:
  int fds_[2] = {-1, -1};
};

TEST(EventLoop, DiesUnused) { EventLoop loop; }

TEST(EventLoop, RunsTasksInTheOrderOfPosting) {
  EventLoop loop;
  std::string order;
  loop.Post([&] { order += 'a'; });
  loop.Post([&] {
    order += 'b';
    loop.Post([&] { order += 'd'; });
    loop.Stop();
  });
  loop.Post([&] { order += 'c'; });
  loop.Run();
  EXPECT_EQ(order.substr(0, 3), "abc");
}

TEST(EventLoop, TasksPostedByATaskRunToo) {
  EventLoop loop;
  int depth = 0;
  std::function<void()> task = [&] {
    if (++depth == 5) {
      loop.Stop();
    } else {
      loop.Post(task);
    }
  };
  loop.Post(task);
  loop.Run();
  EXPECT_EQ(depth, 5);
}

TEST(EventLoop, TakesTasksFromManyThreads) {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 200;
  int ran = 0;  // on the loop's thread only
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTasks; ++j) {
        loop.Post([&] {
          if (++ran == kThreads * kTasks) loop.Stop();
        });
      }
    });
  }
  loop.Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kTasks);
}

TEST(EventLoop, StopsFromAnotherThreadAndRunsAgain) {
  EventLoop loop;
  for (int i = 0; i < 2; ++i) {
    std::thread stopper([&] { loop.Stop(); });
    loop.Run();
    stopper.join();
  }
  SUCCEED() << "it returned both times";
}

TEST(EventLoop, TasksAfterTheEndAreDestroyedUnrun) {
  auto token = std::make_shared<int>(0);
  std::weak_ptr<int> alive = token;
  {
    EventLoop loop;
    loop.Stop();
    loop.Run();
    loop.Post([token = std::move(token)] { ADD_FAILURE(); });
    EXPECT_FALSE(alive.expired());
  }
  EXPECT_TRUE(alive.expired());
}

TEST(Timer, FiresOnceAndMayStopTheLoop) {
  EventLoop loop;
  int fired = 0;
  Timer timer(&loop, [&] {
    ++fired;
    loop.Stop();
  });
  EXPECT_FALSE(timer.active());
  timer.Start(0);
  EXPECT_TRUE(timer.active());
  loop.Run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.active());
}

TEST(Timer, RepeatsUntilStopped) {
  EventLoop loop;
  int fired = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(&loop, [&] {
    if (++fired == 3) {
      timer->Stop();
      loop.Stop();
    }
  });
  timer->Start(0, 1);
  loop.Run();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer->active());
}

TEST(Timer, AStoppedOneDoesNotFire) {
  EventLoop loop;
  Timer never(&loop, [] { ADD_FAILURE(); });
  never.Start(0);
  never.Stop();
  Timer end(&loop, [&] { loop.Stop(); });
  end.Start(1);
  loop.Run();
}

TEST(Timer, StartingAgainMovesTheDeadline) {
  EventLoop loop;
  int fired = 0;
  Timer timer(&loop, [&] {
    ++fired;
    loop.Stop();
  });
  timer.Start(1u << 30);
  timer.Start(0);
  loop.Run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, MayBeDestroyedInItsOwnCallback) {
  EventLoop loop;
  bool fired = false;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(&loop, [&] {
    timer.reset();
    fired = true;  // the captures are still there
    loop.Stop();
  });
  timer->Start(0, 1);
  loop.Run();
  EXPECT_TRUE(fired);
}

TEST(Timer, MayBeDestroyedWhileActive) {
  EventLoop loop;
  auto token = std::make_shared<int>(0);
  auto timer = std::make_unique<Timer>(&loop, [token] { ADD_FAILURE(); });
  timer->Start(0);
  timer.reset();
  EXPECT_EQ(token.use_count(), 1) << "the callback goes with the Timer";
  loop.Stop();
  loop.Run();
}

TEST(Poll, CallsBackWhenReadable) {
  EventLoop loop;
  Pipe pipe;
  int events = 0;
  int calls = 0;
  Poll poll(&loop, pipe.read_end(), [&](int ready) {
    ++calls;
    events = ready;
    pipe.Read();
    if (calls == 2) {
      loop.Stop();
    } else {
      pipe.Write();
    }
  });
  poll.Start(UV_READABLE);
  pipe.Write();
  loop.Run();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(events, UV_READABLE);
}

TEST(Poll, AStoppedOneIsSilent) {
  EventLoop loop;
  Pipe pipe;
  pipe.Write();
  Poll poll(&loop, pipe.read_end(), [](int) { ADD_FAILURE(); });
  poll.Start(UV_READABLE);
  poll.Stop();
  Timer end(&loop, [&] { loop.Stop(); });
  end.Start(1);
  loop.Run();
}

TEST(Poll, LetsGoOfItsDescriptorAtOnce) {
  EventLoop loop;
  auto pipe = std::make_unique<Pipe>();
  auto poll = std::make_unique<Poll>(&loop, pipe->read_end(),
                                     [](int) { ADD_FAILURE(); });
  poll->Start(UV_READABLE);
  poll.reset();
  pipe.reset();
  // The numbers are free again: this pipe gets them, and must not be polled
  // by what is left of the first one.
  Pipe second;
  second.Write();
  Timer end(&loop, [&] { loop.Stop(); });
  end.Start(1);
  loop.Run();
}

// Whatever the threads sent is seen: a callback follows every Send().
TEST(Signal, NoSendIsLost) {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kSends = 500;
  std::atomic<int> sent{0};
  int seen = 0;
  int calls = 0;
  Signal signal(&loop, [&] {
    ++calls;
    seen = sent.load(std::memory_order_relaxed);
    if (seen == kThreads * kSends) loop.Stop();
  });
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kSends; ++j) {
        sent.fetch_add(1, std::memory_order_relaxed);
        signal.Send();
      }
    });
  }
  loop.Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, kThreads * kSends);
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, kThreads * kSends);
}

TEST(Signal, MayBeSentBeforeTheLoopRunsAndByItself) {
  EventLoop loop;
  int calls = 0;
  std::unique_ptr<Signal> signal;
  signal = std::make_unique<Signal>(&loop, [&] {
    if (++calls == 3) {
      loop.Stop();
    } else {
      signal->Send();
    }
  });
  signal->Send();
  loop.Run();
  EXPECT_EQ(calls, 3);
}

TEST(Signal, ADestroyedOneIsSilentAndGivesItsCallbackBack) {
  EventLoop loop;
  auto token = std::make_shared<int>(0);
  auto signal =
      std::make_unique<Signal>(&loop, [token] { ADD_FAILURE() << *token; });
  signal->Send();
  signal.reset();
  EXPECT_EQ(token.use_count(), 1);
  loop.Stop();
  loop.Run();
}

TEST(Signal, SendingAfterTheEndDoesNothing) {
  EventLoop loop;
  int calls = 0;
  Signal signal(&loop, [&] { ++calls; });
  loop.Stop();
  loop.Run();
  const int before = calls;
  signal.Send();
  EXPECT_EQ(calls, before);
}

TEST(PrepareHook, RunsBeforeTheLoopSleeps) {
  EventLoop loop;
  Pipe pipe;
  std::string order;
  PrepareHook hook(&loop, [&] { order += 'p'; });
  Poll poll(&loop, pipe.read_end(), [&](int) {
    order += 'r';
    pipe.Read();
    loop.Stop();
  });
  poll.Start(UV_READABLE);
  pipe.Write();
  loop.Run();
  ASSERT_FALSE(order.empty());
  EXPECT_EQ(order[0], 'p');
  EXPECT_NE(order.find('r'), std::string::npos);
}

TEST(PrepareHook, ADestroyedOneIsSilent) {
  EventLoop loop;
  auto hook = std::make_unique<PrepareHook>(&loop, [] { ADD_FAILURE(); });
  hook.reset();
  loop.Stop();
  loop.Run();
}

}  // namespace
}  // namespace dnsd
