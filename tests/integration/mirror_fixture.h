// MirrorAgent is a `dnsd agent` that mirrors a Consul, with waits short enough
// for tests; MirrorTest is a real Consul to mirror, behind a proxy that makes
// its connections bad; NameAsker asks one question without pause.
//
// Threads:   one owner each. What a NameAsker was told is read after Stop().
// Ownership: processes and threads end with their objects.
// Errors:    waiting has an end and is false then; log() has dnsd's reasons.
#ifndef DNSD_TESTS_INTEGRATION_MIRROR_FIXTURE_H_
#define DNSD_TESTS_INTEGRATION_MIRROR_FIXTURE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/fault_proxy.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct MirrorSetup {
  std::vector<std::string> urls;  // of Consul's HTTP API, tried in turn
  // The block `consul`.
  std::string stale_after = "4s";
  std::string wait = "5s";
  std::string hold_shrunken = "0s";
  int connections = 150;
  int watches = 0;
  std::string config;  // more of the file
  std::vector<std::string> args;
  std::string data_dir;  // empty: nothing is kept
};

class MirrorAgent {
 public:
  explicit MirrorAgent(const MirrorSetup& setup);

  [[nodiscard]] bool WaitUntilServing() { return agent_.WaitUntilServing(); }
  [[nodiscard]] AgentProcess& agent() { return agent_; }
  [[nodiscard]] const DnsServer& dns() const { return agent_.dns(); }
  [[nodiscard]] std::string log() { return agent_.process().output(); }
  // How often a text stands in the log.
  [[nodiscard]] size_t LogCount(const std::string& text);

  // By UDP, with EDNS.
  [[nodiscard]] DnsReply Ask(const std::string& name,
                             const std::string& type = "A") const;
  // The data of the A records of a name: {} for NXDOMAIN and for errors.
  [[nodiscard]] std::set<std::string> Addresses(const std::string& name) const;
  [[nodiscard]] bool WaitForAddresses(
      const std::string& name, const std::set<std::string>& addresses,
      std::chrono::milliseconds timeout = kPatience) const;

  // One of Stats of /v1/agent/self; "" when there is none.
  [[nodiscard]] std::string Stat(const std::string& section,
                                 const std::string& key);
  [[nodiscard]] bool WaitForStat(const std::string& section,
                                 const std::string& key,
                                 const std::string& value,
                                 std::chrono::milliseconds timeout = kPatience);
  // What stands behind `name` in /metrics: "1".
  [[nodiscard]] std::string Metric(const std::string& name);

 private:
  TempDir dir_;
  AgentProcess agent_;
};

// Whether a reply has the extended DNS error "stale answer" (RFC 8914).
[[nodiscard]] bool IsCalledStale(const DnsReply& reply);

// Asks for the A records of a name, as fast as the answers come.
class NameAsker {
 public:
  // The addresses of an answer, sorted, to what is wrong with them: "" for
  // nothing.
  using Judge = std::function<std::string(const std::set<std::string>&)>;
  // A dnsd that never heard of a catalog has nothing better to say.
  enum class Failures : uint8_t { kNone, kUntilFirstAnswer };

  NameAsker(const DnsServer& server, const std::string& name, Judge judge,
            Failures failures = Failures::kNone);
  ~NameAsker();
  NameAsker(const NameAsker&) = delete;
  NameAsker& operator=(const NameAsker&) = delete;

  // The first answer that was wrong, SERVFAIL and silence among them: "" for
  // none.
  [[nodiscard]] std::string Stop();
  [[nodiscard]] uint64_t answers() const { return answers_; }

 private:
  void Run(const DnsServer& server, const std::string& name);

  Judge judge_;
  bool may_fail_;
  std::atomic<bool> stop_ = false;     // says no more than it says
  std::atomic<uint64_t> answers_ = 0;  // a counter
  std::string wrong_;
  std::thread thread_;
};

// "web-1" on "node-1", at 10.1.0.1, with a check that passes.
[[nodiscard]] ConsulInstance InstanceOf(const std::string& service, int i);
// 10.1.0.1, ...: the addresses of instances first to last.
[[nodiscard]] std::set<std::string> AddressesOf(int first, int last);

class MirrorTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // A server alone, and the proxy in front of it.
  void StartConsul(bool keeps_data = false, const std::string& config = "");
  // Instances first to last of a service.
  void Register(const std::string& service, int first, int last);
  // The same in one transaction, of 64 things at most (a node, an instance and
  // a check each): no load sees a part of them.
  void RegisterAtOnce(const std::string& service, int first, int last);
  // Mirrors through the proxy, unless the setup has addresses.
  [[nodiscard]] std::unique_ptr<MirrorAgent> StartMirror(
      MirrorSetup setup = {});

  [[nodiscard]] const std::string& binary() const { return binary_; }
  [[nodiscard]] ConsulProcess& consul() { return *consul_; }
  [[nodiscard]] ConsulApi& api() { return consul_->api(); }
  [[nodiscard]] FaultProxy& proxy() { return *proxy_; }

 private:
  std::string binary_;
  std::optional<ConsulProcess> consul_;
  std::optional<FaultProxy> proxy_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_MIRROR_FIXTURE_H_
