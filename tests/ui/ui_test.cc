// The web UI in a real browser: Debian's Chromium, driven by tests/ui/main.mjs,
// before real agents: one with services and checks, one with over a thousand
// services, one with ACLs, and one that mirrors another.
//
// Pictures of every page, light, dark and on a phone, are in build/ui_shots.
// Chromium and what drives it are fetched by `./dev setup`.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kModules[] = "build/ui_test/node_modules";
constexpr char kBrowser[] = "/usr/bin/chromium";
constexpr char kToken[] = "5d2c2ad9-9f3b-4d0c-8f0e-3b1f6a7c2e10";
constexpr std::chrono::seconds kLongest{600};

std::string Url(const AgentProcess& agent) {
  return absl::StrCat("http://", agent.HttpAddress());
}

std::string AclConfig() {
  return absl::StrCat(
      "acl { enabled = true default_policy = \"deny\" "
      "tokens { initial_management = \"",
      kToken, "\" } }");
}

TEST(Ui, InChromium) {
  ASSERT_TRUE(fs::exists(kBrowser)) << "`./dev setup` installs chromium";
  ASSERT_TRUE(fs::exists(absl::StrCat(kModules, "/playwright-core")))
      << "`./dev test` fetches it, where npm can";
  AgentProcess main({"-dev", "-node", "alpha"});
  AgentProcess many({"-dev", "-node", "beta"});
  AgentProcess acl({"-dev", "-node", "gamma", "-hcl", AclConfig()});
  AgentProcess consul({"-dev", "-node", "delta"});
  for (AgentProcess* agent : {&main, &many, &acl, &consul}) {
    ASSERT_TRUE(agent->WaitUntilServing()) << agent->process().output();
  }
  AgentProcess mirror({"-node", "epsilon", "-client", "127.0.0.1", "-bind",
                       "127.0.0.1", "-consul-http-addr", Url(consul), "-hcl",
                       "consul { stale_after = \"2s\" wait = \"1s\" }"});
  ASSERT_TRUE(mirror.WaitUntilServing()) << mirror.process().output();

  const std::string config = absl::StrCat(
      R"({"base":")", Url(main), R"(","dns":)", main.dns().port, R"(,"many":")",
      Url(many), R"(","acl":{"base":")", Url(acl), R"(","token":")", kToken,
      R"("},"mirror":{"base":")", Url(mirror), R"(","consul":")", Url(consul),
      R"("},"pictures":"build/ui_shots"})");
  const Finished finished = RunToEnd(
      {"env",
       absl::StrCat("DNSD_UI_TEST_MODULES=", fs::absolute(kModules).string()),
       "node", "tests/ui/main.mjs", config},
      kLongest);
  EXPECT_EQ(finished.exit_code, 0) << finished.output;
  EXPECT_NE(finished.output.find("all cases passed"), std::string::npos)
      << finished.output;
}

}  // namespace
}  // namespace dnsd::testing
