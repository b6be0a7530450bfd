// Files, directories, flags and how they merge; the verdict on whole files,
// compared with Consul's where DNSD_CONSUL names its program.
#include "dnsd/config.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/config_keys.h"
#include "tests/dnsd/config_testing.h"

namespace dnsd {
namespace {

// A directory that is removed with what it holds, one level deep.
class TempDir {
 public:
  TempDir() {
    std::string pattern = absl::StrCat(testing::TempDir(), "/dnsd.XXXXXX");
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    for (const std::string& file : files_) remove(file.c_str());
    rmdir(path_.c_str());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string Write(const std::string& name, const std::string& text) {
    files_.push_back(absl::StrCat(path_, "/", name));
    std::ofstream(files_.back()) << text;
    return files_.back();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

std::string TestData(const std::string& name) {
  return absl::StrCat(DNSD_SOURCE_DIR, "/tests/testdata/config/", name);
}

std::vector<std::string> ListTestData(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  const std::filesystem::directory_iterator directory(TestData(folder), error);
  EXPECT_FALSE(error) << TestData(folder) << ": " << error.message();
  for (const auto& entry : directory) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Config, DefaultsAreConsuls) {
  const Loaded loaded = Load({});
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  const Config& config = loaded.config;
  EXPECT_EQ(Show(config.dns_listen), "127.0.0.1 8600;");
  EXPECT_EQ(Show(config.http_listen), "127.0.0.1 8500;");
  EXPECT_EQ(config.policy.domain, "consul.");
  EXPECT_EQ(config.policy.alt_domain, "");
  EXPECT_EQ(config.policy.datacenter, "dc1");
  EXPECT_EQ(config.node.datacenter, "dc1");
  EXPECT_EQ(config.policy.compat, Compat::kRfc);
  EXPECT_EQ(config.policy.node_ttl, 0u);
  EXPECT_EQ(config.policy.soa.refresh, 3600u);
  EXPECT_FALSE(config.policy.soa.min_ttl.has_value());
  EXPECT_FALSE(config.policy.udp_answer_limit.has_value());
  EXPECT_FALSE(config.policy.recursion_available);
  EXPECT_EQ(config.policy.edns_udp_size, 1232);
  EXPECT_EQ(config.log_level, LogLevel::kInfo);
  EXPECT_EQ(config.workers, 0);
  EXPECT_FALSE(config.node.name.empty());
  EXPECT_EQ(config.node.name, config.policy.node_name);
  EXPECT_FALSE(config.node.address.empty());
  EXPECT_EQ(config.node.tagged_addresses.at("lan"), config.node.address);
}

TEST(Config, FlagsOverrideFilesAndListsFromFlagsComeFirst) {
  TempDir dir;
  dir.Write("a.hcl", R"(
    node_name = "file" recursors = ["2.2.2.2"] ports { dns = 1 http = 2 }
    node_meta { a = "file" b = "file" } datacenter = "DC9")");
  const Loaded loaded =
      Load({"-node=flag", "-recursor", "1.1.1.1", "-dns-port", "3",
            "-config-dir", dir.path(), "-node-meta", "a:x:y", "-node-meta=c",
            "-hcl", "node_name = \"hcl\"", "-workers=4"});
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  const Config& config = loaded.config;
  EXPECT_EQ(config.node.name, "hcl");
  EXPECT_EQ(ShowForward(config), ". 1.1.1.1 53;2.2.2.2 53;\n");
  EXPECT_TRUE(config.policy.recursion_available);
  EXPECT_EQ(Show(config.dns_listen), "127.0.0.1 3;");
  EXPECT_EQ(Show(config.http_listen), "127.0.0.1 2;");
  EXPECT_EQ(config.node.meta.at("a"), "x:y");
  EXPECT_EQ(config.node.meta.at("b"), "file");
  EXPECT_EQ(config.node.meta.at("c"), "");
  EXPECT_EQ(config.node.datacenter, "dc9");
  EXPECT_EQ(config.workers, 4);
  EXPECT_EQ(config.config_files, std::vector<std::string>{dir.path()});
}

TEST(Config, MergesADirectoryInTheOrderOfNames) {
  Problems problems;
  const Config config = LoadConfigFiles({TestData("merge")}, &problems);
  EXPECT_EQ(Join(problems.errors()) + Join(problems.warnings()), "");
  EXPECT_EQ(config.node.name, "second");
  EXPECT_EQ(ShowForward(config), ". 1.1.1.1 53;2.2.2.2 53;\n");
  EXPECT_EQ(Show(config.dns_listen), "127.0.0.1 8602;");
  EXPECT_EQ(Show(config.http_listen), "127.0.0.1 8501;");
  EXPECT_EQ(config.node.meta,
            (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
  ASSERT_EQ(config.services.size(), 3u);
  EXPECT_EQ(config.services[0].instance.name, "a");
  EXPECT_EQ(config.services[2].instance.name, "c");
}

TEST(Config, DevMeansLoopbackDebugAndNothingKept) {
  const Loaded loaded = Load({"-dev", "-data-dir", "/x"});
  EXPECT_TRUE(loaded.problems.ok());
  EXPECT_TRUE(loaded.config.dev);
  EXPECT_EQ(loaded.config.log_level, LogLevel::kDebug);
  EXPECT_EQ(loaded.config.node.address, "127.0.0.1");
  EXPECT_EQ(loaded.config.data_dir, "");
  // What a user gives still wins.
  const Loaded given =
      Load({"-dev", "-bind", "10.1.1.1", "-log-level", "WARN"});
  EXPECT_EQ(given.config.node.address, "10.1.1.1");
  EXPECT_EQ(given.config.log_level, LogLevel::kWarn);
}

TEST(Config, HelpStopsAndUsageNamesEveryFlag) {
  EXPECT_TRUE(Load({"-help"}).help);
  const std::string usage = AgentUsage();
  for (const AgentFlag& flag : AgentFlags()) {
    EXPECT_NE(usage.find(absl::StrCat("  -", flag.name)), std::string::npos)
        << flag.name;
  }
}

TEST(Config, ReadsAWholeAgent) {
  Problems problems;
  const Config config =
      LoadConfigFiles({TestData("valid/agent.hcl")}, &problems);
  const ZonePolicy& policy = config.policy;
  EXPECT_EQ(config.node.name, "foobar");
  EXPECT_EQ(config.node.id, "adf4238a-882b-9ddc-4a9d-5b6758e4159e");
  EXPECT_EQ(config.node.datacenter, "east-aws");
  EXPECT_EQ(config.node.address, "10.1.2.3");
  EXPECT_EQ(config.node.tagged_addresses,
            (std::map<std::string, std::string>{{"lan", "10.1.2.3"},
                                                {"lan_ipv4", "10.1.2.3"},
                                                {"wan", "198.51.100.7"},
                                                {"wan_ipv4", "198.51.100.7"}}));
  EXPECT_EQ(policy.domain, "example.consul.");
  EXPECT_EQ(policy.alt_domain, "test.consul.");
  EXPECT_TRUE(policy.translate_wan_addrs);
  EXPECT_EQ(ShowForward(config), ". 8.8.8.8 53;2001:4860:4860::8888 53;\n");
  EXPECT_EQ(Show(config.dns_listen), "0.0.0.0 8653;");
  EXPECT_EQ(Show(config.http_listen), "127.0.0.1 8501;");
  EXPECT_EQ(policy.node_ttl, 10u);
  EXPECT_EQ(policy.service_ttl, (std::map<std::string, uint32_t>{
                                    {"*", 5}, {"db*", 90}, {"web", 30}}));
  EXPECT_TRUE(policy.enable_truncate);
  EXPECT_TRUE(policy.only_passing);
  EXPECT_TRUE(policy.disable_compression);
  EXPECT_FALSE(policy.enable_additional_node_meta_txt);
  EXPECT_EQ(policy.udp_answer_limit, 5);
  EXPECT_EQ(policy.a_record_limit, 8);
  EXPECT_EQ(policy.soa.min_ttl, 60u);
  EXPECT_EQ(policy.soa.refresh, 1800u);
  EXPECT_EQ(policy.soa.retry, 600u);
  EXPECT_EQ(config.forward.at(0).timeout, std::chrono::milliseconds(1500));
  // One warning for each key that means nothing here.
  const std::string warnings = Join(problems.warnings());
  EXPECT_EQ(problems.warnings().size(), 17u) << warnings;
  EXPECT_NE(warnings.find("agent.hcl:7: server: has no meaning here"),
            std::string::npos);
  EXPECT_NE(warnings.find("agent.hcl:27: ports.grpc: has no meaning here"),
            std::string::npos);
}

TEST(Config, WarnsOncePerMeaninglessKeyOrFlag) {
  TempDir dir;
  dir.Write("a.hcl", "server = true");
  dir.Write("b.hcl", "server = false");
  const Loaded loaded =
      Load({"-config-dir", dir.path(), "-server", "-server=false",
            "-retry-join", "-ui", "-bootstrap-expect", "1"});
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(Join(loaded.problems.warnings()),
            absl::StrCat(dir.path(),
                         "/a.hcl:1: server: has no meaning here and is "
                         "ignored\n"
                         "-server: has no meaning here and is ignored\n"
                         "-retry-join: has no meaning here and is ignored\n"
                         "-bootstrap-expect: has no meaning here and is "
                         "ignored\n"));
}

TEST(Config, TheWebUiIsOnUnlessAKeyOrAFlagSaysNo) {
  const std::pair<std::vector<std::string>, bool> cases[] = {
      {{}, true},
      {{"-ui"}, true},
      {{"-ui=false"}, false},
      {{"-hcl", "ui = false"}, false},
      {{"-hcl", "ui_config { enabled = false }"}, false},
      // The newer key wins, as with Consul.
      {{"-hcl", "ui = false", "-hcl", "ui_config { enabled = true }"}, true},
  };
  for (const auto& [args, is_on] : cases) {
    const Loaded loaded = Load(args);
    EXPECT_EQ(Join(loaded.problems.errors()), "");
    EXPECT_EQ(Join(loaded.problems.warnings()), "");
    EXPECT_EQ(loaded.config.ui, is_on) << absl::StrJoin(args, " ");
  }
}

TEST(Config, AcceptsEveryKeyOfTheTableInItsBlock) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.type != KeyType::kIgnored) continue;
    std::string text = key.path;
    int depth = 0;
    for (size_t dot = text.find('.'); dot != std::string::npos;
         dot = text.find('.', dot)) {
      text.replace(dot, 1, " { ");
      ++depth;
    }
    text += " = { any = [1, { thing = true }] }";
    for (; depth > 0; --depth) text += " }";
    const Loaded loaded = LoadHcl(text);
    EXPECT_EQ(Join(loaded.problems.errors()), "") << text;
    EXPECT_EQ(loaded.problems.warnings().size(), 1u) << text;
  }
}

TEST(Config, ShowsAllErrorsAtOnceEachWithItsPlace) {
  TempDir dir;
  const std::string a = dir.Write("a.hcl",
                                  "node_nam = \"x\"\n"
                                  "dns_config { node_ttl = \"5\" }\n"
                                  "services { name = \"a\" port = 70000 }\n");
  const std::string b = dir.Write("b.json",
                                  "{\"log_level\": \"loud\",\n"
                                  " \"checks\": [{\"name\": \"c\"}]}");
  const Loaded loaded = Load({"-config-dir", dir.path(), "-dns-port=-2",
                              "-workers=x", "-config-format=yml", "extra"});
  const std::string errors = Join(loaded.problems.errors());
  for (const std::string& expected : {
           absl::StrCat(a,
                        ":1: node_nam: invalid config key node_nam, did "
                        "you mean node_name?"),
           absl::StrCat(a,
                        ":2: dns_config.node_ttl: invalid duration: \"5\" "
                        "has no unit"),
           absl::StrCat(a,
                        ":3: services[0].port: 70000 is not between 0 and "
                        "65535"),
           absl::StrCat(b, ":1: log_level: \"loud\" is not trace"),
           absl::StrCat(b, ":2: checks[0]: a check needs one of"),
           std::string("-dns-port: -2 is not between -1 and 65535"),
           std::string("invalid value \"x\" for flag -workers"),
           std::string("-config-format: must be either 'hcl' or 'json'"),
           std::string("unexpected extra argument: extra"),
       }) {
    EXPECT_NE(errors.find(expected), std::string::npos) << expected;
  }
  EXPECT_EQ(loaded.problems.errors().size(), 9u) << errors;
}

TEST(Config, ReportsFilesThatCannotBeRead) {
  TempDir dir;
  const std::string text = dir.Write("notes.txt", "x = 1");
  const std::string none = absl::StrCat(dir.path(), "/none.hcl");
  Problems problems;
  (void)LoadConfigFiles({none, text, "/dev/null", dir.path()}, &problems);
  EXPECT_EQ(Join(problems.errors()),
            absl::StrCat(
                none, ": cannot be opened: No such file or directory\n", text,
                ": must end in .json or .hcl, or -config-format be "
                "given\n/dev/null: is neither a file nor a "
                "directory\n"));
  // With a format, every file of a directory is read.
  const Loaded loaded = Load({"-config-format=hcl", "-config-dir", dir.path()});
  EXPECT_EQ(Join(loaded.problems.errors()),
            absl::StrCat(text, ":1: x: invalid config key x\n"));
}

TEST(Config, ReportsAFileThatMayNotBeRead) {
  TempDir dir;
  const std::string file = dir.Write("a.hcl", "");
  chmod(dir.path().c_str(), 0755);
  chmod(file.c_str(), 0);
  // Root may read everything, so it becomes "nobody" for a moment.
  constexpr uid_t kNobody = 65534;
  const bool is_root = geteuid() == 0;
  if (is_root && seteuid(kNobody) != 0) GTEST_SKIP() << "cannot leave root";
  Problems problems;
  (void)LoadConfigFiles({dir.path()}, &problems);
  if (is_root && seteuid(0) != 0) FAIL() << "cannot become root again";
  EXPECT_EQ(Join(problems.errors()),
            absl::StrCat(file, ": cannot be opened: Permission denied\n"));
}

TEST(Config, ReportsALinkToNowhere) {
  TempDir dir;
  const std::string link = dir.Write("a.hcl", "");
  remove(link.c_str());
  ASSERT_EQ(symlink("nowhere", link.c_str()), 0);
  Problems problems;
  (void)LoadConfigFiles({dir.path()}, &problems);
  EXPECT_EQ(
      Join(problems.errors()),
      absl::StrCat(link, ": cannot be opened: No such file or directory\n"));
}

TEST(Config, RefusesAFileThatIsTooLarge) {
  TempDir dir;
  const std::string file = dir.Write("a.json", "");
  ASSERT_EQ(truncate(file.c_str(), (64 << 20) + 1), 0);  // a sparse file
  Problems problems;
  (void)LoadConfigFiles({file}, &problems);
  EXPECT_EQ(Join(problems.errors()),
            absl::StrCat(file, ": is larger than 67108864 bytes\n"));
}

TEST(Config, SkipsAnEmptyFileAndPlacesSyntaxErrors) {
  TempDir dir;
  dir.Write("a.json", "");
  const std::string b = dir.Write("b.json", "{\n\n\"a\" 1}");
  const std::string c = dir.Write("c.hcl", "a = 1\nb = }\n");
  Problems problems;
  (void)LoadConfigFiles({dir.path()}, &problems);
  ASSERT_EQ(problems.errors().size(), 2u) << Join(problems.errors());
  EXPECT_EQ(problems.errors()[0].rfind(absl::StrCat(b, ":3: "), 0), 0u)
      << problems.errors()[0];
  EXPECT_EQ(problems.errors()[1].rfind(absl::StrCat(c, ":2: "), 0), 0u)
      << problems.errors()[1];
}

// Runs the program without a shell; its exit code, or -1.
int Execute(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(126);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// In valid/ and merge/ both accept, in invalid/ both refuse; strict/ is what
// Consul's agent refuses or drops at run time only, and we at once.
TEST(Config, GivesConsulsVerdict) {
  const char* consul = getenv("DNSD_CONSUL");
  for (const auto& [folder, ours, theirs] :
       {std::tuple{"valid", true, true}, std::tuple{"invalid", false, false},
        std::tuple{"strict", false, true}}) {
    const std::vector<std::string> files = ListTestData(folder);
    ASSERT_GE(files.size(), 8u) << folder;
    for (const std::string& file : files) {
      Problems problems;
      (void)LoadConfigFiles({file}, &problems);
      EXPECT_EQ(problems.ok(), ours) << file << "\n" << Join(problems.errors());
      for (const std::string& error : problems.errors()) {
        EXPECT_EQ(error.rfind(file, 0), 0u) << error;
      }
      if (consul != nullptr) {
        EXPECT_EQ(Execute({consul, "validate", file}), theirs ? 0 : 1) << file;
      }
    }
  }
  if (consul == nullptr) GTEST_SKIP() << "DNSD_CONSUL names no consul";
  EXPECT_EQ(Execute({consul, "validate", TestData("merge")}), 0);
}

}  // namespace
}  // namespace dnsd
