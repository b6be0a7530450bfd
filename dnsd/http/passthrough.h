// Passthrough hands a client's request on to Consul and streams the answer
// back, so that a client may use dnsd as its agent.
//
// Intact:    method, target, body, status, and all headers but Host, Expect
//            and those of one hop (RFC 9110 7.6.1). Names of headers get Go's
//            spelling (X-Consul-Index), which is Consul's. No token is added:
//            a client has the rights of its own.
// Added:     X-Forwarded-For, and X-Dnsd-Passthrough against loops.
// Streaming: the answer goes on as it comes, and comes no faster than the
//            client takes it. A client that leaves takes its request at
//            Consul with it. An answer that Consul cuts is cut here.
// Errors:    what Consul says is passed on. Ours are text: 500 when Consul
//            cannot be reached (as its agents say when their servers cannot),
//            429 above the limit, 508 in a loop. Nothing is tried twice: only
//            the client knows whether that would be right.
// Threads:   the loop's thread only.
// Ownership: the fetcher must outlive it. Destroying it cancels everything;
//            clients see an answer of 500 or one that is not whole.
#ifndef DNSD_DNSD_HTTP_PASSTHROUGH_H_
#define DNSD_DNSD_HTTP_PASSTHROUGH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "catalog/base/http_fetch.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"
#include "dnsd/limits.h"

namespace dnsd {

// Where Consul's HTTP API is at this moment.
struct PassthroughTarget {
  std::string url;          // "http://127.0.0.1:8500", no final slash
  std::string unix_socket;  // not empty: connect there
};

struct PassthroughOptions {
  // With Consul at a time.
  size_t requests_max = kPassthroughRequestsMax;
  int64_t connect_ms = 5'000;
};

// Since the start, but `active`.
struct PassthroughCounts {
  size_t active = 0;
  uint64_t requests = 0;  // handed on
  uint64_t refused = 0;   // above the limit
  uint64_t loops = 0;
  uint64_t unreachable = 0;
  uint64_t cut = 0;         // by Consul, in the middle of an answer
  uint64_t left = 0;        // by their clients
  uint64_t body_bytes = 0;  // of answers
};

class Passthrough {
 public:
  // `target` is asked for each request.
  Passthrough(HttpFetcher* fetcher, std::function<PassthroughTarget()> target,
              PassthroughOptions options = {});
  ~Passthrough();
  Passthrough(const Passthrough&) = delete;
  Passthrough& operator=(const Passthrough&) = delete;

  // Fits HttpServer's Handler.
  void Handle(const HttpRequest& request, HttpReply reply);

  [[nodiscard]] PassthroughCounts counts() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // callbacks hold it weakly
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_PASSTHROUGH_H_
