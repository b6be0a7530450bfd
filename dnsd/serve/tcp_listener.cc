#include "dnsd/serve/tcp_listener.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "dnsd/limits.h"

namespace dnsd {
namespace {

uint64_t SweepMs(const TcpLimits& limits) {
  const uint64_t shortest =
      std::min({limits.idle_ms, limits.frame_ms, limits.not_reading_ms});
  return std::max(shortest / 4, kTcpSweepMsMin);
}

bool OutOfResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

}  // namespace

TcpListener::TcpListener(EventLoop* loop, ServeContext* context,
                         const TcpLimits& limits)
    : loop_(loop),
      context_(context),
      limits_(limits),
      reap_(loop, [this] { closed_.clear(); }),
      sweep_(loop, [this] { Sweep(); }),
      resume_(loop, [this] { ResumeAccepting(); }) {
  client_counts_.reserve(limits.connections_max);
}

void TcpListener::SetLimits(const TcpLimits& limits) {
  limits_ = limits;
  while (connections_.size() > limits_.connections_max) {
    Close(connections_.begin(), TcpClose::kEvicted);
  }
  if (!connections_.empty() && !draining_) {
    sweep_.Start(SweepMs(limits_), SweepMs(limits_));
  }
}

TcpListener::~TcpListener() {
  while (!connections_.empty()) {
    Close(connections_.begin(), TcpClose::kStopped);
  }
}

void TcpListener::Listen(ListenSocket socket) {
  const size_t index = listening_.size();
  listening_.push_back({std::move(socket), nullptr});
  listening_[index].poll = std::make_unique<Poll>(
      loop_, listening_[index].socket.fd.get(),
      [this, index](int events) { OnAcceptable(events, index); });
  listening_[index].poll->Start(UV_READABLE);
}

void TcpListener::OnAcceptable(int events, size_t index) {
  const int fd = listening_[index].socket.fd.get();
  if (events < 0) {  // libuv has stopped watching
    PauseAccepting();
    return;
  }
  for (int i = 0; i < kTcpAcceptsPerTurn; ++i) {
    switch (AcceptOne(fd)) {
      case Accepted::kOne:
        break;
      case Accepted::kNone:
        return;
      case Accepted::kNoResources:
        // accept4 says so even if nobody waits. Only in the first round is
        // it certain that somebody does.
        if (i > 0) return;
        // The descriptor is free before the loop polls again, and the client
        // still waits in the accept queue.
        if (connections_.empty()) {
          PauseAccepting();
        } else {
          Close(connections_.begin(), TcpClose::kEvicted);
        }
        return;
    }
  }
}

TcpListener::Accepted TcpListener::AcceptOne(int fd) {
  SocketAddress address;
  socklen_t size = sizeof(address);
  UniqueFd client(
      accept4(fd, &address.sa, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client.valid()) {
    Add(std::move(client), address);
    return Accepted::kOne;
  }
  if (OutOfResources(errno)) return Accepted::kNoResources;
  // Otherwise the queue is empty, or the error was that of one connection
  // (it was reset while it waited): the next turn goes on.
  return Accepted::kNone;
}

void TcpListener::Add(UniqueFd fd, const SocketAddress& address) {
  const TcpClient client = TcpClient::Of(address);
  size_t& count = client_counts_[client];
  if (count >= limits_.connections_per_client_max) {
    Refuse(std::move(fd));
    return;
  }
  ++count;
  if (connections_.size() >= limits_.connections_max) {
    Close(connections_.begin(), TcpClose::kEvicted);
  }
  if (connections_.empty() && !draining_) {
    sweep_.Start(SweepMs(limits_), SweepMs(limits_));
  }
  connections_.emplace_back(std::move(fd), address, &limits_, &buffers_,
                            context_, uv_now(loop_->uv()));
  context_->stats->tcp_accepted.Add();
  context_->stats->tcp_open.Add();
  const auto connection = std::prev(connections_.end());
  connection->Watch(
      loop_, [this, connection](int events) { OnReady(connection, events); });
}

// With a reset, so that the refusal is plain and leaves nothing behind here.
void TcpListener::Refuse(UniqueFd fd) {
  const linger reset{1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  context_->stats->tcp_closed[static_cast<size_t>(TcpClose::kClientCap)].Add();
}

void TcpListener::PauseAccepting() {
  context_->stats->tcp_accept_pauses.Add();
  for (Listening& listening : listening_) listening.poll->Stop();
  resume_.Start(kTcpAcceptPauseMs);
}

void TcpListener::ResumeAccepting() {
  for (Listening& listening : listening_) listening.poll->Start(UV_READABLE);
}

void TcpListener::OnReady(Connections::iterator connection, int events) {
  const uint64_t now_ms = uv_now(loop_->uv());
  const size_t bytes_before = connection->buffered_bytes();
  const std::optional<TcpClose> over = connection->OnReady(events, now_ms);
  Account(connection, bytes_before);
  if (over) {
    Close(connection, *over);
  } else if (buffered_bytes_ > limits_.buffered_bytes_max &&
             connection->buffered_bytes() > bytes_before) {
    // The one that wanted more goes, not those that hold what they have.
    Close(connection, TcpClose::kMemory);
  } else if (connection->last_active_ms() == now_ms) {
    connections_.splice(connections_.end(), connections_, connection);
  }
}

void TcpListener::Account(Connections::iterator connection,
                          size_t bytes_before) {
  buffered_bytes_ -= bytes_before;
  buffered_bytes_ += connection->buffered_bytes();
}

void TcpListener::Close(Connections::iterator connection, TcpClose reason) {
  buffered_bytes_ -= connection->buffered_bytes();
  const auto count = client_counts_.find(connection->client());
  if (--count->second == 0) client_counts_.erase(count);
  context_->stats->tcp_open.Subtract();
  context_->stats->tcp_closed[static_cast<size_t>(reason)].Add();
  connection->Unwatch();
  // Perhaps called from this connection's own callback: freed by reap_.
  closed_.splice(closed_.end(), connections_, connection);
  if (connections_.empty()) sweep_.Stop();
}

void TcpListener::Sweep() {
  const uint64_t now_ms = uv_now(loop_->uv());
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto connection = next++;
    const std::optional<TcpClose> over = connection->Expired(now_ms);
    if (over) Close(connection, *over);
  }
}

void TcpListener::BeginDrain() {
  draining_ = true;
  resume_.Stop();
  sweep_.Stop();
  for (const Listening& listening : listening_) {
    for (int i = 0; i < kTcpBacklog; ++i) {
      if (AcceptOne(listening.socket.fd.get()) != Accepted::kOne) break;
    }
  }
  listening_.clear();
  const uint64_t now_ms = uv_now(loop_->uv());
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto connection = next++;
    const size_t bytes_before = connection->buffered_bytes();
    const std::optional<TcpClose> over = connection->BeginDrain(now_ms);
    Account(connection, bytes_before);
    if (over) Close(connection, *over);
  }
}

bool TcpListener::FinishDrain() {
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto connection = next++;
    if (connection->drained()) Close(connection, TcpClose::kStopped);
  }
  return connections_.empty();
}

}  // namespace dnsd
