// Disks that are full, and power cuts: files as a disk may have them when some
// of what was not synced yet has reached it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/sqlite_store.h"
#include "tests/catalog/registry/store_testing.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using testing::CommitAndWait;
using testing::CommitAt;
using testing::LoadRecords;
using testing::ReadFile;
using testing::ReadRecords;
using testing::Records;
using testing::RecordsAt;
using testing::Scaled;
using testing::TempDir;
using testing::TestSeed;
using testing::WriteAll;

// --- full disks ---

// A store is filled until the disk has no more room; `free` makes some.
template <typename Free>
void FillAndHeal(const std::string& path, absl::StatusCode code,
                 const std::string& reason, Free free) {
  EventLoop loop;
  Records expected;
  {
    auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    absl::Status status;
    const std::string value(5000, 'v');
    int count = 0;
    for (; count < 5000; ++count) {
      const std::string key = absl::StrCat("key-", count);
      // The second record of a commit is never there without the first.
      status =
          CommitAndWait(&loop, store->get(),
                        {{key, value}, {absl::StrCat("too-", key), value}});
      if (!status.ok()) break;
      expected[key] = value;
      expected[absl::StrCat("too-", key)] = value;
    }
    EXPECT_GT(count, 10);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StartsWith(
        status.message(), absl::StrCat("cannot write ", path, ": ", reason)))
        << status;
    EXPECT_EQ((*store)->stats().last_error, status);
    // Again and again, and nothing comes of it.
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(CommitAndWait(&loop, store->get(),
                              {{"more", std::string(100'000, 'm')}})
                    .code(),
                code);
    }
    free();
    EXPECT_TRUE(CommitAndWait(&loop, store->get(), {{"healed", value}}).ok());
    expected["healed"] = value;
    EXPECT_TRUE((*store)->stats().last_error.ok());
    EXPECT_EQ((*store)->stats().failed_count, 21u);
  }
  EXPECT_EQ(ReadRecords(path).value(), expected);
}

TEST(SqliteStoreDisk, AFullDiskIsNamedAndHeals) {
  const TempDir dir;
  // Of this process alone, so it goes with it.
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "may not mount a small disk: " << strerror(errno);
  }
  const std::string filler = dir.Write("filler", std::string(500'000, 'f'));
  FillAndHeal(dir.Path("store.db"), absl::StatusCode::kResourceExhausted,
              "database or disk is full", [&] { dir.Remove("filler"); });

  // It opens while there is no room at all: what was stored can be read.
  const Records before = ReadRecords(dir.Path("store.db")).value();
  const int fd = open(filler.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_GE(fd, 0);
  const std::string chunk(4096, 'f');
  for (int i = 0; i < 1000 && write(fd, chunk.data(), chunk.size()) > 0; ++i) {
  }
  close(fd);
  EXPECT_EQ(ReadRecords(dir.Path("store.db")).value(), before);
  // A new one cannot be made, and says so.
  EXPECT_EQ(
      SqliteFile::Open(dir.Path("new.db")).status(),
      absl::ResourceExhaustedError(absl::StrCat(
          "cannot read ", dir.Path("new.db"), ": database or disk is full")));
  dir.Remove("filler");
  EXPECT_TRUE(ReadRecords(dir.Path("new.db")).ok());

  // The same disk, read-only.
  ASSERT_EQ(mount(nullptr, dir.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY,
                  nullptr),
            0);
  EXPECT_EQ(SqliteFile::Open(dir.Path("store.db")).status(),
            absl::PermissionDeniedError(absl::StrCat(
                "cannot open ", dir.Path("store.db"), ": cannot write into ",
                dir.path(), ": Read-only file system")));
  EXPECT_EQ(umount(dir.path().c_str()), 0);
}

TEST(SqliteStoreDisk, ALimitOnFilesIsNamedAndHeals) {
  const TempDir dir;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1'000'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  FillAndHeal(dir.Path("store.db"), absl::StatusCode::kUnavailable,
              "disk I/O error", [&] { setrlimit(RLIMIT_FSIZE, &before); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
}

// --- power cuts ---

// What a disk has of a store's two files.
struct Image {
  std::string file;
  std::string log;
};

Image Take(const std::string& path) {
  return {ReadFile(path), ReadFile(path + "-wal")};
}

absl::StatusOr<Records> Read(const TempDir& dir, const Image& image) {
  const std::string path = dir.Write("cut.db", image.file);
  dir.Write("cut.db-wal", image.log);
  return ReadRecords(path);
}

// `before` with some sectors of `after`, as a disk that lost power while one
// became the other.
std::string Torn(std::mt19937_64* random, std::string before,
                 const std::string& after) {
  constexpr size_t kSectorBytes = 512;
  const uint64_t share = (*random)() % 101;
  if (before.size() < after.size() && (*random)() % 4 != 0) {
    // Zeros where the file has grown and nothing was written yet.
    before.resize(before.size() + (*random)() % (after.size() - before.size()));
  }
  for (size_t at = 0; at < after.size(); at += kSectorBytes) {
    if ((*random)() % 100 >= share) continue;
    const size_t size = std::min(kSectorBytes, after.size() - at);
    if (before.size() < at + size) before.resize(at + size);
    before.replace(at, size, after, at, size);
  }
  return before;
}

// The log's end is anywhere: what was complete by then is there, all of it.
TEST(SqliteStoreDisk, ALogThatEndsAnywhereIsAPrefix) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  std::vector<size_t> log_sizes;  // with so many commits
  Image image;
  {
    auto file = SqliteFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.status();
    for (uint64_t i = 0; i <= 100; ++i) {
      log_sizes.push_back(Take(path).log.size());
      ASSERT_TRUE(WriteAll(file->get(), CommitAt(seed, i)).ok());
    }
    image = Take(path);
  }
  const int rounds = Scaled(150);
  for (int round = 0; round < rounds; ++round) {
    Image cut = image;
    const size_t size = round == 0 ? 0 : random() % (image.log.size() + 1);
    cut.log.resize(size);
    if (round % 3 == 0) {  // rubbish behind it
      for (int i = 0; i < 2000; ++i) {
        cut.log.push_back(static_cast<char>(random()));
      }
    }
    const auto found = Read(dir, cut);
    ASSERT_TRUE(found.ok()) << size << " bytes: " << found.status();
    const auto complete =
        std::upper_bound(log_sizes.begin(), log_sizes.end(), size) -
        log_sizes.begin();
    const uint64_t index =
        complete == 0 ? 0 : static_cast<uint64_t>(complete) - 1;
    // The last commit's end is that of the log.
    const uint64_t expected = size == image.log.size() ? 101 : index;
    ASSERT_EQ(*found, RecordsAt(seed, expected)) << size << " bytes";
  }
}

TEST(SqliteStoreDisk, ATornTransactionIsThereOrNot) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  auto file = SqliteFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto commits = static_cast<uint64_t>(Scaled(60));
  int absent = 0;
  for (uint64_t i = 0; i < commits; ++i) {
    // Every now and then the log starts over, with what was there behind.
    const bool restarts = random() % 10 == 0;
    ASSERT_TRUE(!restarts || (*file)->Checkpoint().ok());
    const Image before = Take(path);
    ASSERT_TRUE(WriteAll(file->get(), CommitAt(seed, i)).ok());
    const Image after = Take(path);
    ASSERT_EQ(before.file, after.file);
    ASSERT_EQ(Read(dir, after).value(), RecordsAt(seed, i + 1));
    for (int round = 0; round < 5; ++round) {
      Image cut = before;
      if (restarts) {
        // The head of a log that starts over is synced before the rest.
        constexpr size_t kHeadBytes = 32;
        cut.log.replace(0, std::min(cut.log.size(), kHeadBytes), after.log, 0,
                        kHeadBytes);
      }
      cut.log = Torn(&random, cut.log, after.log);
      const auto found = Read(dir, cut);
      ASSERT_TRUE(found.ok()) << found.status();
      if (cut.log != after.log && *found == RecordsAt(seed, i)) {
        ++absent;
        continue;
      }
      ASSERT_EQ(*found, RecordsAt(seed, i + 1));
    }
  }
  EXPECT_GT(absent, 0);
}

TEST(SqliteStoreDisk, ATornCheckpointLosesNothing) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  auto file = SqliteFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  uint64_t index = 0;
  const int checkpoints = Scaled(12);
  for (int checkpoint = 0; checkpoint < checkpoints; ++checkpoint) {
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(WriteAll(file->get(), CommitAt(seed, index++)).ok());
    }
    const Image before = Take(path);
    ASSERT_TRUE((*file)->Checkpoint().ok());
    EXPECT_EQ((*file)->log_size(), 0u);
    const Image after = Take(path);
    ASSERT_EQ(before.log, after.log);
    ASSERT_NE(before.file, after.file);
    for (int round = 0; round < 5; ++round) {
      Image cut = before;
      cut.file = Torn(&random, cut.file, after.file);
      const auto found = Read(dir, cut);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, RecordsAt(seed, index));
    }
    // The file has it all by itself.
    ASSERT_EQ(Read(dir, {after.file, ""}).value(), RecordsAt(seed, index));
  }
}

}  // namespace
}  // namespace dnsd
