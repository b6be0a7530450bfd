// The API of what is kept of other people's answers. It is dnsd's own: Consul
// keeps none.
//
//   GET /v1/dnsd/cache?name=&suffix=&limit=   agent:read
//   PUT /v1/dnsd/cache/flush?name=|suffix=    agent:write
//
// name is one name, suffix one with all below it; without either it is all.
//
// Threads:   the sync thread; the hooks answer there, when all workers have.
// Errors:    400 for what is no name or no limit, 403 as elsewhere.
// Limits:    kForwardDumpRowsMax rows.
#ifndef DNSD_DNSD_HTTP_FORWARD_CACHE_API_H_
#define DNSD_DNSD_HTTP_FORWARD_CACHE_API_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct CacheNames {
  std::string name;  // lower case, wire form; empty: all
  bool below = false;
};

// An answer that one worker keeps.
struct CacheRow {
  std::string name;  // as CacheNames
  uint16_t qtype = 0;
  uint16_t qclass = 0;
  uint8_t rcode = 0;
  bool dnssec_ok = false;
  bool checking_disabled = false;
  uint32_t ttl_left_s = 0;  // 0: stale
  size_t bytes = 0;
  size_t worker = 0;

  auto operator<=>(const CacheRow&) const = default;
};

struct CacheDump {
  // Of all that is kept, whatever was asked for.
  size_t entries = 0;
  size_t bytes = 0;
  bool is_cut = false;  // there are more rows than were asked for
  std::vector<CacheRow> rows;
};

struct ForwardCacheHooks {
  std::function<void(const CacheNames& names, size_t limit,
                     std::function<void(CacheDump)> done)>
      dump;
  std::function<void(const CacheNames& names,
                     std::function<void(size_t count)> done)>
      flush;
  RequestAcl acl;
  std::string node_name;
};

[[nodiscard]] std::vector<Route> ForwardCacheRoutes(ForwardCacheHooks hooks);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_FORWARD_CACHE_API_H_
