#include "dnsd/http/forward_cache_api.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "catalog/types.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/url.h"
#include "dnsd/limits.h"
#include "zones/name.h"
#include "zones/wire.h"
#include "zones/zone_rdata.h"

namespace dnsd {
namespace {

// nullopt: what is given is no name, and is answered.
std::optional<CacheNames> ReadNames(const HttpRequest& request,
                                    const HttpReply& reply) {
  CacheNames names;
  const auto name = QueryValue(request.query, "name");
  const auto suffix = QueryValue(request.query, "suffix");
  if (!name && !suffix) return names;
  const std::string text = name ? *name : *suffix;
  names.below = !name;
  if ((name && suffix) || text.empty()) {
    ReplyText(400, "Either name or suffix, and not empty", reply);
    return std::nullopt;
  }
  Name parsed;
  if (!NameToWire(AsciiLower(text), &names.name) ||
      ParseName(WireBytes(names.name), &parsed) == 0) {
    ReplyText(400, "Not a domain name", reply);
    return std::nullopt;
  }
  return names;
}

std::optional<size_t> ReadLimit(const HttpRequest& request,
                                const HttpReply& reply) {
  const auto text = QueryValue(request.query, "limit");
  if (!text) return kForwardDumpRows;
  size_t limit = 0;
  if (absl::SimpleAtoi(*text, &limit) && limit <= kForwardDumpRowsMax) {
    return limit;
  }
  ReplyText(400, absl::StrCat("limit is at most ", kForwardDumpRowsMax), reply);
  return std::nullopt;
}

void WriteRow(const CacheRow& row, JsonWriter* json) {
  json->BeginObject();
  json->Key("Name");
  json->String(NameToText(WireBytes(row.name)));
  json->Key("Type");
  json->String(TypeText(row.qtype));
  json->Key("Rcode");
  json->String(row.rcode == kNxDomain ? "NXDOMAIN" : "NOERROR");
  json->Key("TTL");
  json->Uint(row.ttl_left_s);
  json->Key("Stale");
  json->Bool(row.ttl_left_s == 0);
  json->Key("DNSSEC");
  json->Bool(row.dnssec_ok);
  json->Key("CheckingDisabled");
  json->Bool(row.checking_disabled);
  json->Key("Bytes");
  json->Uint(row.bytes);
  json->Key("Worker");
  json->Uint(row.worker);
  json->EndObject();
}

std::string DumpText(const CacheDump& dump) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Entries");
  json.Uint(dump.entries);
  json.Key("Bytes");
  json.Uint(dump.bytes);
  json.Key("Truncated");
  json.Bool(dump.is_cut);
  json.Key("Answers");
  json.BeginArray();
  for (const CacheRow& row : dump.rows) WriteRow(row, &json);
  json.EndArray();
  json.EndObject();
  return text;
}

void Dump(const ForwardCacheHooks& hooks, const HttpRequest& request,
          const HttpReply& reply) {
  const std::optional<CacheNames> names = ReadNames(request, reply);
  if (!names) return;
  const std::optional<size_t> limit = ReadLimit(request, reply);
  if (!limit) return;
  hooks.dump(*names, *limit, [request, reply](CacheDump dump) {
    std::sort(dump.rows.begin(), dump.rows.end());
    ReplyJson(request, DumpText(dump), reply);
  });
}

void Flush(const ForwardCacheHooks& hooks, const HttpRequest& request,
           const HttpReply& reply) {
  const std::optional<CacheNames> names = ReadNames(request, reply);
  if (!names) return;
  hooks.flush(*names, [request, reply](size_t count) {
    ReplyJson(request, absl::StrCat("{\"Flushed\":", count, "}"), reply);
  });
}

}  // namespace

std::vector<Route> ForwardCacheRoutes(ForwardCacheHooks hooks) {
  const auto all = std::make_shared<const ForwardCacheHooks>(std::move(hooks));
  const auto guarded = [all](AgentRight right, auto handler) {
    return ForAgentRight(right, all->acl, all->node_name,
                         [all, handler](const HttpRequest& request,
                                        const HttpServer::Reply& reply) {
                           handler(*all, request, reply);
                         });
  };
  return {
      {"GET", "/v1/dnsd/cache", guarded(&Authorizer::AgentRead, Dump)},
      {"PUT", "/v1/dnsd/cache/flush", guarded(&Authorizer::AgentWrite, Flush)}};
}

}  // namespace dnsd
