#include "dnsd/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr HealthLimits kLimits{10'000, 60'000, 0};

HealthState Good() {
  HealthState state;
  state.loops = {{"catalog-sync", 0}, {"dnsd-w0", 10'000}};
  return state;
}

TEST(Health, ALoopHangsWhenItsAgeIsAboveTheLimit) {
  HealthState state = Good();
  EXPECT_THAT(UnhealthyReasons(state, kLimits), IsEmpty());
  state.loops[1].age_ms = 10'001;
  EXPECT_THAT(
      UnhealthyReasons(state, kLimits),
      ElementsAre("the event loop dnsd-w0 has not turned for more than 10 s"));
  EXPECT_EQ(UnreadyReasons(state, kLimits), UnhealthyReasons(state, kLimits));
  EXPECT_THAT(UnhealthyReasons(state, {2'500, 0, 0}),
              ElementsAre(HasSubstr("2500 ms")));
}

TEST(Health, ACatalogIsReadyFromWhenItIsLoadedUntilItIsTooOld) {
  HealthState state = Good();
  state.catalog.is_loaded = false;
  state.catalog.is_stale = true;
  EXPECT_THAT(
      UnreadyReasons(state, kLimits),
      ElementsAre("the catalog is not loaded: no word from Consul yet"));
  EXPECT_THAT(HealthWarnings(state), IsEmpty());

  state.catalog.is_loaded = true;
  state.catalog.age_ms = 60'000;
  EXPECT_THAT(UnreadyReasons(state, kLimits), IsEmpty());
  EXPECT_THAT(HealthWarnings(state),
              ElementsAre("the catalog is stale: no word from Consul"));
  state.catalog.age_ms = 60'001;
  EXPECT_THAT(UnreadyReasons(state, kLimits),
              ElementsAre("the catalog is stale: no word from Consul for more "
                          "than 60 s"));
  EXPECT_THAT(UnreadyReasons(state, {10'000, 0, 0}), IsEmpty());
  EXPECT_THAT(UnhealthyReasons(state, kLimits), IsEmpty());
}

TEST(Health, AStoreThatFailsIsAWarningAndStoppingIsAReason) {
  HealthState state = Good();
  state.catalog.store_error = "no space";
  EXPECT_THAT(UnreadyReasons(state, kLimits), IsEmpty());
  EXPECT_THAT(HealthWarnings(state),
              ElementsAre("registrations are not stored: no space"));
  state.is_stopping = true;
  EXPECT_THAT(UnreadyReasons(state, kLimits), ElementsAre("stopping"));
  EXPECT_THAT(UnhealthyReasons(state, kLimits), IsEmpty());
}

TEST(Health, IsSaidInJsonAndInMetrics) {
  HealthState state = Good();
  EXPECT_EQ(HealthJson(state, kLimits),
            R"({"Healthy":true,"Reasons":[],"Loops":[)"
            R"({"Name":"catalog-sync","AgeMs":0},)"
            R"({"Name":"dnsd-w0","AgeMs":10000}]})");
  state.is_stopping = true;
  state.catalog.age_ms = 5;
  EXPECT_EQ(ReadyJson(state, kLimits),
            R"({"Ready":false,"Reasons":["stopping"],"Warnings":[],)"
            R"("CatalogAgeMs":5})");
  MetricsText text;
  AddHealthMetrics(state, kLimits, &text);
  const std::string metrics = text.Take();
  EXPECT_THAT(metrics, HasSubstr("dnsd_ready 0\n"));
  EXPECT_THAT(metrics,
              HasSubstr("dnsd_loop_beat_age_seconds{loop=\"dnsd-w0\"} 10\n"));
}

}  // namespace
}  // namespace dnsd
