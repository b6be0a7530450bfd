// A process that commits is killed at random points; the file is opened again
// and compared with the model. DNSD_KILLS=N does it N times.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/sqlite_store.h"
#include "tests/catalog/registry/store_testing.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using testing::ApplyTo;
using testing::CommitAt;
using testing::IndexOf;
using testing::Process;
using testing::ReadRecords;
using testing::Records;
using testing::TempDir;
using testing::TestSeed;

// The last commit that `output` acknowledges, or `first`.
uint64_t Acknowledged(const std::string& output, uint64_t first) {
  uint64_t last = first;
  const size_t end = output.rfind('\n');
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(output).substr(0, end + 1), '\n')) {
    uint64_t index = 0;
    if (absl::SimpleAtoi(line, &index)) {
      EXPECT_EQ(index, last + 1) << "out of order";
      last = index;
    }
  }
  return last;
}

TEST(SqliteStoreKill, WhatWasAcknowledgedIsThereAfterKill) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  int kills = 8;
  const char* const wanted = getenv("DNSD_KILLS");
  ASSERT_TRUE(wanted == nullptr || absl::SimpleAtoi(wanted, &kills));
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Records model;
  uint64_t index = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const uint64_t in_flight = 1 + random() % (kill % 2 == 0 ? 4 : 200);
    // Small logs make many checkpoints to be killed in.
    const uint64_t log_size_max = kill % 3 == 0 ? 16u << 20 : 60'000;
    Process child({DNSD_STORE_CHILD, path, absl::StrCat(seed),
                   absl::StrCat(index), absl::StrCat(in_flight),
                   absl::StrCat(log_size_max)});
    ASSERT_TRUE(child.WaitForOutput("ready\n")) << child.output();
    // Some are killed before the first acknowledgement, most among many.
    if (kill % 5 != 4) {
      EXPECT_TRUE(child.WaitForOutput(
          absl::StrCat("\n", index + 1 + random() % 300, "\n")))
          << child.output();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    child.Signal(SIGKILL);
    ASSERT_EQ(child.Wait(), 128 + SIGKILL) << child.output();
    const uint64_t acknowledged = Acknowledged(child.output(), index);

    const absl::StatusOr<Records> found = ReadRecords(path);
    ASSERT_TRUE(found.ok()) << found.status();
    const uint64_t last = IndexOf(*found);
    ASSERT_GE(last, acknowledged) << "lost after kill " << kill;
    ASSERT_LE(last, acknowledged + in_flight);
    for (; index < last; ++index) ApplyTo(&model, CommitAt(seed, index));
    ASSERT_EQ(*found, model) << "after kill " << kill;
  }
  RecordProperty("commits", std::to_string(index));
  EXPECT_GT(index, 0u);
}

TEST(SqliteStoreKill, AnotherProcessThatHasItOpenIsNamed) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  EventLoop loop;
  {
    Process child({DNSD_STORE_CHILD, path, "1", "0", "1", "1000000"});
    ASSERT_TRUE(child.WaitForOutput("ready\n1\n")) << child.output();
    const auto store = OpenSqliteStore(&loop, path);
    EXPECT_EQ(store.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(store.status().message(),
              absl::StrCat("cannot open ", path,
                           ": another process has it open: database is "
                           "locked"));
    // The one that has it is not disturbed.
    const size_t bytes = child.OutputBytes();
    EXPECT_TRUE(child.WaitForOutput("\n", bytes));
    EXPECT_FALSE(absl::StrContains(child.output(), "failed"));
    child.Signal(SIGKILL);
    ASSERT_EQ(child.Wait(), 128 + SIGKILL);
  }
  EXPECT_TRUE(OpenSqliteStore(&loop, path).ok());
  {
    const auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    Process child({DNSD_STORE_CHILD, path, "1", "0", "1", "1000000"});
    EXPECT_EQ(child.Wait(), 1);
    EXPECT_TRUE(absl::StrContains(child.output(), "another process has it"))
        << child.output();
    // Nor in one process.
    EXPECT_FALSE(OpenSqliteStore(&loop, path).ok());
  }
  EXPECT_TRUE(OpenSqliteStore(&loop, path).ok());
}

}  // namespace
}  // namespace dnsd
