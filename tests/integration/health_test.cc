// The real binary's health: what it says of itself, to whom, and whether that
// is true. Loops are made to hang by stopping their threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/frozen_thread.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

constexpr char kWeb[] =
    "service { name = \"web\" address = \"192.0.2.1\" port = 80 }\n";
// As soon as it may be.
constexpr char kHangsSoon[] = "health { hang_after = \"2s\" }\n";
// A word of ours every 200 ms.
constexpr char kWatchdog[] = "WATCHDOG_USEC=400000";

class HealthTest : public ::testing::Test {
 protected:
  // An agent with two workers, and the service manager it talks to.
  void Start(const std::string& config, std::vector<std::string> args = {}) {
    dir_.Write("agent.hcl", config);
    args.insert(args.end(), {"-workers", "2", "-config-dir", dir_.path()});
    agent_.emplace(
        args, std::vector<std::string>{"env", manager_.Variable(), kWatchdog});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
    api_.emplace("http://" + agent_->HttpAddress());
  }

  Finished Health(std::vector<std::string> args = {}) const {
    args.insert(args.begin(),
                {"health", "-http-addr=" + agent_->HttpAddress()});
    return RunDnsd(args);
  }
  [[nodiscard]] bool SoonSays(const char* path, int status) {
    return WaitUntil([&] { return api_->Call("GET", path).status == status; });
  }
  std::string RcodeOfWeb() const {
    const DnsReply reply = AskUdp(agent_->dns(), {"web.service.consul."});
    return reply.error.empty() ? reply.rcode : reply.error;
  }
  // Whether the manager's watchdog hears nothing for five times of ours.
  [[nodiscard]] bool WatchdogIsSilent() {
    manager_.Forget();
    return !manager_.WaitFor("WATCHDOG=1", milliseconds(1'000));
  }

  TempDir dir_;
  TempDir socket_dir_;
  NotifySocket manager_{socket_dir_.Path("notify")};
  std::optional<AgentProcess> agent_;
  std::optional<ConsulApi> api_;
};

TEST_F(HealthTest, AnAgentIsHealthyAndReadyAndNoTokenIsNeeded) {
  Start(absl::StrCat(kWeb, "acl { enabled = true default_policy = \"deny\" }"));
  EXPECT_EQ(api_->Call("GET", "/metrics").status, 403);
  const ConsulReply health = api_->Call("GET", "/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.headers.at("content-type"), "application/json");
  EXPECT_THAT(health.body, StartsWith(R"({"Healthy":true,"Reasons":[],)"));
  for (const char* loop : {"catalog-sync", "dnsd-w0", "dnsd-w1"}) {
    EXPECT_THAT(health.body, HasSubstr(absl::StrCat("\"", loop, "\"")));
  }
  EXPECT_EQ(api_->Call("GET", "/ready").body,
            R"({"Ready":true,"Reasons":[],"Warnings":[],"CatalogAgeMs":null})");
  EXPECT_EQ(api_->Call("PUT", "/ready").status, 405);

  const Finished healthy = Health();
  EXPECT_EQ(healthy.exit_code, 0) << healthy.output;
  EXPECT_EQ(healthy.output, "healthy\n");
  EXPECT_EQ(Health({"-ready"}).output, "ready\n");
}

TEST_F(HealthTest, TheVerbAsksDnsToo) {
  Start(kWeb);
  const std::string port = absl::StrCat(agent_->dns().port);
  EXPECT_EQ(Health({"-dns-addr=127.0.0.1:" + port}).output, "healthy\n");
  // Another address of this machine, where nobody listens.
  const Finished refused = Health({"-dns-addr=127.0.0.9:" + port});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.output, absl::StrCat("DNS at 127.0.0.9:", port,
                                         " over UDP: connection refused\n"));
  const Finished wrong = Health({"-dns-addr=nowhere"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_EQ(wrong.output, "\"nowhere\" is not IP, IP:PORT or [IP]:PORT\n");
  EXPECT_EQ(Health({"-timeout=soon"}).exit_code, 1);
  EXPECT_EQ(Health({"more"}).exit_code, 1);

  agent_->process().Pause();
  const Finished silent =
      Health({"-timeout=300ms", "-dns-addr=127.0.0.1:" + port});
  EXPECT_EQ(silent.exit_code, 1);
  EXPECT_THAT(silent.output, HasSubstr("Get \"http://127.0.0.1:"));
  agent_->process().Signal(SIGCONT);
  ASSERT_EQ(agent_->Stop(), 0);
  EXPECT_THAT(Health().output, HasSubstr("connection refused"));
}

TEST_F(HealthTest, AWorkerThatHangsIsNamedAndTheWatchdogHearsNothing) {
  Start(absl::StrCat(kWeb, kHangsSoon));
  ASSERT_TRUE(manager_.WaitFor("WATCHDOG=1"));
  {
    const FrozenThread frozen(agent_->process().pid(), "dnsd-w1");
    ASSERT_EQ(frozen.error(), "");
    ASSERT_TRUE(SoonSays("/health", 503));
    constexpr char kWhy[] =
        "the event loop dnsd-w1 has not turned for more than 2 s";
    const std::string body = api_->Call("GET", "/health").body;
    EXPECT_THAT(body, StartsWith(absl::StrCat(
                          R"({"Healthy":false,"Reasons":[")", kWhy, "\"]")));
    EXPECT_EQ(api_->Call("GET", "/ready").status, 503);
    const Finished health = Health();
    EXPECT_EQ(health.exit_code, 1);
    EXPECT_EQ(health.output, absl::StrCat("not healthy: ", kWhy, "\n"));
    EXPECT_TRUE(agent_->process().WaitForOutput(kWhy));
    EXPECT_TRUE(WatchdogIsSilent());
  }
  EXPECT_TRUE(SoonSays("/health", 200));
  EXPECT_TRUE(manager_.WaitFor("WATCHDOG=1"));
  EXPECT_TRUE(agent_->process().WaitForOutput("All event loops turn again"));
  EXPECT_EQ(agent_->Stop(), 0);
}

// Then nobody is left to say so: silence has to mean it.
TEST_F(HealthTest, WhenTheSyncThreadHangsTheVerbAndTheWatchdogEnd) {
  Start(absl::StrCat(kWeb, kHangsSoon));
  ASSERT_TRUE(manager_.WaitFor("WATCHDOG=1"));
  {
    const FrozenThread frozen(agent_->process().pid(), "catalog-sync");
    ASSERT_EQ(frozen.error(), "");
    const Finished health = Health({"-timeout=300ms"});
    EXPECT_EQ(health.exit_code, 1);
    EXPECT_THAT(health.output, HasSubstr("timed out"));
    EXPECT_TRUE(WatchdogIsSilent());
    EXPECT_EQ(RcodeOfWeb(), "NOERROR");
  }
  EXPECT_TRUE(SoonSays("/health", 200));
  EXPECT_TRUE(manager_.WaitFor("WATCHDOG=1"));
}

TEST_F(HealthTest, TheManagerHearsOfTheStartOfReloadsAndOfTheStop) {
  Start(kWeb);
  EXPECT_TRUE(manager_.WaitFor("READY=1"));
  EXPECT_EQ(RcodeOfWeb(), "NOERROR");

  for (const char* config : {kWeb, "no_such_key = 1\n", kWeb}) {
    dir_.Write("agent.hcl", config);
    agent_->process().Signal(SIGHUP);
    EXPECT_THAT(manager_.WaitFor("RELOADING=1"),
                Optional(StartsWith("RELOADING=1\nMONOTONIC_USEC=")));
    EXPECT_TRUE(manager_.WaitFor("READY=1"));
  }
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_TRUE(manager_.WaitFor("STOPPING=1"));
  EXPECT_TRUE(manager_.WaitFor("STATUS=Not ready: stopping"));
}

// As an abstract address, which a manager in a container may have. Programs
// that checks run do not get it.
TEST_F(HealthTest, TheManagersVariablesGoNoFurther) {
  const std::string name =
      absl::StrCat("@dnsd-health-test", socket_dir_.path());
  NotifySocket manager(name);
  dir_.Write("agent.hcl",
             "check { id = \"env\" name = \"env\" interval = \"1s\"\n"
             "args = [\"sh\", \"-c\", \"env | grep -E 'NOTIFY|WATCHDOG' "
             "|| echo nothing of it\"] }\n");
  agent_.emplace(
      std::vector<std::string>{"-enable-local-script-checks", "-config-dir",
                               dir_.path()},
      std::vector<std::string>{"env", manager.Variable(), kWatchdog});
  ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  EXPECT_TRUE(manager.WaitFor("READY=1"));
  ConsulApi api("http://" + agent_->HttpAddress());
  EXPECT_TRUE(WaitUntil([&] {
    return api.Get("/v1/agent/checks").find("nothing of it") !=
           std::string::npos;
  })) << api.Get("/v1/agent/checks");
}

// Questions from the signal to the end of the lame duck's time: each is
// answered.
TEST_F(HealthTest, ALameDuckIsNotReadyAndAnswersEverything) {
  Start(absl::StrCat(kWeb, "health { lame_duck = \"1h\" }\n"));
  std::atomic<bool> done = false;
  size_t asked = 0;
  std::vector<std::string> wrong;
  std::thread client([&] {
    while (!done) {
      const std::string rcode = RcodeOfWeb();
      if (rcode != "NOERROR") wrong.push_back(rcode);
      ++asked;
    }
  });
  agent_->process().Signal(SIGTERM);
  EXPECT_TRUE(SoonSays("/ready", 503));
  EXPECT_EQ(api_->Call("GET", "/ready").body,
            R"({"Ready":false,"Reasons":["stopping"],"Warnings":[],)"
            R"("CatalogAgeMs":null})");
  EXPECT_EQ(Health({"-ready"}).output, "not ready: stopping\n");
  EXPECT_EQ(Health().exit_code, 0);
  // A reload comes too late, and ends nothing; a registration is taken.
  agent_->process().Signal(SIGHUP);
  EXPECT_EQ(api_->Put("/v1/agent/service/register", R"({"Name":"late"})"), 200);
  EXPECT_EQ(AskUdp(agent_->dns(), {"late.service.consul."}).rcode, "NOERROR");
  manager_.Forget();
  EXPECT_TRUE(manager_.WaitFor("WATCHDOG=1"));
  done = true;
  client.join();
  EXPECT_GT(asked, 0u);
  EXPECT_EQ(wrong, std::vector<std::string>());
  EXPECT_EQ(agent_->Stop(), 0);  // the second SIGTERM
}

TEST_F(HealthTest, ALameDuckEndsByItself) {
  Start(absl::StrCat(kWeb, "health { lame_duck = \"1s\" }\n"));
  agent_->process().Signal(SIGINT);
  EXPECT_TRUE(SoonSays("/ready", 503));
  EXPECT_EQ(RcodeOfWeb(), "NOERROR");
  EXPECT_EQ(agent_->process().Wait(), 0);
}

TEST_F(HealthTest, AMirrorIsReadyWhenItIsLoadedAndNotWhenItIsTooOld) {
  TempDir other_dir;
  other_dir.Write("web.hcl", kWeb);
  std::optional<AgentProcess> mirrored(
      std::vector<std::string>{"-config-dir", other_dir.path()});
  ASSERT_TRUE(mirrored->WaitUntilServing());
  mirrored->process().Pause();

  Start("consul { stale_after = \"1s\" }\nhealth { max_age = \"3s\" }\n",
        {"-consul-http-addr", mirrored->HttpAddress()});
  EXPECT_EQ(api_->Call("GET", "/health").status, 200);
  EXPECT_EQ(Health({"-ready"}).output,
            "not ready: the catalog is not loaded: no word from Consul yet\n");
  EXPECT_TRUE(manager_.WaitFor("STATUS=Not ready: the catalog is not loaded"));

  mirrored->process().Signal(SIGCONT);
  EXPECT_TRUE(SoonSays("/ready", 200));
  EXPECT_TRUE(manager_.WaitFor("STATUS=Ready"));
  EXPECT_EQ(RcodeOfWeb(), "NOERROR");

  mirrored->process().Pause();
  EXPECT_TRUE(manager_.WaitFor("STATUS=Ready; the catalog is stale"));
  EXPECT_TRUE(SoonSays("/ready", 503));
  EXPECT_EQ(Health({"-ready"}).output,
            "not ready: the catalog is stale: no word from Consul for more "
            "than 3 s\n");
  // It is answered all the same: who still asks is better served than not.
  EXPECT_EQ(RcodeOfWeb(), "NOERROR");
  EXPECT_EQ(Health().exit_code, 0);
  mirrored->process().Signal(SIGCONT);
  EXPECT_TRUE(SoonSays("/ready", 200));
}

TEST_F(HealthTest, MetricsHaveTheAgeOfEachLoop) {
  Start(kWeb);
  const std::string text = api_->Get("/metrics");
  EXPECT_THAT(text, HasSubstr("\ndnsd_ready 1\n"));
  for (const char* loop : {"catalog-sync", "dnsd-w0", "dnsd-w1"}) {
    EXPECT_THAT(text,
                HasSubstr(absl::StrCat("\ndnsd_loop_beat_age_seconds{loop=\"",
                                       loop, "\"}")));
  }
}

}  // namespace
}  // namespace dnsd::testing
