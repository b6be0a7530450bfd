// `dnsd setup-resolver` on a machine: the real systemd-resolved,
// NetworkManager's dnsmasq and glibc then get names of `consul` from dnsd, and
// others through it or past it, from a second dnsd that was the machine's
// server before. What the verb writes is what dnsd/docs/machine.md shows.
//
// The program has a network, an /etc and a /run of its own, for which it needs
// root: skipped without. So are those whose programs `./dev` has not fetched.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/document.h"
#include "tests/testing/own_namespaces.h"
#include "tests/testing/process.h"
#include "tests/testing/resolvers.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kTry{500};

constexpr char kConfig[] = "/etc/dnsd-resolver.hcl";
constexpr char kServices[] =
    "dns_config { soa { min_ttl = 60 } }\n"
    "services { name = \"web\" address = \"192.0.2.1\" }\n";
// What the machine asked before, and one of its names.
constexpr char kFormerServer[] = "127.0.0.9";
constexpr char kFormerZone[] =
    "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n  NS ns\n"
    "ns A 127.0.0.9\nwww A 203.0.113.7\n";

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

// But for the two lines that say who wrote it.
std::string BodyOf(const std::string& path) {
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile(path), absl::MaxSplits('\n', 2));
  return lines.size() == 3 ? lines[2] : "";
}

// "192.0.2.1", or what `getent` said instead.
std::string Getent(const std::string& name) {
  const Finished got = RunToEnd({"getent", "ahostsv4", name});
  return got.output.substr(0, got.output.find(' '));
}

class SetupResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    *Problem() = EnterOwnNamespaces();
    if (Problem()->empty()) *Problem() = MakeMachineOwn();
    if (Problem()->empty()) *Problem() = InstalledResolverProblem();
  }
  static std::string* Problem() {
    static std::string problem;
    return &problem;
  }

  void SetUp() override {
    if (!Problem()->empty()) GTEST_SKIP() << *Problem();
    dir_.Write("services.hcl", kServices);
    former_.emplace(std::vector<std::string>{
        "-dev", "-node", "former", "-client", kFormerServer, "-dns-port", "53",
        "-config-file",
        dir_.Write("zones.hcl",
                   absl::StrCat("zones = [{ name = \"example.test\" file = \"",
                                dir_.Write("zone", kFormerZone), "\" }]\n"))});
    ASSERT_TRUE(former_->WaitUntilServing()) << former_->process().output();
    WriteFile("/etc/nsswitch.conf", "hosts: files dns\n");
    fs::remove("/etc/resolv.conf");
  }

  // dnsd as the verb wants it.
  void StartDnsd(const std::string& port) {
    std::vector<std::string> flags = {"-dev",
                                      "-node",
                                      "n1",
                                      "-dns-port",
                                      port,
                                      "-config-file",
                                      dir_.Path("services.hcl")};
    if (fs::exists(kConfig))
      flags.insert(flags.end(), {"-config-file", kConfig});
    dnsd_.emplace(flags);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }

  // The verb; what it says.
  [[nodiscard]] std::string Run(std::vector<std::string> args) const {
    args.insert(args.begin(), {"setup-resolver", "-write-config", kConfig});
    const Finished run = RunDnsd(args);
    EXPECT_EQ(run.exit_code, 0) << run.output;
    return run.output;
  }

  void ExpectNoTrouble() const {
    const std::string metrics =
        ConsulApi("http://" + dnsd_->HttpAddress()).Get("/metrics");
    EXPECT_THAT(metrics, HasSubstr("\ndnsd_dns_received_total{proto=\"udp\"}"));
    for (const absl::string_view line : absl::StrSplit(metrics, '\n')) {
      if (absl::StartsWith(line, "dnsd_dns_received_total{proto=\"tcp\"") ||
          absl::StrContains(line, "outcome=\"formerr\"")) {
        EXPECT_TRUE(absl::EndsWith(line, " 0")) << std::string(line);
      }
    }
  }

  TempDir dir_;
  std::optional<AgentProcess> former_;
  std::optional<AgentProcess> dnsd_;
};

// The user that it becomes, a directory that systemd would make for it, and a
// link, without which it answers nothing.
void PrepareForResolved() {
  const char kUser[] = "systemd-resolve";
  if (getpwnam(kUser) == nullptr) {
    std::ofstream("/etc/passwd", std::ios::app)
        << kUser << ":x:991:991::/:/usr/sbin/nologin\n";
    std::ofstream("/etc/group", std::ios::app) << kUser << ":x:991:\n";
  }
  const passwd* const user = getpwnam(kUser);
  ASSERT_NE(user, nullptr);
  const char kDirectory[] = "/run/systemd/resolve";
  fs::create_directories(kDirectory);
  ASSERT_EQ(chown(kDirectory, user->pw_uid, user->pw_gid), 0);
  fs::create_directories("/etc/systemd");
  if (if_nametoindex("veth0") != 0) return;  // of an earlier run
  for (const char* command :
       {"link add veth0 type veth peer name veth1", "link set veth1 up",
        "addr add 198.51.100.1/24 dev veth0", "link set veth0 up"}) {
    std::vector<std::string> words = absl::StrSplit(command, ' ');
    words.insert(words.begin(), "ip");
    const Finished run = RunToEnd(words);
    ASSERT_EQ(run.exit_code, 0) << command << ": " << run.output;
  }
}

TEST_F(SetupResolverTest, SystemdResolvedAsksDnsdAndNobodyElse) {
  const std::string program = ResolverProgram("lib/systemd/systemd-resolved");
  if (program.empty()) GTEST_SKIP() << "no systemd-resolved: ./dev test has it";
  ASSERT_NO_FATAL_FAILURE(PrepareForResolved());
  WriteFile("/run/systemd/resolve/resolv.conf",
            absl::StrCat("nameserver ", kFormerServer, "\n"));
  fs::create_symlink("../run/systemd/resolve/stub-resolv.conf",
                     "/etc/resolv.conf");
  EXPECT_THAT(Run({}), HasSubstr("systemctl restart systemd-resolved"));
  const std::string file = "/etc/systemd/resolved.conf.d/dnsd.conf";
  EXPECT_THAT(BodyOf(file), EndsWith(ChainSnippets()["systemd-resolved"]));
  EXPECT_EQ(BodyOf(kConfig), "recursors = [\"127.0.0.9\"]\n");

  ASSERT_NO_FATAL_FAILURE(StartDnsd("8600"));
  Process resolved(InstalledResolverCommand(program, {}));
  const DnsServer stub{"127.0.0.53", 53};
  DnsReply reply;
  const auto is_up = [&] {
    reply = AskUdp(stub, {"web.service.consul."}, kTry);
    return reply.rcode == "NOERROR";
  };
  ASSERT_TRUE(WaitUntil(is_up)) << resolved.output();
  EXPECT_THAT(Data(reply.answer, "A"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(AskUdp(stub, {"nope.service.consul."}).rcode, "NXDOMAIN");
  // It knows no server but dnsd.
  reply = AskUdp(stub, {"www.example.test."});
  EXPECT_THAT(Data(reply.answer, "A"), ElementsAre("203.0.113.7"));
  EXPECT_EQ(Getent("web.service.consul"), "192.0.2.1");
  ExpectNoTrouble();
  // Where to go on: what it says now is dnsd, and not taken for others.
  EXPECT_THAT(Run({}), HasSubstr("Everything is so already"));

  (void)Run({"-undo"});
  EXPECT_FALSE(fs::exists(fs::path(file).parent_path()));
  EXPECT_FALSE(fs::exists(kConfig));
}

// /etc/resolv.conf is a mount, as in a container.
TEST_F(SetupResolverTest, APlainResolvConfAsksDnsdWhichAsksItsServers) {
  const std::string former =
      absl::StrCat("search example.test\nnameserver ", kFormerServer, "\n");
  const std::string mounted = dir_.Write("resolv.conf", former);
  WriteFile("/etc/resolv.conf", "");
  ASSERT_EQ(
      mount(mounted.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr), 0);
  const auto snippet = [](const char* name) {
    return absl::StrReplaceAll(ChainSnippets()[name],
                               {{"192.0.2.53", kFormerServer}});
  };
  EXPECT_THAT(Run({}), HasSubstr("Wrote /etc/resolv.conf"));
  EXPECT_EQ(BodyOf(mounted), "search example.test\n" + snippet("resolv.conf"));
  EXPECT_EQ(BodyOf(kConfig), snippet("resolv.conf-dnsd"));
  EXPECT_THAT(Run({}), HasSubstr("Everything is so already"));

  ASSERT_NO_FATAL_FAILURE(StartDnsd("53"));
  EXPECT_EQ(Getent("web.service.consul"), "192.0.2.1");
  EXPECT_EQ(Getent("www"), "203.0.113.7");
  EXPECT_NE(RunToEnd({"getent", "ahosts", "nope.service.consul"}).exit_code, 0);
  ExpectNoTrouble();

  (void)Run({"-undo"});
  EXPECT_EQ(ReadFile(mounted), former);
  EXPECT_FALSE(fs::exists("/etc/resolv.conf.before-dnsd"));
  EXPECT_FALSE(fs::exists(kConfig));
  EXPECT_EQ(umount("/etc/resolv.conf"), 0);
}

// NetworkManager itself is not here; its dnsmasq is started as it starts it.
TEST_F(SetupResolverTest, NetworkManagersDnsmasqAsksDnsdForConsulOnly) {
  const std::string program = ResolverProgram("sbin/dnsmasq");
  if (program.empty()) GTEST_SKIP() << "no dnsmasq: ./dev test fetches it";
  fs::create_directories("/etc/NetworkManager");
  WriteFile("/etc/resolv.conf", "# Generated by NetworkManager\n");
  EXPECT_THAT(Run({}), HasSubstr("systemctl reload NetworkManager"));
  EXPECT_EQ(BodyOf("/etc/NetworkManager/conf.d/dnsd.conf"),
            ChainSnippets()["networkmanager"]);
  EXPECT_EQ(BodyOf("/etc/NetworkManager/dnsmasq.d/dnsd.conf"),
            ChainSnippets()["networkmanager-dnsmasq"]);
  EXPECT_FALSE(fs::exists(kConfig));

  ASSERT_NO_FATAL_FAILURE(StartDnsd("8600"));
  Process dnsmasq(ResolverCommand(
      program,
      {"--no-resolv", "--keep-in-foreground", "--no-hosts", "--bind-interfaces",
       "--pid-file=", "--listen-address=127.0.0.1", "--cache-size=400",
       "--conf-file=/dev/null", "--proxy-dnssec",
       "--conf-dir=/etc/NetworkManager/dnsmasq.d", "--log-facility=-",
       absl::StrCat("--server=", kFormerServer)}));
  WriteFile("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  const DnsServer server{"127.0.0.1", 53};
  const auto is_up = [&] {
    return AskUdp(server, {"web.service.consul."}, kTry).rcode == "NOERROR";
  };
  ASSERT_TRUE(WaitUntil(is_up)) << dnsmasq.output();
  EXPECT_EQ(Getent("web.service.consul"), "192.0.2.1");
  EXPECT_EQ(Getent("www.example.test"), "203.0.113.7");
  EXPECT_EQ(AskUdp(server, {"nope.service.consul."}).rcode, "NXDOMAIN");
  ExpectNoTrouble();

  (void)Run({"-undo"});
  EXPECT_TRUE(fs::is_empty("/etc/NetworkManager"));
}

}  // namespace
}  // namespace dnsd::testing
