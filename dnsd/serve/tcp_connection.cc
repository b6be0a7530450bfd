#include "dnsd/serve/tcp_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "dnsd/forward/forwarder.h"
#include "dnsd/serve/parked_queries.h"
#include "dnsd/transfer/transfer_taker.h"
#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kFrameBytesMax = kLengthBytes + 65535;

size_t FrameLength(std::span<const uint8_t> bytes) {
  return static_cast<size_t>(bytes[0]) << 8 | bytes[1];
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

TcpConnection::TcpConnection(UniqueFd fd, const SocketAddress& address,
                             const TcpLimits* limits, TcpBuffers* buffers,
                             ServeContext* context, uint64_t now_ms)
    : fd_(std::move(fd)),
      address_(address),
      client_(TcpClient::Of(address)),
      limits_(limits),
      buffers_(buffers),
      context_(context),
      stats_(&context->stats->tcp),
      answers_(&stats_->answers[address.is_v6()]),
      now_ms_(now_ms),
      last_active_ms_(now_ms) {}

TcpConnection::~TcpConnection() = default;

void TcpConnection::Watch(EventLoop* loop, std::function<void(int)> on_ready) {
  on_ready_ = std::move(on_ready);
  poll_.emplace(loop, fd_.get(), on_ready_);
  UpdateInterest();
}

void TcpConnection::Unwatch() {
  if (poll_) poll_->Stop();
  if (pending_count_ > 0) {
    context_->parked->Drop(this);
    if (context_->forwarder != nullptr) context_->forwarder->Drop(this);
  }
  pending_count_ = 0;
}

// By way of the owner, who has to account for what is buffered.
void TcpConnection::Deliver(std::span<const uint8_t> frame) {
  --pending_count_;
  delivery_ = frame;
  on_ready_(0);
}

std::optional<TcpClose> TcpConnection::OnReady(int events, uint64_t now_ms) {
  if (events < 0) return TcpClose::kReset;
  now_ms_ = now_ms;
  writes_left_ = kTcpWritesPerTurn;
  if (!delivery_.empty()) {
    WriteDelivery();
  } else if (!unsent_.empty()) {
    WriteUnsent();
  }
  if (unsent_.empty() && !over_) {
    if (blocked_) {
      AnswerBlocked();
    } else if ((events & UV_READABLE) != 0) {
      ended_ || is_full() ? Discard() : Read();
    }
  }
  if (half_closed_ && pending_count_ == 0 && unsent_.empty() && !over_) {
    over_ = TcpClose::kClient;
  }
  if (over_) return over_;
  // What came together with the last question was answered too.
  if (is_full()) draining_ = true;
  if (draining_ && !ended_ && pending_count_ == 0 && unsent_.empty() &&
      !blocked_) {
    shutdown(fd_.get(), SHUT_WR);
    ended_ = true;
  }
  UpdateInterest();
  return std::nullopt;
}

std::optional<TcpClose> TcpConnection::Expired(uint64_t now_ms) const {
  // Blocked frames too wait for a socket that can be written.
  if (blocked_ || !unsent_.empty()) {
    if (now_ms - last_taken_ms_ < limits_->not_reading_ms) return std::nullopt;
    return TcpClose::kNotReading;
  }
  if (!input_.empty() && now_ms - partial_since_ms_ >= limits_->frame_ms) {
    return TcpClose::kPartialFrame;
  }
  if (pending_count_ > 0) return std::nullopt;
  if (now_ms - last_active_ms_ >= limits_->idle_ms) return TcpClose::kIdle;
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
    // A client that has only ended its sending side has all its answers, but
    // for those that are parked: we do not get here before they are written.
    half_closed_ = true;
    Clear(&input_);
    return;
  }
  std::span<const uint8_t> bytes(buffers_->input.get(),
                                 static_cast<size_t>(count));
  stats_->received_bytes.Add(bytes.size());
  if (!input_.empty()) bytes = CompleteFrame(bytes);
  if (!over_) bytes = bytes.subspan(AnswerFrames(bytes));
  if (granted_ != nullptr) return HandOver(bytes);
  WriteArena();
  if (bytes.empty()) return;
  // Either input_ is empty, or it is still partial and took everything.
  input_.assign(bytes.begin(), bytes.end());
  partial_since_ms_ = now_ms_;
}

void TcpConnection::Discard() {
  const ssize_t count =
      recv(fd_.get(), buffers_->input.get(), kTcpReadBytes, MSG_DONTWAIT);
  if (count == 0) half_closed_ = true;
  if (count < 0 && !WouldBlock(errno)) over_ = TcpClose::kReset;
}

bool TcpConnection::is_full() const {
  return limits_->queries_max != 0 && query_count_ >= limits_->queries_max;
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
// was. Stops early, and sets blocked_, when answers cannot be written.
size_t TcpConnection::AnswerFrames(std::span<const uint8_t> bytes) {
  const View& view = context_->BeginBatch();
  blocked_ = false;
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
        blocked_ = true;
        break;
      }
    }
    AnswerFrame(bytes.subspan(used + kLengthBytes, length), view);
    used += kLengthBytes + length;
    if (over_) break;
  }
  return used;
}

void TcpConnection::AnswerFrame(std::span<const uint8_t> frame,
                                const View& view) {
  uint8_t* out = buffers_->arena.get() + arena_used_;
  context_->SetClient(address_);
  const Response response = Respond(frame, Transport::kTcp, view,
                                    &context_->respond, out + kLengthBytes);
  stats_->received.Add();
  context_->CountCookie(stats_);
  ++query_count_;
  stats_->outcomes[static_cast<size_t>(response.outcome)].Add();
  last_active_ms_ = now_ms_;
  size_t size = response.size;
  if (context_->respond.asked.kind != AskedKey::kNothing) {
    size = NoteAsked(frame, view, response, out + kLengthBytes);
  }
  if (size == 0) return;
  if (context_->sampler.IsDue()) [[unlikely]] {
    context_->sampler.Take(
        {frame, {out + kLengthBytes, size}, address_, Transport::kTcp});
  }
  out[0] = static_cast<uint8_t>(size >> 8);
  out[1] = static_cast<uint8_t>(size & 0xff);
  arena_used_ += kLengthBytes + size;
  ++arena_count_;
  CountAnswer(context_->respond.qtype, out + kLengthBytes, response.outcome,
              answers_);
  // Counted when answered: what a client never takes shows as kNotReading.
  stats_->sent.Add();
}

// Reports the name, or parks the query. The size of what is to be sent now.
size_t TcpConnection::NoteAsked(std::span<const uint8_t> frame,
                                const View& view, const Response& response,
                                uint8_t* out) {
  if (context_->respond.asked.kind == AskedKey::kService) {
    context_->ReportService();
    return response.size;
  }
  ReturnPath path;
  path.connection = this;
  path.client = address_;
  path.since_ns = context_->began_ns;
  if (context_->respond.asked.kind == AskedKey::kOthers) {
    const ForwardResult result = context_->forwarder->Ask(
        frame, Transport::kTcp, path, view.policy, out);
    if (result.is_waiting) ++pending_count_;
    return result.size;
  }
  if (context_->respond.asked.kind == AskedKey::kTransfer) {
    // What waits for an answer would be lost. The last query that the limit
    // leaves may be a transfer.
    const bool may_grant = pending_count_ == 0 && (!draining_ || is_full());
    TransferVerdict verdict =
        context_->transfers->Answer(frame, Transport::kTcp, path.client, view,
                                    may_grant, &context_->respond, out);
    granted_ = std::move(verdict.granted);
    if (granted_ != nullptr) over_ = TcpClose::kHandedOver;
    return verdict.size;
  }
  const ParkResult parked = context_->parked->Park(path, frame, view);
  if (parked == ParkResult::kRefused) {
    return ServfailResponse(frame, view, context_->respond, out);
  }
  ++pending_count_;
  return 0;
}

void TcpConnection::AnswerBlocked() {
  const size_t used = AnswerFrames(input_);
  if (granted_ != nullptr) {
    return HandOver(std::span<const uint8_t>(input_).subspan(used));
  }
  WriteArena();
  if (used == input_.size()) {
    Clear(&input_);
    return;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(used));
  partial_since_ms_ = now_ms_;
}

// The descriptor's copy goes: this one is closed when the loop has let go of
// it.
void TcpConnection::HandOver(std::span<const uint8_t> unread) {
  Handover handover;
  handover.fd = UniqueFd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  socklen_t address_size = sizeof(handover.client);
  getpeername(fd_.get(), &handover.client.sa, &address_size);
  handover.request = std::move(granted_);
  handover.unsent.assign(buffers_->arena.get(),
                         buffers_->arena.get() + arena_used_);
  handover.unread.assign(unread.begin(), unread.end());
  arena_used_ = 0;
  arena_count_ = 0;
  context_->transfers->TakeOver(std::move(handover));
}

void TcpConnection::WriteArena() {
  if (arena_used_ == 0) return;
  --writes_left_;
  const std::span<const uint8_t> bytes(buffers_->arena.get(), arena_used_);
  arena_used_ = 0;
  WriteBytes(bytes);
  stats_->delay.Add(MonotonicNs() - context_->began_ns,
                    std::exchange(arena_count_, 0));
}

// Writes what was delivered, or puts it behind what the client has not taken.
void TcpConnection::WriteDelivery() {
  const auto bytes = std::exchange(delivery_, {});
  stats_->sent.Add();
  last_active_ms_ = now_ms_;
  if (unsent_.empty()) return WriteBytes(bytes);
  unsent_.erase(unsent_.begin(),
                unsent_.begin() + static_cast<ptrdiff_t>(unsent_begin_));
  unsent_begin_ = 0;
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
}

// What the client does not take now moves to unsent_, which is empty.
void TcpConnection::WriteBytes(std::span<const uint8_t> bytes) {
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
  // Blocked frames need no event but a turn: a writable socket gives one.
  int interest = UV_READABLE;
  if (blocked_ || !unsent_.empty()) {
    interest = UV_WRITABLE;
  } else if (half_closed_) {
    interest = 0;  // an end of file stays readable; Deliver() goes on
  }
  if (interest == interest_) return;
  interest_ = interest;
  if (interest == 0) {
    poll_->Stop();
  } else {
    poll_->Start(interest);
  }
}

}  // namespace dnsd
