// 50,000 questions to a recursor that says nothing, to the real binary: each is
// answered, what waits is bounded in number and memory, names of the catalog
// and of other recursors are answered meanwhile, and a recursor that is back is
// asked again.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dnsd/limits.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/lying_server.h"
#include "tests/testing/process_usage.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int kQuestions = 50'000;
constexpr int kSockets = 8;
constexpr int kBatch = 64;
constexpr size_t kWorkers = 2;
constexpr uint16_t kBarrierId = UINT16_MAX;
constexpr char kTruth[] = "192.0.2.1";
constexpr char kWeb[] =
    "service { name = \"web\" address = \"192.0.2.80\" port = 80 }\n";

void SayTruth(const Asked& asked) { asked.Say(AddressReply(asked, kTruth)); }

// A client of one socket, and so of one worker, which answers what it can at
// once in the order of the questions. So when the catalog's answer to the last
// of a batch is here, what else has no answer waits.
class Client {
 public:
  explicit Client(const DnsServer& server) : socket_(DnsSocket::Udp(server)) {}

  void AskBatch(const std::string& suffix) {
    for (int i = 0; i < kBatch; ++i) {
      const uint16_t id = next_id_++;
      EXPECT_TRUE(socket_.Send(
          MakeQuery({absl::StrCat("n", id, suffix), "A", 1232}, id)));
      waiting_.insert(id);
    }
    static_cast<void>(AskCatalog());
  }

  // How long the catalog's answer takes.
  [[nodiscard]] Microseconds AskCatalog() {
    static const Bytes kQuery =
        MakeQuery({"web.service.consul.", "A", 1232}, kBarrierId);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(socket_.Send(kQuery));
    for (int i = 0; i < kQuestions; ++i) {
      const DnsReply reply = socket_.Receive();
      EXPECT_EQ(reply.error, "");
      if (reply.error.empty() && reply.id != kBarrierId) {
        Note(reply);
        continue;
      }
      EXPECT_EQ(reply.rcode, "NOERROR");
      break;
    }
    return std::chrono::steady_clock::now() - start;
  }

  void AwaitAll() {
    while (!waiting_.empty()) {
      const DnsReply reply = socket_.Receive();
      ASSERT_EQ(reply.error, "") << waiting_.size();
      Note(reply);
    }
  }

 private:
  void Note(const DnsReply& reply) {
    EXPECT_EQ(reply.rcode, "SERVFAIL");
    EXPECT_EQ(waiting_.erase(reply.id), 1u) << reply.question;
  }

  DnsSocket socket_;
  uint16_t next_id_ = 0;
  std::set<uint16_t> waiting_;
};

Microseconds Median(std::vector<Microseconds> all) {
  std::nth_element(all.begin(), all.begin() + all.size() / 2, all.end());
  return all[all.size() / 2];
}

TEST(ForwardFloodTest, ADeadRecursorCostsNobodyElse) {
  LyingServer recursor([](const Asked&) {});
  LyingServer other(SayTruth);
  AgentProcess dnsd(
      {"-dev", "-workers", absl::StrCat(kWorkers), "-recursor",
       recursor.Address(), "-hcl",
       absl::StrCat(kWeb, "forward { zone = \"other.test\" to = [\"",
                    other.Address(), "\"] }")});
  ASSERT_TRUE(dnsd.WaitUntilServing()) << dnsd.process().output();
  ConsulApi api("http://" + dnsd.HttpAddress());
  const auto count = [&](const std::string& name) {
    return api.Metric(absl::StrCat("dnsd_forward_", name, "_total")).value();
  };
  std::vector<Client> clients;
  for (int i = 0; i < kSockets; ++i) clients.emplace_back(dnsd.dns());
  std::vector<Microseconds> before;
  for (int i = 0; i < Scaled(400); ++i) {
    before.push_back(clients[static_cast<size_t>(i) % kSockets].AskCatalog());
  }
  const pid_t pid = dnsd.process().pid();
  const size_t bytes_before = ResidentBytes(pid);
  const size_t files_before = OpenFiles(pid);

  std::vector<Microseconds> meanwhile;
  const int batches = Scaled(kQuestions) / (kBatch * kSockets) + 1;
  size_t files_most = 0;
  for (int batch = 0; batch < batches; ++batch) {
    for (int i = 0; i < kSockets; ++i) {
      Client& client = clients[static_cast<size_t>(i)];
      client.AskBatch(absl::StrCat(".s", i, ".example."));
      meanwhile.push_back(client.AskCatalog());
    }
    files_most = std::max(files_most, OpenFiles(pid));
    EXPECT_EQ(AskUdp(dnsd.dns(),
                     {absl::StrCat("n", batch, ".other.test."), "A", 1232})
                  .rcode,
              "NOERROR");
  }
  const size_t bytes_after = ResidentBytes(pid);
  const uint64_t asked = static_cast<uint64_t>(batches) * kBatch * kSockets;
  for (Client& client : clients) ASSERT_NO_FATAL_FAILURE(client.AwaitAll());

  // A question that waits has a socket, and one recursor of two has half of
  // them; some are others'.
  EXPECT_LE(files_most, files_before + kWorkers * kForwardSocketsMax / 2 + 64);
  EXPECT_EQ(count("queries"), asked + static_cast<uint64_t>(batches));
  EXPECT_EQ(count("table_full") + count("failed"), asked);
  EXPECT_GT(count("table_full"), 0u);
  EXPECT_LT(Median(meanwhile), 20 * Median(before));
  // Far from what the queries of a full table may take. Sanitizers keep what is
  // freed.
  if (Scaled(kQuestions) == kQuestions) {
    EXPECT_LT(bytes_after, bytes_before + kWorkers * kForwardWaitingMax *
                                              kUdpQueryBytesMax / 4);
  }

  recursor.Tell(SayTruth);
  EXPECT_TRUE(WaitUntil([&] {
    return AskUdp(dnsd.dns(), {"back.example.", "A", 1232}).rcode == "NOERROR";
  }));
}

}  // namespace
}  // namespace dnsd::testing
