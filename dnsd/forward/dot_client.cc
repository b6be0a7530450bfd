#include "dnsd/forward/dot_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "dnsd/way_back.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// Records read before the loop goes on to others.
constexpr int kRecordsPerTurn = 32;

// A question is sent over so many connections: the upstream may close one just
// then (RFC 7766 section 6.2.4), but not each time.
constexpr int kSentMax = 2;

}  // namespace

DotClient::DotClient(EventLoop* loop, ForwardStats* stats, Options options)
    : loop_(loop),
      stats_(stats),
      options_(std::move(options)),
      bury_(loop,
            [this] {
              if (!ended_.empty()) ended_.clear();
            }),
      timer_(loop, [this] { OnTimer(); }) {}

DotClient::~DotClient() { Disconnect(); }

bool DotClient::Ask(uint16_t id, const std::string& query, Asker* asker) {
  if (waiting_.size() >= options_.limits.waiting_max || HasId(id)) return false;
  // It takes questions and says nothing: another connection may do better.
  if (IsOpen() && given_up_count_ >= kForwardFailuresMax) Disconnect();
  if (!connection_) {
    if (now_ms() < retry_at_ms_ || !Connect()) return false;
  }
  Waiting& waiting = waiting_[id];
  waiting.asker = asker;
  waiting.frame.reserve(kLengthBytes + query.size());
  waiting.frame.push_back(static_cast<char>(query.size() >> 8));
  waiting.frame.push_back(static_cast<char>(query.size() & 0xff));
  waiting.frame += query;
  used_ms_ = now_ms();
  if (IsOpen()) {
    Send(&waiting);
    Watch();
  }
  return true;
}

void DotClient::Forget(uint16_t id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  if (found->second.sent_count > 0 && !found->second.answered) {
    ++given_up_count_;
  }
  waiting_.erase(found);
}

void DotClient::SetTrust(std::shared_ptr<const TlsTrust> trust) {
  options_.trust = std::move(trust);
  Disconnect();
  session_.reset();
  retry_at_ms_ = 0;
  if (!waiting_.empty() && !Connect()) GiveUp();
}

// Begins a connection. False: there is no way.
bool DotClient::Connect() {
  const SocketAddress& to = options_.upstream.socket;
  auto made = std::make_unique<Connection>();
  made->fd = UniqueFd(
      socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made->fd.valid()) return false;
  const int fd = made->fd.get();
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // Who does not even acknowledge is gone, and the kernel would try for long.
  const auto unheard_ms = static_cast<unsigned>(options_.limits.handshake_ms);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms,
             sizeof(unheard_ms));
  if (connect(fd, &to.sa, to.size()) != 0 && errno != EINPROGRESS) return false;
  stats_->tls_connections.Add();
  made->stream.emplace(options_.trust, options_.upstream, fd, session_.get());
  made->poll.emplace(loop_, fd, [this](int events) { OnReady(events); });
  made->poll->Start(UV_WRITABLE);
  connection_ = std::move(made);
  given_up_count_ = 0;
  timer_.Start(options_.limits.handshake_ms);
  return true;
}

// The connection is over; who waits does so still.
void DotClient::Disconnect() {
  if (!connection_) return;
  if (TlsSessionPtr newest = connection_->stream->TakeSession()) {
    session_ = std::move(newest);
  }
  connection_->poll->Stop();
  connection_->stream->End();
  ended_.push_back(std::move(connection_));
  timer_.Stop();
}

void DotClient::OnReady(int events) {
  if (!connection_) return;
  if (connection_->state == Connection::State::kConnecting) {
    return OnConnected();
  }
  if (connection_->state == Connection::State::kHandshake) return Handshake();
  if (events < 0) return Break();
  if ((events & UV_WRITABLE) != 0 || connection_->stream->wants_write()) {
    Write();
  }
  if (IsOpen() && (events & UV_READABLE) != 0) Read();
  if (IsOpen()) Watch();
}

void DotClient::OnConnected() {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(connection_->fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) !=
          0 ||
      error != 0) {
    // Nobody listens, which costs little to find out again.
    Disconnect();
    return GiveUp();
  }
  connection_->state = Connection::State::kHandshake;
  Handshake();
}

void DotClient::Handshake() {
  switch (connection_->stream->Handshake()) {
    case TlsStream::Result::kDone:
      return OnOpen();
    case TlsStream::Result::kAgain:
      return Watch();
    case TlsStream::Result::kEnd:
    case TlsStream::Result::kFailed:
      return Fail(connection_->stream->failure());
  }
}

void DotClient::OnOpen() {
  connection_->state = Connection::State::kOpen;
  stats_->tls_handshakes.Add();
  if (connection_->stream->is_resumed()) stats_->tls_resumed.Add();
  used_ms_ = now_ms();
  timer_.Start(options_.limits.idle_ms);
  for (auto& [id, waiting] : waiting_) Send(&waiting);
  Write();
  if (IsOpen()) Watch();
}

// It is written with others when the loop comes to it.
void DotClient::Send(Waiting* waiting) {
  connection_->out += waiting->frame;
  ++waiting->sent_count;
}

void DotClient::Write() {
  const TlsStream::Result result =
      connection_->stream->Write(&connection_->out);
  if (result == TlsStream::Result::kFailed) Break();
}

void DotClient::Read() {
  const Connection* const from = connection_.get();
  for (int i = 0; i < kRecordsPerTurn; ++i) {
    const TlsStream::Result result =
        connection_->stream->Read(&connection_->in);
    if (!TakeMessages(from)) return;
    if (result == TlsStream::Result::kAgain) return;
    if (result != TlsStream::Result::kDone) return Break();
  }
}

// Hands out whole messages. False: the connection is over.
bool DotClient::TakeMessages(const Connection* from) {
  std::string& in = connection_->in;
  size_t at = 0;
  while (in.size() - at >= kLengthBytes) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&in[at]);
    const size_t size = Load16(bytes);
    if (size < kHeaderBytes) {  // out of step
      Break();
      return false;
    }
    if (in.size() - at < kLengthBytes + size) break;
    at += kLengthBytes + size;
    given_up_count_ = 0;
    connection_->has_replied = true;
    retry_at_ms_ = 0;
    used_ms_ = now_ms();
    const auto found = waiting_.find(Load16(bytes + kLengthBytes));
    if (found == waiting_.end()) continue;  // nobody waits any more
    found->second.answered = true;
    // It may forget the question, ask others, and so end the connection, whose
    // bytes stay until the loop's next turn.
    found->second.asker->OnReply({bytes + kLengthBytes, size});
    if (connection_.get() != from) return false;
  }
  in.erase(0, at);
  return true;
}

// What the socket is to tell.
void DotClient::Watch() {
  const bool write =
      connection_->stream->wants_write() || !connection_->out.empty();
  connection_->poll->Start(UV_READABLE | (write ? UV_WRITABLE : 0));
}

void DotClient::OnTimer() {
  if (!connection_) return;
  switch (connection_->state) {
    case Connection::State::kConnecting:
      Disconnect();
      return GiveUp();
    case Connection::State::kHandshake:
      return Fail("no end of the handshake in time");
    case Connection::State::kOpen:
      break;
  }
  const uint64_t idle_ms = now_ms() - used_ms_;
  if (waiting_.empty() && idle_ms >= options_.limits.idle_ms) {
    return Disconnect();
  }
  timer_.Start(waiting_.empty() ? options_.limits.idle_ms - idle_ms
                                : options_.limits.idle_ms);
}

// The handshake failed: nobody is to be asked there.
void DotClient::Fail(const std::string& reason) {
  const uint64_t now = now_ms();
  stats_->tls_handshake_failures.Add();
  retry_at_ms_ = now + options_.limits.retry_ms;
  Disconnect();
  session_.reset();
  if (options_.on_failure &&
      (reason != told_ || now - told_ms_ >= kForwardTlsTellMs)) {
    told_ = reason;
    told_ms_ = now;
    options_.on_failure(options_.upstream, reason);
  }
  GiveUp();
}

// An open connection ended: what waits is sent over another one.
void DotClient::Break() {
  // So did the one before: the upstream is left alone for a while.
  const bool is_again = now_ms() < retry_at_ms_;
  if (!connection_->has_replied && !waiting_.empty()) {
    retry_at_ms_ = now_ms() + options_.limits.retry_ms;
  }
  Disconnect();
  std::vector<Asker*> lost;
  absl::erase_if(waiting_, [&](const auto& entry) {
    const bool is_lost = entry.second.sent_count >= kSentMax;
    if (is_lost) lost.push_back(entry.second.asker);
    return is_lost;
  });
  const bool goes_on = waiting_.empty() || (!is_again && Connect());
  for (Asker* const asker : lost) asker->OnBroken();
  if (!goes_on && !connection_) GiveUp();
}

// Tells all who wait that it is for nothing.
void DotClient::GiveUp() {
  const auto lost = std::exchange(waiting_, {});
  for (const auto& [id, waiting] : lost) waiting.asker->OnBroken();
}

}  // namespace dnsd
