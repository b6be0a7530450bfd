#include "dnsd/http/stats_api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

bool WantsStream(const HttpRequest& request) {
  if (QueryValue(request.query, "stream")) return true;
  return std::any_of(
      request.headers.begin(), request.headers.end(), [](const auto& header) {
        return header.first == "accept" &&
               absl::StrContains(header.second, "text/event-stream");
      });
}

// A member of the object that is being written.
void Put(absl::string_view key, absl::string_view value, JsonWriter* json) {
  json->Key(key);
  json->String(value);
}

void Put(absl::string_view key, uint64_t value, JsonWriter* json) {
  json->Key(key);
  json->Uint(value);
}

void Put(absl::string_view key, double value, JsonWriter* json) {
  json->Key(key);
  json->Raw(NumberText(value));
}

void PutLatency(const StatsReport::Latency& latency, JsonWriter* json) {
  json->Key("Latency");
  json->BeginObject();
  json->Key("BoundsSeconds");
  json->BeginArray();
  for (const double bound : latency.bounds_s) json->Raw(NumberText(bound));
  json->EndArray();
  json->Key("Counts");
  json->BeginArray();
  for (const uint64_t count : latency.counts) json->Uint(count);
  json->EndArray();
  Put("SumSeconds", latency.sum_s, json);
  json->EndObject();
}

void PutForwarding(const StatsReport& report, JsonWriter* json) {
  json->Key("Cache");
  if (report.cache) {
    json->BeginObject();
    Put("Entries", report.cache->entries, json);
    Put("Bytes", report.cache->bytes, json);
    Put("Hits", report.cache->hits, json);
    Put("Misses", report.cache->misses, json);
    Put("Stale", report.cache->stale, json);
    json->EndObject();
  } else {
    json->Null();
  }
  json->Key("Forwarders");
  json->BeginArray();
  for (const StatsReport::Forwarder& forwarder : report.forwarders) {
    json->BeginObject();
    Put("Address", forwarder.address, json);
    json->Key("Up");
    json->Bool(forwarder.is_up);
    Put("RttMs", forwarder.rtt_ms, json);
    Put("Sent", forwarder.sent, json);
    Put("Timeouts", forwarder.timeouts, json);
    Put("Failures", forwarder.failures, json);
    json->EndObject();
  }
  json->EndArray();
}

void PutCatalog(const StatsReport& report, JsonWriter* json) {
  json->Key("Source");
  json->BeginObject();
  Put("Kind", report.source.kind, json);
  Put("Address", report.source.address, json);
  Put("State", report.source.state, json);
  Put("AgeSeconds", report.source.age_s, json);
  Put("Index", report.source.index, json);
  json->EndObject();
  json->Key("Catalog");
  json->BeginObject();
  Put("Nodes", report.catalog.nodes, json);
  Put("Instances", report.catalog.instances, json);
  Put("Names", report.catalog.names, json);
  Put("Publications", report.catalog.publications, json);
  json->EndObject();
}

}  // namespace

std::string StatsJson(const StatsReport& report) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  Put("Version", report.version, &json);
  Put("Node", report.node, &json);
  Put("Datacenter", report.datacenter, &json);
  json.Key("TimeMs");
  json.Int(report.time_ms);
  Put("UptimeSeconds", report.uptime_s, &json);
  Put("Workers", report.workers, &json);
  json.Key("Queries");
  json.BeginArray();
  for (const StatsReport::Query& query : report.queries) {
    json.BeginObject();
    Put("Proto", query.proto, &json);
    Put("Type", query.type, &json);
    Put("Rcode", query.rcode, &json);
    Put("Count", query.count, &json);
    json.EndObject();
  }
  json.EndArray();
  PutLatency(report.latency, &json);
  PutForwarding(report, &json);
  PutCatalog(report, &json);
  json.Key("TopNames");
  json.BeginArray();
  for (const auto& [name, count] : report.top_names) {
    json.BeginObject();
    Put("Name", name, &json);
    Put("Count", count, &json);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text;
}

StatsApi::StatsApi(Options options)
    : options_(std::move(options)),
      tick_(options_.loop, [this] { OnTick(); }) {}

StatsApi::~StatsApi() = default;

std::vector<Route> StatsApi::Routes() {
  return {
      {"GET", "/v1/dnsd/stats",
       ForAgentRight(
           &Authorizer::AgentRead, options_.acl, options_.node_name,
           [this](const HttpRequest& request, const HttpServer::Reply& reply) {
             Handle(request, reply);
           })}};
}

void StatsApi::Handle(const HttpRequest& request, const HttpReply& reply) {
  // The head alone would have no end.
  if (WantsStream(request) && request.method != "HEAD") {
    return BeginStream(reply);
  }
  options_.collect([request, reply](const StatsReport& report) {
    ReplyJson(request, StatsJson(report), reply);
  });
}

void StatsApi::BeginStream(const HttpReply& reply) {
  if (streams_.size() >= kStreamsMax) {
    return ReplyText(
        503,
        absl::StrCat("There are ", kStreamsMax, " streams of figures already"),
        reply);
  }
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("Cache-Control", "no-store");
  reply.Begin(std::move(head));
  reply.Waits();
  const uint64_t id = next_id_++;
  streams_.emplace(id, Stream{reply});
  if (!tick_.active()) tick_.Start(0, kIntervalMs);
  reply.OnDrained([this, id] {
    const auto stream = streams_.find(id);
    if (stream != streams_.end()) stream->second.is_full = false;
  });
  // Last, for the client may have left already.
  reply.OnClosed([this, id] {
    streams_.erase(id);
    if (streams_.empty()) tick_.Stop();
  });
}

void StatsApi::OnTick() {
  options_.collect([this](const StatsReport& report) {
    SendAll(absl::StrCat("data: ", StatsJson(report), "\n\n"));
  });
}

void StatsApi::SendAll(const std::string& event) {
  std::vector<uint64_t> ids;
  for (const auto& [id, stream] : streams_) {
    if (!stream.is_full) ids.push_back(id);
  }
  for (const uint64_t id : ids) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end()) continue;
    const HttpReply reply = stream->second.reply;
    if (reply.Write(event)) continue;
    // Unless the write has ended the stream.
    const auto full = streams_.find(id);
    if (full != streams_.end()) full->second.is_full = true;
  }
}

}  // namespace dnsd
