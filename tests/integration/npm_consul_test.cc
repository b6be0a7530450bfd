// The npm client `consul` registers, checks, lists, waits, watches and queries:
// the same script (npm_consul/client.js) against a real Consul 1.8.7 and
// against dnsd, and what it prints is the same.
//
// Skipped without a Consul binary (consul_process.h); without the client, which
// `./dev` fetches, it fails.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

constexpr char kNodeId[] = "11111111-2222-3333-4444-555555555555";
constexpr char kScript[] = "tests/integration/npm_consul/client.js";
constexpr char kModules[] = "build/npm_consul/node_modules";

std::string RunScript(uint16_t port) {
  const Finished finished = RunToEnd(
      {"env",
       absl::StrCat("NODE_PATH=", std::filesystem::absolute(kModules).string()),
       "node", kScript, absl::StrCat(port)},
      2 * kPatience);
  EXPECT_EQ(finished.exit_code, 0) << finished.output;
  return finished.output;
}

TEST(NpmConsul, GetsFromDnsdWhatItGetsFromConsul) {
  const std::optional<std::string> binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  if (!std::filesystem::exists(absl::StrCat(kModules, "/consul"))) {
    GTEST_SKIP() << "no client: ./dev test fetches it, where npm can";
  }
  ConsulProcessOptions options;
  options.node_name = "alpha";
  options.config = absl::StrCat("node_id = \"", kNodeId, "\"");
  ConsulProcess consul(*binary, options);
  AgentProcess dnsd({"-dev", "-node", "alpha", "-node-id", kNodeId});
  ASSERT_TRUE(dnsd.WaitUntilServing()) << dnsd.process().output();
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();

  const std::vector<std::string> theirs =
      absl::StrSplit(RunScript(consul.ports().http), '\n');
  const std::vector<std::string> ours =
      absl::StrSplit(RunScript(dnsd.http_port()), '\n');
  EXPECT_GT(theirs.size(), 70u);
  EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace dnsd::testing
