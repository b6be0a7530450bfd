#include "dnsd/forward/upstream_exchange.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "dnsd/limits.h"
#include "dnsd/way_back.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// More than our OPT allows: what is longer has not read it.
constexpr size_t kUdpReplyBytesMax = 4096;

// Datagrams read before the loop goes on to others.
constexpr int kRepliesPerTurn = 32;

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

UpstreamExchange::UpstreamExchange(EventLoop* loop, ForwardStats* stats,
                                   SecretRandom* random)
    : loop_(loop), stats_(stats), random_(random) {}

bool UpstreamExchange::Start(const SocketAddress& to,
                             const ForwardQuestion& question, const Mode& mode,
                             Done done) {
  mode_ = mode;
  done_ = std::move(done);
  sent_.question = question;
  sent_.id = random_->Next16();
  sent_.udp_size = mode.edns ? kForwardUdpSize : 0;
  const bool tcp = mode.over == UpstreamTransport::kTcp;
  if (mode.mixed_case && !tcp) SpellName();
  const int type = tcp ? SOCK_STREAM : SOCK_DGRAM;
  fd_ =
      UniqueFd(socket(to.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return false;
  if (connect(fd_.get(), &to.sa, to.size()) != 0 && errno != EINPROGRESS) {
    return false;
  }
  const std::string query = WriteUpstreamQuery(sent_);
  stats_->sent.Add();
  if (tcp) {
    stats_->sent_tcp.Add();
    const int on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    out_.push_back(static_cast<char>(query.size() >> 8));
    out_.push_back(static_cast<char>(query.size() & 0xff));
    out_ += query;
  } else if (send(fd_.get(), query.data(), query.size(),
                  MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
             !WouldBlock(errno)) {
    return false;
  }
  poll_.emplace(loop_, fd_.get(), [this](int events) { OnReady(events); });
  poll_->Start(tcp ? UV_WRITABLE : UV_READABLE);
  return true;
}

bool UpstreamExchange::StartTls(DotClient* client,
                                const ForwardQuestion& question,
                                const Mode& mode, Done done) {
  mode_ = mode;
  sent_.question = question;
  sent_.udp_size = mode.edns ? kForwardUdpSize : 0;
  sent_.is_padded = true;
  do {  // few of all ids are taken
    sent_.id = random_->Next16();
  } while (client->HasId(sent_.id));
  if (!client->Ask(sent_.id, WriteUpstreamQuery(sent_), this)) return false;
  client_ = client;
  done_ = std::move(done);
  stats_->sent.Add();
  stats_->sent_tls.Add();
  return true;
}

void UpstreamExchange::Stop() {
  done_ = nullptr;
  if (client_ != nullptr) std::exchange(client_, nullptr)->Forget(sent_.id);
}

void UpstreamExchange::OnReply(std::span<const uint8_t> message) {
  if (done_) static_cast<void>(Judge(message));
}

void UpstreamExchange::OnBroken() {
  client_ = nullptr;
  if (done_) End(ExchangeEnd::kUnreachable);
}

// Each letter in a case that only the upstream gets to see
// (draft-vixie-dnsext-dns0x20).
void UpstreamExchange::SpellName() {
  std::string& name = sent_.spelled_name;
  name = sent_.question.name;
  uint64_t bits = 0;
  int left = 0;
  size_t label_end = 0;  // lengths of labels are no letters
  for (size_t i = 0; i < name.size(); ++i) {
    if (i == label_end) {
      label_end = i + 1 + static_cast<uint8_t>(name[i]);
      continue;
    }
    if (name[i] < 'a' || name[i] > 'z') continue;
    if (left-- == 0) {
      bits = random_->Next64();
      left = 63;
    }
    if ((bits & 1) != 0) name[i] = static_cast<char>(name[i] - 'a' + 'A');
    bits >>= 1;
  }
}

void UpstreamExchange::OnReady(int events) {
  // Who owns it destroys it before the loop polls again, as a rule: stopping at
  // its end would be a system call more for each question.
  if (!done_) return poll_->Stop();
  if (mode_.over == UpstreamTransport::kUdp) return ReadUdp();
  if (events < 0) return End(ExchangeEnd::kUnreachable);
  if ((events & UV_WRITABLE) != 0) return WriteTcp();
  ReadTcp();
}

void UpstreamExchange::ReadUdp() {
  uint8_t reply[kUdpReplyBytesMax];
  for (int i = 0; i < kRepliesPerTurn; ++i) {
    const ssize_t count = recv(fd_.get(), reply, sizeof(reply), MSG_DONTWAIT);
    if (count < 0) {
      if (WouldBlock(errno)) return;
      // What ICMP said: nobody listens there, or there is no route.
      return End(ExchangeEnd::kUnreachable);
    }
    if (Judge({reply, static_cast<size_t>(count)})) return;
  }
}

void UpstreamExchange::WriteTcp() {
  const ssize_t count =
      send(fd_.get(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    if (WouldBlock(errno) || errno == ENOTCONN) return;
    return End(ExchangeEnd::kUnreachable);
  }
  out_.erase(0, static_cast<size_t>(count));
  if (out_.empty()) poll_->Start(UV_READABLE);
}

void UpstreamExchange::ReadTcp() {
  char bytes[kUdpReplyBytesMax];
  for (;;) {
    const ssize_t count = recv(fd_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (count < 0 && WouldBlock(errno)) return;
    if (count <= 0) return End(ExchangeEnd::kUnreachable);
    in_.append(bytes, static_cast<size_t>(count));
    if (in_.size() < kLengthBytes) continue;
    const size_t length = Load16(BytesOf(in_).data());
    if (in_.size() < kLengthBytes + length) continue;
    const std::string reply = in_.substr(kLengthBytes, length);
    in_.erase(0, kLengthBytes + length);
    if (Judge(BytesOf(reply))) return;
  }
}

// Whether the exchange is over by this reply.
bool UpstreamExchange::Judge(std::span<const uint8_t> reply) {
  const bool is_stream = mode_.over != UpstreamTransport::kUdp;
  switch (ReadReply(reply, sent_, is_stream, &answer_)) {
    case ReplyVerdict::kAnswer:
      stats_->foreign_records.Add(answer_.foreign_records);
      End(ExchangeEnd::kAnswer);
      return true;
    case ReplyVerdict::kTruncated:
      End(ExchangeEnd::kTruncated);
      return true;
    case ReplyVerdict::kNotOurs:
      stats_->wrong_replies.Add();
      if (++wrong_replies_ <= kForwardWrongRepliesMax) return false;
      End(ExchangeEnd::kForged);
      return true;
    case ReplyVerdict::kWrongCase:
      stats_->wrong_case.Add();
      End(ExchangeEnd::kWrongCase);
      return true;
    case ReplyVerdict::kNoEdns:
      End(mode_.edns ? ExchangeEnd::kNoEdns : ExchangeEnd::kServerFailed);
      return true;
    case ReplyVerdict::kServerFailed:
      End(ExchangeEnd::kServerFailed);
      return true;
    case ReplyVerdict::kMalformed:
      End(ExchangeEnd::kMalformed);
      return true;
  }
  return true;
}

void UpstreamExchange::End(ExchangeEnd end) {
  // Taken out first: the callback may call Stop().
  const Done done = std::exchange(done_, nullptr);
  Stop();
  done(end);
}

}  // namespace dnsd
