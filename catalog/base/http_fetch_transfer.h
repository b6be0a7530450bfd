// HttpTransfer is one request of an HttpFetcher and what came of it: a libcurl
// handle with its options and callbacks. HttpFetcher's part; nobody else needs
// it.
//
// Threads:   the loop's thread only.
// Ownership: owns its libcurl handle. Destroy it only when no CurlMulti has
//            the handle and libcurl is not running.
// Errors:    status() says what failed, with the URL without its query.
// Limits:    kFetchHeadBytesMax, and HttpFetch::body_bytes_max. A stream holds
//            back kFetchPendingBytesMax, then lets the server wait. Over
//            HTTP/2 the server goes on until libcurl's window is full, which
//            is 32 MiB a stream.
// Safety:    calls no code of the user: libcurl allows next to nothing inside
//            its callbacks. It collects, and says `on_news`.
#ifndef DNSD_CATALOG_BASE_HTTP_FETCH_TRANSFER_H_
#define DNSD_CATALOG_BASE_HTTP_FETCH_TRANSFER_H_

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/http_fetch.h"

namespace dnsd {

// Consul's heads are a few hundred bytes; Go's servers allow 1 MiB. Interim
// answers and trailers count too, for a server could send them for ever.
inline constexpr size_t kFetchHeadBytesMax = 256u << 10;

// Of a stream's body, between libcurl and its user: enough to keep a fast
// connection busy, little enough for hundreds of slow users.
inline constexpr size_t kFetchPendingBytesMax = 128u << 10;

class HttpTransfer {
 public:
  // `on_news(transfer)`: it started, or there is something to hand to the
  // user of a stream.
  HttpTransfer(HttpFetcher::Id id, HttpFetch fetch, bool streamed,
               const TlsClientOptions& tls,
               std::function<void(HttpTransfer*)> on_news);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  static HttpTransfer* Of(CURL* easy);

  [[nodiscard]] HttpFetcher::Id id() const { return id_; }
  [[nodiscard]] int64_t total_ms() const { return fetch_.total_ms; }
  // Not to be run by libcurl unless status() is OK.
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] const absl::Status& status() const { return fetched_.status; }
  [[nodiscard]] bool ended() const { return ended_; }

  [[nodiscard]] bool is_https() const;
  // Transfers of one origin can share connections.
  [[nodiscard]] std::string Origin() const;
  // It has a connection, or its place on one.
  [[nodiscard]] bool started() const { return started_; }
  // Of the answer; once there is a head.
  [[nodiscard]] bool is_http2() const;

  // The transfer is over: as libcurl says, or for the reason `other` has, or
  // because `why` ended it.
  void End(CURLcode code);
  void EndLike(const HttpTransfer& other, CURLcode code);
  void EndBy(absl::StatusCode why, absl::string_view detail);
  // After the end.
  [[nodiscard]] HttpFetched TakeFetched();

  // Streams: what came and was not handed on yet.
  [[nodiscard]] bool has_head() const { return has_head_; }
  [[nodiscard]] const HttpHead& head() const { return fetched_.head; }
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  [[nodiscard]] std::string TakePending();

  // Between Hold() and Release() nothing is taken from the server but what is
  // on its way up already.
  void Hold() { held_ = true; }
  void Release() { held_ = false; }
  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] bool curl_paused() const { return curl_paused_; }
  // Lets libcurl go on if it was stopped: because of Hold(), or because too
  // much was pending. What it has at hand is pending then. False: it failed,
  // and the transfer has ended.
  [[nodiscard]] bool LetGo();

 private:
  struct CloseCurl {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static int OnStart(void* user, char* remote_ip, char* local_ip,
                     int remote_port, int local_port);
  static size_t OnHeadLine(char* data, size_t size, size_t count, void* user);
  static size_t OnBody(char* data, size_t size, size_t count, void* user);

  // False, with a status: the request cannot be sent as it is.
  [[nodiscard]] bool SetHeaders();
  void AddHeader(const std::string& line);
  void SetMethod();
  void SetTls(const TlsClientOptions& tls);
  void SetConnection();

  [[nodiscard]] bool TakeHeadLine(absl::string_view line);
  void AppendBody(absl::string_view bytes);
  void Fail(absl::StatusCode why, absl::string_view detail);
  [[nodiscard]] absl::string_view Detail(CURLcode code) const;

  const HttpFetcher::Id id_;
  const HttpFetch fetch_;
  const bool streamed_;
  const std::function<void(HttpTransfer*)> on_news_;
  std::array<char, CURL_ERROR_SIZE> curl_error_{};
  std::unique_ptr<curl_slist, FreeList> headers_;
  HttpFetched fetched_;
  size_t head_bytes_ = 0;
  size_t body_bytes_ = 0;
  std::string pending_;
  bool started_ = false;
  bool has_head_ = false;
  bool held_ = false;         // the user of the stream wants no more now
  bool curl_paused_ = false;  // libcurl was told so
  bool ended_ = false;
  // Last: libcurl uses the others until it is gone.
  std::unique_ptr<CURL, CloseCurl> easy_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HTTP_FETCH_TRANSFER_H_
