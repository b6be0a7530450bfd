// Times are given: nothing waits.
#include "catalog/consul/sweep_schedule.h"

#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(SweepSchedule, WantsWhatTheLastAnswerCannotHave) {
  SweepSchedule schedule;
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Reset(10, 100);
  schedule.Want(10);
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Want(11);
  EXPECT_TRUE(schedule.is_wanted());
  schedule.Begin(1'000);
  schedule.Want(12);  // while it is on its way
  schedule.End(11, 1'100);
  EXPECT_TRUE(schedule.is_wanted());
  schedule.Begin(3'000);
  schedule.End(15, 3'100);
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Want(14);
  EXPECT_FALSE(schedule.is_wanted());
}

TEST(SweepSchedule, WithoutAnIndexItIsWantedWhateverIsKnown) {
  SweepSchedule schedule;
  schedule.Reset(10, 100);
  schedule.Want(0);
  EXPECT_TRUE(schedule.is_wanted());
  schedule.Begin(1'000);
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Want(0);
  schedule.End(20, 1'100);
  EXPECT_TRUE(schedule.is_wanted());
  schedule.Forget();
  EXPECT_FALSE(schedule.is_wanted());
}

// A server that lags, or whose indexes lie, is not asked for ever.
TEST(SweepSchedule, AnswersThatStayBehindAreGivenUp) {
  SweepSchedule schedule;
  schedule.Reset(10, 100);
  schedule.Want(20);
  for (int i = 0; i < SweepSchedule::kLateMax; ++i) {
    EXPECT_TRUE(schedule.is_wanted());
    schedule.Begin(i * 10'000);
    schedule.End(1, i * 10'000 + 100);
  }
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Want(21);
  EXPECT_TRUE(schedule.is_wanted());
}

// An index that went back: what was known before means nothing.
TEST(SweepSchedule, ALoadStartsAnew) {
  SweepSchedule schedule;
  schedule.Reset(100, 100);
  schedule.Want(101);
  schedule.Reset(5, 100);
  EXPECT_FALSE(schedule.is_wanted());
  schedule.Want(6);
  EXPECT_TRUE(schedule.is_wanted());
}

TEST(SweepSchedule, PausesKeepChangesWithinTheirTimeAndConsulFree) {
  struct Case {
    int64_t took_ms;
    int64_t pause_ms;
  };
  for (const Case& one :
       {Case{10, 1'500}, Case{1'000, 2'000}, Case{1'500, 3'000},
        Case{2'000, 2'500}, Case{3'000, 3'500}, Case{10'000, 10'500}}) {
    SweepSchedule schedule;
    schedule.Begin(50'000);
    schedule.End(1, 50'000 + one.took_ms);
    EXPECT_EQ(schedule.took_ms(), one.took_ms);
    EXPECT_EQ(schedule.due_ms(), 50'000 + one.pause_ms) << one.took_ms;
  }
}

TEST(SweepSchedule, TheFirstIsDueAtOnce) {
  EXPECT_EQ(SweepSchedule().due_ms(), 0);
}

}  // namespace
}  // namespace dnsd
