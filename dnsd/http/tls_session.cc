#include "dnsd/http/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "catalog/base/check.h"

namespace dnsd {
namespace {

// The most that a record holds (RFC 8446 5.1).
constexpr size_t kRecordBytesMax = 16u << 10;
// What each record costs beside its bytes, and more.
constexpr size_t kRecordOverheadBytes = 64;

// What Go's servers, Consul's too, say to that.
constexpr absl::string_view kHttpToHttps =
    "HTTP/1.0 400 Bad Request\r\n\r\n"
    "Client sent an HTTP request to an HTTPS server.\n";

}  // namespace

void TlsSession::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

int TlsSession::ReadInput(BIO* bio, char* out, size_t size, size_t* got) {
  auto* const self = static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *got = std::min(size, self->received_.size());
  if (*got == 0) {
    BIO_set_retry_read(bio);  // nothing yet, which is not the end
    return 0;
  }
  std::memcpy(out, self->received_.data(), *got);
  self->received_.remove_prefix(*got);
  return 1;
}

int TlsSession::WriteOutput(BIO* bio, const char* in, size_t size,
                            size_t* put) {
  auto* const self = static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  self->output_.append(in, size);
  *put = size;
  return 1;
}

long TlsSession::Control(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context)
    : context_(std::move(context)), ssl_(SSL_new(context_->ssl())) {
  DNSD_CHECK(ssl_ != nullptr);
  BIO* const bio = BIO_new(context_->bio());
  DNSD_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which takes it
  SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

void TlsSession::Receive(absl::string_view bytes, std::string* plain) {
  if (failed() || received_end_) return;
  // OpenSSL's errors are the thread's: others may have left some.
  ERR_clear_error();
  received_ = bytes;
  if (handshaking()) Handshake();
  if (open()) Read(plain);
  // All of it, or it failed and the rest means nothing.
  received_ = {};
}

void TlsSession::Handshake() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    state_ = State::kOpen;
  } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
    Fail();
  }
}

void TlsSession::Read(std::string* plain) {
  std::array<char, kRecordBytesMax> record;
  for (;;) {
    size_t got = 0;
    const int result =
        SSL_read_ex(ssl_.get(), record.data(), record.size(), &got);
    if (result == 1) {  // there are finitely many in the bytes received
      plain->append(record.data(), got);
      continue;
    }
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return;
      case SSL_ERROR_ZERO_RETURN:
        received_end_ = true;
        return;
      default:
        Fail();
        return;
    }
  }
}

void TlsSession::Fail() {
  const unsigned long error = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(error);
  failure_ = reason == nullptr ? "protocol error" : reason;
  if (handshaking() && ERR_GET_LIB(error) == ERR_LIB_SSL &&
      ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST) {
    output_ = std::string(kHttpToHttps);
  }
  ERR_clear_error();
  state_ = State::kFailed;
}

void TlsSession::Send(absl::string_view plain) {
  DNSD_CHECK(open() && !ended_);
  if (plain.empty()) return;
  ERR_clear_error();
  const size_t records = plain.size() / kRecordBytesMax + 1;
  output_.reserve(output_.size() + plain.size() +
                  records * kRecordOverheadBytes);
  size_t put = 0;
  if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &put) != 1) {
    Fail();
    return;
  }
  DNSD_CHECK(put == plain.size());
}

void TlsSession::End() {
  if (!open() || std::exchange(ended_, true)) return;
  ERR_clear_error();
  // 0: the client has not said the same yet, and need not.
  if (SSL_shutdown(ssl_.get()) < 0) Fail();
}

std::string TlsSession::TakeOutput() {
  return std::exchange(output_, std::string());
}

std::string TlsSession::version() const { return SSL_get_version(ssl_.get()); }

}  // namespace dnsd
