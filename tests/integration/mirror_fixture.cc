#include "tests/integration/mirror_fixture.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_read.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

constexpr int kEdnsBytes = 4096;

std::vector<std::string> AgentArgs(const MirrorSetup& setup,
                                   const TempDir& dir) {
  const std::string file = dir.Write(
      "mirror.hcl",
      absl::StrCat(
          "consul {\n  address = [\"", absl::StrJoin(setup.urls, "\", \""),
          "\"]\n  stale_after = \"", setup.stale_after, "\"\n  wait = \"",
          setup.wait, "\"\n  hold_shrunken = \"", setup.hold_shrunken,
          "\"\n  connections = ", setup.connections,
          "\n  watches = ", setup.watches, "\n}\n", setup.config, "\n"));
  std::vector<std::string> args = {"-config-file", file};
  if (!setup.data_dir.empty()) {
    args.insert(args.end(), {"-data-dir", setup.data_dir});
  }
  args.insert(args.end(), setup.args.begin(), setup.args.end());
  return args;
}

std::string MemberText(const Value& object, const std::string& key) {
  for (const Member& member : object.members) {
    if (member.key == key) return member.value.text;
  }
  return "";
}

const Value* MemberOf(const Value* object, const std::string& key) {
  if (object == nullptr) return nullptr;
  for (const Member& member : object->members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::set<std::string> AddressesIn(const DnsReply& reply) {
  const std::vector<std::string> data = Data(reply.answer, "A");
  return {data.begin(), data.end()};
}

}  // namespace

MirrorAgent::MirrorAgent(const MirrorSetup& setup)
    : agent_(AgentArgs(setup, dir_)) {}

size_t MirrorAgent::LogCount(const std::string& text) {
  const std::string all = log();
  size_t count = 0;
  for (size_t at = all.find(text); at != std::string::npos;
       at = all.find(text, at + 1)) {
    ++count;
  }
  return count;
}

DnsReply MirrorAgent::Ask(const std::string& name,
                          const std::string& type) const {
  return AskUdp(dns(), {name, type, kEdnsBytes, true});
}

std::set<std::string> MirrorAgent::Addresses(const std::string& name) const {
  return AddressesIn(Ask(name));
}

bool MirrorAgent::WaitForAddresses(const std::string& name,
                                   const std::set<std::string>& addresses,
                                   std::chrono::milliseconds timeout) const {
  return WaitUntil([&] { return Addresses(name) == addresses; }, timeout);
}

std::string MirrorAgent::Stat(const std::string& section,
                              const std::string& key) {
  ConsulApi self(absl::StrCat("http://", agent_.HttpAddress()));
  const auto read = ParseJson(self.Get("/v1/agent/self"));
  if (!read.ok()) return "";
  const Value* found = MemberOf(MemberOf(&*read, "Stats"), section);
  return found == nullptr ? "" : MemberText(*found, key);
}

bool MirrorAgent::WaitForStat(const std::string& section,
                              const std::string& key, const std::string& value,
                              std::chrono::milliseconds timeout) {
  return WaitUntil([&] { return Stat(section, key) == value; }, timeout);
}

std::string MirrorAgent::Metric(const std::string& name) {
  ConsulApi api(absl::StrCat("http://", agent_.HttpAddress()));
  const std::string text = absl::StrCat("\n", api.Get("/metrics"));
  const std::string start = absl::StrCat("\n", name, " ");
  const size_t at = text.find(start);
  if (at == std::string::npos) return "";
  const size_t from = at + start.size();
  return text.substr(from, text.find('\n', from) - from);
}

bool IsCalledStale(const DnsReply& reply) {
  // OPTION-CODE 15, OPTION-LENGTH 2, INFO-CODE 3.
  static constexpr char kStale[] = {0, 15, 0, 2, 0, 3};
  const std::string wire(reply.wire.begin(), reply.wire.end());
  return reply.opt &&
         wire.find(std::string(kStale, sizeof(kStale))) != std::string::npos;
}

NameAsker::NameAsker(const DnsServer& server, const std::string& name,
                     Judge judge, Failures failures)
    : judge_(std::move(judge)),
      may_fail_(failures == Failures::kUntilFirstAnswer),
      thread_([this, server, name] { Run(server, name); }) {}

NameAsker::~NameAsker() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string NameAsker::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return wrong_;
}

void NameAsker::Run(const DnsServer& server, const std::string& name) {
  DnsSocket socket = DnsSocket::Udp(server);
  uint16_t id = 0;
  while (!stop_ && wrong_.empty()) {
    const Bytes query = MakeQuery({name, "A", kEdnsBytes, true}, ++id);
    DnsReply reply;
    reply.error = "not sent";
    if (socket.Send(query)) reply = socket.Receive();
    ++answers_;
    if (!reply.error.empty() || reply.id != id) {
      wrong_ = absl::StrCat("no answer: ", reply.error);
    } else if (may_fail_ && reply.rcode == "SERVFAIL") {
      continue;
    } else if (reply.rcode != "NOERROR" && reply.rcode != "NXDOMAIN") {
      wrong_ = reply.rcode;
    } else {
      may_fail_ = false;
      wrong_ = judge_(AddressesIn(reply));
    }
  }
}

ConsulInstance InstanceOf(const std::string& service, int i) {
  ConsulInstance instance;
  instance.node = absl::StrCat("node-", i);
  instance.node_address = absl::StrCat("10.1.", i / 250, ".", i % 250);
  instance.name = service;
  instance.id = absl::StrCat(service, "-", i);
  instance.port = 8080;
  instance.status = "passing";
  return instance;
}

std::set<std::string> AddressesOf(int first, int last) {
  std::set<std::string> addresses;
  for (int i = first; i <= last; ++i) {
    addresses.insert(InstanceOf("", i).node_address);
  }
  return addresses;
}

void MirrorTest::SetUp() {
  const std::optional<std::string> binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  binary_ = *binary;
}

void MirrorTest::StartConsul(bool keeps_data, const std::string& config) {
  ConsulProcessOptions options;
  options.config = config;
  options.keeps_data = keeps_data;
  consul_.emplace(binary_, options);
  proxy_.emplace(options.ip, consul_->ports().http);
  ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
}

void MirrorTest::Register(const std::string& service, int first, int last) {
  for (int i = first; i <= last; ++i) {
    // On a busy machine a leader may lose its office at any time.
    const ConsulInstance instance = InstanceOf(service, i);
    ASSERT_TRUE(WaitUntil([&] { return api().Register(instance); }));
  }
}

void MirrorTest::RegisterAtOnce(const std::string& service, int first,
                                int last) {
  std::vector<std::string> operations;
  for (int i = first; i <= last; ++i) {
    const ConsulInstance one = InstanceOf(service, i);
    const std::string node = JsonQuoted(one.node);
    const std::string id = JsonQuoted(one.id);
    operations.push_back(
        absl::StrCat(R"({"Node": {"Verb": "set", "Node": {"Node": )", node,
                     R"(, "Address": )", JsonQuoted(one.node_address), "}}}"));
    operations.push_back(absl::StrCat(R"({"Service": {"Verb": "set", "Node": )",
                                      node, R"(, "Service": {"ID": )", id,
                                      R"(, "Service": )", JsonQuoted(one.name),
                                      R"(, "Port": )", one.port, "}}}"));
    operations.push_back(
        absl::StrCat(R"({"Check": {"Verb": "set", "Check": {"Node": )", node,
                     R"(, "CheckID": )", JsonQuoted("service:" + one.id),
                     R"(, "Name": "check", "Status": )", JsonQuoted(one.status),
                     R"(, "ServiceID": )", id, "}}}"));
  }
  const std::string all =
      absl::StrCat("[", absl::StrJoin(operations, ","), "]");
  // On a busy machine a leader may lose its office at any time.
  ASSERT_TRUE(WaitUntil([&] { return api().Put("/v1/txn", all) == 200; }));
}

std::unique_ptr<MirrorAgent> MirrorTest::StartMirror(MirrorSetup setup) {
  if (setup.urls.empty()) setup.urls = {proxy().Url()};
  auto mirror = std::make_unique<MirrorAgent>(setup);
  EXPECT_TRUE(mirror->WaitUntilServing()) << mirror->log();
  return mirror;
}

}  // namespace dnsd::testing
