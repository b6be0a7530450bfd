// GET /v1/dnsd/stats of the real binary: what it says after known traffic, of
// its own names and of others', and as a stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::UnorderedElementsAre;

constexpr char kStats[] = "/v1/dnsd/stats";
constexpr char kZone[] =
    "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
    "a A 192.0.2.1\n";
constexpr char kService[] =
    R"(service { name = "web" address = "192.0.2.9" port = 80 })";

// A member by its path, "Source.Kind".
Value At(const Value& object, const std::string& path) {
  const size_t dot = path.find('.');
  for (const Member& member : object.members) {
    if (member.key != path.substr(0, dot)) continue;
    return dot == std::string::npos ? member.value
                                    : At(member.value, path.substr(dot + 1));
  }
  ADD_FAILURE() << "no " << path;
  return {};
}

class StatsTest : public ::testing::Test {
 protected:
  void Start(const std::string& config, std::vector<std::string> args = {}) {
    args.insert(args.begin(), {"-dev", "-node", "n1", "-config-file",
                               dir_.Write("dnsd.hcl", config)});
    dnsd_.emplace(args);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    api_.emplace("http://" + dnsd_->HttpAddress());
  }
  Value Stats() {
    const absl::StatusOr<Value> stats = ParseJson(api_->Get(kStats));
    EXPECT_TRUE(stats.ok()) << stats.status();
    return stats.ok() ? *stats : Value();
  }
  // "udp A NOERROR 3".
  std::vector<std::string> Queries() {
    std::vector<std::string> rows;
    for (const Value& row : At(Stats(), "Queries").items) {
      rows.push_back(
          absl::StrCat(At(row, "Proto").text, " ", At(row, "Type").text, " ",
                       At(row, "Rcode").text, " ", At(row, "Count").text));
    }
    return rows;
  }
  uint64_t Timed() {
    uint64_t sum = 0;
    for (const Value& count : At(Stats(), "Latency.Counts").items) {
      sum += static_cast<uint64_t>(count.integer);
    }
    return sum;
  }
  void Udp(const std::string& name, const std::string& type) {
    EXPECT_EQ(AskUdp(dnsd_->dns(), {name, type}).error, "") << name;
  }
  void Tcp(const std::string& name, const std::string& type) {
    EXPECT_EQ(AskTcp(dnsd_->dns(), {name, type}).error, "") << name;
  }

  TempDir dir_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> api_;
};

TEST_F(StatsTest, CountsAnswersByTypeAndRcode) {
  Start(kService);
  Udp("web.service.consul", "A");
  Udp("web.service.consul", "A");
  Udp("web.service.consul", "SRV");
  Udp("none.service.consul", "AAAA");
  Udp("example.test", "TXT");
  Tcp("web.service.consul", "A");
  Tcp("web.service.consul", "LOC");
  EXPECT_THAT(Queries(),
              UnorderedElementsAre("udp A NOERROR 2", "udp SRV NOERROR 1",
                                   "udp AAAA NXDOMAIN 1", "udp TXT REFUSED 1",
                                   "tcp A NOERROR 1", "tcp other NOERROR 1"));
  // Counted when it was sent, which its reader may see first.
  EXPECT_TRUE(WaitUntil([this] { return Timed() == 7; })) << Timed();
  const Value stats = Stats();
  EXPECT_EQ(At(stats, "Latency.Counts").items.size(),
            At(stats, "Latency.BoundsSeconds").items.size() + 1);
  EXPECT_EQ(At(stats, "Node").text, "n1");
  EXPECT_EQ(At(stats, "Datacenter").text, "dc1");
  EXPECT_EQ(At(stats, "Cache").kind, Value::Kind::kNull);
  EXPECT_EQ(At(stats, "Forwarders").items.size(), 0u);
  EXPECT_EQ(At(stats, "Source.Kind").text, "registry");
  EXPECT_EQ(At(stats, "Source.State").text, "ok");
  EXPECT_GT(At(stats, "Source.Index").integer, 0);
  EXPECT_GE(At(stats, "Catalog.Nodes").integer, 1);
  EXPECT_GE(At(stats, "Catalog.Instances").integer, 1);
  EXPECT_GE(At(stats, "Catalog.Publications").integer, 1);
  EXPECT_GE(At(stats, "Workers").integer, 1);
  EXPECT_GT(At(stats, "TimeMs").integer, 0);
  EXPECT_EQ(At(stats, "TopNames").items.size(), 0u);
}

TEST_F(StatsTest, ShowsWhoIsAskedForOthersNames) {
  AgentProcess upstream(
      {"-dev", "-config-file",
       dir_.Write("up.hcl",
                  absl::StrCat("domain = \"upstream\"\nzones = [{ name = "
                               "\"corp.test\" file = \"",
                               dir_.Write("zone", kZone), "\" }]\n"))});
  ASSERT_TRUE(upstream.WaitUntilServing()) << upstream.process().output();
  const std::string to =
      absl::StrCat(upstream.dns().ip, ":", upstream.dns().port);
  Start(kService, {"-recursor", to});
  for (int i = 0; i < 3; ++i) Udp("a.corp.test", "A");
  Tcp("nx.corp.test", "A");
  EXPECT_THAT(Queries(),
              UnorderedElementsAre("udp A NOERROR 3", "tcp A NXDOMAIN 1"));
  const Value stats = Stats();
  EXPECT_GE(At(stats, "Cache.Entries").integer, 2);
  EXPECT_GT(At(stats, "Cache.Bytes").integer, 0);
  // Each socket of the client's may be another worker's, with a cache of its
  // own.
  EXPECT_EQ(At(stats, "Cache.Hits").integer + At(stats, "Cache.Misses").integer,
            4);
  EXPECT_EQ(At(stats, "Cache.Stale").integer, 0);
  const Value forwarders = At(stats, "Forwarders");
  ASSERT_EQ(forwarders.items.size(), 1u);
  const Value& one = forwarders.items[0];
  EXPECT_EQ(At(one, "Address").text, to);
  EXPECT_TRUE(At(one, "Up").boolean);
  EXPECT_EQ(At(one, "Sent").integer, At(stats, "Cache.Misses").integer);
  EXPECT_EQ(At(one, "Timeouts").integer, 0);
  EXPECT_EQ(At(one, "Failures").integer, 0);
}

TEST_F(StatsTest, AsksForTheRightToReadTheAgent) {
  Start(R"(acl { enabled = true default_policy = "deny"
      static_tokens = [
        { secret = "s" rules = "agent \"n1\" { policy = \"read\" }" },
        { secret = "o" rules = "agent \"n2\" { policy = \"read\" }" }] })");
  for (const char* stream : {"", "?stream"}) {
    EXPECT_EQ(api_->Call("GET", absl::StrCat(kStats, stream)).status, 403);
  }
  api_->set_token("o");
  EXPECT_EQ(api_->Call("GET", kStats).status, 403);
  api_->set_token("s");
  EXPECT_EQ(api_->Call("GET", kStats).status, 200);
}

TEST_F(StatsTest, AStreamDoesNotHoldUpTheEnd) {
  Start(kService);
  Process reader(
      {"curl", "-sN", "--max-time", "30",
       absl::StrCat("http://", dnsd_->HttpAddress(), kStats, "?stream")});
  ASSERT_TRUE(reader.WaitForOutput("\"TopNames\":[]}\n\ndata: {"))
      << reader.output();
  EXPECT_EQ(dnsd_->Stop(), 0);
  EXPECT_TRUE(reader.Wait().has_value());
}

}  // namespace
}  // namespace dnsd::testing
