// HttpConnection is the HTTP/1.1 of one connection without its socket: bytes
// in, requests to the handler, bytes out. HttpServer moves the bytes and keeps
// the time; tests and the fuzzer do without it.
//
//   Receive(bytes) -> llhttp -> head checked -> body collected -> handler
//                                                                   |
//   TakeOutput() <- head and body, whole or streamed <------------- Reply
//
// Threads:   one, the sync thread's.
// Ownership: held by HttpServer; a Reply holds it weakly. Handler and limits
//            must outlive it or Detach().
// Order:     one request at a time is with the handler. What a client sends
//            behind it waits unparsed, so answers are in order by themselves.
// Limits:    HttpLimits and limits.h. A broken or too long request is
//            answered and ends the connection: where the next request would
//            begin is no longer sure.
#ifndef DNSD_DNSD_HTTP_HTTP_CONNECTION_H_
#define DNSD_DNSD_HTTP_HTTP_CONNECTION_H_

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_body.h"
#include "dnsd/http/http_in_flight.h"
#include "dnsd/http/http_server.h"

namespace dnsd {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  enum class Phase : uint8_t {
    kIdle,    // between requests
    kHead,    // in the request line or the headers
    kBody,    // headers are complete
    kParked,  // with the handler
    kStream,  // head of the answer is written, its end is not
  };

  // Only for Create(), which must go through std::make_shared.
  struct Private {};
  HttpConnection(Private, const HttpLimits* limits,
                 const HttpServer::Handler* handler, std::function<void()> wake,
                 std::string client_ip, HttpInFlight* in_flight);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // `in_flight` counts the requests of all connections; nullptr: nobody does.
  // `wake` is called when there is output or an end that no call below asked
  // for: a parked request was answered, or some of its answer.
  [[nodiscard]] static std::shared_ptr<HttpConnection> Create(
      const HttpLimits* limits, const HttpServer::Handler* handler,
      std::function<void()> wake, std::string client_ip = "",
      HttpInFlight* in_flight = nullptr);

  void Receive(absl::string_view bytes);
  // The client has closed its side: it may still read.
  void ReceiveEnd();
  // `bytes` of the output are with the client's kernel.
  void Sent(size_t bytes);

  // Refuses the client before it asked anything.
  void Refuse(int status, absl::string_view text);
  // The current phase took too long; for a request with the handler: its client
  // closed its side a while ago.
  void TimeOut();
  // The socket is gone: nothing is sent or handled any more.
  void Detach();

  // Pieces to send in order; each is taken once.
  [[nodiscard]] std::vector<std::string> TakeOutput();
  // False: stop reading until this changes (after Sent() or an answer).
  [[nodiscard]] bool wants_input() const;
  // True: after the output there is nothing more; close.
  [[nodiscard]] bool finished() const { return finished_; }
  // True: by a reset, or the client takes what it has for the whole answer.
  [[nodiscard]] bool wants_reset() const { return wants_reset_; }

  [[nodiscard]] Phase phase() const { return phase_; }
  // Counts changes of phase; 0 until the first byte of the first request.
  [[nodiscard]] uint64_t step() const { return step_; }

 private:
  struct Callbacks;
  class Sink;

  [[nodiscard]] bool with_handler() const {
    return phase_ == Phase::kParked || phase_ == Phase::kStream;
  }
  [[nodiscard]] bool blocked() const;
  void SetPhase(Phase phase);
  // Parses until the bytes are used up or the connection is blocked or
  // finished, and returns how many were used.
  size_t Parse(absl::string_view bytes);
  void CountBytes(size_t consumed);
  void AfterHead();
  // An error's status and text, or 0.
  [[nodiscard]] int CheckHead(std::string* text);
  void Dispatch();
  void Resume();
  void Wake();
  void Reject(int status, absl::string_view text);
  void Write(HttpResponse response, bool close);
  [[nodiscard]] const std::string* FindHeader(absl::string_view name,
                                              size_t* count) const;

  // What the Reply of the request with this number wants. Numbers of other
  // requests are ignored (http_connection_answer.cc).
  [[nodiscard]] HttpServer::Reply MakeReply();
  [[nodiscard]] bool IsCurrent(uint64_t request) const;
  void Answer(uint64_t request, HttpResponse response);
  void Begin(uint64_t request, HttpResponse head);
  [[nodiscard]] bool WriteBody(uint64_t request, absl::string_view bytes);
  void End(uint64_t request);
  void Abort(uint64_t request);
  void Forget(uint64_t request);  // the last copy of the Reply is gone
  void Waits(uint64_t request);
  // The request with the handler is no work any more.
  void LeaveFlight();
  void AfterAnswer(bool close);
  // Ends the connection in the middle of an answer. `tell`: the handler does
  // not know it yet.
  void Cut(bool tell);
  // Lets `function` append to the output and returns what it returns.
  template <typename Function>
  bool Produce(Function function);

  const HttpLimits* const limits_;
  const HttpServer::Handler* const handler_;
  std::function<void()> wake_;
  const std::string client_ip_;
  HttpInFlight* const in_flight_;

  llhttp_t parser_;
  HttpRequest request_;        // being parsed
  size_t head_bytes_ = 0;      // since the end of the last request
  size_t body_raw_bytes_ = 0;  // body with its chunk framing and trailers
  bool in_name_ = false;       // a header name has begun
  int rejected_status_ = 0;    // set by a callback that returned an error
  bool head_done_ = false;     // the callbacks paused here
  bool message_done_ = false;

  uint64_t request_number_ = 0;  // of the request with the handler
  bool head_only_ = false;       // of that request: method HEAD
  bool keep_alive_ = true;       // of that request
  bool http_1_0_ = false;        // of that request
  bool takes_gzip_ = false;      // of that request
  bool flying_ = false;          // it is counted in in_flight_
  HttpBody body_;                // of its answer, when that is a stream
  bool tell_drained_ = false;    // a Write() was answered with false
  std::function<void()> on_drained_;
  std::function<void()> on_closed_;

  Phase phase_ = Phase::kIdle;
  uint64_t step_ = 0;
  bool parsing_ = false;  // Parse() is on the stack
  bool received_end_ = false;
  bool finished_ = false;
  bool wants_reset_ = false;
  std::string pending_;  // received, not parsed: only while blocked
  std::vector<std::string> output_;
  size_t unsent_bytes_ = 0;  // output_ and what was taken but not Sent()
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_CONNECTION_H_
