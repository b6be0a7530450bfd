#include "catalog/registry/checks/byte_stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/registry/checks/go_text.h"

namespace dnsd {
namespace {

constexpr int kReadsOfTurnMax = 16;
constexpr size_t kReadBytes = 16u << 10;

// RFC 7301: length and name.
constexpr unsigned char kHttp2Alpn[] = {2, 'h', '2'};

}  // namespace

ByteStream::ByteStream(std::unique_ptr<PolledSocket> socket,
                       const StreamTls* tls, Callbacks callbacks)
    : socket_(std::move(socket)),
      ends_(socket_->Ends()),
      callbacks_(std::move(callbacks)) {
  if (tls != nullptr) StartTls(*tls);
  socket_->Watch(UV_WRITABLE | UV_READABLE, [this](int) { OnEvent(); });
}

void ByteStream::StartTls(const StreamTls& tls) {
  peer_.name = tls.name;
  peer_.verify = tls.verify;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  DNSD_CHECK(context_ != nullptr);
  ConfigureTls(context_.get(), tls.options, &peer_);
  ssl_.reset(SSL_new(context_.get()));
  DNSD_CHECK(ssl_ != nullptr);
  // In memory: OpenSSL's own socket BIO would raise SIGPIPE.
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  // RFC 6066 3: names alone.
  if (!IsIpAddress(tls.name)) {
    SSL_set_tlsext_host_name(ssl_.get(), tls.name.c_str());
  }
  if (tls.offer_http2) {
    SSL_set_alpn_protos(ssl_.get(), kHttp2Alpn, sizeof(kHttp2Alpn));
  }
}

void ByteStream::OnEvent() {
  if (has_ended_) return;
  if (!is_open_ && ssl_ == nullptr) {
    is_open_ = true;
    socket_->SetEvents(UV_READABLE);
    callbacks_.on_open();
  } else if (!is_open_) {
    Shake();
  }
  std::array<char, kReadBytes> buffer;
  for (int i = 0; i < kReadsOfTurnMax && !has_ended_; ++i) {
    const ssize_t bytes = recv(socket_->fd(), buffer.data(), buffer.size(), 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (bytes < 0) {
      End(absl::StrCat("read tcp ", ends_, ": read: ", GoErrno(errno)));
    } else if (bytes == 0) {
      End("EOF");
    } else if (!TakeBytes({buffer.data(), static_cast<size_t>(bytes)})) {
      return;
    }
  }
  Flush();
}

void ByteStream::Shake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_.get());
  const int error = SSL_get_error(ssl_.get(), code);
  Flush();  // an alert, too
  if (code == 1) {
    is_open_ = true;
    callbacks_.on_open();
  } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    failed_handshake_ = true;
    End(peer_.error.empty() ? TlsErrorText() : peer_.error);
  }
}

// False: it ended.
bool ByteStream::TakeBytes(absl::string_view bytes) {
  if (ssl_ == nullptr) {
    callbacks_.on_bytes(bytes);
    return !has_ended_;
  }
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(),
            static_cast<int>(bytes.size()));
  if (!is_open_) Shake();
  std::array<char, kReadBytes> buffer;
  while (is_open_ && !has_ended_) {
    ERR_clear_error();
    const int count =
        SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count > 0) {
      callbacks_.on_bytes({buffer.data(), static_cast<size_t>(count)});
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), count);
    if (error == SSL_ERROR_ZERO_RETURN) {
      End("EOF");
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      End(absl::StrCat("remote error: ", TlsErrorText()));
    }
    break;
  }
  return !has_ended_;
}

void ByteStream::Write(absl::string_view bytes) {
  if (has_ended_ || bytes.empty()) return;
  if (ssl_ == nullptr) {
    unsent_.append(bytes.data(), bytes.size());
  } else {
    // Into memory: all of it fits.
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  Flush();
}

void ByteStream::Flush() {
  if (has_ended_) return;
  if (ssl_ != nullptr) {
    std::array<char, kReadBytes> buffer;
    int count = 0;
    while ((count = BIO_read(SSL_get_wbio(ssl_.get()), buffer.data(),
                             static_cast<int>(buffer.size()))) > 0) {
      unsent_.append(buffer.data(), static_cast<size_t>(count));
    }
  }
  while (!unsent_.empty()) {
    const ssize_t bytes =
        send(socket_->fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (bytes < 0 && errno == EINTR) continue;
    // Other errors show when it is read.
    if (bytes < 0) break;
    unsent_.erase(0, static_cast<size_t>(bytes));
  }
  socket_->SetEvents(unsent_.empty() ? UV_READABLE : UV_READABLE | UV_WRITABLE);
}

void ByteStream::End(const std::string& error) {
  if (has_ended_) return;
  has_ended_ = true;
  socket_->Stop();
  callbacks_.on_end(error);
}

}  // namespace dnsd
