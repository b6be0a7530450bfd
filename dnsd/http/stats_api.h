// The figures of an agent for who shows them as they change: the web UI and
// `dnsd top`.
//
//   GET /v1/dnsd/stats           agent:read; one JSON object
//   GET /v1/dnsd/stats?stream    the same once a second, as server-sent events
//
// "Accept: text/event-stream" is as good as ?stream. What counts is counted
// since the start; readers take differences.
//
// Threads:   the sync thread.
// Ownership: outlives the server whose handlers its routes are; the streams
//            end with their clients or with that server.
// Errors:    403 as elsewhere, 503 above the limit of streams.
// Limits:    kStreamsMax streams. A client that does not read gets no more
//            events until it does.
#ifndef DNSD_DNSD_HTTP_STATS_API_H_
#define DNSD_DNSD_HTTP_STATS_API_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/http/http_reply.h"
#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct StatsReport {
  struct Query {
    const char* proto;
    const char* type;
    const char* rcode;
    uint64_t count;
  };
  struct Latency {
    std::vector<double> bounds_s;
    std::vector<uint64_t> counts;  // one more than bounds
    double sum_s = 0;
  };
  struct Cache {
    size_t entries = 0;
    size_t bytes = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t stale = 0;
  };
  struct Forwarder {
    std::string address;
    bool is_up = false;
    double rtt_ms = 0;
    uint64_t sent = 0;
    uint64_t timeouts = 0;
    uint64_t failures = 0;
  };
  struct Source {
    const char* kind = "registry";  // or "mirror"
    std::string address;            // of the mirrored Consul
    const char* state = "ok";       // "stale", "loading"
    double age_s = 0;               // since what is known was known to be true
    uint64_t index = 0;
  };
  struct Catalog {
    size_t nodes = 0;
    size_t instances = 0;
    size_t names = 0;
    uint64_t publications = 0;
  };

  std::string version;
  std::string node;
  std::string datacenter;
  int64_t time_ms = 0;  // since 1970
  double uptime_s = 0;
  size_t workers = 0;
  std::vector<Query> queries;  // those that are not 0
  Latency latency;
  std::optional<Cache> cache;  // of answers of recursors, where there are any
  std::vector<Forwarder> forwarders;
  Source source;
  Catalog catalog;
  // Names asked for most and how often, estimated from samples (querylog/).
  std::vector<std::pair<std::string, uint64_t>> top_names;
};

[[nodiscard]] std::string StatsJson(const StatsReport& report);

class StatsApi {
 public:
  static constexpr size_t kStreamsMax = 16;
  static constexpr uint64_t kIntervalMs = 1'000;

  struct Options {
    EventLoop* loop = nullptr;
    // The figures of now, soon or at once, on the sync thread.
    std::function<void(std::function<void(const StatsReport&)> done)> collect;
    RequestAcl acl;
    std::string node_name;
  };

  explicit StatsApi(Options options);
  ~StatsApi();
  StatsApi(const StatsApi&) = delete;
  StatsApi& operator=(const StatsApi&) = delete;

  [[nodiscard]] std::vector<Route> Routes();
  [[nodiscard]] size_t stream_count() const { return streams_.size(); }

 private:
  struct Stream {
    HttpReply reply;
    bool is_full = false;  // its client has not read what was sent
  };

  void Handle(const HttpRequest& request, const HttpReply& reply);
  void BeginStream(const HttpReply& reply);
  void OnTick();
  void SendAll(const std::string& event);

  const Options options_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, Stream> streams_;
  Timer tick_;  // runs while there are streams
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_STATS_API_H_
