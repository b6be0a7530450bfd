// Log files beside those of a real Consul with the same flags: their names,
// modes and sizes, and how many are kept.
//
// Skipped without a Consul binary (consul_process.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kRotateBytes = 200;

std::vector<fs::path> FilesIn(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// "NAME MODE", the digits of the name's time as "N", and whether a file that
// is no longer written is as long as it has to be.
std::vector<std::string> LooksOf(const std::string& folder) {
  std::vector<std::string> looks;
  const std::vector<fs::path> files = FilesIn(folder);
  for (const fs::path& file : files) {
    const bool full = fs::file_size(file) >= kRotateBytes;
    looks.push_back(
        absl::StrCat(std::regex_replace(file.filename().string(),
                                        std::regex("[0-9]{19}"), "N"),
                     " ", static_cast<int>(fs::status(file).permissions()),
                     file == files.back() || full ? "" : " too short"));
  }
  return looks;
}

class LogFileDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    consul_ = ConsulBinary();
    if (!consul_) GTEST_SKIP() << "no consul";
    fs::create_directory(dir_.Path("theirs"));
    fs::create_directory(dir_.Path("ours"));
  }

  [[nodiscard]] std::vector<std::string> Flags(
      const std::string& path, const std::vector<std::string>& more) const {
    std::vector<std::string> flags = {"-log-file", dir_.Path(path)};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }

  // Lets both write more than three files of that, and end.
  void Play(const std::string& name, const std::vector<std::string>& more) {
    ConsulProcess theirs(*consul_, Flags("theirs/" + name, more));
    ASSERT_TRUE(theirs.WaitForLeader()) << theirs.process().output();
    theirs.process().Signal(SIGTERM);
    ASSERT_TRUE(theirs.process().Wait());
    AgentProcess ours(Flags("ours/" + name, more));
    ASSERT_TRUE(ours.WaitUntilServing()) << ours.process().output();
    EXPECT_EQ(ours.Reload().exit_code, 0);
    ASSERT_EQ(ours.Stop(), 0);
  }

  std::optional<std::string> consul_;
  TempDir dir_;
};

TEST_F(LogFileDiffTest, IsRotatedAsConsuls) {
  const std::string bytes = absl::StrCat(kRotateBytes);
  Play("agent.txt", {"-log-level", "trace", "-log-rotate-bytes", bytes,
                     "-log-rotate-max-files", "2"});
  EXPECT_THAT(LooksOf(dir_.Path("theirs")), ::testing::SizeIs(3));
  EXPECT_EQ(LooksOf(dir_.Path("ours")), LooksOf(dir_.Path("theirs")));
}

TEST_F(LogFileDiffTest, HasTheExtensionThatConsulsHas) {
  Play("bare", {});
  EXPECT_EQ(LooksOf(dir_.Path("ours")), LooksOf(dir_.Path("theirs")));
  EXPECT_THAT(LooksOf(dir_.Path("ours")), ::testing::SizeIs(1));
}

TEST_F(LogFileDiffTest, KeepsNoOldOnesWhereConsulDoesNot) {
  const std::string bytes = absl::StrCat(kRotateBytes);
  Play("none", {"-log-level", "trace", "-log-rotate-bytes", bytes,
                "-log-rotate-max-files", "-1"});
  EXPECT_EQ(LooksOf(dir_.Path("ours")), LooksOf(dir_.Path("theirs")));
}

TEST_F(LogFileDiffTest, EndsAtAFolderThatIsNotThere) {
  const std::string path = dir_.Path("missing/x.log");
  Process theirs({*consul_, "agent", "-dev", "-log-file", path});
  EXPECT_NE(theirs.Wait(), 0);
  EXPECT_TRUE(absl::StrContains(theirs.output(), "no such file or directory"));
  AgentProcess ours({"-log-file", path});
  EXPECT_NE(ours.process().Wait(), 0);
  EXPECT_TRUE(
      absl::StrContains(ours.process().output(), "No such file or directory"));
}

}  // namespace
}  // namespace dnsd::testing
