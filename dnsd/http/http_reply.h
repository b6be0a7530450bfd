// HttpReply answers one request, at once or later: whole, by calling it, or
// streamed, by Begin(), Write() as often as wanted, and End().
//
// Threads:   the thread of its server.
// Ownership: a small handle; copies are the same answer. It may outlive its
//            connection and the server: then nothing happens. Dropped without
//            an answer it answers 500; dropped within a stream it is Abort().
//            Callbacks live until the answer is complete or cut, so one that
//            holds a copy of its HttpReply keeps that from being dropped.
// Caller:    one answer. What comes after it, or out of order, does nothing.
// Framing:   by Content-Length when the head of a stream has that header, else
//            in chunks, else (HTTP/1.0) by the end of the connection. HEAD,
//            204 and 304 have no body: it may be written and is not sent. A
//            stream that ends before its Content-Length is cut, and so is one
//            that goes on behind it.
#ifndef DNSD_DNSD_HTTP_HTTP_REPLY_H_
#define DNSD_DNSD_HTTP_HTTP_REPLY_H_

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"

namespace dnsd {

// Where answers go: a connection, or something of a test. The meaning of each
// is that of HttpReply's functions.
class HttpAnswerSink {
 public:
  virtual ~HttpAnswerSink() = default;
  virtual void Answer(HttpResponse response) = 0;
  virtual void Begin(HttpResponse head) = 0;
  virtual bool Write(absl::string_view bytes) = 0;
  virtual void End() = 0;
  virtual void Abort() = 0;
  virtual void Waits() {}
  virtual void OnDrained(std::function<void()> callback) = 0;
  virtual void OnClosed(std::function<void()> callback) = 0;
};

class HttpReply {
 public:
  HttpReply() = default;  // answers nobody
  explicit HttpReply(std::shared_ptr<HttpAnswerSink> sink);
  // For tests: gets the whole answer, a streamed one at its End().
  template <typename Function>
  requires(!std::is_same_v<std::decay_t<Function>, HttpReply> &&
           std::is_invocable_v<Function&, HttpResponse>)
      HttpReply(
          Function function)  // NOLINT: where a handler is called directly
      : HttpReply(ToFunction(
            std::function<void(HttpResponse)>(std::move(function)))) {}

  // The whole answer.
  void operator()(HttpResponse response) const;

  // Status line and headers of a streamed one; the head's body must be empty.
  void Begin(HttpResponse head) const;
  // Takes all of it. False: much is unsent by now (kHttpUnsentBytesMax); write
  // on when OnDrained()'s callback is called.
  [[nodiscard]] bool Write(absl::string_view bytes) const;
  void End() const;
  // Cuts the connection in such a way that the client sees that the answer is
  // not whole.
  void Abort() const;

  // What is left to do is to wait, for a change or for another server: it is no
  // work that counts against HttpLimits::requests_max.
  void Waits() const;

  // Called each time when there is room again after a Write() was false.
  void OnDrained(std::function<void()> callback) const;
  // Called once if the client left, or the server ended, before the answer was
  // given or its stream ended; at once if that has happened already. A client
  // that closed its sending side only is waited for: HttpLimits::half_close_ms.
  void OnClosed(std::function<void()> callback) const;

 private:
  static std::shared_ptr<HttpAnswerSink> ToFunction(
      std::function<void(HttpResponse)> function);

  std::shared_ptr<HttpAnswerSink> sink_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_REPLY_H_
