// QueryOptions are the parameters that all reads of Consul's HTTP API share.
//
// Threads: plain values.
// Errors:  what Consul 1.8.7 answers, status and text.
// Ignored: max-age and its like, for nothing is cached here: every answer is
//          fresh. ?consistent is too, for there is one server.
#ifndef DNSD_DNSD_HTTP_QUERY_OPTIONS_H_
#define DNSD_DNSD_HTTP_QUERY_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"

namespace dnsd {

enum class Consistency : uint8_t { kLeader, kStale, kConsistent };

struct QueryOptions {
  static constexpr int64_t kWaitMsDefault = 300'000;
  static constexpr int64_t kWaitMsMax = 600'000;

  std::string datacenter;  // as given; empty: our own
  uint64_t index = 0;      // 0: do not wait
  int64_t wait_ms = kWaitMsDefault;
  Consistency consistency = Consistency::kLeader;
  bool cached = false;
  bool pretty = false;
  bool gzip = false;  // the client takes it
  bool has_tags = false;
  std::vector<std::string> tags;  // lower case; all are wanted
  std::vector<std::pair<std::string, std::string>> node_meta;
  std::string near;
  std::string filter;
  std::string passing;  // raw: only some endpoints look at it
  bool has_passing = false;
  std::string token;
  // Two requests with the same text ask the same thing, and wait at most.
  std::string text;
};

// Fills `options`, or is the answer to a request that is wrong.
[[nodiscard]] std::optional<HttpResponse> ReadQueryOptions(
    const HttpRequest& request, QueryOptions* options);

// The answer to a request with a namespace, which is not Consul's open edition.
[[nodiscard]] std::optional<HttpResponse> RefuseNamespace(
    const HttpRequest& request);

// ?passing, ?passing=true, ?passing=0 as Go's strconv.ParseBool; nullopt for
// what is none.
[[nodiscard]] std::optional<bool> ParsePassing(const QueryOptions& options);

// "leader", "stale", "consistent".
[[nodiscard]] absl::string_view ConsistencyName(Consistency consistency);

// An answer in plain text.
[[nodiscard]] HttpResponse TextResponse(int status, absl::string_view text);

// The value of a header (name in lower case), or "".
[[nodiscard]] absl::string_view HeaderValue(const HttpRequest& request,
                                            absl::string_view name);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_QUERY_OPTIONS_H_
