// The files of mirrors: written whole or not at all, read with care.

#include "catalog/consul/mirror_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "tests/catalog/consul/mirror_images.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;
using testing::Same;
using testing::SmallImage;
using testing::TempDir;

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

TEST(MirrorFile, ReadsWhatItWrote) {
  const TempDir dir;
  std::vector<std::string> errors;
  EXPECT_TRUE(ReadMirrors(dir.path(), &errors).empty());
  const MirrorImage one = SmallImage("dc1");
  const MirrorImage two = SmallImage("d/2");
  ASSERT_TRUE(WriteMirror(dir.path(), two).ok());
  ASSERT_TRUE(WriteMirror(dir.path(), SmallImage("d/2")).ok());
  ASSERT_TRUE(WriteMirror(dir.path(), one).ok());
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")),
            (Names{"d%2F2.json", "dc1.json"}));

  const auto images = ReadMirrors(dir.path(), &errors);
  EXPECT_TRUE(errors.empty()) << errors[0];
  ASSERT_EQ(images.size(), 2u);
  EXPECT_TRUE(Same(images[0], two));
  EXPECT_TRUE(Same(images[1], one));

  struct stat info = {};
  ASSERT_EQ(stat(dir.Path("consul-mirror").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(dir.Path("consul-mirror/dc1.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(MirrorFile, DamagedFilesAreReportedAndKept) {
  const TempDir dir;
  ASSERT_TRUE(WriteMirror(dir.path(), SmallImage("good")).ok());
  const std::string text = FormatMirror(SmallImage("bad"));
  dir.Write("consul-mirror/bad.json", text.substr(0, text.size() - 1));
  // Copied there by hand: it would hide the real one.
  dir.Write("consul-mirror/moved.json", FormatMirror(SmallImage("good")));
  dir.Write("consul-mirror/notes.txt", "not ours");
  std::vector<std::string> errors;
  const auto images = ReadMirrors(dir.path(), &errors);
  ASSERT_EQ(images.size(), 1u);
  EXPECT_EQ(images[0].datacenter, "good");
  const std::string folder = dir.Path("consul-mirror/");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0],
            absl::StrCat(folder,
                         "bad.json: damaged: size or checksum differ; "
                         "kept as ",
                         folder, "bad.json.damaged"));
  EXPECT_TRUE(absl::StrContains(errors[1], "of another datacenter, 'good'"))
      << errors[1];
  EXPECT_EQ(FilesIn(folder), (Names{"bad.json.damaged", "good.json",
                                    "moved.json.damaged", "notes.txt"}));
  // The second start has nothing to say about them.
  errors.clear();
  EXPECT_EQ(ReadMirrors(dir.path(), &errors).size(), 1u);
  EXPECT_TRUE(errors.empty());
}

TEST(MirrorFile, RefusesFilesThatAreTooLargeOrNone) {
  const TempDir dir;
  // Sparse: it takes no room.
  const std::string large = dir.Write("consul-mirror/large.json", "x");
  ASSERT_EQ(truncate(large.c_str(), off_t{kMirrorFileBytesMax} + 1), 0);
  ASSERT_EQ(mkfifo(dir.Path("consul-mirror/pipe.json").c_str(), 0600), 0);
  ASSERT_EQ(mkdir(dir.Path("consul-mirror/folder.json").c_str(), 0700), 0);
  std::vector<std::string> errors;
  EXPECT_TRUE(ReadMirrors(dir.path(), &errors).empty());
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_TRUE(absl::StrContains(errors[0], "folder.json: not a file"));
  EXPECT_TRUE(absl::StrContains(
      errors[1], "large.json: 1073741825 bytes, more than the 1073741824"));
  EXPECT_TRUE(absl::StrContains(errors[2], "pipe.json: not a file"));
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")),
            (Names{"folder.json", "large.json.damaged", "pipe.json"}));
}

TEST(MirrorFile, RemovesWhatACrashLeftAside) {
  const TempDir dir;
  dir.Write("consul-mirror/dc1.json.new-aB3dE6", "half");
  dir.Write("consul-mirror/dc1.json.new-", "not ours");
  dir.Write("consul-mirror/x.new-aB3dE6", "not ours");
  std::vector<std::string> errors;
  EXPECT_TRUE(ReadMirrors(dir.path(), &errors).empty());
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")),
            (Names{"dc1.json.new-", "x.new-aB3dE6"}));
}

TEST(MirrorFile, SaysWhyItCannotWrite) {
  const TempDir dir;
  absl::Status status = WriteMirror(dir.Path("missing"), SmallImage("dc1"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(),
            absl::StrCat("cannot make ", dir.Path("missing/consul-mirror"),
                         ": No such file or directory"));
  // The folder's name is taken by a file.
  dir.Write("consul-mirror", "");
  status = WriteMirror(dir.path(), SmallImage("dc1"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "Not a directory")) << status;
  std::vector<std::string> errors;
  EXPECT_TRUE(ReadMirrors(dir.path(), &errors).empty());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(absl::StrContains(errors[0], "Not a directory")) << errors[0];
}

// Runs `test` in a child, whose limits and user may change; true if the child
// found it true.
template <typename Test>
bool HoldsInChild(Test test) {
  const pid_t child = fork();
  if (child == 0) _exit(test() ? 0 : 1);
  int state = 0;
  EXPECT_EQ(waitpid(child, &state, 0), child);
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

TEST(MirrorFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const TempDir dir;
  ASSERT_TRUE(WriteMirror(dir.path(), SmallImage("dc1")).ok());
  const std::string before = testing::ReadFile(MirrorPath(dir.path(), "dc1"));
  EXPECT_TRUE(HoldsInChild([&] {
    // A limit on the size of files stands for the disk.
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {100, 100};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    MirrorImage larger = SmallImage("dc1");
    larger.nodes[0].node.meta["a"] = "b";
    const absl::Status status = WriteMirror(dir.path(), larger);
    return status.code() == absl::StatusCode::kUnavailable &&
           absl::StrContains(status.message(), "File too large");
  }));
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")), Names{"dc1.json"});
  EXPECT_EQ(testing::ReadFile(MirrorPath(dir.path(), "dc1")), before);
}

// In a child that is not root, who may do anything.
template <typename Test>
bool HoldsForAnyone(Test test) {
  return HoldsInChild([&] {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setuid(kNobody) != 0) return false;
    return test();
  });
}

TEST(MirrorFile, KeepsTheOldFileWhenTheFolderMayNotBeWritten) {
  const TempDir dir;
  ASSERT_TRUE(WriteMirror(dir.path(), SmallImage("dc1")).ok());
  const std::string before = testing::ReadFile(MirrorPath(dir.path(), "dc1"));
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(dir.Path("consul-mirror").c_str(), 0555), 0);
  EXPECT_TRUE(HoldsForAnyone([&] {
    const absl::Status status = WriteMirror(dir.path(), SmallImage("dc1"));
    return status.code() == absl::StatusCode::kPermissionDenied &&
           absl::StrContains(status.message(), "Permission denied");
  }));
  ASSERT_EQ(chmod(dir.Path("consul-mirror").c_str(), 0700), 0);
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")), Names{"dc1.json"});
  EXPECT_EQ(testing::ReadFile(MirrorPath(dir.path(), "dc1")), before);
}

TEST(MirrorFile, WhatMayNotBeReadIsReportedAndLeftAlone) {
  const TempDir dir;
  ASSERT_TRUE(WriteMirror(dir.path(), SmallImage("dc1")).ok());
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(dir.Path("consul-mirror").c_str(), 0777), 0);
  ASSERT_EQ(chmod(MirrorPath(dir.path(), "dc1").c_str(), 0), 0);
  EXPECT_TRUE(HoldsForAnyone([&] {
    std::vector<std::string> errors;
    return ReadMirrors(dir.path(), &errors).empty() && errors.size() == 1 &&
           absl::StrContains(errors[0], "dc1.json: Permission denied");
  }));
  EXPECT_EQ(FilesIn(dir.Path("consul-mirror")), Names{"dc1.json"});
}

}  // namespace
}  // namespace dnsd
