// GET /v1/agent/monitor: the agent's log as it is written from now on, as
// Consul streams it.
//
//   ?loglevel=debug    trace, debug, info, warn, error; info unless it is said,
//                      whatever the agent's own level is
//   ?logjson           lines are JSON, else text
//
// Threads:   the sync thread; lines come from any (log_monitor.h).
// Ownership: outlives the server whose handlers its routes are; the streams
//            end with their clients or with that server.
// Errors:    403 without agent:read, 400 for an unknown level, 503 above the
//            limit of streams.
// Limits:    kStreamsMax streams. What a client does not read in time is lost,
//            and it is told how much.
// Caller:    nothing that writes to a stream may log at each write: the line
//            would cause the next.
#ifndef DNSD_DNSD_HTTP_MONITOR_API_H_
#define DNSD_DNSD_HTTP_MONITOR_API_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/base/log_monitor.h"
#include "dnsd/http/http_reply.h"
#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

class MonitorApi {
 public:
  static constexpr size_t kStreamsMax = 16;

  struct Options {
    EventLoop* loop = nullptr;
    RequestAcl acl = {};
    std::string node_name = {};
  };

  explicit MonitorApi(Options options);
  ~MonitorApi();
  MonitorApi(const MonitorApi&) = delete;
  MonitorApi& operator=(const MonitorApi&) = delete;

  [[nodiscard]] std::vector<Route> Routes();
  [[nodiscard]] size_t stream_count() const { return streams_.size(); }

 private:
  struct Stream {
    HttpReply reply;
    std::unique_ptr<LogMonitor> monitor;
    bool is_full = false;  // its client has not read what was sent
  };

  void Handle(const HttpRequest& request, const HttpReply& reply);
  void BeginStream(LogMonitor::Options options, const HttpReply& reply);
  void SendAll();
  void Send(uint64_t id);

  const Options options_;
  uint64_t next_id_ = 0;
  Signal has_lines_;  // outlives the monitors, which send it
  std::map<uint64_t, Stream> streams_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_MONITOR_API_H_
