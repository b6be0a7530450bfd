// What every store promises, and what is found when the file is opened again.
#include "catalog/registry/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/registry/memory_store.h"
#include "catalog/registry/sqlite_store.h"
#include "tests/catalog/registry/store_testing.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using testing::CommitAndWait;
using testing::CommitAt;
using testing::ReadRecords;
using testing::Records;
using testing::RecordsAt;
using testing::Scaled;
using testing::TempDir;
using testing::TestSeed;
using testing::WriteAll;

enum class Kind : uint8_t { kMemory, kSqlite };

class AnyStore : public ::testing::TestWithParam<Kind> {
 protected:
  AnyStore() {
    if (GetParam() == Kind::kMemory) {
      store_ = OpenMemoryStore(&loop_);
      return;
    }
    auto store = OpenSqliteStore(&loop_, dir_.Path("store.db"));
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  const TempDir dir_;
  EventLoop loop_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore,
                         ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& kind) {
                           return kind.param == Kind::kMemory ? "Memory"
                                                              : "Sqlite";
                         });

TEST_P(AnyStore, BeginsEmpty) {
  int visits = 0;
  EXPECT_TRUE(
      store_->Load([&](absl::string_view, absl::string_view) { ++visits; }, "")
          .ok());
  EXPECT_EQ(visits, 0);
}

TEST_P(AnyStore, CallsDoneOnTheLoopInOrderAndNeverFromCommit) {
  const auto loop_thread = std::this_thread::get_id();
  const int count = Scaled(5000);
  std::vector<int> order;
  bool in_commit = false;
  for (int i = 0; i < count; ++i) {
    in_commit = true;
    store_->Commit({{absl::StrCat("key-", i % 7), "value"}},
                   [&, i](const absl::Status& status) {
                     EXPECT_TRUE(status.ok()) << status;
                     EXPECT_FALSE(in_commit);
                     EXPECT_EQ(std::this_thread::get_id(), loop_thread);
                     order.push_back(i);
                     if (i + 1 == count) loop_.Stop();
                   });
    in_commit = false;
  }
  loop_.Run();
  ASSERT_EQ(order.size(), static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST_P(AnyStore, CountsWhatItDoes) {
  EXPECT_EQ(store_->stats().pending_count, 0u);
  int open = 3;
  const auto done = [&](const absl::Status&) {
    if (--open == 0) loop_.Stop();
  };
  store_->Commit({{"a", "12345"}, {"bc", std::nullopt}}, done);
  store_->Commit({}, done);
  store_->Commit({{std::string(kStoreKeyBytesMax + 1, 'k'), "v"}}, done);
  EXPECT_EQ(store_->stats().pending_count, 3u);
  EXPECT_EQ(store_->stats().pending_size, 8u + kStoreKeyBytesMax + 2);
  loop_.Run();
  const StoreStats& stats = store_->stats();
  EXPECT_EQ(stats.pending_count, 0u);
  EXPECT_EQ(stats.pending_size, 0u);
  EXPECT_EQ(stats.commit_count, 2u);
  EXPECT_EQ(stats.failed_count, 1u);
  EXPECT_EQ(stats.write_count, 2u);
  EXPECT_GE(stats.group_count, 1u);
  EXPECT_LE(stats.group_count, 2u);
  EXPECT_LE(stats.latency_max_us, stats.latency_sum_us);
  EXPECT_LE(stats.latency_sum_us, 2 * stats.latency_max_us);
  EXPECT_TRUE(stats.last_error.ok());
}

TEST_P(AnyStore, RefusesWhatLimitsForbid) {
  absl::Status status = CommitAndWait(
      &loop_, store_.get(), {{std::string(kStoreKeyBytesMax + 1, 'k'), "v"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(
      status.message(), "kkk...' has 65537 bytes, more than the 65536 allowed"))
      << status;
  status = CommitAndWait(
      &loop_, store_.get(),
      {{"ok", "v"}, {"large", std::string(kStoreValueBytesMax + 1, 'v')}});
  EXPECT_EQ(status.message(),
            "the value of 'large' has 16777217 bytes, more than the 16777216 "
            "allowed");
  EXPECT_TRUE(CommitAndWait(&loop_, store_.get(),
                            {{std::string(kStoreKeyBytesMax, 'k'), "v"}})
                  .ok());
}

TEST_P(AnyStore, RefusesMoreThanMayWait) {
  const std::string large(kStoreValueBytesMax, 'v');
  std::vector<absl::Status> refused;
  size_t done = 0;
  // Three may wait, and nothing is done before the loop runs.
  for (int i = 0; i < 5; ++i) {
    store_->Commit({{"key", large}}, [&](const absl::Status& status) {
      if (!status.ok()) refused.push_back(status);
      if (++done == 5) loop_.Stop();
    });
  }
  loop_.Run();
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(
      refused[0].message(), "the disk does not keep up: 50331657 bytes wait"))
      << refused[0];
  EXPECT_TRUE(CommitAndWait(&loop_, store_.get(), {{"key", "v"}}).ok());
}

TEST_P(AnyStore, CallsNobodyOnceItIsGone) {
  bool called = false;
  for (int i = 0; i < 100; ++i) {
    store_->Commit({{"key", absl::StrCat(i)}},
                   [&](const absl::Status&) { called = true; });
  }
  store_.reset();
  loop_.Stop();
  loop_.Run();
  EXPECT_FALSE(called);
  if (GetParam() == Kind::kMemory) return;
  // What was committed is there all the same.
  EXPECT_EQ(ReadRecords(dir_.Path("store.db")).value(),
            (Records{{"key", "99"}}));
}

TEST_P(AnyStore, MayBeDestroyedByDone) {
  int calls = 0;
  for (int i = 0; i < 10; ++i) {
    store_->Commit({{"key", absl::StrCat(i)}}, [&](const absl::Status&) {
      ++calls;
      store_.reset();
      loop_.Stop();
    });
  }
  loop_.Run();
  EXPECT_EQ(calls, 1);
}

TEST_P(AnyStore, OutlivesItsLoopsEnd) {
  store_->Commit({{"key", "value"}}, [](const absl::Status&) {});
  loop_.Stop();
  loop_.Run();
  store_->Commit({{"key2", "value"}}, [](const absl::Status&) {});
  store_.reset();
}

// --- the file ---

TEST(SqliteStore, VisitsTheRecordsOfAPrefixLast) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  const std::vector<std::string> keys = {"a",   "b",  "b/", "b/1",
                                         "b/2", "b0", "c"};
  std::vector<StoreWrite> writes;
  for (const std::string& key : keys) writes.push_back({key, "v"});
  auto file = SqliteFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(WriteAll(file->get(), writes), absl::OkStatus());
  const auto visited = [&](absl::string_view last) {
    std::vector<std::string> order;
    EXPECT_EQ((*file)->Load([&](absl::string_view key,
                                absl::string_view) { order.emplace_back(key); },
                            last),
              absl::OkStatus());
    return order;
  };
  EXPECT_EQ(visited(""), keys);
  EXPECT_EQ(visited("x"), keys);
  EXPECT_EQ(visited("b/"), (std::vector<std::string>{"a", "b", "b0", "c", "b/",
                                                     "b/1", "b/2"}));
}

TEST(SqliteStore, FindsWhatWasCommittedWhenItIsOpenedAgain) {
  const uint64_t seed = TestSeed();
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  const uint64_t rounds = 5;
  const auto count = static_cast<uint64_t>(Scaled(400));
  // So small that there are checkpoints in between.
  SqliteStoreOptions options;
  options.log_size_max = 100'000;
  for (uint64_t round = 0; round < rounds; ++round) {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, path, options);
    ASSERT_TRUE(store.ok()) << store.status();
    Records records;
    ASSERT_TRUE((*store)
                    ->Load(
                        [&](absl::string_view key, absl::string_view value) {
                          records[std::string(key)] = std::string(value);
                        },
                        "")
                    .ok());
    EXPECT_EQ(records, RecordsAt(seed, round * count));
    uint64_t left = count;
    for (uint64_t i = 0; i < count; ++i) {
      (*store)->Commit(CommitAt(seed, round * count + i),
                       [&](const absl::Status& status) {
                         EXPECT_TRUE(status.ok()) << status;
                         if (--left == 0) loop.Stop();
                       });
    }
    loop.Run();
    EXPECT_LE((*store)->stats().group_count, count);
  }
  EXPECT_EQ(ReadRecords(path).value(), RecordsAt(seed, rounds * count));
  // Closed well, it is one file.
  EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
}

TEST(SqliteStore, KeysAndValuesAreAnyBytes) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  const std::string nul("\0\xff\0", 3);
  const Records expected = {{"", "empty key"},
                            {"empty value", ""},
                            {nul, nul},
                            {"a", nul},
                            {"large", std::string(3'000'000, 'l')}};
  {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    for (const auto& [key, value] : expected) {
      ASSERT_TRUE(CommitAndWait(&loop, store->get(), {{key, value}}).ok());
    }
    EXPECT_TRUE(
        CommitAndWait(&loop, store->get(), {{"absent", std::nullopt}}).ok());
  }
  EXPECT_EQ(ReadRecords(path).value(), expected);
}

TEST(SqliteStore, TheLastWriteOfAKeyWins) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    const auto ignore = [](const absl::Status&) {};
    (*store)->Commit({{"a", "1"}, {"a", "2"}, {"b", "1"}}, ignore);
    (*store)->Commit({{"b", std::nullopt}, {"c", "1"}}, ignore);
    (*store)->Commit({{"c", std::nullopt}, {"c", "3"}, {"d", "1"}}, ignore);
    (*store)->Commit({{"d", "2"}, {"d", std::nullopt}}, ignore);
  }
  EXPECT_EQ(ReadRecords(path).value(), (Records{{"a", "2"}, {"c", "3"}}));
}

TEST(SqliteStore, TheLogStaysBounded) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  EventLoop loop;
  SqliteStoreOptions options;
  options.log_size_max = 200'000;
  auto store = OpenSqliteStore(&loop, path, options);
  ASSERT_TRUE(store.ok()) << store.status();
  const int count = Scaled(500);
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(CommitAndWait(
                    &loop, store->get(),
                    {{absl::StrCat("key-", i % 10), std::string(20'000, 'v')}})
                    .ok());
    // One transaction beyond.
    EXPECT_LE(std::filesystem::file_size(path + "-wal"), 300'000u);
  }
  const StoreStats& stats = (*store)->stats();
  EXPECT_GE(stats.checkpoint_count, static_cast<uint64_t>(count) / 10);
  EXPECT_LE(stats.checkpoint_max_us, stats.checkpoint_sum_us);
  EXPECT_GE(stats.file_size, 200'000u);
}

TEST(SqliteStore, IsForItsOwnerAlone) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  EventLoop loop;
  auto store = OpenSqliteStore(&loop, path);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE(CommitAndWait(&loop, store->get(), {{"a", "b"}}).ok());
  for (const std::string& name : {path, path + "-wal"}) {
    struct stat info = {};
    ASSERT_EQ(stat(name.c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

}  // namespace
}  // namespace dnsd
