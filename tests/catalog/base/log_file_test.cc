// Files of lines that begin anew.
#include "catalog/base/log_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;

// The names in a folder, in order.
std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool AllDigits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

// What stands between the two in the only name there is.
std::string TimeIn(const std::string& folder, const std::string& begin,
                   const std::string& end) {
  const std::vector<std::string> names = Names(folder);
  if (names.size() != 1 || !absl::StartsWith(names[0], begin) ||
      !absl::EndsWith(names[0], end)) {
    return absl::StrCat("no: ", names.empty() ? "none" : names[0]);
  }
  return names[0].substr(begin.size(),
                         names[0].size() - begin.size() - end.size());
}

TEST(LogFile, IsNamedAsConsulsAre) {
  struct Case {
    const char* path;
    const char* begin;
    const char* end;
  };
  constexpr Case kCases[] = {
      {"agent.log", "agent-", ".log"}, {"agent", "agent-", ".log"},
      {"agent.txt", "agent-", ".txt"}, {"a.b.log", "a.b-", ".log"},
      {"", "dnsd-", ".log"},  // of the folder
  };
  for (const Case& c : kCases) {
    const testing::TempDir dir;
    LogFileOptions options;
    options.path = absl::StrCat(dir.path(), "/", c.path);
    const auto file = LogFile::Open(options);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    EXPECT_TRUE(AllDigits(TimeIn(dir.path(), c.begin, c.end)))
        << c.path << ": " << TimeIn(dir.path(), c.begin, c.end);
    EXPECT_TRUE((*file)->Write("one\ntwo\n"));
    EXPECT_EQ(testing::ReadFile((*file)->path()), "one\ntwo\n");
    struct stat status {};
    ASSERT_EQ(stat((*file)->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0137, 0u) << "others may not read it";
  }
}

TEST(LogFile, BeginsAnewWhenItIsLarge) {
  const testing::TempDir dir;
  LogFileOptions options;
  options.path = dir.Path("x.log");
  options.rotate_bytes = 100;
  const auto file = LogFile::Open(options);
  ASSERT_TRUE(file.ok());
  const std::string line = absl::StrCat(std::string(49, 'a'), "\n");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE((*file)->Write(line));
  const std::vector<std::string> names = Names(dir.path());
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(testing::ReadFile(dir.Path(names[0])), line + line);
  EXPECT_EQ(testing::ReadFile(dir.Path(names[1])), line + line);
  EXPECT_EQ(testing::ReadFile(dir.Path(names[2])), line);
  EXPECT_EQ((*file)->path(), dir.Path(names[2]));
}

TEST(LogFile, BeginsAnewWhenItIsOld) {
  const testing::TempDir dir;
  LogFileOptions options;
  options.path = dir.Path("x.log");
  options.rotate_after = std::chrono::nanoseconds(1);
  const auto file = LogFile::Open(options);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("a\n"));
  ASSERT_TRUE((*file)->Write("b\n"));
  EXPECT_EQ(Names(dir.path()).size(), 3u);
}

TEST(LogFile, KeepsSoManyOlderOnes) {
  for (const int files_max : {-1, 1, 3, 0}) {
    const testing::TempDir dir;
    dir.Write("other.log", "");
    dir.Write("x.log", "");
    dir.Write("x-1-notes.log", "");
    LogFileOptions options;
    options.path = dir.Path("x.log");
    options.rotate_bytes = 1;
    options.files_max = files_max;
    const auto file = LogFile::Open(options);
    ASSERT_TRUE(file.ok());
    for (int i = 0; i < 6; ++i) ASSERT_TRUE((*file)->Write("line\n"));
    const std::vector<std::string> names = Names(dir.path());
    const size_t older =
        files_max == 0 ? 5 : static_cast<size_t>(std::max(files_max, 0));
    EXPECT_EQ(names.size(), older + 1 + 3) << files_max;
    EXPECT_TRUE(fs::exists(dir.Path("x.log"))) << "it has no time in its name";
    EXPECT_EQ(testing::ReadFile((*file)->path()), "line\n");
  }
}

// The folder is gone, as a full disk or other rights would have it.
TEST(LogFile, GoesOnWhereNoNewOneCanBeBegun) {
  for (const auto retry_after :
       {std::chrono::nanoseconds(0),
        std::chrono::nanoseconds(std::chrono::hours(1))}) {
    const testing::TempDir dir;
    const fs::path here = dir.Path("here");
    const fs::path away = dir.Path("away");
    fs::create_directory(here);
    LogFileOptions options;
    options.path = (here / "x.log").string();
    options.rotate_bytes = 1;
    options.retry_after = retry_after;
    const auto file = LogFile::Open(options);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Write("a\n"));
    fs::rename(here, away);
    ::testing::internal::CaptureStdout();
    EXPECT_TRUE((*file)->Write("b\n"));
    EXPECT_TRUE((*file)->Write("c\n"));
    const std::string said = ::testing::internal::GetCapturedStdout();
    EXPECT_TRUE(absl::StartsWith(
        said, absl::StrCat("dnsd: cannot open log file ", here.string())))
        << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "once";
    const std::vector<std::string> old = Names(away.string());
    ASSERT_EQ(old.size(), 1u);
    EXPECT_EQ(testing::ReadFile((away / old[0]).string()), "a\nb\nc\n");
    // A new one is begun when it is time to try again, and not before.
    fs::create_directory(here);
    ASSERT_TRUE((*file)->Write("d\n"));
    const bool is_new = retry_after == std::chrono::nanoseconds(0);
    EXPECT_EQ(Names(here.string()).size(), is_new ? 1u : 0u);
    EXPECT_EQ(testing::ReadFile((away / old[0]).string()),
              is_new ? "a\nb\nc\n" : "a\nb\nc\nd\n");
  }
}

TEST(LogFile, SaysWhatCannotBeOpened) {
  LogFileOptions options;
  options.path = "/nowhere/at/all/x.log";
  const auto file = LogFile::Open(options);
  ASSERT_FALSE(file.ok());
  EXPECT_TRUE(absl::StartsWith(file.status().message(),
                               "cannot open log file /nowhere/at/all/x-"));
  EXPECT_TRUE(
      absl::EndsWith(file.status().message(), ": No such file or directory"));
}

}  // namespace
}  // namespace dnsd
