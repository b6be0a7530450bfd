// dnsd as the primary of the secondaries people have: BIND, Knot and NSD, from
// Debian. Each takes the catalog's zone and one from a file, signed with TSIG,
// answers as dnsd does, and follows a registration and a reload by NOTIFY
// alone: the SOA's timers are longer than the test. One with a wrong secret
// gets nothing.
//
// Skipped without them; `./dev` fetches them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/resolvers.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr std::chrono::milliseconds kTry{500};
// Not followed, in a secondary that could have.
constexpr std::chrono::milliseconds kRefusedFor{3'000};
constexpr char kSecret[] = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
constexpr char kWrongSecret[] = "d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nd3I=";

// In `config` and `args`, DIR is its directory, CONFIG its configuration, DNSD
// the port of dnsd, PORT its own, SECRET the key's.
struct Secondary {
  const char* name;
  const char* program;  // below usr/
  const char* config;
  std::vector<std::string> args;
};

const Secondary kSecondaries[] = {
    {"bind",
     "sbin/named",
     R"(options {
  directory "DIR";
  listen-on port PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  recursion no;
  empty-zones-enable no;
  min-refresh-time 1;
  notify no;
};
controls {};
key "xfr.example" { algorithm hmac-sha256; secret "SECRET"; };
primaries dnsd { 127.0.0.1 port DNSD key "xfr.example"; };
zone "consul" {
  type secondary; primaries { dnsd; }; file "consul.zone";
  allow-notify { 127.0.0.1; };
};
zone "example.test" {
  type secondary; primaries { dnsd; }; file "example.zone";
  allow-notify { 127.0.0.1; };
};
)",
     {"-g", "-c", "CONFIG"}},
    {"knot",
     "sbin/knotd",
     R"(server:
  rundir: "DIR"
  listen: 127.0.0.1@PORT
  pidfile: "DIR/knot.pid"
database:
  storage: "DIR"
log:
  - target: stderr
    any: info
key:
  - id: xfr.example
    algorithm: hmac-sha256
    secret: SECRET
remote:
  - id: dnsd
    address: 127.0.0.1@DNSD
    key: xfr.example
acl:
  - id: notify
    address: 127.0.0.1
    key: xfr.example
    action: notify
template:
  - id: default
    storage: "DIR"
    master: dnsd
    acl: notify
    zonefile-sync: -1
zone:
  - domain: consul
  - domain: example.test
)",
     {"-c", "CONFIG"}},
    {"nsd",
     "sbin/nsd",
     R"(server:
  ip-address: 127.0.0.1@PORT
  username: ""
  chroot: ""
  zonesdir: "DIR"
  database: ""
  pidfile: "DIR/nsd.pid"
  xfrdfile: "DIR/xfrd.state"
  xfrdir: "DIR"
  zonelistfile: "DIR/zone.list"
  server-count: 1
  verbosity: 2
remote-control:
  control-enable: no
key:
  name: "xfr.example"
  algorithm: hmac-sha256
  secret: "SECRET"
zone:
  name: "consul"
  zonefile: "consul.zone"
  allow-notify: 127.0.0.1 xfr.example
  request-xfr: 127.0.0.1@DNSD xfr.example
zone:
  name: "example.test"
  zonefile: "example.zone"
  allow-notify: 127.0.0.1 xfr.example
  request-xfr: 127.0.0.1@DNSD xfr.example
)",
     {"-d", "-c", "CONFIG"}},
};

std::string ZoneText(int serial, const std::string& address) {
  return absl::StrCat("$TTL 60\n@ SOA ns hostmaster ", serial,
                      " 86400 86400 864000 60\n@ NS ns\nns A 192.0.2.53\n",
                      "www A ", address, "\n");
}

class SecondariesTest : public ::testing::TestWithParam<Secondary> {
 protected:
  void Start(const std::string& secret) {
    const std::string program = ResolverProgram(GetParam().program);
    if (program.empty()) {
      GTEST_SKIP() << "no " << GetParam().program << ": ./dev test fetches it";
    }
    server_.port = PickConsulPorts(server_.ip).dns;
    dir_.Write("example.test.zone", ZoneText(1, "192.0.2.1"));
    dir_.Write("dnsd.hcl", Filled(R"(
      zones = [{ name = "example.test", file = "DIR/example.test.zone" }]
      dns_config {
        soa { refresh = 86400 retry = 86400 expire = 864000 }
        service_ttl { "*" = "60s" }
        node_ttl = "60s"
      }
      zone_transfer {
        allow = ["127.0.0.1"]
        keys = [{ name = "xfr.example", secret = "GOOD" }]
        notify = ["127.0.0.1:PORT"]
        notify_interval = "100ms"
      })"));
    dnsd_.emplace(std::vector<std::string>{
        "-dev", "-node", "n1", "-config-file", dir_.Path("dnsd.hcl")});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    Register("web", 1);
    const std::string config =
        absl::StrReplaceAll(Filled(GetParam().config), {{"SECRET", secret}});
    dir_.Write("config", config);
    std::vector<std::string> args;
    for (const std::string& arg : GetParam().args) args.push_back(Filled(arg));
    secondary_.emplace(ResolverCommand(program, args));
  }

  [[nodiscard]] std::string Filled(const std::string& text) const {
    return absl::StrReplaceAll(
        text, {{"DIR", dir_.path()},
               {"CONFIG", dir_.Path("config")},
               {"DNSD", absl::StrCat(dnsd_ ? dnsd_->dns().port : 0)},
               {"GOOD", kSecret},
               {"PORT", absl::StrCat(server_.port)}});
  }

  // An instance of a service: 10.0.0.<number>, port 8000 and that.
  void Register(const std::string& service, int number) const {
    ConsulApi api("http://" + dnsd_->HttpAddress());
    EXPECT_EQ(api.Put("/v1/agent/service/register",
                      absl::StrCat("{\"Name\":\"", service, "\",\"ID\":\"",
                                   service, number, "\",\"Port\":",
                                   8000 + number, ",\"Address\":\"10.0.0.",
                                   number, "\",\"Tags\":[\"v", number, "\"]}")),
              200);
  }

  // Sorted answers; nothing when it cannot be had.
  static std::vector<std::string> Answers(const DnsServer& server,
                                          const std::string& name,
                                          const std::string& type) {
    DnsReply reply = AskUdp(server, {name, type, 1232}, kTry);
    if (reply.rcode != "NOERROR") return {};
    std::sort(reply.answer.begin(), reply.answer.end());
    return reply.answer;
  }

  [[nodiscard]] bool Has(const std::string& name, const std::string& address,
                         std::chrono::milliseconds timeout = kPatience) const {
    return WaitUntil(
        [&] {
          const auto data = Data(Answers(server_, name, "A"), "A");
          return std::find(data.begin(), data.end(), address) != data.end();
        },
        timeout);
  }

  TempDir dir_;
  DnsServer server_;
  std::optional<AgentProcess> dnsd_;
  std::optional<Process> secondary_;
};

TEST_P(SecondariesTest, CarriesTheNamesFurther) {
  Start(kSecret);
  if (IsSkipped()) return;
  ASSERT_TRUE(Has("web.service.consul.", "10.0.0.1")) << secondary_->output();
  ASSERT_TRUE(Has("www.example.test.", "192.0.2.1")) << secondary_->output();
  for (const auto& [name, type] :
       {std::pair{"web.service.consul.", "A"},
        std::pair{"web.service.consul.", "SRV"},
        std::pair{"v1.web.service.consul.", "SRV"},
        std::pair{"_web._tcp.service.consul.", "SRV"},
        std::pair{"_web._v1.service.dc1.consul.", "SRV"},
        std::pair{"web.service.dc1.consul.", "A"},
        std::pair{"0a000001.addr.dc1.consul.", "A"},
        std::pair{"n1.node.consul.", "A"},
        std::pair{"n1.node.dc1.consul.", "A"},
        std::pair{"consul.service.consul.", "A"}, std::pair{"consul.", "NS"},
        std::pair{"consul.", "SOA"}, std::pair{"ns.consul.", "A"},
        std::pair{"example.test.", "SOA"}, std::pair{"example.test.", "NS"}}) {
    const auto expected = Answers(dnsd_->dns(), name, type);
    EXPECT_FALSE(expected.empty()) << name << " " << type;
    EXPECT_EQ(Answers(server_, name, type), expected) << name << " " << type;
  }
  EXPECT_EQ(AskUdp(server_, {"nope.service.consul."}).rcode, "NXDOMAIN");
  // An empty non-terminal.
  EXPECT_EQ(AskUdp(server_, {"service.consul."}).rcode, "NOERROR");
}

TEST_P(SecondariesTest, FollowsByNotify) {
  Start(kSecret);
  if (IsSkipped()) return;
  ASSERT_TRUE(Has("web.service.consul.", "10.0.0.1")) << secondary_->output();
  ASSERT_TRUE(Has("www.example.test.", "192.0.2.1")) << secondary_->output();
  Register("web", 2);
  EXPECT_TRUE(Has("web.service.consul.", "10.0.0.2")) << secondary_->output();
  EXPECT_THAT(Data(Answers(server_, "web.service.consul.", "A"), "A"),
              UnorderedElementsAre("10.0.0.1", "10.0.0.2"));
  // And again, so that the serial moves from what was transferred.
  Register("later", 3);
  EXPECT_TRUE(Has("later.service.consul.", "10.0.0.3")) << secondary_->output();
  dir_.Write("example.test.zone", ZoneText(2, "192.0.2.2"));
  EXPECT_EQ(dnsd_->Reload().exit_code, 0);
  EXPECT_TRUE(Has("www.example.test.", "192.0.2.2")) << secondary_->output();
}

TEST_P(SecondariesTest, AWrongSecretGetsNothing) {
  Start(kWrongSecret);
  if (IsSkipped()) return;
  // It has asked, and been told.
  ASSERT_TRUE(WaitUntil([this] {
    const std::string metrics =
        ConsulApi("http://" + dnsd_->HttpAddress()).Get("/metrics");
    return metrics.find("dnsd_transfer_bad_signatures_total 0") ==
               std::string::npos &&
           metrics.find("dnsd_transfer_bad_signatures_total ") !=
               std::string::npos;
  })) << secondary_->output();
  EXPECT_FALSE(Has("web.service.consul.", "10.0.0.1", kRefusedFor));
  EXPECT_THAT(ConsulApi("http://" + dnsd_->HttpAddress()).Get("/metrics"),
              HasSubstr("dnsd_transfer_started_total 0"));
}

INSTANTIATE_TEST_SUITE_P(All, SecondariesTest,
                         ::testing::ValuesIn(kSecondaries),
                         [](const auto& secondary) {
                           return std::string(secondary.param.name);
                         });

}  // namespace
}  // namespace dnsd::testing
