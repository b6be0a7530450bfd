// A dnsd that mirrors a dnsd follows it by one long poll: it has the same
// answers after every change, for a request each; after the other was killed;
// and after a real Consul took its port and gave it back.
//
// The last is skipped without a Consul binary: DNSD_CONSUL names one.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/mirror_fixture.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kServices = 5;
constexpr int kNodes = 4;

std::vector<DnsQuestion> AllQuestions() {
  std::vector<DnsQuestion> questions;
  const auto add = [&](const std::string& name, const std::string& type) {
    questions.push_back({name, type, 4096, true});
  };
  for (int i = 0; i < kServices; ++i) {
    for (const char* type : {"A", "SRV"}) {
      add(absl::StrCat("s", i, ".service.consul"), type);
      add(absl::StrCat("t", i % 2, ".s", i, ".service.consul"), type);
    }
  }
  for (int i = 0; i < kNodes; ++i) {
    add(absl::StrCat("n", i, ".node.consul"), "ANY");
  }
  add("q.query.consul", "A");
  return questions;
}

std::string Sorted(std::vector<std::string> records) {
  std::sort(records.begin(), records.end());
  return absl::StrJoin(records, "\n");
}

std::string AnswerOf(const DnsServer& server, const DnsQuestion& question) {
  const DnsReply reply = AskUdp(server, question);
  return absl::StrCat(reply.error, reply.rcode, "\n", Sorted(reply.answer),
                      "\n+\n", Sorted(reply.additional));
}

class RegistryDelta : public ::testing::Test {
 protected:
  RegistryDelta()
      : random_(TestSeed()),
        ports_(PickConsulPorts("127.0.0.1")),
        api_(absl::StrCat("http://127.0.0.1:", ports_.http)) {}

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartUpper());
    EXPECT_EQ(api_.Call("POST", "/v1/query",
                        R"({"Name":"q","Service":{"Service":"s0"}})")
                  .status,
              200);
    MirrorSetup setup;
    setup.urls = {api_.url()};
    setup.args = {"-node", "lower", "-bind", "127.0.0.1"};
    lower_ = std::make_unique<MirrorAgent>(setup);
    ASSERT_TRUE(lower_->WaitUntilServing()) << lower_->log();
    ASSERT_TRUE(WaitForWay("delta"));
  }

  void StartUpper() {
    upper_.emplace(std::vector<std::string>{
        "-data-dir", data_dir_.path(), "-node", "upper", "-bind", "127.0.0.1",
        "-http-port", absl::StrCat(ports_.http)});
    ASSERT_TRUE(upper_->WaitUntilServing()) << upper_->process().output();
  }
  void KillUpper() {
    upper_->process().Signal(SIGKILL);
    upper_.reset();
  }

  // "delta" or "watches".
  [[nodiscard]] bool WaitForWay(const std::string& way) {
    return lower_->WaitForStat("mirror_dc1", "followed_by", way) &&
           lower_->WaitForStat("mirror_dc1", "phase", "watching");
  }
  [[nodiscard]] uint64_t Number(const std::string& section,
                                const std::string& key) {
    uint64_t number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(lower_->Stat(section, key), &number)) << key;
    return number;
  }

  void WaitUntilSame() {
    for (const DnsQuestion& question : AllQuestions()) {
      std::string upper;
      std::string lower;
      const bool same = WaitUntil([&] {
        upper = AnswerOf(upper_->dns(), question);
        lower = AnswerOf(lower_->dns(), question);
        return upper == lower;
      });
      ASSERT_TRUE(same) << question.name << " " << question.type
                        << "\nupper: " << upper << "\nlower: " << lower << "\n"
                        << lower_->log();
    }
  }

  int Below(int bound) {
    return std::uniform_int_distribution<int>(0, bound - 1)(random_);
  }
  ConsulInstance AnyInstance() {
    static constexpr const char* kStatus[] = {"passing", "warning", "critical",
                                              ""};
    ConsulInstance instance;
    const int service = Below(kServices);
    instance.node = absl::StrCat("n", Below(kNodes));
    instance.node_address = absl::StrCat("10.0.", Below(3), ".1");
    instance.name = absl::StrCat("s", service);
    instance.port = static_cast<uint16_t>(80 + Below(2));
    if (Below(2) == 0) instance.address = absl::StrCat("10.1.0.", Below(4));
    if (Below(2) == 0) instance.tags = {absl::StrCat("t", service % 2)};
    if (Below(2) == 0) instance.meta = {{"k", absl::StrCat(Below(3))}};
    instance.status = kStatus[Below(4)];
    return instance;
  }
  void Change(ConsulApi* api) {
    const ConsulInstance any = AnyInstance();
    switch (Below(6)) {
      case 0:
        // What is not there is withdrawn all the same.
        EXPECT_TRUE(api->DeregisterService(any.node, any.name));
        return;
      case 1:
        EXPECT_TRUE(api->DeregisterNode(any.node));
        return;
      case 2: {  // the node alone, and a check of its own
        const char* status = Below(2) == 0 ? "passing" : "critical";
        EXPECT_EQ(api->Put("/v1/catalog/register",
                           absl::StrCat(R"({"Node":")", any.node,
                                        R"(","Address":")", any.node_address,
                                        R"(","NodeMeta":{"m":")", Below(3),
                                        R"("},"Check":{"CheckID":"own",)"
                                        R"("Name":"own","Status":")",
                                        status, R"("}})")),
                  200);
        return;
      }
      default:
        EXPECT_TRUE(api->Register(any));
    }
  }

  std::mt19937_64 random_;
  const ConsulPorts ports_;
  TempDir data_dir_;
  ConsulApi api_;
  std::optional<AgentProcess> upper_;
  std::unique_ptr<MirrorAgent> lower_;
};

TEST_F(RegistryDelta, EveryChangeIsOneRequest) {
  const uint64_t deltas = Number("mirror_dc1", "deltas");
  const uint64_t requests = Number("consul", "requests");
  const auto began = Clock::now();
  const int changes = Scaled(150);
  for (int i = 0; i < changes; ++i) {
    SCOPED_TRACE(absl::StrCat("change ", i));
    Change(&api_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
  }
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began)
          .count();
  const auto count = static_cast<uint64_t>(changes);
  EXPECT_LE(Number("mirror_dc1", "deltas") - deltas, count);
  // Beside those: a heartbeat every other second, give or take an eighth, and
  // the end of a wait of five seconds now and then, of two polls.
  const auto others = static_cast<uint64_t>(seconds + 1) * 3 / 2 + 10;
  EXPECT_LE(Number("consul", "requests") - requests, count + others);
  EXPECT_EQ(lower_->Stat("mirror_dc1", "sweeps"), "0");
  EXPECT_EQ(lower_->Stat("mirror_dc1", "watches"), "2");
}

TEST_F(RegistryDelta, ManyChangesAtOnceAreFollowed) {
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < Scaled(100); ++i) Change(&api_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
  }
}

TEST_F(RegistryDelta, UpperIsKilledAndComesBack) {
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    for (int i = 0; i < 20; ++i) Change(&api_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
    const DnsQuestion question = AllQuestions()[0];
    const std::string known = AnswerOf(lower_->dns(), question);
    KillUpper();
    EXPECT_EQ(AnswerOf(lower_->dns(), question), known);
    ASSERT_NO_FATAL_FAILURE(StartUpper());
    for (int i = 0; i < 5; ++i) Change(&api_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
    ASSERT_TRUE(WaitForWay("delta"));
  }
}

TEST_F(RegistryDelta, ConsulTakesThePortAndGivesItBack) {
  const auto binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  for (int i = 0; i < 20; ++i) Change(&api_);
  ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
  KillUpper();
  {
    ConsulProcessOptions options;
    options.ports = ports_;
    options.node_name = "consul-node";
    ConsulProcess consul(*binary, options);
    ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
    ConsulInstance instance;
    instance.node = "far";
    instance.node_address = "10.9.0.1";
    instance.name = "real";
    EXPECT_TRUE(consul.api().Register(instance));
    EXPECT_TRUE(lower_->WaitForAddresses("real.service.consul", {"10.9.0.1"}))
        << lower_->log();
    EXPECT_TRUE(WaitForWay("watches"));
    // What the other had is gone, for this Consul never had it.
    EXPECT_TRUE(lower_->WaitForAddresses("s0.service.consul", {}));
    instance.node_address = "10.9.0.2";
    EXPECT_TRUE(consul.api().Register(instance));
    EXPECT_TRUE(lower_->WaitForAddresses("real.service.consul", {"10.9.0.2"}));
    consul.Kill();
  }
  ASSERT_NO_FATAL_FAILURE(StartUpper());
  ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
  EXPECT_TRUE(lower_->WaitForAddresses("real.service.consul", {}));
  EXPECT_TRUE(WaitForWay("delta"));
  for (int i = 0; i < 10; ++i) {
    Change(&api_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilSame());
  }
}

}  // namespace
}  // namespace dnsd::testing
