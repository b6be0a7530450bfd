// The verb on a directory that looks like a machine.
#include "dnsd/cli/setup_verb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ReadFile;
using testing::TempDir;

namespace fs = std::filesystem;

struct Said {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class SetupVerbTest : public ::testing::Test {
 protected:
  SetupVerbTest() {
    dir_.Write("etc/resolv.conf", kFormer);
    dir_.Write("etc/systemd/resolved.conf", "[Resolve]\n");
  }

  [[nodiscard]] Said Run(std::vector<std::string> args) const {
    args.push_back("-root=" + dir_.path() + "/");
    Said said;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    said.exit_code = SetupResolverVerb(args);
    said.out = ::testing::internal::GetCapturedStdout();
    said.err = ::testing::internal::GetCapturedStderr();
    return said;
  }

  // Every path, with what it has or leads to.
  [[nodiscard]] std::map<std::string, std::string> Tree() const {
    std::map<std::string, std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      const std::string path = entry.path().string();
      tree[path] = entry.is_symlink()
                       ? "-> " + fs::read_symlink(path).string()
                       : (entry.is_directory() ? "/" : ReadFile(path));
    }
    return tree;
  }

  static constexpr char kFormer[] = "# mine\nnameserver 192.0.2.53\n";
  TempDir dir_;
};

TEST_F(SetupVerbTest, ADryRunShowsAllAndChangesNothing) {
  const auto before = Tree();
  for (const char* flag : {"-dry-run", "--dry-run"}) {
    const Said said = Run({flag, "-write-config=/etc/dnsd.hcl"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out,
                AllOf(HasSubstr("Would write /etc/resolv.conf; what was there "
                                "is kept as /etc/resolv.conf.before-dnsd:\n"),
                      HasSubstr("\n    nameserver 127.0.0.1\n"),
                      HasSubstr("Would write /etc/dnsd.hcl:\n"),
                      HasSubstr("\n    recursors = [\"192.0.2.53\"]\n")));
    EXPECT_EQ(Tree(), before);
  }
}

TEST_F(SetupVerbTest, EveryModeIsUndoneExactly) {
  fs::create_directory(dir_.Path("etc/NetworkManager"));
  const auto before = Tree();
  for (const std::string mode : {"resolved", "networkmanager", "resolv.conf"}) {
    const std::string config = "-write-config=/etc/dnsd.hcl";
    Said said = Run({"-mode", mode, config, "-recursor=192.0.2.1"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("Wrote /etc/"));
    const auto done = Tree();
    EXPECT_NE(done, before);
    // The mode need not be said again.
    said = Run({config, "-recursor=192.0.2.1"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("Everything is so already"));
    EXPECT_EQ(Tree(), done) << mode;
    said = Run({"-undo", "-dry-run", config});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("Would "));
    EXPECT_EQ(Tree(), done) << mode;
    said = Run({"--undo", config});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_EQ(Tree(), before) << mode;
    said = Run({"-undo", config});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("Nothing to undo"));
  }
}

TEST_F(SetupVerbTest, TheReloadIsSaidOnceAndOnlyWhenThereIsOne) {
  const char kRestart[] = "    systemctl restart systemd-resolved\n";
  const char kReload[] = "    systemctl reload NetworkManager\n";
  Said said = Run({"-mode=resolved"});
  EXPECT_THAT(said.out, HasSubstr(kRestart));
  EXPECT_THAT(Run({"-mode=resolved"}).out, Not(HasSubstr("systemctl")));
  fs::create_directory(dir_.Path("etc/NetworkManager"));
  said = Run({"-mode=networkmanager"});
  // The other mode's file went, so that one has to hear of it too.
  EXPECT_THAT(said.out, AllOf(HasSubstr(kRestart), HasSubstr(kReload)));
  EXPECT_EQ(said.out.find(kReload), said.out.rfind(kReload));
  EXPECT_FALSE(fs::exists(dir_.Path("etc/systemd/resolved.conf.d")));
  EXPECT_THAT(Run({"-undo"}).out, HasSubstr(kReload));
}

TEST_F(SetupVerbTest, AnUndoDoesNotLoseWhatOthersWrote) {
  ASSERT_EQ(Run({}).exit_code, 0);
  dir_.Write("etc/resolv.conf", "nameserver 192.0.2.99\n");
  const auto before = Tree();
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-undo"}, {}}) {
    const Said said = Run(args);
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(said.err, HasSubstr("was replaced since dnsd wrote it"));
    EXPECT_EQ(Tree(), before);
  }
}

TEST_F(SetupVerbTest, ADirectoryThatIsMissingIsAnError) {
  const auto before = Tree();
  const Said said = Run({"-mode=networkmanager"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("mkdir "));
  EXPECT_EQ(Tree(), before);
}

TEST_F(SetupVerbTest, BadFlagsAreNamed) {
  const auto before = Tree();
  const struct {
    std::vector<std::string> args;
    const char* error;
  } cases[] = {
      {{"-mode=dnsmasq"},
       "invalid value \"dnsmasq\" for flag -mode: must be resolved, "
       "networkmanager or resolv.conf"},
      {{"-domain=a..b"}, "invalid value \"a..b\" for flag -domain"},
      {{"-address=localhost"}, "invalid value \"localhost\" for flag -address"},
      {{"-address=0.0.0.0"}, "invalid value \"0.0.0.0\" for flag -address"},
      {{"-address=127.0.0.1:0"}, "for flag -address"},
      {{"-recursor=example.com"}, "for flag -recursor: not an IP or IP:PORT"},
      {{"-write-config=dnsd.hcl"}, "not the full path of a file"},
      {{"-dry-run=maybe"}, "invalid boolean value \"maybe\" for -dry-run"},
      {{"-token=x"}, "flag provided but not defined: -token"},
      {{"-address=127.0.0.1:8600"}, "-address has port 8600"},
  };
  for (const auto& bad : cases) {
    const Said said = Run(bad.args);
    EXPECT_EQ(said.exit_code, 1) << bad.error;
    EXPECT_THAT(said.err, HasSubstr(bad.error));
  }
  // Words end the flags.
  EXPECT_EQ(SetupResolverVerb({"-root=" + dir_.path(), "resolved"}), 1);
  EXPECT_EQ(Tree(), before);
}

}  // namespace
}  // namespace dnsd
