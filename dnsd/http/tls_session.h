// TlsSession is the TLS of one connection without its socket: what came from
// the network in, what is inside out, and the other way round.
//
//   network --Receive()--> plain text        plain text --Send()-->
//   TakeOutput()
//
// Threads:   one.
// Ownership: holds its context.
// Errors:    failed(): a handshake or a record that is none. The output then
//            ends with the alert that says why; nothing else goes in or out.
//            Who speaks HTTP to it is told so in HTTP, as Consul does.
// Cost:      a handshake is a signature (some 0.1 ms with P-256, 1 ms with RSA)
//            on the calling thread. A quiet session keeps no buffers.
// Limits:    OpenSSL's for handshake messages. Receive() makes at most as much
//            plain text as it gets bytes; who calls it must stop while
//            output_bytes() grows (a client that asks and does not read).
#ifndef DNSD_DNSD_HTTP_TLS_SESSION_H_
#define DNSD_DNSD_HTTP_TLS_SESSION_H_

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/http/tls_context.h"

namespace dnsd {

class TlsSession {
 public:
  explicit TlsSession(std::shared_ptr<const TlsContext> context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Takes all of it, and appends what it says to `plain`.
  void Receive(absl::string_view bytes, std::string* plain);
  // Only when open().
  void Send(absl::string_view plain);
  // Says that nothing more is sent: without it, what was sent may have been
  // cut off by somebody else.
  void End();

  [[nodiscard]] std::string TakeOutput();
  [[nodiscard]] size_t output_bytes() const { return output_.size(); }

  [[nodiscard]] bool handshaking() const { return state_ == State::kHandshake; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] bool failed() const { return state_ == State::kFailed; }
  // The client said that it sends nothing more.
  [[nodiscard]] bool received_end() const { return received_end_; }

  // "TLSv1.3", and why it failed(): "no shared cipher".
  [[nodiscard]] std::string version() const;
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  friend class TlsContext;  // makes the method of the two below
  enum class State : uint8_t { kHandshake, kOpen, kFailed };
  struct Free {
    void operator()(SSL* ssl) const;
  };

  static int ReadInput(BIO* bio, char* out, size_t size, size_t* got);
  static int WriteOutput(BIO* bio, const char* in, size_t size, size_t* put);
  static long Control(BIO* bio, int what, long number, void* pointer);

  void Handshake();
  void Read(std::string* plain);
  void Fail();

  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, Free> ssl_;
  State state_ = State::kHandshake;
  bool received_end_ = false;
  bool ended_ = false;
  absl::string_view received_;  // during Receive(): what is not read yet
  std::string output_;
  std::string failure_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_TLS_SESSION_H_
