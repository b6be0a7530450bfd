// ConsulApi asks a Consul's HTTP API and waits for the answer: how tests fill
// a catalog and see what is in it. It keeps its connection.
//
// Threads:   one owner; one object per thread.
// Errors:    a call that nobody answers has status 0 and says why in `body`.
//            Waiting has an end, and is false then.
#ifndef DNSD_TESTS_TESTING_CONSUL_API_H_
#define DNSD_TESTS_TESTING_CONSUL_API_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/process.h"

namespace dnsd::testing {

struct ConsulReply {
  int status = 0;
  std::string body;
  uint64_t index = 0;                          // X-Consul-Index
  std::map<std::string, std::string> headers;  // names in lower case
};

// One instance, with its node, as /v1/catalog/register takes it.
struct ConsulInstance {
  std::string node = "node-1";
  std::string node_address = "10.0.0.1";
  std::string id;       // empty: the name
  std::string name;     // empty: the node alone
  std::string address;  // empty: the node's
  uint16_t port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  // "passing", "warning", "critical": a check "service:ID" with this status.
  // Empty: no check.
  std::string status;
  std::string datacenter;
};

// Text as a JSON string, in its quotes.
[[nodiscard]] std::string JsonQuoted(const std::string& text);

// Calls `done` every few milliseconds until it says true, or the time is over.
[[nodiscard]] bool WaitUntil(const std::function<bool()>& done,
                             std::chrono::milliseconds timeout = kPatience);

class ConsulApi {
 public:
  // "http://127.0.0.1:8500"
  explicit ConsulApi(const std::string& url);
  ~ConsulApi();
  ConsulApi(ConsulApi&&) noexcept;
  ConsulApi& operator=(ConsulApi&&) noexcept;

  [[nodiscard]] const std::string& url() const;
  void set_token(const std::string& token);
  // Of a whole call.
  void set_timeout(std::chrono::milliseconds timeout);

  // `path` begins with "/v1/" and may have a query.
  ConsulReply Call(const std::string& method, const std::string& path,
                   const std::string& body = "");
  // The status.
  int Put(const std::string& path, const std::string& body = "");
  int Delete(const std::string& path);
  // The body of a 200, else "". Of `-dev`, JSON comes with line ends.
  [[nodiscard]] std::string Get(const std::string& path);
  // dnsd's: what stands behind `name` in /metrics, nothing when it is not
  // there.
  [[nodiscard]] std::optional<uint64_t> Metric(const std::string& name);
  // The elements of the list or object that a 200 brings; nothing when it is
  // none, or the answer another.
  [[nodiscard]] std::optional<size_t> Count(const std::string& path);

  // Each is true when Consul said 200.
  bool Register(const ConsulInstance& instance);
  bool DeregisterNode(const std::string& node,
                      const std::string& datacenter = "");
  bool DeregisterService(const std::string& node, const std::string& service_id,
                         const std::string& datacenter = "");
  // The status of the check that Register() made.
  bool SetStatus(const ConsulInstance& instance, const std::string& status);

  // A leader answers, and it has registered its own servers' "consul": what is
  // written from now on is not overtaken by the cluster's own beginnings.
  [[nodiscard]] bool WaitForLeader(
      std::chrono::milliseconds timeout = kPatience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_API_H_
