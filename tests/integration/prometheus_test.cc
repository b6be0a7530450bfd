// Prometheus finds its targets through dnsd (consul_sd_configs) as it does
// through a real Consul 1.8.7: one Debian Prometheus asks both, and
// /api/v1/targets has the same targets with the same labels, at first and after
// each change.
//
// Safety: every address that is registered is one of this machine's loopback,
// for Prometheus may scrape it.
//
// Skipped without a Consul binary (consul_process.h). Without a Prometheus,
// which `./dev` fetches, it fails.
#include "tests/testing/prometheus.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_read.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr char kNodeId[] = "11111111-2222-3333-4444-555555555555";
constexpr char kRegister[] = "/v1/agent/service/register";

const Value* Find(const Value& object, const std::string& key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

// Each target as its labels, "name=value" a line. Consul's own service is left
// out: its port and versions are each server's.
std::set<std::string> TargetsOf(const std::string& body,
                                const std::string& job) {
  std::set<std::string> targets;
  const absl::StatusOr<Value> answer = ParseJson(body);
  if (!answer.ok()) return targets;
  const Value* data = Find(*answer, "data");
  const Value* active =
      data == nullptr ? nullptr : Find(*data, "activeTargets");
  if (active == nullptr) return targets;
  for (const Value& target : active->items) {
    const Value* labels = Find(target, "discoveredLabels");
    if (labels == nullptr || Find(*labels, "job")->text != job ||
        Find(*labels, "__meta_consul_service")->text == "consul") {
      continue;
    }
    std::vector<std::string> lines;
    for (const Member& label : labels->members) {
      if (label.key == "job") continue;
      lines.push_back(absl::StrCat(label.key, "=", label.value.text));
    }
    targets.insert(absl::StrJoin(lines, "\n"));
  }
  return targets;
}

class PrometheusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    if (!PrometheusBinary()) {
      GTEST_SKIP() << "no Prometheus: ./dev test fetches it";
    }
    const std::string config = absl::StrCat(
        "node_id = \"", kNodeId, "\" node_meta { rack = \"r-1\" }\n");
    ConsulProcessOptions options;
    options.node_name = "alpha";
    options.config = config;
    consul_.emplace(*binary, options);
    dnsd_.emplace(std::vector<std::string>{
        "-dev", "-node", "alpha", "-config-file", dir_.Write("d.hcl", config)});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    dnsd_api_.emplace("http://" + dnsd_->HttpAddress());
  }

  void StartPrometheus() {
    prometheus_.emplace(
        absl::StrCat("global: { scrape_interval: 1h }\nscrape_configs:\n",
                     Job("consul", consul_->HttpAddress()),
                     Job("dnsd", dnsd_->HttpAddress())));
    ASSERT_TRUE(prometheus_->WaitUntilReady()) << prometheus_->output();
    targets_.emplace(prometheus_->url());
  }

  static std::string Job(const std::string& name, const std::string& server) {
    return absl::StrCat("- job_name: ", name, "\n  consul_sd_configs:\n",
                        "  - { server: '", server,
                        "', refresh_interval: 1s }\n");
  }

  void PutToBoth(const std::string& path, const std::string& body = "") {
    EXPECT_EQ(consul_->api().Put(path, body), 200) << path;
    EXPECT_EQ(dnsd_api_->Put(path, body), 200) << path;
  }

  // Both jobs come to the same `count` targets, and `text` is in one of them.
  void ExpectTargets(size_t count, const std::string& text) {
    std::set<std::string> consul;
    std::set<std::string> dnsd;
    const bool same = WaitUntil([&] {
      const std::string body = targets_->Get("/api/v1/targets");
      consul = TargetsOf(body, "consul");
      dnsd = TargetsOf(body, "dnsd");
      return consul == dnsd && dnsd.size() == count &&
             absl::StrJoin(dnsd, "\n").find(text) != std::string::npos;
    });
    EXPECT_TRUE(same) << "dnsd:\n"
                      << absl::StrJoin(dnsd, "\n\n") << "\n\nconsul:\n"
                      << absl::StrJoin(consul, "\n\n");
  }

  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> dnsd_api_;
  std::optional<PrometheusServer> prometheus_;
  std::optional<ConsulApi> targets_;
};

TEST_F(PrometheusTest, FindsTheTargetsThatItFindsThroughConsul) {
  PutToBoth(kRegister, R"({"Name":"web","ID":"w1","Port":81,
      "Address":"127.0.0.2","Tags":["b","a"],"Meta":{"k-1":"v"},
      "TaggedAddresses":{"wan":{"Address":"127.0.0.9","Port":9}},
      "Check":{"TTL":"1h","Status":"passing"}})");
  PutToBoth(kRegister, R"({"Name":"web","ID":"w2","Port":82})");
  PutToBoth("/v1/catalog/register", R"({"Node":"beta","Address":"127.0.0.3",
      "NodeMeta":{"zone":"z"},"TaggedAddresses":{"wan":"127.0.0.4"},
      "Service":{"Service":"db","Port":83},
      "Check":{"CheckID":"c","ServiceID":"db","Status":"warning"}})");
  StartPrometheus();
  ASSERT_FALSE(HasFatalFailure());
  ExpectTargets(3, "__meta_consul_service_metadata_k_1=v");
  ExpectTargets(3, "__meta_consul_metadata_zone=z");
  ExpectTargets(3, "__meta_consul_health=warning");

  // Prometheus shows what it found every five seconds: all changes at once.
  PutToBoth(kRegister, R"({"Name":"late","Port":84,"Address":"127.0.0.5"})");
  PutToBoth("/v1/agent/check/fail/service:w1");
  PutToBoth("/v1/agent/service/deregister/w2");
  PutToBoth("/v1/catalog/deregister", R"({"Node":"beta"})");
  ExpectTargets(2, "__meta_consul_health=critical");
  ExpectTargets(2, "__address__=127.0.0.5:84");
}

}  // namespace
}  // namespace dnsd::testing
