// What `dnsd top` makes of an agent's figures.
#include "dnsd/cli/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_read.h"
#include "dnsd/cli/printable.h"
#include "dnsd/cli/top_stats.h"

namespace dnsd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBefore[] = R"({
  "Version":"0.1.0","Node":"n1","Datacenter":"dc1","TimeMs":1000000,
  "UptimeSeconds":100,"Workers":2,
  "Queries":[{"Proto":"udp","Type":"A","Rcode":"NOERROR","Count":1000},
             {"Proto":"tcp","Type":"SRV","Rcode":"NXDOMAIN","Count":200}],
  "Latency":{"BoundsSeconds":[0.00001,0.0001,0.001],"Counts":[0,1000,200,0],
             "SumSeconds":0.12},
  "Cache":{"Entries":10,"Bytes":2048,"Hits":50,"Misses":10,"Stale":0},
  "Forwarders":[{"Address":"192.0.2.53:53","Up":true,"RttMs":1.5,"Sent":10,
                 "Timeouts":0,"Failures":0}],
  "Source":{"Kind":"mirror","Address":"127.0.0.1:8500","State":"ok",
            "AgeSeconds":0.5,"Index":42},
  "Catalog":{"Nodes":3,"Instances":1000000,"Names":400,"Publications":7},
  "TopNames":[{"Name":"web.service.consul.","Count":1000},
              {"Name":"old.service.consul.","Count":64}]})";

constexpr char kAfter[] = R"({
  "Version":"0.1.0","Node":"n1","Datacenter":"dc1","TimeMs":1002000,
  "UptimeSeconds":102,"Workers":2,
  "Queries":[{"Proto":"udp","Type":"A","Rcode":"NOERROR","Count":3000},
             {"Proto":"tcp","Type":"SRV","Rcode":"NXDOMAIN","Count":200},
             {"Proto":"udp","Type":"AAAA","Rcode":"NOERROR","Count":500}],
  "Latency":{"BoundsSeconds":[0.00001,0.0001,0.001],"Counts":[0,3000,700,0],
             "SumSeconds":0.62},
  "Cache":{"Entries":12,"Bytes":3072,"Hits":140,"Misses":20,"Stale":2},
  "Forwarders":[{"Address":"192.0.2.53:53","Up":false,"RttMs":1.5,"Sent":30,
                 "Timeouts":4,"Failures":0}],
  "Source":{"Kind":"mirror","Address":"127.0.0.1:8500","State":"stale",
            "AgeSeconds":20,"Index":42},
  "Catalog":{"Nodes":3,"Instances":1000000,"Names":400,"Publications":9},
  "TopNames":[{"Name":"web.service.consul.","Count":2600},
              {"Name":"old.service.consul.","Count":64},
              {"Name":"new.service.consul.","Count":640}]})";

TopStats Read(const std::string& json) {
  const absl::StatusOr<Value> value = ParseJson(json);
  EXPECT_TRUE(value.ok()) << value.status().ToString();
  return value.ok() ? ReadTopStats(*value) : TopStats();
}

std::string ScreenOf(const TopStats& stats, double seconds,
                     size_t columns = 100, size_t rows = 0) {
  return absl::StrJoin(TopScreen(stats, seconds, {columns, rows}), "\n");
}

TEST(TopScreen, ShowsWhatHappenedBetween) {
  const TopStats before = Read(kBefore);
  const TopStats after = Read(kAfter);
  const std::string screen = ScreenOf(Since(before, after), 2);
  EXPECT_THAT(screen,
              HasSubstr("dnsd 0.1.0  n1 (dc1)  up 00:01:42  2 workers"));
  EXPECT_THAT(screen,
              HasSubstr("source mirror 127.0.0.1:8500 stale, age 20.0 s\n"
                        "catalog 3 nodes, 1000000 instances, 400 names, "
                        "1.0 publications/s"));
  EXPECT_THAT(screen, HasSubstr("1250 queries/s  udp 1250  latency p50 "));
  EXPECT_THAT(screen, Not(HasSubstr("tcp"))) << "nothing of it happened";
  EXPECT_THAT(screen, HasSubstr(" mean 200 us"));
  EXPECT_THAT(screen, HasSubstr("A                   1000   80%  "
                                "NOERROR             1250  100%"));
  EXPECT_THAT(screen, HasSubstr("AAAA                 250   20%"));
  EXPECT_THAT(screen, Not(HasSubstr("SRV")));
  EXPECT_THAT(screen,
              HasSubstr("cache 12 entries, 3.0 KiB  hits 45/s (90%)  misses "
                        "5.0/s  stale 1.0/s"));
  EXPECT_THAT(screen, HasSubstr("192.0.2.53:53                   DOWN      "
                                "1.5 ms       10        2.0          0"));
  EXPECT_LT(screen.find("web.service.consul."),
            screen.find("new.service.consul."));
  EXPECT_THAT(screen, Not(HasSubstr("old.service.consul.")));
}

TEST(TopScreen, AnAgentThatBeganAnewHasCountedFromItsStart) {
  const TopStats since = Since(Read(kAfter), Read(kBefore));
  EXPECT_EQ(since.by_type.at("A"), 1000);
  EXPECT_EQ(since.latency_counts[1], 1000);
}

TEST(TopScreen, QuantilesComeFromTheHistogram) {
  TopStats stats;
  EXPECT_FALSE(LatencyQuantile(stats, 0.5));
  stats.latency_bounds_s = {1, 2, 4};
  stats.latency_counts = {0, 10, 10, 0};
  EXPECT_DOUBLE_EQ(*LatencyQuantile(stats, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(*LatencyQuantile(stats, 0.5), 2);
  EXPECT_DOUBLE_EQ(*LatencyQuantile(stats, 0.75), 3);
  stats.latency_counts = {0, 0, 0, 5};
  EXPECT_DOUBLE_EQ(*LatencyQuantile(stats, 0.5), 4) << "at least";
}

TEST(TopScreen, FitsTheTerminal) {
  const TopStats stats = Read(kAfter);
  for (const size_t columns : {1u, 10u, 40u, 80u, 200u}) {
    for (const size_t rows : {1u, 5u, 24u}) {
      const auto lines = TopScreen(stats, 1, {columns, rows});
      EXPECT_LE(lines.size(), rows);
      for (const std::string& line : lines) EXPECT_LE(line.size(), columns);
    }
  }
}

TEST(TopScreen, EscapesWhatTerminalsActOn) {
  EXPECT_EQ(Printable("web\x1b[2J\n\xc2\x9b"), "web\\x1b[2J\\x0a\\xc2\\x9b");
  TopStats stats = Read(kAfter);
  stats.node = "n\x1b]0;x\x07";
  stats.source_address = "\x1b[31m";
  stats.top_names = {{"evil\x1b[2J.consul.", 100}};
  stats.by_type = {{"T\x1b", 5}};
  stats.forwarders[0].address = "\x1b[5m";
  for (const std::string& line : TopScreen(stats, 1, {80, 0})) {
    for (const char c : line) {
      ASSERT_TRUE(c >= 0x20 && c < 0x7f) << line;
    }
  }
}

TEST(TopScreen, TakesWhateverTheAgentSays) {
  for (const char* json :
       {"{}", "[]", "null", "7", "{\"Queries\":{},\"Cache\":[],\"Latency\":1}",
        "{\"Queries\":[1,null],\"Forwarders\":[[]],\"TopNames\":[{}]}",
        "{\"Latency\":{\"BoundsSeconds\":[1],\"Counts\":[1,2,3,4]}}"}) {
    const TopStats stats = Read(json);
    EXPECT_FALSE(ScreenOf(stats, 0).empty()) << json;
    EXPECT_FALSE(ScreenOf(Since(Read(kAfter), stats), 1).empty()) << json;
  }
}

TEST(TopScreen, ShowsManyTypesAsOthers) {
  TopStats stats;
  for (int i = 0; i < 20; ++i) {
    stats.by_type[absl::StrCat("TYPE", i)] = 20 - i;
    stats.queries += 20 - i;
  }
  const std::string screen = ScreenOf(stats, 1);
  EXPECT_THAT(screen, HasSubstr("TYPE6 "));
  EXPECT_THAT(screen, Not(HasSubstr("TYPE7 ")));
  EXPECT_THAT(screen, HasSubstr("others                91"));
}

}  // namespace
}  // namespace dnsd
