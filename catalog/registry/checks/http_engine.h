// HttpEngine runs the transfers of HTTP checks. A check makes a connection of
// its own each time, as Consul's does: a server that no longer accepts any
// must not pass for healthy.
//
// Threads:   the loop's thread only.
// Ownership: transfers are their owners', who remove them before they go.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_HTTP_ENGINE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_HTTP_ENGINE_H_

#include <curl/curl.h>

#include <cstddef>
#include <functional>

#include "absl/container/flat_hash_map.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch_multi.h"

namespace dnsd {

class HttpEngine {
 public:
  HttpEngine(EventLoop* loop, size_t connections_max);

  // `on_end` comes from the loop, once; `easy` is removed before it.
  void Add(CURL* easy, std::function<void(CURLcode)> on_end);
  // Nothing when it has ended.
  void Remove(CURL* easy);

 private:
  void OnEnd(CURL* easy, CURLcode code);

  absl::flat_hash_map<CURL*, std::function<void(CURLcode)>> running_;
  CurlMulti multi_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_HTTP_ENGINE_H_
