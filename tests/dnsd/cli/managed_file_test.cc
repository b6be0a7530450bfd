#include "dnsd/cli/managed_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::ReadFile;
using ::testing::StartsWith;
using testing::TempDir;

namespace fs = std::filesystem;

class ManagedFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& body) {
    const auto change = PlanWrite(path_, body);
    ASSERT_TRUE(change.ok()) << change.status();
    ASSERT_TRUE(ApplyChanges({*change}).ok());
  }
  void Undo() {
    const auto change = PlanUndo(path_);
    ASSERT_TRUE(change.ok()) << change.status();
    ASSERT_TRUE(ApplyChanges({*change}).ok());
  }
  // Why neither is possible.
  [[nodiscard]] std::string Refusal() const {
    const auto write = PlanWrite(path_, "x\n");
    const auto undo = PlanUndo(path_);
    EXPECT_FALSE(write.ok());
    EXPECT_EQ(write.status(), undo.status());
    return std::string(undo.status().message());
  }

  TempDir dir_;
  const std::string path_ = dir_.Path("conf");
  const std::string saved_ = dir_.Path("conf.before-dnsd");
};

TEST_F(ManagedFileTest, ANewFileIsRemovedAgain) {
  Write("a\nb\n");
  EXPECT_THAT(ReadFile(path_),
              StartsWith("# Written by `dnsd setup-resolver`"));
  EXPECT_THAT(ReadFile(path_), EndsWith("\na\nb\n"));
  EXPECT_TRUE(IsManaged(path_));
  Undo();
  EXPECT_TRUE(fs::is_empty(dir_.path()));
  EXPECT_FALSE(IsManaged(path_));
}

TEST_F(ManagedFileTest, ADirectoryThatWasMadeGoesUnlessItIsUsed) {
  for (const bool used : {false, true}) {
    const std::string path = dir_.Path("conf.d/dnsd.conf");
    auto change = PlanWrite(path, "a\n");
    ASSERT_TRUE(change.ok() && ApplyChanges({*change}).ok());
    if (used) dir_.Write("conf.d/other.conf", "o\n");
    change = PlanUndo(path);
    ASSERT_TRUE(change.ok() && ApplyChanges({*change}).ok());
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(fs::exists(dir_.Path("conf.d")), used);
  }
}

TEST_F(ManagedFileTest, WhatStoodThereComesBackWithItsInodeAndMode) {
  dir_.Write("conf", "former\n");
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  struct stat before {};
  ASSERT_EQ(stat(path_.c_str(), &before), 0);
  Write("a\n");
  struct stat now {};
  ASSERT_EQ(stat(path_.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode, before.st_mode);
  EXPECT_NE(now.st_ino, before.st_ino);
  EXPECT_EQ(ReadFile(saved_), "former\n");
  Undo();
  ASSERT_EQ(stat(path_.c_str(), &now), 0);
  EXPECT_EQ(now.st_ino, before.st_ino);
  EXPECT_EQ(now.st_mode, before.st_mode);
  EXPECT_EQ(ReadFile(path_), "former\n");
  EXPECT_FALSE(fs::exists(saved_));
}

TEST_F(ManagedFileTest, ALinkIsReplacedAndComesBackAsALink) {
  dir_.Write("target", "of others\n");
  fs::create_symlink("target", path_);
  Write("a\n");
  EXPECT_FALSE(fs::is_symlink(path_));
  EXPECT_EQ(ReadFile(dir_.Path("target")), "of others\n");
  Undo();
  EXPECT_EQ(fs::read_symlink(path_), "target");
  EXPECT_FALSE(fs::exists(saved_));
}

TEST_F(ManagedFileTest, WritingAgainKeepsTheFirstFormer) {
  dir_.Write("conf", "former\n");
  Write("a\n");
  const auto same = PlanWrite(path_, "a\n");
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->kind, FileChange::Kind::kNone);
  Write("b\n");
  EXPECT_THAT(ReadFile(path_), EndsWith("\nb\n"));
  Undo();
  EXPECT_EQ(ReadFile(path_), "former\n");
}

TEST_F(ManagedFileTest, WhatOthersDidSinceIsNotLost) {
  dir_.Write("conf", "former\n");
  Write("a\n");
  const std::string ours = ReadFile(path_);
  // Each byte that is changed is seen, in the header too.
  dir_.Write("conf", ours + "b\n");
  EXPECT_THAT(Refusal(), HasSubstr("conf was changed since dnsd wrote it"));
  std::string changed = ours;
  changed.replace(changed.find("former=saved"), 12, "former=none ");
  dir_.Write("conf", changed);
  EXPECT_THAT(Refusal(), HasSubstr("changed"));
  dir_.Write("conf", "of a DHCP client\n");
  EXPECT_THAT(Refusal(), HasSubstr("conf was replaced since dnsd wrote it"));
  EXPECT_THAT(Refusal(), HasSubstr("`mv " + saved_ + " " + path_ + "`"));
  EXPECT_EQ(ReadFile(path_), "of a DHCP client\n");
  EXPECT_EQ(ReadFile(saved_), "former\n");
  dir_.Remove("conf");
  EXPECT_THAT(Refusal(), HasSubstr("removed"));
}

TEST_F(ManagedFileTest, AnUndoNeedsWhatWasSaved) {
  dir_.Write("conf", "former\n");
  Write("a\n");
  dir_.Remove("conf.before-dnsd");
  const auto undo = PlanUndo(path_);
  ASSERT_FALSE(undo.ok());
  EXPECT_THAT(std::string(undo.status().message()), HasSubstr("is gone"));
}

TEST_F(ManagedFileTest, WhatIsNotOursIsNotUndone) {
  for (const bool there : {false, true}) {
    if (there) dir_.Write("conf", "former\n");
    const auto undo = PlanUndo(path_);
    ASSERT_TRUE(undo.ok()) << undo.status();
    EXPECT_EQ(undo->kind, FileChange::Kind::kNone);
  }
  fs::create_directory(dir_.Path("directory"));
  EXPECT_TRUE(PlanUndo(dir_.Path("directory")).ok());
  EXPECT_FALSE(PlanWrite(dir_.Path("directory"), "a\n").ok());
}

TEST_F(ManagedFileTest, AllWritesOrNone) {
  dir_.Write("conf", "former\n");
  dir_.Write("second", "s\n");
  const std::string second = dir_.Path("second");
  const auto old = PlanWrite(second, "1\n");
  ASSERT_TRUE(old.ok() && ApplyChanges({*old}).ok());
  const std::string ours = ReadFile(second);
  const auto first = PlanWrite(path_, "a\n");
  const auto again = PlanWrite(second, "2\n");
  const auto made = PlanWrite(dir_.Path("new.d/file"), "a\n");
  // The directory above is not made.
  const auto impossible = PlanWrite(dir_.Path("no/such/file"), "a\n");
  ASSERT_TRUE(first.ok() && again.ok() && made.ok() && impossible.ok());
  const absl::Status status =
      ApplyChanges({*first, *again, *made, *impossible});
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("mkdir " + dir_.Path("no/such")));
  EXPECT_EQ(ReadFile(path_), "former\n");
  EXPECT_FALSE(fs::exists(saved_));
  EXPECT_EQ(ReadFile(second), ours);
  EXPECT_FALSE(fs::exists(dir_.Path("new.d")));
}

}  // namespace
}  // namespace dnsd
