#include "dnsd/forward/tls_stream.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

#include "catalog/base/check.h"

namespace dnsd {
namespace {

// The most that a record holds (RFC 8446 5.1).
constexpr size_t kRecordBytesMax = 16u << 10;

}  // namespace

void FreeTlsSession::operator()(SSL_SESSION* session) const {
  SSL_SESSION_free(session);
}

void TlsStream::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

// OpenSSL's own socket BIO would raise SIGPIPE.
int TlsStream::Receive(BIO* bio, char* out, size_t size, size_t* got) {
  auto* const self = static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count = recv(self->fd_, out, size, MSG_DONTWAIT);
  *got = count > 0 ? static_cast<size_t>(count) : 0;
  if (count > 0) return 1;
  if (count == 0) {
    self->is_at_end_ = true;
  } else if (WouldBlock(errno)) {
    BIO_set_retry_read(bio);
  } else {
    self->socket_error_ = errno;
  }
  return 0;
}

int TlsStream::Send(BIO* bio, const char* in, size_t size, size_t* put) {
  auto* const self = static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count = send(self->fd_, in, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  *put = count > 0 ? static_cast<size_t>(count) : 0;
  if (count > 0) return 1;
  if (count == 0 || WouldBlock(errno)) {
    BIO_set_retry_write(bio);
  } else {
    self->socket_error_ = errno;
  }
  return 0;
}

long TlsStream::Control(BIO* bio, int what, long, void*) {
  if (what == BIO_CTRL_FLUSH) return 1;
  const auto* const self = static_cast<TlsStream*>(BIO_get_data(bio));
  return what == BIO_CTRL_EOF && self->is_at_end_ ? 1 : 0;
}

int TlsStream::OnSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsStream*>(SSL_get_app_data(ssl))->session_.reset(session);
  return 1;  // it is ours now
}

TlsStream::TlsStream(std::shared_ptr<const TlsTrust> trust,
                     const UpstreamAddress& server, int fd,
                     const SSL_SESSION* session)
    : trust_(std::move(trust)), fd_(fd), ssl_(SSL_new(trust_->ssl())) {
  SSL* const ssl = ssl_.get();
  DNSD_CHECK(ssl != nullptr);
  BIO* const bio = BIO_new(trust_->bio());
  DNSD_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // which takes it
  SSL_set_app_data(ssl, this);
  SSL_set_connect_state(ssl);
  if (!server.tls_name.empty()) {
    const char* const name = server.tls_name.c_str();
    DNSD_CHECK(SSL_set1_host(ssl, name) == 1 &&
               SSL_set_tlsext_host_name(ssl, name) == 1);
  } else {
    // An address is no server name (RFC 6066 section 3).
    const SocketAddress& at = server.socket;
    const auto* const bytes =
        at.is_v6() ? at.v6.sin6_addr.s6_addr
                   : reinterpret_cast<const uint8_t*>(&at.v4.sin_addr);
    DNSD_CHECK(X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), bytes,
                                         at.is_v6() ? 16 : 4) == 1);
  }
  if (session != nullptr) {
    // Which takes a reference of its own, and changes nothing else.
    SSL_set_session(ssl, const_cast<SSL_SESSION*>(session));
  }
}

TlsStream::~TlsStream() {
  // Else OpenSSL takes the session for one that must not be resumed, though
  // only the connection broke.
  if (!failed_) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

TlsStream::Result TlsStream::Handshake() {
  // OpenSSL's errors are the thread's: others may have left some.
  ERR_clear_error();
  return Judge(SSL_do_handshake(ssl_.get()));
}

TlsStream::Result TlsStream::Read(std::string* plain) {
  std::array<char, kRecordBytesMax> record;
  size_t got = 0;
  ERR_clear_error();
  const Result result =
      Judge(SSL_read_ex(ssl_.get(), record.data(), record.size(), &got));
  plain->append(record.data(), got);
  return result;
}

TlsStream::Result TlsStream::Write(std::string* plain) {
  size_t done = 0;
  Result result = Result::kDone;
  while (result == Result::kDone && done < plain->size()) {
    size_t put = 0;
    ERR_clear_error();
    result = Judge(SSL_write_ex(ssl_.get(), plain->data() + done,
                                plain->size() - done, &put));
    done += put;
  }
  plain->erase(0, done);
  return result;
}

void TlsStream::End() {
  if (failed_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

TlsStream::Result TlsStream::Judge(int returned) {
  wants_write_ = false;
  if (returned == 1) return Result::kDone;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Result::kAgain;
    case SSL_ERROR_WANT_READ:
      return Result::kAgain;
    case SSL_ERROR_ZERO_RETURN:
      failure_ = "the connection was closed";
      return Result::kEnd;
    default:
      failed_ = true;
      SetFailure();
      return Result::kFailed;
  }
}

void TlsStream::SetFailure() {
  const long verdict = SSL_get_verify_result(ssl_.get());
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  if (verdict != X509_V_OK) {
    failure_ = X509_verify_cert_error_string(verdict);
  } else if (socket_error_ != 0) {
    failure_ = strerrordesc_np(socket_error_);
  } else if (is_at_end_) {
    failure_ = "the connection was closed";
  } else {
    failure_ = reason == nullptr ? "protocol error" : reason;
  }
  ERR_clear_error();
}

bool TlsStream::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

}  // namespace dnsd
