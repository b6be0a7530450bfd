// A machine of its own (network, /etc, /run) for the tests of `dnsd doctor`:
// each check is made to say ok and not ok by the real thing.
//
// Skipped without root, which namespaces need.
#ifndef DNSD_TESTS_INTEGRATION_DOCTOR_FIXTURE_H_
#define DNSD_TESTS_INTEGRATION_DOCTOR_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/own_namespaces.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// Of the agents here, none of which runs at the same time as another.
inline constexpr uint16_t kDns = 5300;
inline constexpr uint16_t kHttp = 5380;

inline void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

class DoctorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    *Problem() = EnterOwnNamespaces();
    if (Problem()->empty()) *Problem() = MakeMachineOwn();
  }
  static std::string* Problem() {
    static std::string problem;
    return &problem;
  }
  void SetUp() override {
    if (!Problem()->empty()) GTEST_SKIP() << *Problem();
    // So that users without rights may read what is in it.
    std::filesystem::permissions(dir_.path(),
                                 std::filesystem::perms::others_read |
                                     std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }

  // The file's path.
  std::string Write(const std::string& config) const {
    return dir_.Write("dnsd.hcl",
                      absl::StrCat("node_name = \"n1\"\nports { dns = ", kDns,
                                   " http = ", kHttp, " }\n", config));
  }
  void Start(const std::string& config) {
    config_ = Write(config);
    agent_.emplace(std::vector<std::string>{"-config-file", config_,
                                            "-dns-port", absl::StrCat(kDns),
                                            "-http-port", absl::StrCat(kHttp)});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }

  Finished Doctor(const std::vector<std::string>& prefix = {}) const {
    std::vector<std::string> argv = prefix;
    argv.insert(argv.end(), {DnsdBinary(), "doctor", "-config-file", config_});
    return RunToEnd(argv);
  }
  // Without root's rights.
  static std::vector<std::string> Nobody() {
    return {"setpriv",        "--reuid=65534",       "--regid=65534",
            "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"};
  }

  // The lines about one check.
  static std::string Lines(const Finished& said, const std::string& check) {
    std::string lines;
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(said.output, '\n'))) {
      if (absl::StrContains(line, absl::StrCat("  ", check, ": "))) {
        absl::StrAppend(&lines, line, "\n");
      }
    }
    return lines.empty() ? "nothing of " + check + " in\n" + said.output
                         : lines;
  }

  TempDir dir_;
  std::string config_;
  std::optional<AgentProcess> agent_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_DOCTOR_FIXTURE_H_
