#include "catalog/registry/checks/http_engine.h"

#include <utility>

#include "catalog/base/check.h"

namespace dnsd {

HttpEngine::HttpEngine(EventLoop* loop, size_t connections_max)
    : multi_(
          loop, {.connections_max = connections_max, .streams_max = 1},
          {.on_end = [this](CURL* easy, CURLcode code) { OnEnd(easy, code); },
           .after = [] {}}) {}

void HttpEngine::Add(CURL* easy, std::function<void(CURLcode)> on_end) {
  running_[easy] = std::move(on_end);
  // libcurl refuses what is no handle, or one that was added before.
  DNSD_CHECK(multi_.Add(easy) == CURLE_OK);
}

void HttpEngine::Remove(CURL* easy) {
  if (running_.erase(easy) != 0) multi_.Remove(easy);
}

void HttpEngine::OnEnd(CURL* easy, CURLcode code) {
  const auto found = running_.find(easy);
  if (found == running_.end()) return;
  const auto on_end = std::move(found->second);
  Remove(easy);
  on_end(code);
}

}  // namespace dnsd
