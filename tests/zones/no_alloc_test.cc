// The hot path's promises, counted: a query costs no allocation, no lock and
// no look at the clock, whatever is asked.
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/serve/rate_limiter.h"
#include "tests/testing/call_counters.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::Arm;
using testing::BatchMaker;
using testing::BuildQuery;
using testing::CallCounts;
using testing::Disarm;
using testing::EcsOption;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;
using testing::MakeQueryTemplate;
using testing::QueryOptions;

// A catalog with something behind every kind of name.
State* Fill(State* state) {
  BatchMaker batch;
  Node node = MakeNode("n1", "10.0.0.1");
  node.id = "11111111-2222-3333-4444-555555555555";
  node.meta = {{"os", "linux"}, {"rfc1035-x", "raw"}};
  node.tagged_addresses["lan_ipv6"] = "2001:db8::1";
  batch.Put(node);
  batch.Put(MakeNode("a.rack1", "10.0.0.2"));
  batch.Put(MakeNode("far", "10.9.0.1", "dc9"));
  batch.Put(MakeNode("alias", "www.example.com"));
  const NodeKey n1 = {"dc1", "n1"};
  batch.Put(n1, MakeInstance("web", "web", "", 80, {"v1", "v1.x"}));
  batch.Put({"dc9", "far"}, MakeInstance("web", "web"));
  for (int i = 0; i < 300; ++i) {
    const std::string text = std::to_string(i);
    batch.Put(n1, MakeInstance("big" + text, "big",
                               "10.1." + std::to_string(i / 250) + "." +
                                   std::to_string(i % 250)));
  }
  batch.Put(n1, MakeInstance("c1", "chain", "chain2.service.consul"));
  batch.Put(n1, MakeInstance("c2", "chain2", "big.service.consul"));
  batch.Put(n1, MakeInstance("self", "self", "self.service.consul"));
  batch.Put(n1, MakeInstance("ext", "ext", "www.example.com"));
  batch.Put(n1, MakeInstance("cq", "cq", "a.query.consul"));
  batch.Put(MakePreparedQuery("1d", "a", "big"));
  batch.Put(MakePreparedQuery("2d", "empty", "none"));
  batch.Put(MakePreparedQuery("3d", "with.dots", "web"));
  batch.Put(MakeQueryTemplate("template", "t-", "${name.suffix}"));
  batch.Put(n1, MakeInstance("sick", "sick", "10.2.0.1"));
  batch.Put(n1, MakeCheck("c", "sick", HealthStatus::kCritical));
  batch.Put(n1, MakeInstance("consul", "consul"));
  ServiceInstance native = MakeInstance("mesh", "mesh", "10.3.0.1");
  native.connect_native = true;
  native.tagged_addresses["consul-virtual"] = {"240.0.0.1", 0};
  batch.Put(n1, native);
  ServiceInstance gateway = MakeInstance("gw", "gw", "2001:db8::9");
  gateway.kind = ServiceKind::kIngressGateway;
  gateway.mesh.Edit().gateway_services = {"web"};
  batch.Put(n1, gateway);
  batch.ApplyTo(state);
  return state;
}

const char kZone[] =
    "$TTL 60\n"
    "@ SOA ns.example.org. root.example.org. 1 2 3 4 5\n"
    "@ NS ns\n"
    "ns A 192.0.2.1\n"
    "www CNAME host\n"
    "host A 192.0.2.2\n"
    "*.wild TXT \"any\"\n"
    "a.b.c A 192.0.2.3\n"
    "sub NS ns.sub\n"
    "ns.sub A 192.0.2.4\n";

const char* const kNames[] = {
    // Services in all spellings.
    "web.service.consul.", "WEB.service.CONSUL.", "web.service.dc9.dc.consul.",
    "v1.web.service.consul.", "x.v1.x.web.service.consul.",
    "x.web.service.consul.", "no.web.service.consul.",
    "_web._tcp.service.consul.", "_web._v1.service.consul.",
    "_web._tcp.consul.", "_tcp.service.consul.", "big.service.consul.",
    "sick.service.consul.", "none.service.consul.", "web.service.dc7.consul.",
    "chain.service.consul.", "self.service.consul.", "ext.service.consul.",
    "mesh.connect.consul.", "web.ingress.consul.", "mesh.virtual.consul.",
    "none.virtual.consul.", "web.service.alt.test.",
    // Nodes.
    "n1.node.consul.", "11111111-2222-3333-4444-555555555555.node.consul.",
    "a.rack1.node.consul.", "rack1.node.consul.", "far.node.dc9.consul.",
    "alias.node.consul.", "none.node.consul.",
    // Addresses and reverse names.
    "0a000001.addr.consul.", "20010db8000000000000000000000001.addr.consul.",
    "xyz.addr.consul.", "1.0.0.10.in-addr.arpa.", "9.9.9.9.in-addr.arpa.",
    "10.in-addr.arpa.", "in-addr.arpa.",
    "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
    // Prepared queries: found, empty, of a template, the template's id, an
    // empty non-terminal, unknown; behind a CNAME.
    "a.query.consul.", "_a._tcp.query.dc1.consul.", "empty.query.consul.",
    "t-web.query.consul.", "_t-web._tcp.query.consul.",
    "template.query.consul.", "dots.query.consul.", "q.query.consul.",
    "cq.service.consul.",
    // Apex, empty non-terminals, nothing.
    "consul.", "service.consul.", "dc1.consul.", "ns.consul.", "foo.consul.",
    ".", "example.com.",
    // A zone from a file.
    "example.org.", "www.example.org.", "b.c.example.org.",
    "x.wild.example.org.", "deep.sub.example.org.", "none.example.org."};

const uint16_t kTypes[] = {kTypeA,   kTypeAaaa, kTypeSrv,  kTypeTxt,
                           kTypeAny, kTypeNs,   kTypeSoa,  kTypePtr,
                           kTypeMx,  kTypeDs,   kTypeAxfr, 65};

// Packets for a name and type: without and with EDNS in its variants.
std::vector<std::string> Packets(const std::string& name, uint16_t type) {
  std::vector<std::string> packets;
  QueryOptions options;
  packets.push_back(BuildQuery(name, type, options));
  options.edns.emplace();
  packets.push_back(BuildQuery(name, type, options));
  options.edns->udp_size = 65535;
  options.edns->dnssec_ok = true;
  options.edns->options = EcsOption("192.0.2.0", 24, 0);
  packets.push_back(BuildQuery(name, type, options));
  for (size_t size : {8, 9, 24}) {
    options.edns->options =
        testing::EdnsOption(kOptionCookie, std::string(size, '\1')) +
        testing::EdnsOption(kOptionKeepalive, "");
    packets.push_back(BuildQuery(name, type, options));
  }
  options.edns->version = 1;
  packets.push_back(BuildQuery(name, type, options));
  options.edns.reset();
  options.qclass = 3;
  packets.push_back(BuildQuery(name, type, options));
  return packets;
}

// What is no sound query: every truncation of one, opcodes, responses.
std::vector<std::string> BrokenPackets() {
  std::vector<std::string> packets;
  QueryOptions options;
  options.edns.emplace();
  const std::string whole = BuildQuery("web.service.consul.", 1, options);
  for (size_t size = 0; size < whole.size(); ++size) {
    packets.push_back(whole.substr(0, size));
  }
  packets.push_back(whole + "trailing");
  for (uint8_t opcode = 1; opcode < 16; ++opcode) {
    options.opcode = opcode;
    packets.push_back(BuildQuery("web.service.consul.", 1, options));
  }
  packets.push_back(whole);
  packets.back()[2] = static_cast<char>(0x80);  // QR
  return packets;
}

std::unique_ptr<const View> MakeView(Compat compat, bool compress) {
  State state;
  ZonePolicy policy;
  policy.compat = compat;
  policy.alt_domain = "alt.test.";
  policy.node_name = "n1";
  policy.recursion_available = true;
  policy.cookies.use = compress ? Cookies::kOn : Cookies::kRequired;
  policy.cookies.previous.emplace();
  policy.cookies.previous_until = UINT32_MAX / 2;
  policy.minimal_any = compress;
  policy.disable_compression = !compress;
  policy.enable_truncate = true;
  auto zone = ParseZone("example.org.", "example.org", kZone);
  EXPECT_TRUE(zone.ok()) << zone.status().ToString();
  ViewBuilder::Zones zones;
  if (zone.ok()) zones.push_back(*zone);
  return BuildView(*Fill(&state), policy, zones, 1);
}

class NoAlloc : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::InstallCallCounters();
    context_.client = client_;
    context_.unix_time = 0x01010101;  // as the cookies of Packets() say
    context_.tcp_keepalive = 100;
  }

  // Answers the packet over both transports. Adds to `outcomes`.
  void Ask(const View& view, const std::string& packet,
           const std::string& what) {
    for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
      Arm();
      const Response response = Respond(
          {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
          transport, view, &context_, out_.data());
      const CallCounts after = Disarm();
      ++outcomes_[static_cast<size_t>(response.outcome)];
      EXPECT_EQ(after.allocations, 0) << what;
      EXPECT_EQ(after.frees, 0) << what;
      EXPECT_EQ(after.locks, 0) << what;
      EXPECT_EQ(after.clocks, 0) << what;
    }
  }

  int outcomes_[static_cast<size_t>(Outcome::kCount)] = {};

 private:
  const uint8_t client_[4] = {192, 0, 2, 1};
  RespondContext context_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

// The counters must count, or the tests below could not fail.
TEST_F(NoAlloc, TheCountersCount) {
  std::mutex mutex;
  Arm();
  // Through a volatile pointer, so that the pair is not left out.
  int* volatile block = std::make_unique<int>(1).release();
  std::unique_ptr<int> owned(block);
  owned.reset();
  mutex.lock();
  mutex.unlock();
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const CallCounts after = Disarm();
  EXPECT_EQ(after.allocations, 1);
  EXPECT_EQ(after.frees, 1);
  if (!testing::CountsLocks()) return;
  EXPECT_EQ(after.locks, 1);
  EXPECT_EQ(after.clocks, 1);
}

TEST_F(NoAlloc, NoQueryAllocatesLocksOrReadsTheClock) {
  for (Compat compat : {Compat::kRfc, Compat::kConsul}) {
    for (bool compress : {true, false}) {
      const std::unique_ptr<const View> view = MakeView(compat, compress);
      for (const char* name : kNames) {
        for (uint16_t type : kTypes) {
          for (const std::string& packet : Packets(name, type)) {
            Ask(*view, packet,
                std::string(name) + " type " + std::to_string(type));
          }
        }
      }
      for (const std::string& packet : BrokenPackets()) {
        Ask(*view, packet, "a broken packet");
      }
    }
  }
  // The queries above went everywhere.
  for (Outcome outcome :
       {Outcome::kAnswered, Outcome::kNodata, Outcome::kNxdomain,
        Outcome::kTruncated, Outcome::kRefused, Outcome::kFormErr,
        Outcome::kNotImp, Outcome::kBadVers, Outcome::kBadCookie,
        Outcome::kDroppedShort, Outcome::kDroppedResponse, Outcome::kPending}) {
    EXPECT_GT(outcomes_[static_cast<size_t>(outcome)], 0)
        << "outcome " << static_cast<int>(outcome);
  }
}

TEST_F(NoAlloc, TheRateLimiterAllocatesLocksAndReadsNothing) {
  RateLimitOptions options;
  options.responses_per_second = 2;
  options.exempt = {*IpNetwork::Parse("10.0.0.0/8")};
  RateLimiter limiter(options, SipKey());
  SocketAddress client;
  client.sa.sa_family = AF_INET;
  const std::string name("\3web\0", 5);
  int dropped = 0;
  Arm();
  for (uint32_t i = 0; i < 1000; ++i) {
    client.v4.sin_addr.s_addr = i % 100;
    if (limiter.Judge(client, RateClass::kAnswer, WireBytes(name), 1) ==
        RateVerdict::kDrop) {
      ++dropped;
    }
  }
  const CallCounts after = Disarm();
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(after.allocations + after.frees + after.locks + after.clocks, 0);
}

TEST_F(NoAlloc, ReadingThePublishedViewAllocatesAndLocksNothing) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  Qsbr::Reader reader = qsbr.Register();
  published.Exchange(std::make_unique<const int>(1));
  Arm();
  const int seen = *published.Read(reader);
  reader.Offline();
  const CallCounts after = Disarm();
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(after.allocations + after.frees + after.locks, 0);
}

}  // namespace
}  // namespace dnsd
