// A real Consul 1.8.7 and a dnsd that mirrors it, while the catalog is changed
// at random. Whenever changes pause, dnsd must say what Consul says for every
// name, at the first answer; and while they go on, it never fails.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/catalog_churn.h"
#include "tests/integration/consul_peer.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/consul_trim.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr char kDnsConfig[] = R"(
  dns_config {
    node_ttl = "7s"
    service_ttl { "*" = "5s" "web1" = "11s" "web2*" = "12s" }
  })";

const std::vector<std::string> kTypes = {"A", "AAAA", "SRV", "TXT", "ANY"};

// How often Consul may pick something else before that means something.
constexpr int kPicksMax = 50;
// Failures that are printed in full.
constexpr size_t kFailuresMax = 10;

struct ChurnSetup {
  CatalogChurn::Size size;
  std::string consul_block;  // more of dnsd's `consul { }`
  int changes;
  int pauses;
  // Nothing is published for so long: dnsd has caught up.
  milliseconds quiet;
};

// Asks dnsd without pause, and counts what it should not say.
class Asker {
 public:
  Asker(const DnsServer& server, std::vector<std::string> names, uint64_t seed)
      : server_(server),
        names_(std::move(names)),
        random_(seed),
        thread_([this] { Run(); }) {}
  ~Asker() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // Valid after Stop().
  [[nodiscard]] int asked() const { return asked_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void Run() {
    while (!stop_ && failure_.empty()) {
      DnsQuestion question;
      question.name = names_[random_() % names_.size()];
      question.type = kTypes[random_() % kTypes.size()];
      const DnsReply reply = AskUdp(server_, question);
      ++asked_;
      if (reply.rcode == "NOERROR" || reply.rcode == "NXDOMAIN") continue;
      failure_ = absl::StrCat(question.name, " ", question.type, ": ",
                              reply.rcode, reply.error);
    }
  }

  const DnsServer server_;
  const std::vector<std::string> names_;
  std::mt19937_64 random_;
  std::atomic<bool> stop_{false};  // orders nothing
  int asked_ = 0;
  std::string failure_;
  std::thread thread_;  // last: it uses the others
};

class MirrorChurnTest : public ::testing::Test {
 protected:
  void SetUp() override {
    binary_ = ConsulBinary();
    if (!binary_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    seed_ = TestSeed();
  }

  void Start(const ChurnSetup& setup) {
    ConsulProcessOptions options;
    options.node_name = "agent-node";
    options.config = kDnsConfig;
    consul_.emplace(*binary_, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    const std::string same = dir_.Write("same.hcl", kDnsConfig);
    const std::string own = dir_.Write(
        "own.hcl",
        absl::StrCat("dns_config { compat = \"consul\" }\nconsul { address = ",
                     JsonQuoted(consul_->HttpUrl()), "\n", setup.consul_block,
                     " }\n"));
    dnsd_.emplace(
        std::vector<std::string>{"-config-file", same, "-config-file", own});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    api_.emplace("http://" + dnsd_->HttpAddress());
    ReleaseConfig release;
    release.mirrored = true;
    newest_.emplace(consul_->dns(), release);
    peer_.emplace(dnsd_->dns());
  }

  // The value of one of dnsd's metrics.
  std::string Metric(const std::string& name) {
    const std::string text = "\n" + api_->Get("/metrics");
    const size_t at = text.find("\n" + name);
    if (at == std::string::npos) return "";
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  }

  // Neither Consul's index nor dnsd's view has moved for `quiet`.
  bool WaitUntilQuiet(milliseconds quiet) {
    std::string before;
    auto since = Clock::now();
    return WaitUntil([&] {
      std::this_thread::sleep_for(milliseconds(50));
      const ConsulReply all =
          consul_->api().Call("GET", "/v1/internal/ui/nodes");
      const std::string now =
          absl::StrCat(all.index, Metric("dnsd_publications_total"));
      if (now != before) since = Clock::now();
      before = now;
      return Clock::now() - since >= quiet;
    });
  }

  // "" or what differs. Consul is asked again for what it picks at random;
  // dnsd is not.
  std::string Difference(const DiffQuestion& question) {
    const std::string packet =
        BuildQuery(question.name, question.type, question.options);
    peer_->SendTcp(packet);
    std::string error = "not compared";
    Message expected;
    std::optional<Reply> ours;
    for (int i = 0; i < kPicksMax && !error.empty(); ++i) {
      const Reply consul = newest_->peer().AskTcp(packet);
      if (!ours) ours = peer_->ReceiveTcp();
      if (!consul.error.empty() || !ours->error.empty()) {
        return absl::StrCat("Consul: ", consul.error, ", dnsd: ", ours->error);
      }
      RowCounts rows;
      expected = newest_->Modern(question, consul.message, &rows);
      error = Compare(expected, ours->message);
    }
    if (error.empty()) return "";
    return absl::StrCat(question.Text(), ": ", error, "\n-- expected --\n",
                        MessageText(expected), "-- got --\n",
                        MessageText(ours->message));
  }

  void CompareAll(const std::vector<std::string>& names) {
    std::vector<DiffQuestion> wrong;
    for (const std::string& name : names) {
      for (const std::string& type : kTypes) {
        DiffQuestion question;
        question.name = name;
        question.type = TypeFromText(type);
        question.options.id = static_cast<uint16_t>(compared_++);
        const std::string difference = Difference(question);
        if (difference.empty()) continue;
        wrong.push_back(question);
        if (wrong.size() <= kFailuresMax) ADD_FAILURE() << difference;
      }
    }
    if (wrong.empty()) return;
    // Late, or never?
    static_cast<void>(WaitUntilQuiet(milliseconds(10'000)));
    size_t healed = 0;
    for (const DiffQuestion& question : wrong) {
      healed += Difference(question).empty();
    }
    ADD_FAILURE() << wrong.size() << " questions have wrong answers; " << healed
                  << " are right ten seconds later";
  }

  void Run(const ChurnSetup& setup) {
    ASSERT_NO_FATAL_FAILURE(Start(setup));
    CatalogChurn churn(&consul_->api(), seed_, setup.size);
    // Some are never asked for but at the end: they stay without a watch.
    std::vector<std::string> asked = churn.QuestionNames();
    asked.resize(asked.size() / 4);
    Asker asker(dnsd_->dns(), asked, seed_);
    const int changes = Scaled(setup.changes);
    const auto began = Clock::now();
    milliseconds changing{0};
    for (int pause = 0; pause < setup.pauses; ++pause) {
      const auto from = Clock::now();
      for (int i = 0; i < changes / setup.pauses; ++i) {
        const std::string error = churn.Change();
        if (!error.empty()) FAIL() << error;
      }
      changing += std::chrono::duration_cast<milliseconds>(Clock::now() - from);
      ASSERT_TRUE(WaitUntilQuiet(setup.quiet)) << "dnsd does not come to rest";
      CompareAll(churn.QuestionNames());
      churn.Settle();
      if (HasFailure()) break;
    }
    asker.Stop();
    EXPECT_EQ(asker.failure(), "");
    EXPECT_GT(asker.asked(), 0);
    const auto all =
        std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    std::printf(
        "%d changes in %lld ms, %d answers compared, %d asked meanwhile, "
        "%lld ms in all\n",
        changes, static_cast<long long>(changing.count()), compared_,
        asker.asked(), static_cast<long long>(all.count()));
    for (const char* name :
         {"dnsd_consul_requests_total", "dnsd_consul_connects_total",
          "dnsd_mirror_services{", "dnsd_mirror_services_without_watch",
          "dnsd_mirror_loads_total", "dnsd_mirror_sweeps_total"}) {
      std::printf("  %s\n", Metric(name).c_str());
    }
  }

  // Of a metric of the one datacenter.
  int MirrorNumber(const std::string& name) {
    const std::string line = Metric(name + "{");
    int number = -1;
    return absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &number) ? number
                                                                       : -1;
  }

  std::optional<std::string> binary_;
  uint64_t seed_ = 0;
  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> api_;  // dnsd's
  std::optional<NewestConsul> newest_;
  std::optional<Peer> peer_;
  int compared_ = 0;
};

TEST_F(MirrorChurnTest, EveryServiceHasAWatch) {
  Run({{.service_names = 24, .nodes = 12}, "", 4000, 3, milliseconds(2'500)});
  EXPECT_EQ(MirrorNumber("dnsd_mirror_services_without_watch"), 0);
}

// Those without are fetched one by one; they are more than one poll covers.
TEST_F(MirrorChurnTest, FewServicesHaveAWatch) {
  Run({{.service_names = 44, .nodes = 12},
       "connections = 15",
       3000,
       2,
       milliseconds(3'500)});
  EXPECT_GT(MirrorNumber("dnsd_mirror_services_without_watch"), 0);
}

// There are too many without to fetch them one by one.
TEST_F(MirrorChurnTest, MostServicesHaveNoWatch) {
  Run({{.service_names = 150, .nodes = 20},
       "connections = 15",
       3000,
       2,
       milliseconds(5'500)});
  EXPECT_GT(MirrorNumber("dnsd_mirror_services_without_watch"), 32);
  EXPECT_GT(MirrorNumber("dnsd_mirror_sweeps_total"), 0);
}

}  // namespace
}  // namespace dnsd::testing
