#include "dnsd/serve/tcp_connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kLengthBytes = 2;  // RFC 1035 4.2.2
constexpr size_t kFrameBytesMax = kLengthBytes + 65535;

size_t FrameLength(std::span<const uint8_t> bytes) {
  return static_cast<size_t>(bytes[0]) << 8 | bytes[1];
}

bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// Empties a buffer. A small one is kept for its next use, so that a steady
// pipeline does not allocate; a large one was an exception.
void Clear(std::vector<uint8_t>* buffer) {
  if (buffer->capacity() > kTcpBufferKeptBytes) {
    std::vector<uint8_t>().swap(*buffer);
  } else {
    buffer->clear();
  }
}

}  // namespace

TcpClient TcpClient::Of(const SocketAddress& address) {
  TcpClient client;
  client.is_v6 = address.is_v6();
  if (client.is_v6) {
    memcpy(&client.address, &address.v6.sin6_addr, sizeof(client.address));
  } else {
    client.address = address.v4.sin_addr.s_addr;
  }
  return client;
}

TcpConnection::TcpConnection(UniqueFd fd, TcpClient client, TcpBuffers* buffers,
                             ServeContext* context, uint64_t now_ms)
    : fd_(std::move(fd)),
      client_(client),
      buffers_(buffers),
      context_(context),
      stats_(&context->stats->tcp),
      now_ms_(now_ms),
      last_active_ms_(now_ms) {}

void TcpConnection::Watch(EventLoop* loop, std::function<void(int)> on_ready) {
  poll_.emplace(loop, fd_.get(), std::move(on_ready));
  UpdateInterest();
}

void TcpConnection::Unwatch() {
  if (poll_) poll_->Stop();
}

std::optional<TcpClose> TcpConnection::OnReady(int events, uint64_t now_ms) {
  if (events < 0) return TcpClose::kReset;
  now_ms_ = now_ms;
  writes_left_ = kTcpWritesPerTurn;
  if (!unsent_.empty()) WriteUnsent();
  if (unsent_.empty() && !over_) {
    if (parked_) {
      AnswerParked();
    } else if ((events & UV_READABLE) != 0) {
      ended_ ? Discard() : Read();
    }
  }
  if (over_) return over_;
  if (draining_ && !ended_ && unsent_.empty() && !parked_) {
    shutdown(fd_.get(), SHUT_WR);
    ended_ = true;
  }
  UpdateInterest();
  return std::nullopt;
}

std::optional<TcpClose> TcpConnection::Expired(const TcpLimits& limits,
                                               uint64_t now_ms) const {
  // Parked frames too wait for a socket that can be written.
  if (parked_ || !unsent_.empty()) {
    if (now_ms - last_taken_ms_ < limits.not_reading_ms) return std::nullopt;
    return TcpClose::kNotReading;
  }
  if (!input_.empty() && now_ms - partial_since_ms_ >= limits.frame_ms) {
    return TcpClose::kPartialFrame;
  }
  if (now_ms - last_active_ms_ >= limits.idle_ms) return TcpClose::kIdle;
  return std::nullopt;
}

std::optional<TcpClose> TcpConnection::BeginDrain(uint64_t now_ms) {
  draining_ = true;
  return OnReady(UV_READABLE, now_ms);
}

bool TcpConnection::drained() const {
  if (!ended_) return false;
  int unacknowledged = 0;
  return ioctl(fd_.get(), SIOCOUTQ, &unacknowledged) != 0 ||
         unacknowledged == 0;
}

void TcpConnection::Read() {
  const ssize_t count =
      recv(fd_.get(), buffers_->input.get(), kTcpReadBytes, MSG_DONTWAIT);
  if (count < 0) {
    if (!WouldBlock(errno)) over_ = TcpClose::kReset;
    return;
  }
  if (count == 0) {
    // A client that has only ended its sending side has all its answers: we
    // do not get here before they are written.
    over_ = TcpClose::kClient;
    return;
  }
  std::span<const uint8_t> bytes(buffers_->input.get(),
                                 static_cast<size_t>(count));
  stats_->received_bytes.Add(bytes.size());
  if (!input_.empty()) bytes = CompleteFrame(bytes);
  if (!over_) bytes = bytes.subspan(AnswerFrames(bytes));
  WriteArena();
  if (bytes.empty()) return;
  // Either input_ is empty, or it is still partial and took everything.
  input_.assign(bytes.begin(), bytes.end());
  partial_since_ms_ = now_ms_;
}

void TcpConnection::Discard() {
  const ssize_t count =
      recv(fd_.get(), buffers_->input.get(), kTcpReadBytes, MSG_DONTWAIT);
  if (count == 0) over_ = TcpClose::kClient;
  if (count < 0 && !WouldBlock(errno)) over_ = TcpClose::kReset;
}

// Adds to the partial frame only what it lacks, so that a frame sent byte by
// byte costs what it is long. Returns what is left of `bytes`.
std::span<const uint8_t> TcpConnection::CompleteFrame(
    std::span<const uint8_t> bytes) {
  for (;;) {
    const size_t want = input_.size() < kLengthBytes
                            ? kLengthBytes
                            : kLengthBytes + FrameLength(input_);
    if (input_.size() == want) {
      AnswerFrames(input_);
      Clear(&input_);
      return bytes;
    }
    if (bytes.empty()) return bytes;
    const size_t count = std::min(want - input_.size(), bytes.size());
    input_.insert(input_.end(), bytes.begin(),
                  bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (input_.size() >= kLengthBytes && FrameLength(input_) < kHeaderBytes) {
      over_ = TcpClose::kBadFrame;
      return bytes;
    }
  }
}

// Answers the whole frames at the front of `bytes` and returns how much that
// was. Stops early, and sets parked_, when answers cannot be written.
size_t TcpConnection::AnswerFrames(std::span<const uint8_t> bytes) {
  const View& view = context_->BeginBatch();
  parked_ = false;
  size_t used = 0;
  while (bytes.size() - used >= kLengthBytes) {
    const size_t length = FrameLength(bytes.subspan(used));
    if (length < kHeaderBytes) {
      over_ = TcpClose::kBadFrame;
      break;
    }
    if (bytes.size() - used - kLengthBytes < length) break;
    if (kTcpArenaBytes - arena_used_ < kFrameBytesMax) {
      if (writes_left_ > 0) WriteArena();
      if (over_) break;
      if (arena_used_ > 0 || !unsent_.empty()) {
        parked_ = true;
        break;
      }
    }
    AnswerFrame(bytes.subspan(used + kLengthBytes, length), view);
    used += kLengthBytes + length;
  }
  return used;
}

void TcpConnection::AnswerFrame(std::span<const uint8_t> frame,
                                const View& view) {
  uint8_t* out = buffers_->arena.get() + arena_used_;
  const Response response = Respond(frame, Transport::kTcp, view,
                                    &context_->respond, out + kLengthBytes);
  stats_->received.Add();
  stats_->outcomes[static_cast<size_t>(response.outcome)].Add();
  last_active_ms_ = now_ms_;
  if (response.size == 0) return;
  out[0] = static_cast<uint8_t>(response.size >> 8);
  out[1] = static_cast<uint8_t>(response.size & 0xff);
  arena_used_ += kLengthBytes + response.size;
  // Counted when answered: what a client never takes shows as kNotReading.
  stats_->sent.Add();
}

void TcpConnection::AnswerParked() {
  const size_t used = AnswerFrames(input_);
  WriteArena();
  if (used == input_.size()) {
    Clear(&input_);
    return;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(used));
  partial_since_ms_ = now_ms_;
}

// Writes the arena; what the client does not take now moves to unsent_.
void TcpConnection::WriteArena() {
  if (arena_used_ == 0) return;
  --writes_left_;
  const std::span<const uint8_t> bytes(buffers_->arena.get(), arena_used_);
  arena_used_ = 0;
  last_taken_ms_ = now_ms_;
  size_t sent_bytes = 0;
  switch (Send(bytes, &sent_bytes)) {
    case Write::kDone:
      return;
    case Write::kBlocked:
      unsent_.assign(bytes.begin() + static_cast<ptrdiff_t>(sent_bytes),
                     bytes.end());
      unsent_begin_ = 0;
      return;
    case Write::kFailed:
      over_ = TcpClose::kReset;
      return;
  }
}

void TcpConnection::WriteUnsent() {
  const auto bytes = std::span<const uint8_t>(unsent_).subspan(unsent_begin_);
  size_t sent_bytes = 0;
  const Write result = Send(bytes, &sent_bytes);
  unsent_begin_ += sent_bytes;
  if (sent_bytes > 0) last_taken_ms_ = last_active_ms_ = now_ms_;
  if (result == Write::kDone) Clear(&unsent_);
  if (result == Write::kFailed) over_ = TcpClose::kReset;
}

TcpConnection::Write TcpConnection::Send(std::span<const uint8_t> bytes,
                                         size_t* sent_bytes) {
  const ssize_t count =
      send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    if (WouldBlock(errno)) return Write::kBlocked;
    stats_->send_errors.Add();
    return Write::kFailed;
  }
  *sent_bytes = static_cast<size_t>(count);
  stats_->sent_bytes.Add(*sent_bytes);
  return *sent_bytes == bytes.size() ? Write::kDone : Write::kBlocked;
}

void TcpConnection::UpdateInterest() {
  // Parked frames need no event but a turn: a writable socket gives one.
  const int interest = parked_ || !unsent_.empty() ? UV_WRITABLE : UV_READABLE;
  if (interest == interest_) return;
  interest_ = interest;
  poll_->Start(interest);
}

}  // namespace dnsd
