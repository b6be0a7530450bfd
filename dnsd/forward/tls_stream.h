// TlsStream is the TLS of one connection to an upstream: handshake, bytes in
// and out over a socket that does not block. It opens when the certificate is
// good, and not before is anything of ours sent.
//
// Threads:   one.
// Ownership: holds the trust; borrows the socket.
// Errors:    by Result; failure() says why in words.
// Cost:      a handshake is some 0.3 ms on the calling thread, one that resumes
//            a session 0.1 ms.
// Limits:    OpenSSL's for handshake messages; Read() gets a record at a time.
#ifndef DNSD_DNSD_FORWARD_TLS_STREAM_H_
#define DNSD_DNSD_FORWARD_TLS_STREAM_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dnsd/forward/tls_trust.h"
#include "dnsd/forward/upstream_address.h"

namespace dnsd {

struct FreeTlsSession {
  void operator()(SSL_SESSION* session) const;
};
// What a later stream to the same upstream resumes.
using TlsSessionPtr = std::unique_ptr<SSL_SESSION, FreeTlsSession>;

class TlsStream {
 public:
  enum class Result : uint8_t {
    kDone,
    kAgain,   // when the socket is ready: to be written if wants_write()
    kEnd,     // the other side sends nothing more
    kFailed,  // for good
  };

  // `session`: of an earlier stream to `server`, or nullptr.
  TlsStream(std::shared_ptr<const TlsTrust> trust,
            const UpstreamAddress& server, int fd, const SSL_SESSION* session);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Again and again until it is not kAgain.
  [[nodiscard]] Result Handshake();
  // Then: appends a record to `plain`; takes from it what has been sent.
  [[nodiscard]] Result Read(std::string* plain);
  [[nodiscard]] Result Write(std::string* plain);
  // Says that nothing more is sent, if the socket takes it.
  void End();

  [[nodiscard]] bool wants_write() const { return wants_write_; }
  [[nodiscard]] bool is_resumed() const;
  // After kFailed or kEnd: "certificate has expired".
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // The newest that the server has given; nullptr: none.
  [[nodiscard]] TlsSessionPtr TakeSession() { return std::move(session_); }

 private:
  friend class TlsTrust;  // makes the method of the first three
  struct Free {
    void operator()(SSL* ssl) const;
  };

  static int Receive(BIO* bio, char* out, size_t size, size_t* got);
  static int Send(BIO* bio, const char* in, size_t size, size_t* put);
  static long Control(BIO* bio, int what, long number, void* pointer);
  static int OnSession(SSL* ssl, SSL_SESSION* session);

  [[nodiscard]] Result Judge(int returned);
  void SetFailure();

  std::shared_ptr<const TlsTrust> trust_;
  int fd_;
  int socket_error_ = 0;  // errno of the last call that failed
  bool is_at_end_ = false;
  bool wants_write_ = false;
  bool failed_ = false;
  std::string failure_;
  TlsSessionPtr session_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_TLS_STREAM_H_
