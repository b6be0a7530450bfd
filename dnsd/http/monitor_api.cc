#include "dnsd/http/monitor_api.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/log_control.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/url.h"

namespace dnsd {

MonitorApi::MonitorApi(Options options)
    : options_(std::move(options)),
      has_lines_(options_.loop, [this] { SendAll(); }) {}

MonitorApi::~MonitorApi() = default;

std::vector<Route> MonitorApi::Routes() {
  return {
      {"GET", "/v1/agent/monitor",
       ForAgentRight(
           &Authorizer::AgentRead, options_.acl, options_.node_name,
           [this](const HttpRequest& request, const HttpServer::Reply& reply) {
             Handle(request, reply);
           })}};
}

void MonitorApi::Handle(const HttpRequest& request, const HttpReply& reply) {
  LogMonitor::Options options;
  const std::string level = QueryValue(request.query, "loglevel").value_or("");
  if (!level.empty() && !ParseLogLevel(level, &options.level)) {
    return ReplyText(400, absl::StrCat("Unknown log level: ", level), reply);
  }
  options.json = QueryValue(request.query, "logjson").has_value();
  // The head alone would have no end.
  if (request.method == "HEAD") return ReplyText(200, "", reply);
  if (streams_.size() >= kStreamsMax) {
    return ReplyText(
        503, absl::StrCat("There are ", kStreamsMax, " monitors already"),
        reply);
  }
  BeginStream(std::move(options), reply);
}

void MonitorApi::BeginStream(LogMonitor::Options options,
                             const HttpReply& reply) {
  options.wake = [this] { has_lines_.Send(); };
  reply.Begin({});
  reply.Waits();
  const uint64_t id = next_id_++;
  streams_.emplace(
      id, Stream{reply, std::make_unique<LogMonitor>(std::move(options))});
  reply.OnDrained([this, id] {
    const auto stream = streams_.find(id);
    if (stream == streams_.end()) return;
    stream->second.is_full = false;
    Send(id);
  });
  // Last, for the client may have left already.
  reply.OnClosed([this, id] { streams_.erase(id); });
}

void MonitorApi::SendAll() {
  std::vector<uint64_t> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const uint64_t id : ids) Send(id);
}

void MonitorApi::Send(uint64_t id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || stream->second.is_full) return;
  const std::string lines = stream->second.monitor->Take();
  if (lines.empty()) return;
  const HttpReply reply = stream->second.reply;
  if (reply.Write(lines)) return;
  // Unless the write has ended the stream.
  const auto full = streams_.find(id);
  if (full != streams_.end()) full->second.is_full = true;
}

}  // namespace dnsd
