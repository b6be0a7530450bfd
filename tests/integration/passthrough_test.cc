// The real Consul 1.8.7 behind a Passthrough: every answer must be the one it
// gives itself, and its own command line must not notice the difference.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dnsd/cli/agent_verbs.h"
#include "tests/integration/passthrough_server.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/http_framing.h"
#include "tests/testing/http_wire.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

class PassthroughConsulTest : public ::testing::Test {
 protected:
  void SetUp() override {
    binary_ = ConsulBinary();
    if (!binary_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    consul_.emplace(*binary_, std::vector<std::string>{});
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    front_.emplace(consul_->HttpUrl());
    direct_.emplace(consul_->HttpUrl());
    through_.emplace(front_->url());
  }

  // `consul ARGS...` with dnsd as its agent.
  Finished Cli(const std::vector<std::string>& args) {
    std::vector<std::string> argv = {
        "env", absl::StrCat("CONSUL_HTTP_ADDR=", front_->url()), *binary_};
    argv.insert(argv.end(), args.begin(), args.end());
    return RunToEnd(argv);
  }

  std::optional<std::string> binary_;
  std::optional<ConsulProcess> consul_;
  std::optional<PassthroughServer> front_;
  std::optional<ConsulApi> direct_;
  std::optional<ConsulApi> through_;
};

// What two answers to the same request may differ in.
std::map<std::string, std::string> Comparable(const ConsulReply& reply) {
  std::map<std::string, std::string> headers = reply.headers;
  headers.erase("date");
  return headers;
}

TEST_F(PassthroughConsulTest, AnswersAreThoseOfConsul) {
  ASSERT_EQ(direct_->Call("PUT", "/v1/kv/dir/a%20b", "value").status, 200);
  const struct {
    const char* method;
    const char* path;
    int status;
  } cases[] = {
      {"GET", "/v1/status/leader", 200},
      {"GET", "/v1/kv/dir/a%20b", 200},
      {"GET", "/v1/kv/dir/a%20b?raw", 200},
      {"GET", "/v1/kv/dir?recurse&pretty", 200},
      {"GET", "/v1/kv/dir?keys&separator=/", 200},
      {"GET", "/v1/kv/none", 404},
      {"OPTIONS", "/v1/kv/x", 200},
      {"PUT", "/v1/status/leader", 405},
      {"POST", "/v1/agent/members", 405},
      {"GET", "/v1/none", 404},
      {"GET", "/v1/catalog/nodes?stale&consistent", 400},
      {"GET", "/v1/catalog/nodes?dc=none", 500},
      {"GET", "/v1/health/service/consul?filter=%20bad", 500},
      {"PUT", "/v1/agent/service/register", 400},
      {"PUT", "/v1/session/destroy/none", 500},
      {"GET", "/v1/session/info/none", 500},
      {"GET", "/v1/kv//dir", 301},
      {"GET", "/v1/catalog/services", 200},
      {"GET", "/v1/agent/metrics?format=prometheus", 415},
      {"DELETE", "/v1/kv/none", 200},
  };
  for (const auto& c : cases) {
    const ConsulReply want = direct_->Call(c.method, c.path);
    const ConsulReply got = through_->Call(c.method, c.path);
    EXPECT_EQ(want.status, c.status) << c.method << " " << c.path;
    EXPECT_EQ(got.status, want.status) << c.method << " " << c.path;
    EXPECT_EQ(got.body, want.body) << c.method << " " << c.path;
    EXPECT_EQ(Comparable(got), Comparable(want)) << c.method << " " << c.path;
    EXPECT_TRUE(got.headers.contains("date"));
  }
  const PassthroughCounts counts = front_->counts();
  EXPECT_EQ(counts.requests, std::size(cases));
  EXPECT_EQ(counts.active, 0u);
  EXPECT_EQ(counts.cut, 0u);
}

TEST_F(PassthroughConsulTest, CarriesBinaryAndLargeBodies) {
  std::string binary;
  for (int i = 0; i < 256 * 64; ++i) binary.push_back(static_cast<char>(i));
  EXPECT_EQ(through_->Call("PUT", "/v1/kv/bin", binary).body, "true\n");
  EXPECT_EQ(direct_->Call("GET", "/v1/kv/bin?raw").body, binary);
  EXPECT_EQ(through_->Call("GET", "/v1/kv/bin?raw").body, binary);
  EXPECT_EQ(through_->Call("DELETE", "/v1/kv/bin").status, 200);
  EXPECT_EQ(direct_->Call("GET", "/v1/kv/bin").status, 404);

  // Three values of 400 kB are an answer of 1.6 MB.
  for (int i = 0; i < 3; ++i) {
    const std::string value(400'000, static_cast<char>('a' + i));
    EXPECT_EQ(
        through_->Call("PUT", absl::StrCat("/v1/kv/large/", i), value).status,
        200);
  }
  const ConsulReply all = through_->Call("GET", "/v1/kv/large?recurse");
  EXPECT_GT(all.body.size(), 1'600'000u);
  // Not EXPECT_EQ, which would print them.
  EXPECT_TRUE(all.body == direct_->Call("GET", "/v1/kv/large?recurse").body);

  // A value of 1 MiB is Consul's to refuse.
  const std::string too_large(1u << 20, 'x');
  const ConsulReply want = direct_->Call("PUT", "/v1/kv/huge", too_large);
  const ConsulReply got = through_->Call("PUT", "/v1/kv/huge", too_large);
  EXPECT_EQ(want.status, 413);
  EXPECT_EQ(got.status, want.status);
  EXPECT_EQ(got.body, want.body);
}

// What ConsulApi's library would not send like this.
TEST_F(PassthroughConsulTest, OddRequestsReachConsulAsTheyAre) {
  for (const char* request :
       {"GET /v1/catalog/../status/leader HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/%73tatus/leader HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://x/v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n",
        "PATCH /v1/kv/x HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "GET /v1/kv/x?raw HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/kv/%ff%00%0d%0a HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    std::vector<std::string> answers;
    for (const uint16_t port : {consul_->ports().http, front_->port()}) {
      HttpWire wire(port);
      wire.Send(request);
      EXPECT_EQ(wire.ReadAnswer(), HttpWire::State::kOpen) << request;
      EXPECT_TRUE(wire.answered()) << request;
      answers.push_back(absl::StrCat(StatusOf(wire.head()), " ",
                                     HeaderValue(wire.head(), "location"), " ",
                                     wire.body()));
    }
    EXPECT_EQ(answers[1], answers[0]) << request;
  }
  for (const uint16_t port : {consul_->ports().http, front_->port()}) {
    HttpWire wire(port);
    wire.Head("/v1/status/leader");
    EXPECT_EQ(wire.ReadAnswer(), HttpWire::State::kOpen);
    EXPECT_EQ(StatusOf(wire.head()), 405);
    EXPECT_EQ(HeaderValue(wire.head(), "content-length"), "23");
    EXPECT_EQ(wire.body(), "");
  }
}

TEST_F(PassthroughConsulTest, LeavesCompressionToTheTwoEnds) {
  ASSERT_EQ(
      direct_->Call("PUT", "/v1/kv/zip", std::string(100'000, 'a')).status,
      200);
  const auto ask = [](uint16_t port) {
    HttpWire wire(port);
    wire.Send(
        "GET /v1/kv/zip HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
    EXPECT_EQ(wire.ReadAnswer(), HttpWire::State::kOpen);
    EXPECT_TRUE(wire.answered());
    EXPECT_TRUE(absl::StrContains(wire.head(), "Content-Encoding: gzip\r\n"))
        << wire.head();
    return wire.body();
  };
  const std::string want = ask(consul_->ports().http);
  EXPECT_LT(want.size(), 10'000u);
  EXPECT_EQ(ask(front_->port()), want);
}

TEST_F(PassthroughConsulTest, BlockingQueriesWakeUp) {
  ASSERT_EQ(through_->Call("PUT", "/v1/kv/watched", "1").status, 200);
  const ConsulReply before = through_->Call("GET", "/v1/kv/watched");
  ASSERT_GT(before.index, 0u);
  ConsulReply after;
  const auto begin = std::chrono::steady_clock::now();
  std::thread waiter([&] {
    ConsulApi api(front_->url());
    after = api.Call("GET", absl::StrCat("/v1/kv/watched?raw&wait=20s&index=",
                                         before.index));
  });
  EXPECT_TRUE(WaitUntil([&] { return front_->counts().active == 1; }));
  EXPECT_EQ(direct_->Call("PUT", "/v1/kv/watched", "2").status, 200);
  waiter.join();
  EXPECT_EQ(after.body, "2");
  EXPECT_GT(after.index, before.index);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  // Without a change it ends when its time is over.
  const ConsulReply same = through_->Call(
      "GET", absl::StrCat("/v1/kv/watched?raw&wait=100ms&index=", after.index));
  EXPECT_EQ(same.index, after.index);
}

// Connections to `port` of 127.0.0.1 that are established, from this machine's
// own table.
size_t ConnectionsTo(uint16_t port) {
  const std::string wanted = absl::AsciiStrToUpper(
      absl::StrCat("0100007F:", absl::Hex(port, absl::kZeroPad4)));
  size_t count = 0;
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    words >> number >> local >> remote >> state;
    if (remote == wanted && state == "01") ++count;
  }
  return count;
}

TEST_F(PassthroughConsulTest, AClientThatLeavesFreesItsPlaceAtConsul) {
  const uint16_t port = consul_->ports().http;
  // What the fixture keeps open itself.
  direct_.reset();
  through_.reset();
  EXPECT_TRUE(WaitUntil([&] { return front_->counts().active == 0; }));
  const size_t before = ConnectionsTo(port);
  {
    std::vector<std::unique_ptr<HttpWire>> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(std::make_unique<HttpWire>(front_->port()));
      clients.back()->Get(
          absl::StrCat("/v1/kv/parked/", i, "?index=1000000&wait=5m"));
    }
    EXPECT_TRUE(WaitUntil([&] { return ConnectionsTo(port) >= 8; }));
    EXPECT_EQ(front_->counts().active, 8u);
  }
  EXPECT_TRUE(WaitUntil([&] { return ConnectionsTo(port) <= before; }));
  EXPECT_EQ(front_->counts().active, 0u);
  EXPECT_EQ(front_->counts().left, 8u);
}

TEST_F(PassthroughConsulTest, TransactionsAndSessionsWork) {
  const ConsulReply created =
      through_->Call("PUT", "/v1/session/create", "{\"TTL\":\"30s\"}");
  ASSERT_EQ(created.status, 200) << created.body;
  const std::vector<std::string> parts = absl::StrSplit(created.body, '"');
  ASSERT_EQ(parts.size(), 5u) << created.body;
  const std::string& session = parts[3];
  EXPECT_EQ(
      through_
          ->Call("PUT", absl::StrCat("/v1/kv/lock?acquire=", session), "mine")
          .body,
      "true\n");
  EXPECT_EQ(
      through_->Call("PUT", absl::StrCat("/v1/session/renew/", session)).status,
      200);
  EXPECT_TRUE(
      absl::StrContains(direct_->Call("GET", "/v1/kv/lock").body, session));

  const std::string good =
      "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"t\",\"Value\":\"dg==\"}},"
      "{\"KV\":{\"Verb\":\"get\",\"Key\":\"lock\"}}]";
  const ConsulReply done = through_->Call("PUT", "/v1/txn", good);
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(absl::StrContains(done.body, session)) << done.body;
  const ConsulReply failed = through_->Call(
      "PUT", "/v1/txn",
      "[{\"KV\":{\"Verb\":\"check-not-exists\",\"Key\":\"lock\"}}]");
  EXPECT_EQ(failed.status, 409) << failed.body;
  EXPECT_EQ(
      through_->Call("PUT", absl::StrCat("/v1/session/destroy/", session)).body,
      "true\n");
}

TEST_F(PassthroughConsulTest, ItsCommandLineWorks) {
  Finished run = Cli({"kv", "put", "cli/key", "some value"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_EQ(run.output, "Success! Data written to: cli/key\n");
  run = Cli({"kv", "get", "cli/key"});
  EXPECT_EQ(run.output, "some value\n");
  run = Cli({"kv", "export", "cli/"});
  EXPECT_TRUE(absl::StrContains(run.output, "\"value\": \"c29tZSB2YWx1ZQ==\""))
      << run.output;
  run = Cli({"kv", "delete", "cli/key"});
  EXPECT_EQ(run.output, "Success! Deleted key: cli/key\n");
  run = Cli({"kv", "get", "cli/key"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.output, "Error! No key exists at: cli/key\n");
  run = Cli({"catalog", "services"});
  EXPECT_EQ(run.output, "consul\n");
  run = Cli({"members"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_TRUE(absl::StrContains(run.output, "alive   server  1.8.7"))
      << run.output;
  run = Cli({"info"});
  EXPECT_TRUE(absl::StrContains(run.output, "\n\tversion = 1.8.7\n"))
      << run.output;
  run = Cli({"lock", "-timeout=5s", "cli/lock", "echo held"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_EQ(run.output, "held\n");
  run = Cli({"operator", "raft", "list-peers"});
  EXPECT_TRUE(absl::StrContains(run.output, "leader")) << run.output;
}

TEST_F(PassthroughConsulTest, SnapshotsComeWhole) {
  ASSERT_EQ(direct_->Call("PUT", "/v1/kv/in/snapshot", "x").status, 200);
  const TempDir dir;
  const std::string file = dir.Path("backup.snap");
  Finished run = Cli({"snapshot", "save", file});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  // It checks the archive's own sums.
  run = RunToEnd({*binary_, "snapshot", "inspect", file});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_TRUE(absl::StrContains(run.output, "Version")) << run.output;
  // And back.
  ASSERT_EQ(direct_->Call("DELETE", "/v1/kv/in/snapshot").status, 200);
  run = Cli({"snapshot", "restore", file});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_TRUE(WaitUntil([&] {
    return direct_->Call("GET", "/v1/kv/in/snapshot?raw").body == "x";
  }));
}

// Not by `consul monitor`, which asks for gzip: 1.8.7 then says that this
// stream is gzip and sends text, so that its own command line fails without us,
// too.
TEST_F(PassthroughConsulTest, AnEndlessStreamComesAsItIsMade) {
  {
    HttpWire monitor(front_->port());
    monitor.Get("/v1/agent/monitor?loglevel=debug");
    EXPECT_TRUE(WaitUntil([&] { return front_->counts().active == 1; }));
    // Consul logs each request to its HTTP server.
    for (const char* key : {"first", "second"}) {
      EXPECT_TRUE(WaitUntil([&] {
        (void)direct_->Call("GET", absl::StrCat("/v1/kv/", key));
        EXPECT_EQ(monitor.Read(milliseconds(50)), HttpWire::State::kOpen);
        return absl::StrContains(monitor.bytes(), key);
      })) << monitor.bytes();
      // Quiet for longer than any time limit of this server.
      std::this_thread::sleep_for(milliseconds(300));
      EXPECT_EQ(front_->counts().active, 1u);
    }
  }
  // Consul writes to it again before it is missed, or after.
  EXPECT_TRUE(WaitUntil([&] { return front_->counts().active == 0; }));
  EXPECT_EQ(front_->counts().left, 1u);
}

TEST_F(PassthroughConsulTest, AConsulThatGoesAwayIsToldOf) {
  HttpWire parked(front_->port());
  parked.Get("/v1/kv/parked?index=1000000&wait=5m");
  HttpWire stream(front_->port());
  stream.Get("/v1/agent/monitor?loglevel=debug");
  EXPECT_TRUE(WaitUntil([&] { return front_->counts().active == 2; }));
  (void)direct_->Call("GET", "/v1/kv/logged");
  consul_->Kill();
  // No answer yet: 500. In the middle of one: the connection ends.
  EXPECT_EQ(parked.ReadAnswer(), HttpWire::State::kOpen);
  EXPECT_TRUE(absl::StartsWith(parked.head(), "HTTP/1.1 500 "))
      << parked.head();
  EXPECT_TRUE(
      absl::StartsWith(parked.body(), "dnsd: Consul is not reachable: "))
      << parked.body();
  EXPECT_EQ(stream.ReadAnswer(), HttpWire::State::kClosed);
  EXPECT_FALSE(stream.answered());
  ConsulReply reply = through_->Call("GET", "/v1/status/leader");
  EXPECT_EQ(reply.status, 500);
  // It comes back, and so do its answers.
  consul_->Restart();
  ASSERT_TRUE(consul_->WaitForLeader());
  reply = through_->Call("GET", "/v1/status/leader");
  EXPECT_EQ(reply.status, 200) << reply.body;
}

// dnsd's own /v1/agent/self, as the real command line reads it.
TEST_F(PassthroughConsulTest, OurAgentSelfSatisfiesTheCommandLine) {
  SelfInfo self;
  self.datacenter = "dc1";
  self.node_name = "node-1";
  self.node_id = "0123";
  self.version = "1.2.3";
  self.address = "127.0.0.1";
  self.domain = "consul.";
  self.stats = {{"agent", {{"services", "2"}, {"checks", "0"}}},
                {"mirror",
                 {{"state", "in sync <&>"},
                  {"age", "0.1s"},
                  {"empty", ""},
                  {"source", "http://127.0.0.1:8500"}}},
                {"build", {{"version", "1.2.3"}}}};
  PassthroughServer server(consul_->HttpUrl(), &self);
  const std::string address = absl::StrCat("-http-addr=", server.url());
  const Finished info = RunToEnd({*binary_, "info", address});
  EXPECT_EQ(info.exit_code, 0) << info.output;
  EXPECT_TRUE(absl::StrContains(info.output, "\n\tstate = in sync <&>\n"))
      << info.output;
  // `dnsd info` prints the same.
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(InfoVerb({address}), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), info.output);

  // `consul watch` asks for it before it asks for anything else.
  ASSERT_EQ(direct_->Call("PUT", "/v1/kv/seen", "value").status, 200);
  const Finished watch =
      RunToEnd({*binary_, "watch", address, "-type=key", "-key=seen"});
  EXPECT_EQ(watch.exit_code, 0) << watch.output;
  EXPECT_TRUE(absl::StrContains(watch.output, "\"Key\": \"seen\""))
      << watch.output;
}

// It prints Consul's own as Consul's command line does, too.
TEST_F(PassthroughConsulTest, InfoPrintsWhatConsulInfoPrints) {
  const std::string address = absl::StrCat("-http-addr=", front_->url());
  // Numbers may change in between: then once more.
  EXPECT_TRUE(WaitUntil([&] {
    ::testing::internal::CaptureStdout();
    const int exit_code = InfoVerb({address});
    const std::string ours = ::testing::internal::GetCapturedStdout();
    const Finished theirs = RunToEnd({*binary_, "info", address});
    return exit_code == 0 && ours.size() > 500 && ours == theirs.output;
  }));
}

}  // namespace
}  // namespace dnsd::testing
