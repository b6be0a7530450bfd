// ConsulClient asks a Consul's HTTP API: addresses tried in turn, the token,
// `dc` and `stale`, and the headers that come with every answer.
//
// Requests that block have connections of their own: when Consul refuses more
// of those (its limit per client), the others still get through.
//
// Threads:   the loop's thread.
// Ownership: owns its connections.
// Errors:    ConsulReply::status; a reply that is not 200 is an error with
//            the first line of what Consul said. Tokens are in no message.
#ifndef DNSD_CATALOG_CONSUL_CONSUL_CLIENT_H_
#define DNSD_CATALOG_CONSUL_CONSUL_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch.h"
#include "catalog/consul/consul_options.h"

namespace dnsd {

struct ConsulGet {
  std::string path;        // "/v1/catalog/nodes", escaped
  std::string datacenter;  // empty: the agent's own
  std::string parameters;  // "nodes=&run=r", escaped; empty: none
  std::string filter;      // an expression of Consul's; empty: none
  bool can_be_stale = true;
  uint64_t index = 0;  // not 0: blocks until Consul's is greater
  int64_t wait_ms = 0;
  int64_t total_ms = 10'000;  // without wait_ms
};

struct ConsulReply {
  absl::Status status;
  int http_status = 0;     // 0: no answer at all
  uint64_t index = 0;      // X-Consul-Index; 0: none was given
  bool has_leader = true;  // X-Consul-Knownleader
  int64_t last_contact_ms = 0;
  bool is_http2 = false;
  bool is_empty = false;  // the connection ended without a word
  std::string body;
};

// What was asked of Consul since the start.
struct ConsulTraffic {
  uint64_t requests = 0;
  uint64_t errors = 0;  // replies that were not 200, or none
  uint64_t bytes = 0;   // bodies as received, compressed or not
  uint64_t connects = 0;
};

class ConsulClient {
 public:
  using Id = uint64_t;  // never 0
  using Done = std::function<void(ConsulReply)>;

  ConsulClient(EventLoop* loop, const ConsulOptions& options);
  ConsulClient(const ConsulClient&) = delete;
  ConsulClient& operator=(const ConsulClient&) = delete;

  Id Get(const ConsulGet& get, Done done);
  void Cancel(Id id);

  // The address asked now; NextAddress() goes on to the one after it.
  [[nodiscard]] const ConsulAddress& address() const;
  void NextAddress();

  [[nodiscard]] const ConsulTraffic& traffic() const { return traffic_; }

  // `ms` give or take an eighth, so that a thousand mirrors do not march in
  // step.
  [[nodiscard]] int64_t Jitter(int64_t ms);

 private:
  void ReadTokenFile();
  [[nodiscard]] std::string UrlOf(const ConsulGet& get, int64_t wait_ms) const;

  const ConsulOptions options_;
  HttpFetcher calls_;
  HttpFetcher polls_;
  size_t address_ = 0;
  std::string token_;
  ConsulTraffic traffic_;
  std::minstd_rand random_;
};

// Of connections_max, those for requests that block. (At least 5, for a
// datacenter without any hot service, when connections_max is 8.)
[[nodiscard]] size_t PollsMax(const ConsulOptions& options);

// A name as part of a path: "a/b" is "a%2Fb".
[[nodiscard]] std::string EscapeSegment(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CONSUL_CLIENT_H_
