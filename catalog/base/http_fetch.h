// HttpFetcher asks HTTP servers without blocking: libcurl's multi interface
// on an EventLoop. Connections are kept and reused; where the server speaks
// TLS and HTTP/2, requests share connections.
//
// Threads:   the loop's thread only. A callback may call Fetch(), Open(),
//            Resume() and Cancel(), but not destroy the fetcher.
// Ownership: owns its connections and what is on its way. Destroying it
//            cancels everything.
// Errors:    any HTTP status is an answer. No answer, or not all of it, is
//            kUnavailable (connection, TLS, cut off), kDeadlineExceeded, or
//            kResourceExhausted (body_bytes_max); the message names the URL
//            without its query.
// Limits:    HttpFetcherOptions::connections_max; what is above it waits its
//            turn inside, its time running.
// Safety:    redirects are not followed and proxies of the environment not
//            used; only http, https and unix sockets are spoken.
#ifndef DNSD_CATALOG_BASE_HTTP_FETCH_H_
#define DNSD_CATALOG_BASE_HTTP_FETCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"

namespace dnsd {

// Empty paths: the system's certificate authorities, no client certificate.
struct TlsClientOptions {
  std::string ca_file;
  std::string ca_path;
  std::string cert_file;
  std::string key_file;
  bool verify = true;

  bool operator==(const TlsClientOptions&) const = default;
};

struct HttpFetcherOptions {
  size_t connections_max = 150;
  // Streams one HTTP/2 connection may carry (Go's servers allow 250).
  size_t streams_max = 250;
  TlsClientOptions tls;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpFetch {
  std::string method = "GET";
  std::string url;  // "http://127.0.0.1:8500/v1/status/leader"
  // Not empty: connect to this path instead of the URL's host.
  std::string unix_socket;
  HttpHeaders headers;
  std::string body;
  int64_t connect_ms = 5'000;
  int64_t total_ms = 0;  // 0: no limit
  size_t body_bytes_max = 1u << 30;
  // True: gzip is asked for and undone. False: the body is passed on as it
  // comes, and no Accept-Encoding is sent but the one in `headers`.
  bool decode = true;
};

struct HttpHead {
  int status = 0;
  HttpHeaders headers;  // names in lower case, in the order received

  // The first of this name (lower case), or nullptr.
  [[nodiscard]] const std::string* Find(absl::string_view name) const;
};

struct HttpFetched {
  absl::Status status;  // not OK: the rest is what came until then
  HttpHead head;
  std::string body;         // its capacity is 64 bytes more, for simdjson
  uint64_t wire_bytes = 0;  // of the body, before gzip was undone
  bool connected = false;   // a connection was made for it
  bool is_http2 = false;
  // The server took the request and closed the connection without a word.
  bool is_empty_reply = false;
};

class HttpFetcher {
 public:
  using Id = uint64_t;  // never 0, never used twice

  // A streamed answer. on_head once (not for 1xx), then on_body as it comes,
  // then on_done once; on_done alone when there is no answer. on_body returns
  // whether it wants more now; after false, Resume() lets it go on.
  struct Stream {
    std::function<void(const HttpHead&)> on_head;
    std::function<bool(absl::string_view)> on_body;
    std::function<void(const absl::Status&)> on_done;
  };

  HttpFetcher(EventLoop* loop, HttpFetcherOptions options);
  ~HttpFetcher();
  HttpFetcher(const HttpFetcher&) = delete;
  HttpFetcher& operator=(const HttpFetcher&) = delete;

  // `done` is called once, not from inside this call, unless cancelled.
  Id Fetch(HttpFetch fetch, std::function<void(HttpFetched)> done);
  Id Open(HttpFetch fetch, Stream stream);
  void Resume(Id id);
  // Nothing is called for it any more. Unknown ids are ignored.
  void Cancel(Id id);

  // Closes idle connections: the next request makes new ones.
  void DropIdleConnections();

  [[nodiscard]] size_t active_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HTTP_FETCH_H_
