#include "dnsd/querylog/dnstap_socket.h"

#include <errno.h>
#include <fstrm.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <utility>

#include "catalog/base/log.h"

namespace dnsd {
namespace {

constexpr absl::string_view kContentType = "protobuf:dnstap.Dnstap";

}  // namespace

// The bytes below libfstrm: its own socket would wait for ever.
struct DnstapSocket::Stream {
  Stream(std::string socket_path, DnstapCounts* dnstap_counts, int patience)
      : path(std::move(socket_path)),
        counts(dnstap_counts),
        patience_ms(patience) {}

  [[nodiscard]] bool WaitFor(short events) const {
    pollfd wait{fd.get(), events, 0};
    return poll(&wait, 1, patience_ms) > 0;
  }

  [[nodiscard]] fstrm_res Open() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return Fail(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    fd = UniqueFd(
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid() ||
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) != 0) {
      return Fail(errno);
    }
    return fstrm_res_success;
  }

  [[nodiscard]] fstrm_res Fail(int why) {
    error = why;
    return fstrm_res_failure;
  }

  [[nodiscard]] fstrm_res Send() {
    size_t sent = 0;
    while (sent < buffer.size()) {
      const ssize_t count = send(fd.get(), buffer.data() + sent,
                                 buffer.size() - sent, MSG_NOSIGNAL);
      if (count >= 0) {
        sent += static_cast<size_t>(count);
      } else if (!WouldBlock(errno)) {
        return Fail(errno);
      } else if (!WaitFor(POLLOUT)) {
        return Fail(ETIMEDOUT);
      }
    }
    buffer.clear();
    counts->sent.Add(std::exchange(gathered_count, 0));
    return fstrm_res_success;
  }

  // What was not sent will not be.
  void Forget() {
    buffer.clear();
    counts->dropped.Add(std::exchange(gathered_count, 0));
  }

  [[nodiscard]] fstrm_res Read(uint8_t* data, size_t count) {
    if (Send() != fstrm_res_success) return fstrm_res_failure;
    while (count > 0) {
      const ssize_t got = recv(fd.get(), data, count, 0);
      if (got == 0) return fstrm_res_stop;
      if (got > 0) {
        data += got;
        count -= static_cast<size_t>(got);
      } else if (!WouldBlock(errno)) {
        return Fail(errno);
      } else if (!WaitFor(POLLIN)) {
        return Fail(ETIMEDOUT);
      }
    }
    return fstrm_res_success;
  }

  [[nodiscard]] fstrm_res Write(const iovec* pieces, int piece_count) {
    for (int i = 0; i < piece_count; ++i) {
      buffer.append(static_cast<const char*>(pieces[i].iov_base),
                    pieces[i].iov_len);
    }
    return buffer.size() < kDnstapBufferBytes ? fstrm_res_success : Send();
  }

  const std::string path;
  DnstapCounts* const counts;
  const int patience_ms;
  UniqueFd fd;
  std::string buffer;
  uint64_t gathered_count = 0;  // frames in it
  int error = 0;                // of the last failure
};

DnstapSocket::DnstapSocket(std::string path, DnstapCounts* counts,
                           int patience_ms)
    : path_(path),
      counts_(counts),
      stream_(std::make_unique<Stream>(std::move(path), counts, patience_ms)) {}

DnstapSocket::~DnstapSocket() {
  if (writer_ == nullptr) return;
  // Waits for the other side's word that it has all.
  (void)fstrm_writer_close(writer_);
  (void)fstrm_writer_destroy(&writer_);
  stream_->Forget();
}

void DnstapSocket::Connect() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return;
  next_try_ = now + kDnstapRetry;
  stream_->buffer.clear();  // of the farewell that the last one did not hear
  stream_->error = 0;
  fstrm_rdwr* bytes = fstrm_rdwr_init(stream_.get());
  fstrm_rdwr_set_open(
      bytes, [](void* stream) { return static_cast<Stream*>(stream)->Open(); });
  fstrm_rdwr_set_close(bytes, [](void* stream) {
    const fstrm_res sent = static_cast<Stream*>(stream)->Send();
    static_cast<Stream*>(stream)->fd.Reset();
    return sent;
  });
  fstrm_rdwr_set_read(bytes, [](void* stream, void* data, size_t count) {
    return static_cast<Stream*>(stream)->Read(static_cast<uint8_t*>(data),
                                              count);
  });
  fstrm_rdwr_set_write(
      bytes, [](void* stream, const iovec* pieces, int piece_count) {
        return static_cast<Stream*>(stream)->Write(pieces, piece_count);
      });
  fstrm_writer_options* options = fstrm_writer_options_init();
  (void)fstrm_writer_options_add_content_type(options, kContentType.data(),
                                              kContentType.size());
  writer_ = fstrm_writer_init(options, &bytes);
  fstrm_writer_options_destroy(&options);
  if (fstrm_writer_open(writer_) != fstrm_res_success) {
    Drop("Cannot connect to dnstap socket");
    return;
  }
  was_told_ = false;
  LogInfo("dnstap", "Connected", {{"socket", path_}});
}

// Without a farewell: whoever is not there cannot be told.
void DnstapSocket::Drop(absl::string_view why) {
  const int error = stream_->error != 0 ? stream_->error : EPROTO;
  stream_->Forget();
  stream_->fd.Reset();
  (void)fstrm_writer_destroy(&writer_);
  if (std::exchange(was_told_, true)) return;
  LogWarn("dnstap", why, {{"socket", path_}, {"error", std::strerror(error)}});
}

void DnstapSocket::Write(absl::string_view frame) {
  if (writer_ == nullptr) Connect();
  if (writer_ == nullptr) return counts_->dropped.Add();
  ++stream_->gathered_count;
  if (fstrm_writer_write(writer_, frame.data(), frame.size()) !=
      fstrm_res_success) {
    Drop("Lost dnstap socket");
  }
}

void DnstapSocket::Flush() {
  if (writer_ == nullptr || stream_->buffer.empty()) return;
  if (stream_->Send() != fstrm_res_success) Drop("Lost dnstap socket");
}

}  // namespace dnsd
