// The same checks, run by the real Consul and by us, against the same servers:
// status and output must be the same, ports of our side of a connection and
// what a server says of the connection itself left out.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"
#include "catalog/registry/checks/go_text.h"
#include "tests/catalog/registry/checks/probe_targets.h"
#include "tests/catalog/registry/checks/runner_fixture.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Seen {
  std::string status;
  std::string output;

  bool operator==(const Seen&) const = default;
};

std::string Masked(std::string text) {
  text = std::regex_replace(text, std::regex("127\\.0\\.0\\.1:\\d+->"),
                            "127.0.0.1:PORT->");
  // What newer Consuls say; 1.8.7 does not tell the status.
  text = std::regex_replace(text,
                            std::regex("gRPC \\S+ serving status: NOT_SERVING"),
                            "gRPC application didn't report service healthy");
  // The page of openssl s_server is about the connection.
  const size_t page = text.find("200 ok Output: ");
  if (page != text.npos) text.resize(page);
  return text;
}

class ChecksDiff : public RunnerTest {
 protected:
  void Compare();

  CheckDefinition* Add(const std::string& id) {
    CheckDefinition check;
    check.id = id;
    check.name = id;
    check.interval = seconds(1);
    checks_.push_back(check);
    return &checks_.back();
  }
  void Http(const std::string& url) { Add("http " + url)->http = url; }

  [[nodiscard]] std::string ConsulConfig() const;
  [[nodiscard]] std::map<std::string, Seen> ConsulSays(ConsulApi* api) const;

  std::vector<CheckDefinition> checks_;
};

void WriteCheck(const CheckDefinition& check, JsonWriter* json) {
  const auto text = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    json->Key(key);
    json->String(value);
  };
  json->BeginObject();
  text("id", check.id);
  text("name", check.name);
  text("interval",
       check.interval.count() > 0 ? GoDuration(check.interval) : "");
  text("timeout", check.timeout.count() > 0 ? GoDuration(check.timeout) : "");
  text("http", check.http);
  text("method", check.method);
  text("body", check.body);
  text("tcp", check.tcp);
  text("grpc", check.grpc);
  for (const auto& [key, on] :
       {std::pair("grpc_use_tls", check.grpc_use_tls),
        std::pair("tls_skip_verify", check.tls_skip_verify)}) {
    if (!on) continue;
    json->Key(key);
    json->Bool(true);
  }
  if (check.output_max_size != 4096) {
    json->Key("output_max_size");
    json->Int(check.output_max_size);
  }
  if (!check.args.empty()) {
    json->Key("args");
    json->BeginArray();
    for (const std::string& arg : check.args) json->String(arg);
    json->EndArray();
  }
  if (!check.header.empty()) {
    json->Key("header");
    json->BeginObject();
    for (const auto& [name, values] : check.header) {
      json->Key(name);
      json->BeginArray();
      for (const std::string& value : values) json->String(value);
      json->EndArray();
    }
    json->EndObject();
  }
  json->EndObject();
}

std::string ChecksDiff::ConsulConfig() const {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("enable_script_checks");
  json.Bool(true);
  json.Key("checks");
  json.BeginArray();
  for (const CheckDefinition& check : checks_) WriteCheck(check, &json);
  json.EndArray();
  json.EndObject();
  return text;
}

std::map<std::string, Seen> ChecksDiff::ConsulSays(ConsulApi* api) const {
  std::map<std::string, Seen> says;
  const auto answer = ParseJson(api->Get("/v1/agent/checks"));
  if (!answer.ok()) return says;
  for (const Member& check : answer->members) {
    Seen& seen = says[check.key];
    for (const Member& field : check.value.members) {
      if (field.key == "Status") seen.status = field.value.text;
      if (field.key == "Output") seen.output = Masked(field.value.text);
    }
  }
  return says;
}

// Consul's first results come within a second, ours too; what they say stays
// the same from then on, so it is enough that they agree once.
void ChecksDiff::Compare() {
  const auto binary = ConsulBinary();
  if (!binary.has_value()) GTEST_SKIP() << "no Consul";
  TempDir dir;
  ConsulProcessOptions options;
  options.args = {"-config-file", dir.Write("checks.json", ConsulConfig())};
  ConsulProcess consul(*binary, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  MakeRunner(Quick());
  for (const CheckDefinition& check : checks_) {
    const absl::Status status = runner_->Add(check, {});
    ASSERT_TRUE(status.ok()) << status;
  }
  std::map<std::string, Seen> theirs;
  std::map<std::string, Seen> ours;
  uint64_t asked_ns = 0;
  (void)RunUntil([&] {
    if (uv_hrtime() - asked_ns < 300'000'000) return false;
    theirs = ConsulSays(&consul.api());
    asked_ns = uv_hrtime();
    ours.clear();
    for (const auto& [id, report] : last_) {
      ours[id] = {HealthStatusName(report.status), Masked(report.output)};
    }
    return theirs == ours;
  });
  EXPECT_EQ(theirs.size(), checks_.size());
  for (const auto& [id, seen] : theirs) {
    EXPECT_EQ(ours[id].status, seen.status) << id;
    EXPECT_EQ(ours[id].output, seen.output) << id;
  }
}

TEST_F(ChecksDiff, Http) {
  const ScriptedServer server(HttpTargets());
  const TestCertificate certificate;
  const auto https = StartHttpsServer(certificate);
  const std::string unused = absl::StrCat("127.0.0.1:", UnusedPort());
  for (const char* path :
       {"/echo",       "/st/200", "/st/204", "/st/299", "/st/300",
        "/st/304",     "/st/307", "/st/400", "/st/404", "/st/429",
        "/st/500",     "/st/503", "/big",    "/to/301", "/to/302",
        "/to/303",     "/to/307", "/to/308", "/loop",   "/noloc",
        "/ftp",        "/cut",    "/eof",    "/reset",  "/echo?a=b&c=%20d",
        "/%2e/../echo"}) {
    Http(server.Url(path));
  }
  Http(absl::StrCat("http://", unused, "/x"));
  Http(absl::StrCat("http://localhost:", server.port(), "/st/200"));
  for (const char* path : {"/echo", "/to/302", "/to/307"}) {
    for (const char* method : {"POST", "PUT", "HEAD", "DELETE"}) {
      CheckDefinition* check = Add(absl::StrCat(method, path));
      check->http = server.Url(path);
      check->method = method;
      check->body = *method == 'P' ? "the body" : "";
      check->header = {{"X-Some", {"1", "2"}}, {"Host", {"foo.example"}}};
    }
  }
  CheckDefinition* named = Add("own agent");
  named->http = server.Url("/echo");
  named->header = {{"User-Agent", {"mine"}}, {"Accept", {"text/x"}}};
  for (const char* path : {"/slow", "/stall"}) {
    CheckDefinition* slow = Add(absl::StrCat("timeout ", path));
    slow->http = server.Url(path);
    slow->timeout = milliseconds(700);
  }
  CheckDefinition* small = Add("small output");
  small->http = server.Url("/big");
  small->output_max_size = 100;
  Http(absl::StrCat("https://", https->Address(), "/"));
  Http(absl::StrCat("https://localhost:", https->port(), "/"));
  Http(absl::StrCat("https://127.0.0.1:", server.port(), "/echo"));
  CheckDefinition* skipping = Add("skip verify");
  skipping->http = absl::StrCat("https://", https->Address(), "/");
  skipping->tls_skip_verify = true;
  Compare();
}

TEST_F(ChecksDiff, Tcp) {
  const ScriptedServer server(HttpTargets());
  const uint16_t unused = UnusedPort();
  for (const std::string& address :
       {absl::StrCat("127.0.0.1:", server.port()),
        absl::StrCat("localhost:", server.port()),
        absl::StrCat(":", server.port()), absl::StrCat("127.0.0.1:", unused),
        absl::StrCat("localhost:", unused), absl::StrCat("[::1]:", unused),
        std::string("127.0.0.1:no-such-port"), std::string("127.0.0.1:99999"),
        std::string("127.0.0.1"), std::string("::1:80"),
        std::string("127.0.0.1:discard")}) {
    Add("tcp " + address)->tcp = address;
  }
  Compare();
}

TEST_F(ChecksDiff, Script) {
  const auto script = [&](const std::string& text) {
    CheckDefinition* check = Add("script " + text);
    check->args = {"/bin/sh", "-c", text};
    return check;
  };
  TempDir dir;
  const std::string no_program = dir.Write("no_program", "nothing\n");
  ASSERT_EQ(RunToEnd({"chmod", "+x", no_program}).exit_code, 0);
  script("echo ok");
  script("echo out; echo err >&2; exit 1");
  script("echo bad; exit 2");
  script("kill -9 $$");
  script("cat; echo no input");
  script("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; exit 1");
  script("printf 'a\\001b\\n'");
  script("echo part; sleep 100")->timeout = milliseconds(300);
  script("sleep 100")->timeout = milliseconds(1500);
  script("echo a; sleep 100 & exit 0")->timeout = milliseconds(800);
  script("echo 0123456789abcdef")->output_max_size = 10;
  script("echo $0 \"$@\"")
      ->args.insert(checks_.back().args.end(), {"one", "t w o"});
  Add("name")->args = {"no-such-program"};
  Add("path")->args = {"/bin/no-such-program"};
  Add("no permission")->args = {"/etc/passwd"};
  Add("directory")->args = {"/tmp"};
  Add("no program")->args = {no_program};
  Compare();
}

TEST_F(ChecksDiff, Grpc) {
  const TestCertificate certificate;
  const auto plain = StartGrpcServer(nullptr);
  const auto tls = StartGrpcServer(&certificate);
  const ScriptedServer mute([](ScriptedServer::Connection* connection) {
    connection->WaitForClose();
  });
  const auto grpc = [&](const std::string& target) {
    CheckDefinition* check = Add("grpc " + target);
    check->grpc = target;
    return check;
  };
  for (const char* service : {"", "/up", "/down", "/unknown"}) {
    grpc(plain->Address() + service);
  }
  grpc(absl::StrCat("localhost:", plain->port(), "/up"));
  grpc(absl::StrCat("127.0.0.1:", UnusedPort()));
  grpc(absl::StrCat("127.0.0.1:", mute.port()))->timeout = milliseconds(300);
  CheckDefinition* verified = grpc(tls->Address());
  verified->grpc_use_tls = true;
  CheckDefinition* skipping = grpc(tls->Address() + "/up");
  skipping->grpc_use_tls = true;
  skipping->tls_skip_verify = true;
  Compare();
}

// The same calls on both; what they leave behind is compared.
TEST_F(ChecksDiff, TtlAndAlias) {
  const auto binary = ConsulBinary();
  if (!binary.has_value()) GTEST_SKIP() << "no Consul";
  ConsulProcessOptions options;
  options.node_name = "here";
  options.config =
      "checks { id = \"expiring\" name = \"x\" ttl = \"1s\" }\n"
      "checks { id = \"silent\" name = \"x\" ttl = \"1s\" }\n"
      "checks { id = \"long\" name = \"x\" ttl = \"1h\" output_max_size = 10 "
      "}\n"
      "service { name = \"web\" check { id = \"web\" name = \"Web \\\"1\\\"\" "
      "ttl = \"1h\" status = \"warning\" } }\n";
  ConsulProcess consul(*binary, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  MakeRunner(Quick());
  for (const auto& [id, ttl] : {std::pair("expiring", milliseconds(1000)),
                                std::pair("silent", milliseconds(1000)),
                                std::pair("long", milliseconds(3'600'000))}) {
    CheckDefinition check;
    check.id = id;
    check.ttl = ttl;
    check.output_max_size = id == std::string("long") ? 10 : 4096;
    ASSERT_TRUE(runner_->Add(check, {}).ok());
  }
  const struct {
    const char* id;
    const char* verb;
    HealthStatus status;
    const char* note;
  } calls[] = {
      {"expiring", "warn", HealthStatus::kWarning, "so-so"},
      {"long", "fail", HealthStatus::kCritical, "0123456789abcdef"},
      {"no\"such", "pass", HealthStatus::kPassing, ""},
      {"web", "warn", HealthStatus::kWarning, "hm"},
  };
  for (const auto& call : calls) {
    const std::string path =
        absl::StrCat("/v1/agent/check/", call.verb, "/",
                     call.id == std::string("no\"such") ? "no%22such" : call.id,
                     "?note=", call.note);
    const ConsulReply reply = consul.api().Call("PUT", path);
    if (call.id == std::string("web")) continue;
    const absl::Status status =
        runner_->SetTtl(call.id, call.status, call.note);
    EXPECT_EQ(reply.status == 200, status.ok()) << call.id;
    if (!status.ok()) {
      EXPECT_EQ(reply.body, status.message());
    }
  }
  std::map<std::string, Seen> theirs;
  ASSERT_TRUE(RunUntil([&] {
    theirs = ConsulSays(&consul.api());
    return counts_["expiring"] == 2 && counts_["silent"] == 1 &&
           theirs["expiring"].status == "critical" &&
           theirs["silent"].output != "";
  }));
  for (const char* id : {"expiring", "silent", "long"}) {
    EXPECT_EQ(HealthStatusName(last_[id].status), theirs[id].status) << id;
    EXPECT_EQ(last_[id].output, theirs[id].output) << id;
  }
  // Without node checks that fail, the alias follows its instance alone.
  for (const char* id : {"expiring", "silent", "long"}) {
    ASSERT_EQ(consul.api().Put(absl::StrCat("/v1/agent/check/deregister/", id)),
              200);
  }
  on_alias_ = [](const std::string&, const std::string& service_id) {
    AliasTarget target;
    target.exists = service_id == "web";
    Check check;
    check.name = "Web \"1\"";
    check.status = HealthStatus::kWarning;
    check.output = "hm";
    if (target.exists) target.checks.push_back(check);
    return target;
  };
  // Of a service of their own: a check of the node is among its own targets.
  ASSERT_EQ(
      consul.api().Put("/v1/agent/service/register", R"({"Name":"host"})"),
      200);
  for (const char* service : {"web", "no-such"}) {
    ASSERT_EQ(
        consul.api().Put("/v1/agent/check/register",
                         absl::StrCat(R"({"ID":"alias )", service,
                                      R"(","Name":"a","ServiceID":"host",)",
                                      R"("AliasService":")", service, "\"}")),
        200);
    CheckDefinition check;
    check.id = absl::StrCat("alias ", service);
    check.alias_service = service;
    ASSERT_TRUE(runner_->Add(check, {}).ok());
    const CheckFinding report = Next(check.id);
    const Seen ours = {HealthStatusName(report.status), report.output};
    EXPECT_TRUE(RunUntil([&] {
      theirs = ConsulSays(&consul.api());
      return theirs[check.id] == ours;
    })) << ours.status
        << " " << ours.output << "\n"
        << theirs[check.id].status << " " << theirs[check.id].output;
    ASSERT_EQ(consul.api().Put(
                  absl::StrCat("/v1/agent/check/deregister/alias%20", service)),
              200);
  }
}

}  // namespace
}  // namespace dnsd::testing
