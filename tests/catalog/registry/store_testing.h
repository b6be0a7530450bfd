// What the tests of stores share: a store with its loop, and one file's worth
// of records.
//
// Threads: one.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_STORE_TESTING_H_
#define DNSD_TESTS_CATALOG_REGISTRY_STORE_TESTING_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/sqlite_file.h"
#include "catalog/registry/store.h"
#include "tests/catalog/registry/store_operations.h"

namespace dnsd::testing {

// Commits, runs the loop, and returns what `done` was given.
inline absl::Status CommitAndWait(EventLoop* loop, Store* store,
                                  std::vector<StoreWrite> writes) {
  absl::Status result = absl::UnknownError("not done");
  store->Commit(std::move(writes), [&](absl::Status status) {
    result = std::move(status);
    loop->Stop();
  });
  loop->Run();
  return result;
}

inline absl::StatusOr<Records> LoadRecords(SqliteFile* file) {
  Records records;
  std::string last;
  const absl::Status status =
      file->Load([&](absl::string_view key, absl::string_view value) {
        EXPECT_TRUE(records.empty() || last < std::string(key)) << key;
        last = std::string(key);
        records[last] = std::string(value);
      });
  if (!status.ok()) return status;
  const absl::Status verdict = file->Verify();
  if (!verdict.ok()) return verdict;
  return records;
}

// Opens, loads and closes.
inline absl::StatusOr<Records> ReadRecords(const std::string& path) {
  auto file = SqliteFile::Open(path);
  if (!file.ok()) return file.status();
  return LoadRecords(file->get());
}

inline absl::Status WriteAll(SqliteFile* file,
                             const std::vector<StoreWrite>& writes) {
  // A transaction has each key once.
  Records latest;
  std::vector<StoreWrite> unique;
  for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
    if (latest.emplace(write->key, "").second) unique.push_back(*write);
  }
  std::vector<const StoreWrite*> pointers;
  for (const StoreWrite& write : unique) pointers.push_back(&write);
  return file->Write(pointers);
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_STORE_TESTING_H_
