// CurlMulti runs libcurl transfers on an EventLoop: the sockets and the timer
// that libcurl asks for. HttpFetcher's engine; nobody else needs it.
//
// Threads:   the loop's thread only.
// Ownership: owns the connections, not the transfers: whoever adds one removes
//            it before it goes, and before this goes. Callbacks may not
//            destroy this.
// Errors:    a transfer libcurl does not take is refused by Add().
// Safety:    libcurl runs only in Add(), Remove(), Push() and in timers, never
//            inside a Poll's callback: it tells us to forget sockets whenever
//            it likes, and a Poll may not go inside its callback.
#ifndef DNSD_CATALOG_BASE_HTTP_FETCH_MULTI_H_
#define DNSD_CATALOG_BASE_HTTP_FETCH_MULTI_H_

#include <curl/curl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "catalog/base/event_loop.h"

namespace dnsd {

class CurlMulti {
 public:
  struct Limits {
    size_t connections_max;
    size_t streams_max;
  };
  struct Callbacks {
    // A transfer ended. It is still added.
    std::function<void(CURL*, CURLcode)> on_end;
    // libcurl has done what it could, or Wake() was called: time for whatever
    // must not happen inside libcurl's own callbacks.
    std::function<void()> after;
  };

  CurlMulti(EventLoop* loop, const Limits& limits, Callbacks callbacks);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // Never from inside a libcurl callback.
  [[nodiscard]] CURLcode Add(CURL* easy);
  void Remove(CURL* easy);

  // Does now what a transfer that was just added needs, instead of in the next
  // turn of the loop: it may start, if there is a connection for it.
  void Push();

  // Calls `after` soon, from the loop.
  void Wake();

  // Hangs up all connections that nobody uses. libcurl finds out before it
  // would use them again. `paused` are the transfers that libcurl reads
  // nothing for now.
  void DropIdle(const std::vector<CURL*>& paused);

 private:
  class Watch;
  struct Ready {
    int fd;
    uint64_t serial;
    int events;
  };

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* user,
                      void* socket_data);
  static int OnTimeout(CURLM* multi, long timeout_ms, void* user);
  static curl_socket_t OnOpenSocket(void* user, curlsocktype purpose,
                                    curl_sockaddr* address);
  static int OnCloseSocket(void* user, curl_socket_t fd);

  void SetEvents(int fd, int events);
  void StartSoon(Timer* timer);
  void OnPoll(int fd, uint64_t serial, int events);
  void Run();
  void RunSocket(const Ready& ready);
  void TakeMessages();

  EventLoop* const loop_;
  const Callbacks callbacks_;
  CURLM* const multi_;
  absl::flat_hash_map<int, std::unique_ptr<Watch>> watches_;
  uint64_t last_serial_ = 0;
  std::vector<Ready> ready_;
  // By descriptor, the inode. libcurl closes some without telling: a number
  // may have become another socket's, anybody's.
  absl::flat_hash_map<int, ino_t> sockets_;
  bool timed_out_ = false;
  uint64_t turn_ms_ = 0;  // the loop's time at the last Run()
  int runs_of_turn_ = 0;
  Timer timeout_;  // libcurl's
  Timer run_;      // at once: Run()
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HTTP_FETCH_MULTI_H_
