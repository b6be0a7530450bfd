// What docker/ says of dnsd, held against the binary: the systemd unit and the
// configuration that the Debian package brings, the manual, the completions,
// the versions. Making and installing packages, images and charts takes
// minutes:
// `./dev package test`, `./dev image test` and `./dev kubernetes` do that.
//
// What judges a document (systemd-analyze, mandoc, zsh) may be missing: then
// its test is skipped. `./dev test` installs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "dnsd/version.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

std::string PathOf(const std::string& name) {
  return absl::StrCat(DNSD_SOURCE_DIR, "/docker/", name);
}

std::vector<std::string> LinesOf(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

bool HasProgram(const std::string& name) {
  return RunToEnd({"sh", "-c", "command -v " + name}).exit_code == 0;
}

// The verbs that `dnsd -h` lists.
std::vector<std::string> Verbs() {
  std::vector<std::string> verbs;
  for (const std::string& line : LinesOf(RunDnsd({"-h"}).output)) {
    if (!absl::StartsWith(line, "    ")) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    verbs.push_back(words.front());
  }
  return verbs;
}

// The flags in the usage of a verb, with their dash.
std::vector<std::string> FlagsOf(const std::string& usage) {
  std::vector<std::string> flags;
  for (const std::string& line : LinesOf(usage)) {
    if (!absl::StartsWith(line, "  -")) continue;
    const std::vector<std::string> parts =
        absl::StrSplit(line.substr(2), absl::ByAnyChar("= "));
    flags.push_back(parts.front());
  }
  return flags;
}

// --- systemd ---

TEST(Unit, IsExposedAsLittleAsPromised) {
  if (!HasProgram("systemd-analyze")) GTEST_SKIP() << "no systemd-analyze";
  const Finished judged =
      RunToEnd({"systemd-analyze", "security", "--offline=yes", "--no-pager",
                "--threshold=16", PathOf("systemd/dnsd.service")});
  EXPECT_EQ(judged.exit_code, 0) << judged.output;
  EXPECT_THAT(judged.output, HasSubstr("Overall exposure level"));
}

TEST(Unit, HasNoCapabilityButThatOfLowPorts) {
  std::vector<std::string> capabilities;
  for (const std::string& line :
       LinesOf(ReadFile(PathOf("systemd/dnsd.service")))) {
    if (absl::StrContains(line, "CAP_")) capabilities.push_back(line);
  }
  EXPECT_THAT(capabilities,
              ElementsAre("AmbientCapabilities=CAP_NET_BIND_SERVICE",
                          "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"));
}

// As it is, and with every example in it switched on.
TEST(PackagedConfiguration, IsValidAndSoAreItsExamples) {
  TempDir dir;
  const std::string text = ReadFile(PathOf("systemd/dnsd.hcl"));
  std::string examples;
  for (const std::string& line : LinesOf(text)) {
    const bool example = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    // The lines of a block are indented behind their '#'.
    const bool inside =
        absl::StartsWith(line, "#  ") && absl::StrContains(line, " = ");
    absl::StrAppend(&examples, example || inside ? line.substr(1) : line, "\n");
  }
  const std::string token = "/etc/dnsd.d/consul.token";
  ASSERT_THAT(examples, HasSubstr(token));
  examples = absl::StrReplaceAll(examples, {{token, dir.Write("t", "s\n")}});
  for (const std::string& config : {text, examples}) {
    const Finished judged =
        RunDnsd({"validate", dir.Write("dnsd.hcl", config)});
    EXPECT_EQ(judged.exit_code, 0) << config << judged.output;
    EXPECT_THAT(judged.output, Not(HasSubstr("warning")));
  }
}

// --- the manual ---

// What is in it: tests/documents/reference_test.cc.
TEST(Manual, IsWellFormed) {
  if (!HasProgram("mandoc")) GTEST_SKIP() << "no mandoc";
  for (const char* page : {"man/dnsd.8", "man/dnsd.hcl.5"}) {
    const Finished judged =
        RunToEnd({"mandoc", "-Tlint", "-Wwarning", PathOf(page)});
    EXPECT_EQ(judged.exit_code, 0) << judged.output;
  }
}

// --- completions ---

// What bash offers for `dnsd WORDS...`, the last of which is being typed.
std::vector<std::string> BashOffers(const std::vector<std::string>& words) {
  constexpr char kScript[] =
      "source \"$0\"\n"
      "COMP_WORDS=(\"$@\")\n"
      "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
      "_dnsd\n"
      "((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  std::vector<std::string> argv = {
      "bash", "-c", kScript, PathOf("completions/dnsd.bash"), DnsdBinary()};
  argv.insert(argv.end(), words.begin(), words.end());
  return LinesOf(RunToEnd(argv).output);
}

TEST(BashCompletion, OffersWhatTheBinaryHas) {
  EXPECT_THAT(BashOffers({""}), UnorderedElementsAreArray(Verbs()));
  EXPECT_THAT(BashOffers({"setup"}), ElementsAre("setup-resolver"));
  EXPECT_THAT(BashOffers({"catalog", "s"}), ElementsAre("services"));
  EXPECT_THAT(BashOffers({"agent", "-dns"}), ElementsAre("-dns-port"));
  EXPECT_THAT(
      BashOffers({"agent", "-"}),
      UnorderedElementsAreArray(FlagsOf(RunDnsd({"agent", "-h"}).output)));
  EXPECT_THAT(BashOffers({"services", "register", "-tok"}),
              ElementsAre("-token", "-token-file"));
  EXPECT_THAT(BashOffers({"agent", "-log-level", "w"}), ElementsAre("warn"));
  EXPECT_THAT(BashOffers({"version", "-"}), IsEmpty());
}

TEST(BashCompletion, OffersFilesWhereTheyAreMeant) {
  TempDir dir;
  (void)dir.Write("configs/web.hcl", "");
  (void)dir.Write("ca.pem", "");
  EXPECT_THAT(
      BashOffers({"validate", dir.Path("c")}),
      UnorderedElementsAreArray({dir.Path("configs"), dir.Path("ca.pem")}));
  EXPECT_THAT(BashOffers({"agent", "-config-dir", dir.Path("c")}),
              ElementsAre(dir.Path("configs")));
  EXPECT_THAT(BashOffers({"info", "-ca-file", dir.Path("ca")}),
              ElementsAre(dir.Path("ca.pem")));
}

// zsh's own functions, which show what they are given.
std::string ZshOffers(const std::vector<std::string>& words) {
  constexpr char kScript[] =
      "_describe() { print -l -- \"${(@P)@[-1]}\"; }\n"
      "_files() { print -l -- \"files $*\"; }\n"
      "_values() { print -l -- \"$@\"; }\n"
      "completion=$1; shift\n"
      "words=(\"$@\"); CURRENT=$#; PREFIX=$words[-1]\n"
      "source $completion\n";
  std::vector<std::string> argv = {
      "zsh", "-fc", kScript, "zsh", PathOf("completions/_dnsd"), DnsdBinary()};
  argv.insert(argv.end(), words.begin(), words.end());
  return RunToEnd(argv).output;
}

TEST(ZshCompletion, OffersWhatTheBinaryHasWithDescriptions) {
  if (!HasProgram("zsh")) GTEST_SKIP() << "no zsh";
  const std::vector<std::string> verbs = LinesOf(ZshOffers({""}));
  EXPECT_THAT(verbs, SizeIs(Verbs().size()));
  EXPECT_THAT(verbs, Contains("agent:Runs an agent"));
  EXPECT_THAT(LinesOf(ZshOffers({"catalog", ""})),
              Contains("nodes:Lists the nodes of a datacenter"));
  const std::vector<std::string> flags = LinesOf(ZshOffers({"agent", "-"}));
  EXPECT_THAT(flags, SizeIs(FlagsOf(RunDnsd({"agent", "-h"}).output).size()));
  EXPECT_THAT(flags, Contains("-datacenter:Name of the datacenter (dc1)"));
  EXPECT_THAT(ZshOffers({"agent", "-config-dir", ""}), "files -/\n");
  EXPECT_THAT(ZshOffers({"validate", ""}), "files \n");
}

// --- versions ---

TEST(Versions, AreOne) {
  EXPECT_THAT(ReadFile(PathOf("debian/changelog")),
              StartsWith(absl::StrCat("dnsd (", kVersion, "-")));
  EXPECT_THAT(ReadFile(PathOf("helm/dnsd/Chart.yaml")),
              HasSubstr(absl::StrCat("\nappVersion: \"", kVersion, "\"\n")));
}

// What is installed beside the binary belongs to it.
TEST(Package, ConffilesAreWhatIsInstalledBelowEtc) {
  const std::string rules = ReadFile(PathOf("CMakeLists.txt"));
  std::vector<std::string> installed;
  for (const std::string& line : LinesOf(rules)) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar("( )"), absl::SkipEmpty());
    if (words.size() == 4 && words[0] == "install_systemd" &&
        absl::StartsWith(words[2], "/etc/")) {
      installed.push_back(absl::StrCat(words[2], "/", words[3]));
    }
  }
  EXPECT_THAT(LinesOf(ReadFile(PathOf("debian/conffiles"))),
              AllOf(SizeIs(2), UnorderedElementsAreArray(installed)));
}

}  // namespace
}  // namespace dnsd::testing
