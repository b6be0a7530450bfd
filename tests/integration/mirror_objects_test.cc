// What a mirror decodes of a real Consul's answers is all that they show: a
// catalog made at random, asked for, decoded and written again is the same
// text, and every endpoint that a mirror asks tells the same of an object.
//
// Skipped without a Consul binary: DNSD_CONSUL names one.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/consul/consul_decode.h"
#include "tests/catalog/consul/object_texts.h"
#include "tests/integration/catalog_churn.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

// `-dev` lays its answers out.
std::string Compact(const std::string& json) {
  std::string compact(json.size(), '\0');
  size_t bytes = 0;
  EXPECT_EQ(simdjson::minify(json.data(), json.size(), compact.data(), bytes),
            simdjson::SUCCESS);
  compact.resize(bytes);
  return compact;
}

// Consul keeps with a check the name and tags that its service had when it was
// registered; a mirror has those of today. The API for user interfaces tells
// an empty list of tags from none.
std::string Shown(const std::string& json) {
  const std::regex copies(
      R"re("ServiceName":"[^"]*","ServiceTags":(null|\[[^\]]*\]))re");
  const std::regex none(R"("Tags":null)");
  return std::regex_replace(std::regex_replace(NormalObjects(json), copies, ""),
                            none, R"("Tags":[])");
}

TEST(MirrorObjects, ConsulsOwnAnswersAreWrittenAsTheyWereRead) {
  const auto binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  ConsulProcessOptions options;
  options.node_name = "agent-node";
  ConsulProcess consul(*binary, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  CatalogChurn churn(&consul.api(), TestSeed(), {});
  for (int i = 0; i < 300; ++i) ASSERT_EQ(churn.Change(), "");

  const std::string dump = Compact(consul.api().Get("/v1/internal/ui/nodes"));
  std::string body = dump;
  const auto nodes = DecodeNodeDump(&body, "dc1");
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  EXPECT_EQ(Difference(Shown(dump), Shown(NodeDumpOf(*nodes))), "");
  std::map<std::string, Node> known;
  for (const NodeReport& report : *nodes) {
    known[report.node.name] = report.node;
  }

  std::string list = consul.api().Get("/v1/catalog/nodes");
  const auto listed = DecodeNodes(&list, "dc1");
  ASSERT_TRUE(listed.ok()) << listed.status();
  for (const NodeReport& report : *listed) {
    EXPECT_EQ(report.node, known[report.node.name]) << report.node.name;
  }

  for (const std::string& name : churn.services()) {
    const std::string health =
        Compact(consul.api().Get("/v1/health/service/" + name));
    body = health;
    const auto entries = DecodeHealthService(&body, "dc1");
    ASSERT_TRUE(entries.ok()) << entries.status();
    EXPECT_EQ(Difference(Shown(health), Shown(HealthOf(*entries))), "") << name;
    for (const NodeReport& entry : *entries) {
      EXPECT_EQ(entry.node, known[entry.node.name]) << name;
    }
  }
}

}  // namespace
}  // namespace dnsd::testing
