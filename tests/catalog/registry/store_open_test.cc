// What cannot be opened says why, and stays as it is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/sqlite_store.h"
#include "tests/catalog/registry/store_testing.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;
using testing::CommitAndWait;
using testing::CommitAt;
using testing::ReadFile;
using testing::ReadRecords;
using testing::Records;
using testing::RecordsAt;
using testing::Scaled;
using testing::TempDir;
using testing::TestSeed;
using testing::WriteAll;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

void Sql(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  EXPECT_EQ(sqlite3_close(db), SQLITE_OK);
}

// A file of `count` commits, closed well.
void Make(const std::string& path, uint64_t seed, uint64_t count) {
  auto file = SqliteFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(testing::LoadRecords(file->get()).ok());
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(WriteAll(file->get(), CommitAt(seed, i)).ok());
  }
}

// Opening says `text`, and leaves the file as it is.
void ExpectRefused(const std::string& path, absl::StatusCode code,
                   const std::string& text) {
  const std::string before = ReadFile(path);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto records = ReadRecords(path);
    EXPECT_EQ(records.status().code(), code) << records.status();
    EXPECT_TRUE(absl::StrContains(records.status().message(), path))
        << records.status();
    EXPECT_TRUE(absl::StrContains(records.status().message(), text))
        << records.status();
    EXPECT_EQ(ReadFile(path), before);
  }
}

TEST(SqliteStoreOpen, RefusesWhatIsNoFile) {
  const TempDir dir;
  constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;
  EXPECT_EQ(SqliteFile::Open(dir.path()).status().message(),
            absl::StrCat("cannot open ", dir.path(), ": not a file"));
  const std::string pipe = dir.Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(SqliteFile::Open(pipe).status().message(),
            absl::StrCat("cannot open ", pipe, ": not a file"));
  const std::string missing = dir.Path("missing/store.db");
  EXPECT_EQ(SqliteFile::Open(missing).status().message(),
            absl::StrCat("cannot open ", missing, ": cannot write into ",
                         dir.Path("missing"), ": No such file or directory"));
  dir.Write("file", "x");
  ExpectRefused(dir.Path("file/store.db"), kUnavailable, "Not a directory");
}

TEST(SqliteStoreOpen, RefusesForeignFiles) {
  const TempDir dir;
  ExpectRefused(dir.Write("text", std::string(5000, 'x')), kDataLoss,
                "file is not a database; it was left as it is: put");
  ExpectRefused(dir.Write("short", "hello"), kDataLoss,
                "file is not a database");
  const std::string other = dir.Path("other");
  Sql(other, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  ExpectRefused(other, kDataLoss,
                "an SQLite database, but not one of dnsd's: application_id is "
                "0, not 1684960100");
  const std::string named = dir.Path("named");
  Sql(named, "PRAGMA application_id = 7");
  ExpectRefused(named, kDataLoss, "application_id is 7");
}

TEST(SqliteStoreOpen, RefusesOtherVersions) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, 1, 10);
  Sql(path, "PRAGMA user_version = 2");
  ExpectRefused(path, absl::StatusCode::kFailedPrecondition,
                "it has format 2, and this dnsd knows up to 1; it was left as "
                "it is: run the dnsd that wrote it, or move it away");
  Sql(path, "PRAGMA user_version = 0");
  ExpectRefused(path, kDataLoss, "it has format 0, which no dnsd writes");
  Sql(path, "PRAGMA user_version = -1");
  ExpectRefused(path, kDataLoss, "it has format -1, which no dnsd writes");
  Sql(path, "PRAGMA user_version = 1");
  EXPECT_EQ(ReadRecords(path).value(), RecordsAt(1, 10));
}

// A newer dnsd was killed: what it wrote is in the log.
TEST(SqliteStoreOpen, LeavesTheLogOfANewerVersionAlone) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, 1, 10);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(db, "PRAGMA user_version = 2", nullptr, nullptr, nullptr),
      SQLITE_OK);
  const std::string copy = dir.Path("copy.db");
  fs::copy_file(path, copy);
  fs::copy_file(path + "-wal", copy + "-wal");
  ASSERT_EQ(sqlite3_close(db), SQLITE_OK);
  const std::string log = ReadFile(copy + "-wal");
  ASSERT_FALSE(log.empty());
  ExpectRefused(copy, absl::StatusCode::kFailedPrecondition, "it has format 2");
  EXPECT_EQ(ReadFile(copy + "-wal"), log);
}

TEST(SqliteStoreOpen, RefusesAFileWithoutItsTable) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, 1, 10);
  Sql(path, "DROP TABLE records");
  ExpectRefused(path, kDataLoss, "no such table: records");
}

TEST(SqliteStoreOpen, DoesNotThrowAwayALogWithoutItsFile) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  dir.Write("store.db-wal", "something");
  const auto missing = SqliteFile::Open(path);
  EXPECT_EQ(
      missing.status().message(),
      absl::StrCat("cannot open ", path, ": it is missing, but its log ", path,
                   "-wal has 9 bytes: put the file back that "
                   "belongs to it, or move the log away to start with "
                   "nothing"));
  EXPECT_FALSE(fs::exists(path));
  dir.Write("store.db", "");
  ExpectRefused(path, kDataLoss, "it is empty, but its log");
  EXPECT_EQ(ReadFile(path + "-wal"), "something");
}

TEST(SqliteStoreOpen, TakesAnEmptyFileForNew) {
  const TempDir dir;
  const std::string path = dir.Write("store.db", "");
  EXPECT_TRUE(ReadRecords(path).value().empty());
}

// Bytes anywhere in the file are changed: what is read is what was written, or
// an error that names the file. Never something else, never a changed file.
TEST(SqliteStoreOpen, NoticesDamageAnywhere) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, seed, 300);
  const std::string good = ReadFile(path);
  ASSERT_GT(good.size(), 20u * 4096);
  const Records expected = ReadRecords(path).value();
  const int rounds = Scaled(300);
  int noticed = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string bad = good;
    const size_t range = round % 4 == 0 ? 100 : bad.size();
    const size_t at = random() % range;
    const size_t count = 1 + random() % (round % 2 == 0 ? 1 : 16);
    for (size_t i = at; i < at + count && i < bad.size(); ++i) {
      bad[i] = static_cast<char>(bad[i] ^ (1 + random() % 255));
    }
    dir.Write("store.db", bad);
    const auto records = ReadRecords(path);
    if (records.ok()) {
      EXPECT_EQ(*records, expected) << "damaged at " << at << ", " << count;
    } else {
      ++noticed;
      EXPECT_TRUE(absl::StrContains(records.status().message(), path))
          << records.status();
    }
    EXPECT_EQ(ReadFile(path), bad)
        << "damaged at " << at << ", " << count << ": " << records.status();
    fs::remove(path + "-wal");
  }
  EXPECT_GT(noticed, rounds / 4);
}

TEST(SqliteStoreOpen, WritesNothingIntoADamagedFile) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, 1, 300);
  std::string bad = ReadFile(path);
  bad[bad.size() / 2] = static_cast<char>(~bad[bad.size() / 2]);
  bad[bad.size() / 2 + 1] = static_cast<char>(~bad[bad.size() / 2 + 1]);
  dir.Write("store.db", bad);
  ASSERT_FALSE(ReadRecords(path).ok()) << "damage something that matters";
  {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    const absl::Status load =
        (*store)->Load([](absl::string_view, absl::string_view) {}, "");
    EXPECT_EQ(load.code(), kDataLoss);
    EXPECT_EQ(CommitAndWait(&loop, store->get(), {{"a", "b"}}), load);
  }
  EXPECT_EQ(ReadFile(path), bad);
}

// Every record can be read, but the file is not what SQLite wrote: a page too
// much today, a page too few tomorrow.
TEST(SqliteStoreOpen, WritesNothingWhereTheStructureIsDamaged) {
  const TempDir dir;
  const std::string path = dir.Path("store.db");
  Make(path, 1, 300);
  const Records expected = ReadRecords(path).value();
  constexpr size_t kPageBytes = 4096;
  constexpr size_t kPageCount = 31;  // the last byte of it, in the header
  std::string bad = ReadFile(path) + std::string(kPageBytes, '\0');
  ASSERT_NE(++bad[kPageCount], '\0');
  dir.Write("store.db", bad);
  {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, path);
    ASSERT_TRUE(store.ok()) << store.status();
    Records records;
    const absl::Status load = (*store)->Load(
        [&](absl::string_view key, absl::string_view value) {
          records[std::string(key)] = std::string(value);
        },
        "");
    EXPECT_EQ(load, absl::OkStatus());
    EXPECT_EQ(records, expected);
    const absl::Status verdict = (*store)->Verify();
    EXPECT_EQ(verdict.code(), kDataLoss);
    EXPECT_TRUE(absl::StrContains(
        verdict.message(),
        absl::StrCat("cannot read ", path, ": it is damaged: ")))
        << verdict;
    EXPECT_EQ(CommitAndWait(&loop, store->get(), {{"a", "b"}}), verdict);
  }
  EXPECT_EQ(ReadFile(path), bad);
}

// In a child that is not root, who may do anything.
absl::Status OpenAsNobody(const std::string& path) {
  int channel[2];
  EXPECT_EQ(pipe(channel), 0);
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(1);
    const absl::Status status = SqliteFile::Open(path).status();
    const std::string text(status.message());
    const auto size = static_cast<ssize_t>(text.size());
    if (write(channel[1], text.data(), text.size()) != size) _exit(1);
    _exit(10 + static_cast<int>(status.code()));
  }
  close(channel[1]);
  std::string text(1000, '\0');
  const ssize_t size = read(channel[0], text.data(), text.size());
  close(channel[0]);
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  int state = 0;
  EXPECT_EQ(waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) >= 10);
  return {static_cast<absl::StatusCode>(WEXITSTATUS(state) - 10), text};
}

TEST(SqliteStoreOpen, SaysWhatMayNotBeWritten) {
  const TempDir dir;
  const std::string folder = dir.Path("data");
  const std::string path = dir.Path("data/store.db");
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
  Make(path, 1, 10);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0555), 0);
  const absl::Status read_only_folder = absl::PermissionDeniedError(
      absl::StrCat("cannot open ", path, ": cannot write into ", folder,
                   ": Permission denied"));
  EXPECT_EQ(OpenAsNobody(path), read_only_folder);

  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  for (const mode_t mode : {0444u, 0u}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_EQ(OpenAsNobody(path),
              absl::PermissionDeniedError(
                  absl::StrCat("cannot open ", path, ": Permission denied")));
  }
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
  EXPECT_EQ(ReadRecords(path).value(), RecordsAt(1, 10));

  // Nor made, where there is none.
  fs::remove(path);
  EXPECT_EQ(OpenAsNobody(path), read_only_folder);
}

}  // namespace
}  // namespace dnsd
