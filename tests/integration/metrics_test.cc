// The metrics of real servers, held against what reads them: promtool, a
// Prometheus that asks all that the dashboard asks, the alert rules and their
// cases, the table of dnsd/METRICS.md, and Consul's own JSON.
//
// There are three: one with registrations, HTTPS, transfers and a recursor, one
// that mirrors it (or a real Consul, where there is one), and the recursor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "catalog/base/json_read.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/prometheus.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::IsEmpty;

constexpr char kMonitoring[] = DNSD_SOURCE_DIR "/docker/monitoring/";
constexpr char kZone[] =
    "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
    "a A 192.0.2.1\n";

const Value* Find(const Value& object, const std::string& key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    absl::StrAppend(&escaped, "%",
                    absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
  }
  return escaped;
}

class MetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PrometheusBinary()) {
      GTEST_SKIP() << "no Prometheus: ./dev test fetches it";
    }
    authority_.Issue("server");
    recursor_.emplace(std::vector<std::string>{
        "-dev", "-config-file",
        dir_.Write("up.hcl", absl::StrCat("domain = \"upstream\"\n",
                                          Zone("corp.test")))});
    ASSERT_TRUE(recursor_->WaitUntilServing()) << recursor_->process().output();
    own_.emplace(std::vector<std::string>{
        "-node", "own", "-data-dir", dir_.Path("own"), "-https-port", "0",
        "-recursor", absl::StrCat("127.0.0.1:", recursor_->dns().port),
        "-config-file", dir_.Write("own.hcl", OwnConfig())});
    ASSERT_TRUE(own_->WaitUntilServing()) << own_->process().output();
    std::string mirrored = own_->HttpAddress();
    if (const auto binary = ConsulBinary()) {
      consul_.emplace(*binary, ConsulProcessOptions());
      ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
      mirrored = consul_->HttpAddress();
    }
    mirror_.emplace(std::vector<std::string>{"-node", "mirror",
                                             "-consul-http-addr", mirrored});
    ASSERT_TRUE(mirror_->WaitUntilServing()) << mirror_->process().output();
    for (int i = 0; i < 3; ++i) MakeTraffic();
  }

  std::string Zone(const std::string& name) {
    return absl::StrCat("zones = [{ name = \"", name, "\" file = \"",
                        dir_.Write("zone", kZone), "\" }]\n");
  }
  std::string OwnConfig() {
    return absl::StrCat(
        Zone("ours.test"),
        "service { name = \"web\" address = \"192.0.2.9\" port = 80 }\n"
        "zone_transfer { allow = [\"127.0.0.0/8\"] }\n"
        "tls { https { cert_file = \"",
        authority_.certificate("server"), "\" key_file = \"",
        authority_.key("server"), "\" } }\n");
  }

  // A bit of everything, which also moves what stands still else.
  void MakeTraffic() {
    ConsulApi api("http://" + own_->HttpAddress());
    for (const char* type : {"A", "AAAA", "SRV", "TXT", "ANY", "SOA", "NS"}) {
      EXPECT_EQ(AskUdp(own_->dns(), {"web.service.consul", type}).error, "");
      EXPECT_EQ(AskTcp(own_->dns(), {"none.service.consul", type}).error, "");
    }
    EXPECT_EQ(AskUdp(own_->dns(), {"9.2.0.192.in-addr.arpa", "PTR"}).error, "");
    EXPECT_EQ(AskUdp(own_->dns(), {"a.corp.test", "A"}).error, "");
    const std::string unseen =
        absl::StrCat("n", ++traffic_count_, ".corp.test");
    EXPECT_EQ(AskUdp(own_->dns(), {unseen, "A"}).rcode, "NXDOMAIN");
    EXPECT_EQ(AskUdp(mirror_->dns(), {"consul.service.consul", "A"}).error, "");
    EXPECT_EQ(AskUdp(mirror_->dns(), {"elsewhere.test", "A"}).rcode, "REFUSED");
    EXPECT_EQ(
        api.Put("/v1/agent/service/register",
                absl::StrCat(R"({"Name":"db","Port":)", 1000 + traffic_count_,
                             R"(,"Check":{"TTL":"1h"}})")),
        200);
    EXPECT_EQ(api.Put("/v1/agent/reload"), 200);
  }

  std::vector<AgentProcess*> agents() {
    return {&*own_, &*mirror_, &*recursor_};
  }
  static std::string MetricsOf(const AgentProcess& agent) {
    return ConsulApi("http://" + agent.HttpAddress()).Get("/metrics");
  }
  // Of all servers together.
  std::map<std::string, MetricFamily> Families() {
    std::map<std::string, MetricFamily> all;
    for (const AgentProcess* agent : agents()) {
      for (auto& [name, family] : FamiliesOf(MetricsOf(*agent))) {
        MetricFamily& known = all[name];
        family.labels.insert(known.labels.begin(), known.labels.end());
        known = family;
      }
    }
    return all;
  }

  TempDir dir_;
  Authority authority_;
  std::optional<AgentProcess> recursor_;
  std::optional<AgentProcess> own_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> mirror_;
  int traffic_count_ = 0;
};

TEST_F(MetricsTest, PromtoolHasNoComplaint) {
  for (const AgentProcess* agent : agents()) {
    const Finished check = RunPromtool("check metrics", MetricsOf(*agent));
    EXPECT_EQ(check.exit_code, 0) << check.output;
    EXPECT_EQ(check.output, "");
    ConsulApi api("http://" + agent->HttpAddress());
    EXPECT_EQ(FamiliesOf(api.Get("/v1/agent/metrics?format=prometheus")).size(),
              FamiliesOf(MetricsOf(*agent)).size());
  }
  // It does find what is wrong.
  EXPECT_NE(RunPromtool("check metrics", "# TYPE a counter\na 1\n").exit_code,
            0);
}

// The rows of METRICS.md that begin with a name are those of /metrics.
TEST_F(MetricsTest, TheTableOfMetricsIsTrue) {
  std::string expected;
  for (const auto& [name, family] : Families()) {
    absl::StrAppend(&expected, "| `", name, "` | ", family.type, " | ",
                    absl::StrJoin(family.labels, ", "), " | ",
                    absl::StrReplaceAll(family.help, {{"|", "\\|"}}), " |\n");
  }
  std::string written;
  for (const auto& line :
       absl::StrSplit(ReadFile(DNSD_SOURCE_DIR "/dnsd/METRICS.md"), '\n')) {
    if (absl::StartsWith(line, "| `")) absl::StrAppend(&written, line, "\n");
  }
  EXPECT_EQ(written, expected);
}

TEST_F(MetricsTest, EachRuleHasItsCaseAndAsksForWhatThereIs) {
  const std::string rules = ReadFile(absl::StrCat(kMonitoring, "alerts.yaml"));
  const std::string cases =
      ReadFile(absl::StrCat(kMonitoring, "alerts_test.yaml"));
  const Finished test =
      RunPromtool(absl::StrCat("test rules ", kMonitoring, "alerts_test.yaml"));
  EXPECT_EQ(test.exit_code, 0) << test.output;
  const auto families = Families();
  for (const std::string& name : NamesIn(rules, families)) {
    EXPECT_TRUE(families.contains(name)) << name;
  }
  static const std::regex kAlert(R"(- alert: (\w+))");
  size_t rule_count = 0;
  for (std::sregex_iterator rule(rules.begin(), rules.end(), kAlert), end;
       rule != end; ++rule, ++rule_count) {
    const std::string name =
        absl::StrCat("alertname: ", (*rule)[1].str(), "\n");
    size_t fires = 0;
    size_t stays = 0;
    for (size_t at = 0; (at = cases.find(name, at)) != cases.npos; ++at) {
      const size_t next = cases.find("exp_alerts:", at);
      (cases.compare(next, 14, "exp_alerts: []") == 0 ? stays : fires)++;
    }
    EXPECT_GE(fires, 1u) << name << " is never seen to fire";
    EXPECT_GE(stays, 1u) << name << " is never seen not to fire";
  }
  EXPECT_GE(rule_count, 10u);
  // A rule that says something else fails its case.
  const TempDir other;
  ASSERT_TRUE(absl::StrContains(rules, "> 0.05"));
  other.Write("alerts.yaml", absl::StrReplaceAll(rules, {{"> 0.05", "> 0.5"}}));
  EXPECT_NE(RunPromtool("test rules " + other.Write("t.yaml", cases)).exit_code,
            0);
}

// A Prometheus that scrapes the servers, and the dashboard's questions to it.
class DashboardTest : public MetricsTest {
 protected:
  void StartPrometheus() {
    std::vector<std::string> targets;
    for (const AgentProcess* agent : agents()) {
      targets.push_back("'" + agent->HttpAddress() + "'");
    }
    prometheus_.emplace(
        absl::StrCat("global: { scrape_interval: 500ms }\nrule_files: [",
                     kMonitoring, "alerts.yaml]\nscrape_configs:\n",
                     "- job_name: dnsd\n  static_configs:\n  - targets: [",
                     absl::StrJoin(targets, ", "), "]\n"));
    ASSERT_TRUE(prometheus_->WaitUntilReady()) << prometheus_->output();
    api_.emplace(prometheus_->url());
  }
  // How many series an expression has, as Grafana asks it; -1: none that can
  // be read.
  int SeriesCount(const std::string& expression) {
    const std::string asked = absl::StrReplaceAll(
        expression,
        {{"$__rate_interval", "10s"}, {"$job", ".*"}, {"$instance", ".*"}});
    const ConsulReply reply =
        api_->Call("GET", "/api/v1/query?query=" + Escaped(asked));
    const absl::StatusOr<Value> answer = ParseJson(reply.body);
    if (reply.status != 200 || !answer.ok()) {
      ADD_FAILURE() << asked << "\n" << reply.body;
      return -1;
    }
    return static_cast<int>(
        Find(*Find(*answer, "data"), "result")->items.size());
  }

  std::optional<PrometheusServer> prometheus_;
  std::optional<ConsulApi> api_;
};

TEST_F(DashboardTest, EveryPanelShowsSomething) {
  const absl::StatusOr<Value> dashboard =
      ParseJson(ReadFile(absl::StrCat(kMonitoring, "dashboard.json")));
  ASSERT_TRUE(dashboard.ok()) << dashboard.status();
  std::map<std::string, std::string> empty;  // expression to panel
  const auto families = Families();
  for (const Value& panel : Find(*dashboard, "panels")->items) {
    const Value* targets = Find(panel, "targets");
    if (targets == nullptr) continue;
    EXPECT_THAT(targets->items, ::testing::Not(IsEmpty()));
    for (const Value& target : targets->items) {
      const std::string& expression = Find(target, "expr")->text;
      empty[expression] = Find(panel, "title")->text;
      for (const std::string& name : NamesIn(expression, families)) {
        EXPECT_TRUE(families.contains(name)) << name;
      }
    }
  }
  EXPECT_GE(empty.size(), 40u);
  StartPrometheus();
  ASSERT_FALSE(HasFatalFailure());
  static_cast<void>(WaitUntil([&] {
    MakeTraffic();
    std::erase_if(
        empty, [this](const auto& one) { return SeriesCount(one.first) != 0; });
    return empty.empty();
  }));
  for (const auto& [expression, panel] : empty) {
    ADD_FAILURE() << panel << " shows nothing: " << expression;
  }
}

// Section by section: every row has the members of Consul's, of their types.
TEST_F(MetricsTest, TheJsonHasConsulsShape) {
  if (!consul_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  const auto shape = [](const std::string& body) {
    std::map<std::string, std::set<std::string>> shapes;
    const absl::StatusOr<Value> answer = ParseJson(body);
    EXPECT_TRUE(answer.ok()) << body;
    if (!answer.ok()) return shapes;
    for (const Member& section : answer->members) {
      std::set<std::string>& rows = shapes[section.key];
      for (const Value& row : section.value.items) {
        std::vector<std::string> members;
        for (const Member& member : row.members) {
          // A number with and without a fraction is one to Go.
          const bool is_number = member.value.kind == Value::Kind::kInt ||
                                 member.value.kind == Value::Kind::kDouble;
          members.push_back(absl::StrCat(
              member.key, ":",
              is_number ? "number"
                        : absl::StrCat(static_cast<int>(member.value.kind))));
        }
        rows.insert(absl::StrJoin(members, " "));
      }
    }
    return shapes;
  };
  // Consul shows the last whole ten seconds.
  std::map<std::string, std::set<std::string>> consul;
  ASSERT_TRUE(WaitUntil([&] {
    consul = shape(consul_->api().Get("/v1/agent/metrics"));
    return !consul["Gauges"].empty() && !consul["Counters"].empty() &&
           !consul["Samples"].empty();
  }));
  ConsulApi api("http://" + own_->HttpAddress());
  const std::string body = api.Get("/v1/agent/metrics");
  EXPECT_EQ(shape(body), consul);
  for (const char* name :
       {"consul.dns.domain_query", "consul.runtime.alloc_bytes",
        "consul.catalog.register"}) {
    EXPECT_TRUE(
        absl::StrContains(body, absl::StrCat("\"Name\":\"", name, "\"")))
        << name;
  }
}

}  // namespace
}  // namespace dnsd::testing
