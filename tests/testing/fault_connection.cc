#include "tests/testing/fault_connection.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;
// What may wait for a slow reader before the other side is read no more.
constexpr size_t kWaitingBytesMax = size_t{4} << 20;
constexpr size_t kWaitingPiecesMax = 1000;
constexpr char kTlsHandshake = 0x16;  // the first byte, RFC 8446 5.1

void ResetOnClose(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

// Reads once: the count, 0 at the end, or -1; `again` when nothing is there.
ssize_t ReadSome(int fd, std::string* bytes, bool* again) {
  bytes->resize(kReadBytes);
  const ssize_t got = recv(fd, bytes->data(), bytes->size(), 0);
  *again = got < 0 && (errno == EAGAIN || errno == EINTR);
  bytes->resize(got > 0 ? static_cast<size_t>(got) : 0);
  return got;
}

std::string Word(const std::string& head, size_t which) {
  size_t begin = 0;
  for (size_t i = 0; i < which && begin != std::string::npos; ++i) {
    begin = head.find(' ', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos) return "";
  return head.substr(begin, head.find_first_of(" \r", begin) - begin);
}

}  // namespace

bool FaultState::Use(uint64_t rule) {
  const auto at = rules.find(rule);
  if (at == rules.end()) return false;
  if (at->second.times > 0 && --at->second.times == 0) rules.erase(at);
  return true;
}

void DelayedBytes::Push(absl::string_view bytes,
                        std::chrono::milliseconds delay) {
  if (bytes.empty()) return;
  Clock::time_point due = Clock::now() + delay;
  // A delay that was made shorter lets nothing overtake.
  if (!parts_.empty()) due = std::max(due, parts_.back().first);
  parts_.emplace_back(due, std::string(bytes));
  size_ += bytes.size();
}

bool DelayedBytes::Send(int fd) {
  while (due()) {
    std::string& bytes = parts_.front().second;
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    size_ -= static_cast<size_t>(sent);
    if (static_cast<size_t>(sent) < bytes.size()) {
      bytes.erase(0, static_cast<size_t>(sent));
      return true;
    }
    parts_.pop_front();
  }
  return true;
}

bool DelayedBytes::due() const {
  return !parts_.empty() && parts_.front().first <= Clock::now();
}

std::optional<int> DelayedBytes::WaitMs() const {
  if (parts_.empty()) return std::nullopt;
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
      parts_.front().first - Clock::now());
  return static_cast<int>(std::max<int64_t>(rest.count(), 0));
}

FaultConnection::FaultConnection(int client_fd, FaultState* state)
    : state_(state), client_fd_(client_fd) {
  const int on = 1;
  setsockopt(client_fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

FaultConnection::~FaultConnection() {
  CloseUpstream();
  if (ending_ != Ending::kClose) ResetOnClose(client_fd_);
  close(client_fd_);
}

FaultConnection::Wanted FaultConnection::ClientWanted() const {
  if (state_->mode == FaultProxy::Mode::kBlackHole) {
    return {client_fd_, POLLRDHUP};
  }
  int events = 0;
  if (ending_ == Ending::kNone && asked_.size() < kWaitingPiecesMax &&
      to_upstream_.size() < kWaitingBytesMax) {
    events |= POLLIN;
  }
  if (to_client_.due()) events |= POLLOUT;
  return {client_fd_, static_cast<short>(events)};
}

FaultConnection::Wanted FaultConnection::UpstreamWanted() const {
  int events = 0;
  if (state_->mode != FaultProxy::Mode::kBlackHole) {
    if (to_client_.size() < kWaitingBytesMax) events |= POLLIN;
    if (to_upstream_.due()) events |= POLLOUT;
  }
  return {events == 0 ? -1 : upstream_fd_, static_cast<short>(events)};
}

std::optional<int> FaultConnection::WaitMs() const {
  if (state_->mode == FaultProxy::Mode::kBlackHole) return std::nullopt;
  std::optional<int> wait;
  for (const DelayedBytes* bytes : {&to_client_, &to_upstream_}) {
    // What is due waits for its socket, not for the time.
    const std::optional<int> ms = bytes->WaitMs();
    if (ms.value_or(0) > 0) wait = std::min(wait.value_or(*ms), *ms);
  }
  // Until the client's kernel has it all: nobody tells.
  if (ending_ == Ending::kReset && to_client_.size() == 0) wait = 1;
  return wait;
}

void FaultConnection::Turn(short client_events, short upstream_events) {
  constexpr int kGone = POLLERR | POLLHUP | POLLNVAL;
  if (state_->mode == FaultProxy::Mode::kBlackHole) {
    if ((client_events & (kGone | POLLRDHUP)) != 0) done_ = true;
    return;
  }
  if ((client_events & kGone) != 0 ||
      ((client_events & POLLIN) != 0 && ending_ == Ending::kNone)) {
    ReadClient();
  }
  if (!done_ && upstream_fd_ >= 0 &&
      (upstream_events & (POLLIN | kGone)) != 0) {
    ReadUpstream();
  }
  if (!done_ && upstream_fd_ >= 0 && !to_upstream_.Send(upstream_fd_)) {
    CloseUpstream();
    EndAfterOutput(Ending::kReset);
  }
  if (!done_) FlushClient();
}

void FaultConnection::FlushClient() {
  if (!to_client_.Send(client_fd_)) {
    done_ = true;
    return;
  }
  if (ending_ == Ending::kNone || to_client_.size() > 0) return;
  int unsent = 0;
  // A reset would throw away what the client has not got yet.
  if (ending_ == Ending::kReset && ioctl(client_fd_, SIOCOUTQ, &unsent) == 0 &&
      unsent > 0) {
    return;
  }
  done_ = true;
}

void FaultConnection::ReadClient() {
  std::string bytes;
  bool again = false;
  if (ReadSome(client_fd_, &bytes, &again) <= 0) {
    done_ = !again;
    return;
  }
  if (ending_ != Ending::kNone) return;
  if (fresh_ && bytes[0] == kTlsHandshake) {
    raw_ = true;
    for (const auto& [number, rule] : state_->rules) {
      if (!rule.path_contains.empty() || !rule.cut_after || cut_) continue;
      cut_ = {*rule.cut_after, number};
    }
  }
  fresh_ = false;
  if (raw_) {
    ToUpstream(bytes);
    return;
  }
  std::vector<HttpPiece> pieces;
  requests_.Feed(bytes, &pieces);
  for (HttpPiece& piece : pieces) asked_.push_back(std::move(piece));
  TakeRequests();
  if (requests_.broken()) EndAfterOutput(Ending::kReset);
}

void FaultConnection::TakeRequests() {
  while (!asked_.empty() && ending_ == Ending::kNone) {
    const HttpPiece& piece = asked_.front();
    if (piece.kind == HttpPiece::Kind::kHead) {
      if (!path_.empty()) return;  // the one before waits for its answer
      BeginRequest(piece.bytes);
    } else if (piece.kind == HttpPiece::Kind::kEnd) {
      if (answer_) AnswerItself();
    } else {
      state_->counts[path_].request_bytes += piece.bytes.size();
      if (!answer_) ToUpstream(piece.bytes);
    }
    asked_.pop_front();
  }
}

void FaultConnection::BeginRequest(const std::string& head) {
  target_ = Word(head, 1);
  path_ = target_.substr(0, target_.find('?'));
  if (path_.empty()) path_ = "/";
  head_request_ = Word(head, 0) == "HEAD";
  answer_.reset();
  replaced_ = false;
  corrupt_every_ = 0;
  content_bytes_ = 0;
  response_bytes_ = 0;
  cut_.reset();
  FaultCounts& counts = state_->counts[path_];
  ++counts.requests;
  counts.request_bytes += head.size();
  counts.last_request_head = head;
  for (const auto& [number, rule] : state_->rules) {
    if (!rule.answer || !absl::StrContains(target_, rule.path_contains)) {
      continue;
    }
    answer_ = rule.answer;
    (void)state_->Use(number);
    return;
  }
  responses_.set_head_request(head_request_);
  ToUpstream(head);
}

void FaultConnection::AnswerItself() {
  std::string head = absl::StrCat("HTTP/1.1 ", answer_->status, " Fault\r\n",
                                  "Content-Length: ", answer_->body.size(),
                                  "\r\nContent-Type: text/plain\r\n\r\n");
  for (const auto& [name, value] : answer_->headers) {
    head = WithHeader(head, name, value);
  }
  ToClient(head);
  if (!head_request_) ToClient(answer_->body);
  EndExchange();
}

void FaultConnection::ReadUpstream() {
  std::string bytes;
  bool again = false;
  const ssize_t got = ReadSome(upstream_fd_, &bytes, &again);
  if (again) return;
  if (raw_) {
    ToClient(bytes);
  } else {
    std::vector<HttpPiece> pieces;
    responses_.Feed(bytes, &pieces);
    if (got == 0) responses_.FeedEnd(&pieces);
    TakeResponses(&pieces);
    TakeRequests();
  }
  if (got <= 0 || responses_.broken()) {
    CloseUpstream();
    EndAfterOutput(got == 0 ? Ending::kClose : Ending::kReset);
  }
}

void FaultConnection::TakeResponses(std::vector<HttpPiece>* pieces) {
  for (HttpPiece& piece : *pieces) {
    switch (piece.kind) {
      case HttpPiece::Kind::kHead:
        BeginResponse(piece.bytes);
        break;
      case HttpPiece::Kind::kBody:
        if (!replaced_) GiveContent(std::move(piece.bytes));
        break;
      case HttpPiece::Kind::kFraming:
        if (!replaced_) ToClient(piece.bytes);
        break;
      case HttpPiece::Kind::kEnd:
        EndExchange();
        break;
    }
  }
}

void FaultConnection::BeginResponse(const std::string& head) {
  const int status = StatusOf(head);
  if (status < 200) {  // an interim answer
    ToClient(head);
    return;
  }
  std::string changed = head;
  std::optional<std::string> body;
  for (auto at = state_->rules.begin(); at != state_->rules.end();) {
    const auto& [number, rule] = *at++;  // Use() may erase it
    if (rule.answer || !absl::StrContains(target_, rule.path_contains)) {
      continue;
    }
    for (const std::string& name : rule.strip_headers) {
      changed = WithoutHeader(changed, name);
    }
    for (const auto& [name, value] : rule.set_headers) {
      changed = WithHeader(changed, name, value);
    }
    if (rule.corrupt_every > 0) corrupt_every_ = rule.corrupt_every;
    if (rule.body && !head_request_ && status != 204 && status != 304) {
      body = rule.body;
    }
    if (rule.cut_after) {
      if (!cut_) cut_ = {*rule.cut_after, number};
    } else {
      (void)state_->Use(number);
    }
  }
  if (body) {
    replaced_ = true;
    changed = WithoutHeader(changed, "Transfer-Encoding");
    changed = WithoutHeader(changed, "Content-Encoding");
    changed = WithHeader(changed, "Content-Length", absl::StrCat(body->size()));
  }
  ToClient(changed);
  if (body) GiveContent(*body);
}

void FaultConnection::GiveContent(std::string bytes) {
  if (corrupt_every_ > 0) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      if ((content_bytes_ + i) % corrupt_every_ != 0) continue;
      bytes[i] = static_cast<char>(~bytes[i]);
    }
  }
  content_bytes_ += bytes.size();
  ToClient(bytes);
}

void FaultConnection::EndExchange() {
  if (ending_ == Ending::kNone) ++state_->counts[path_].answers;
  path_.clear();
}

void FaultConnection::ConnectUpstream() {
  upstream_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  DNSD_CHECK(upstream_fd_ >= 0);
  const int on = 1;
  setsockopt(upstream_fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(state_->upstream_port);
  DNSD_CHECK(
      inet_pton(AF_INET, state_->upstream_ip.c_str(), &address.sin_addr) == 1);
  if (connect(upstream_fd_, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0 ||
      errno == EINPROGRESS) {
    return;
  }
  CloseUpstream();
  EndAfterOutput(Ending::kReset);
}

void FaultConnection::CloseUpstream() {
  if (upstream_fd_ >= 0) close(upstream_fd_);
  upstream_fd_ = -1;
}

void FaultConnection::ToUpstream(absl::string_view bytes) {
  if (upstream_fd_ < 0) ConnectUpstream();
  to_upstream_.Push(bytes, state_->delay_to_upstream);
}

void FaultConnection::ToClient(absl::string_view bytes) {
  if (ending_ != Ending::kNone) return;
  bool cut = false;
  if (cut_ && response_bytes_ + bytes.size() > cut_->first) {
    cut = state_->Use(cut_->second);
    if (cut) bytes = bytes.substr(0, cut_->first - response_bytes_);
  }
  response_bytes_ += bytes.size();
  if (!path_.empty()) state_->counts[path_].response_bytes += bytes.size();
  to_client_.Push(bytes, state_->delay_to_client);
  if (!cut) return;
  CloseUpstream();
  EndAfterOutput(Ending::kReset);
}

void FaultConnection::EndAfterOutput(Ending ending) {
  if (ending_ == Ending::kNone) ending_ = ending;
}

}  // namespace dnsd::testing
