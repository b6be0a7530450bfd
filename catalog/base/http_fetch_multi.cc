#include "catalog/base/http_fetch_multi.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "catalog/base/check.h"

namespace dnsd {
namespace {

// libuv runs timers of zero that timers start before it polls again, without
// end. A fast sender keeps libcurl asking for such timers.
constexpr int kRunsOfTurnMax = 4;

// libcurl counts its initialisations under a lock of its own. It is never
// cleaned up: other users in the process may live longer than a fetcher.
CURLM* MakeMulti() {
  DNSD_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  CURLM* const multi = curl_multi_init();
  DNSD_CHECK(multi != nullptr);
  return multi;
}

constexpr int kNoPort = 0;

int LocalPort(int fd) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    return kNoPort;
  }
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return kNoPort;
}

// 0: it is no socket.
ino_t SocketInode(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino
                                                             : 0;
}

}  // namespace

// What libcurl wants to know of one of its sockets. It may close a socket
// before it says that it wants to know no more (one it is connecting), and
// open the next one with the same number. So we watch a duplicate, which is
// ours until we are done with it.
class CurlMulti::Watch {
 public:
  Watch(EventLoop* loop, int fd, uint64_t serial,
        const std::function<void(int)>& callback)
      : serial_(serial), duplicate_(fcntl(fd, F_DUPFD_CLOEXEC, 0)) {
    // Short of descriptors, the socket itself has to do.
    poll_.emplace(loop, duplicate_ >= 0 ? duplicate_ : fd, callback);
  }
  ~Watch() {
    poll_.reset();
    if (duplicate_ >= 0) close(duplicate_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Tells apart two watches of one number.
  [[nodiscard]] uint64_t serial() const { return serial_; }
  [[nodiscard]] int events() const { return events_; }

  void Start(int events) {
    events_ = events;
    is_broken_ = false;
    poll_->Start(events);
  }
  // libuv stops watching a socket that has an error.
  void SetBroken() { is_broken_ = true; }
  void RestartIfBroken() {
    if (is_broken_) Start(events_);
  }

 private:
  const uint64_t serial_;
  const int duplicate_;
  int events_ = 0;
  bool is_broken_ = false;
  std::optional<Poll> poll_;
};

CurlMulti::CurlMulti(EventLoop* loop, const Limits& limits, Callbacks callbacks)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      multi_(MakeMulti()),
      timeout_(loop,
               [this] {
                 timed_out_ = true;
                 Run();
               }),
      run_(loop, [this] { Run(); }) {
  const long connections = static_cast<long>(limits.connections_max);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING,
                    static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS,
                    static_cast<long>(limits.streams_max));
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
  // How many may stay open unused: without it, four times the transfers on
  // their way, so that a burst would close most of them behind itself.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
}

CurlMulti::~CurlMulti() { curl_multi_cleanup(multi_); }

CURLcode CurlMulti::Add(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, OnCloseSocket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return curl_multi_add_handle(multi_, easy) == CURLM_OK ? CURLE_OK
                                                         : CURLE_FAILED_INIT;
}

void CurlMulti::Remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

void CurlMulti::Push() {
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  Wake();  // for what that brought
}

void CurlMulti::Wake() {
  if (!run_.active()) StartSoon(&run_);
}

void CurlMulti::StartSoon(Timer* timer) {
  timer->Start(runs_of_turn_ < kRunsOfTurnMax ? 0 : 1);
}

// libcurl tells no socket of a transfer on its way, but watches it, unless the
// transfer is paused. Then the port tells; unix sockets have none.
void CurlMulti::DropIdle(const std::vector<CURL*>& paused) {
  absl::flat_hash_set<int> used_ports;
  for (CURL* easy : paused) {
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
    used_ports.insert(port > 0 ? static_cast<int>(port) : kNoPort);
  }
  for (const auto& [fd, inode] : sockets_) {
    if (SocketInode(fd) != inode || watches_.contains(fd) ||
        used_ports.contains(LocalPort(fd))) {
      continue;
    }
    shutdown(fd, SHUT_RDWR);
  }
}

int CurlMulti::OnSocket(CURL*, curl_socket_t fd, int what, void* user, void*) {
  auto* self = static_cast<CurlMulti*>(user);
  switch (what) {
    case CURL_POLL_IN:
      self->SetEvents(fd, UV_READABLE);
      break;
    case CURL_POLL_OUT:
      self->SetEvents(fd, UV_WRITABLE);
      break;
    case CURL_POLL_INOUT:
      self->SetEvents(fd, UV_READABLE | UV_WRITABLE);
      break;
    default:
      self->watches_.erase(fd);
  }
  return 0;
}

int CurlMulti::OnTimeout(CURLM*, long timeout_ms, void* user) {
  auto* self = static_cast<CurlMulti*>(user);
  if (timeout_ms < 0) {
    self->timeout_.Stop();
  } else if (timeout_ms == 0) {
    self->StartSoon(&self->timeout_);
  } else {
    self->timeout_.Start(static_cast<uint64_t>(timeout_ms));
  }
  return 0;
}

curl_socket_t CurlMulti::OnOpenSocket(void* user, curlsocktype,
                                      curl_sockaddr* address) {
  // Check scripts are children of this process: they need not inherit it,
  // which libcurl's own sockets would allow.
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
                        address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  auto* self = static_cast<CurlMulti*>(user);
  self->sockets_[fd] = SocketInode(fd);
  if (const auto stale = self->watches_.find(fd);
      stale != self->watches_.end()) {
    // libcurl may not know that this number is new, and not ask again.
    const int events = stale->second->events();
    self->watches_.erase(stale);
    self->SetEvents(fd, events);
  }
  return fd;
}

int CurlMulti::OnCloseSocket(void* user, curl_socket_t fd) {
  auto* self = static_cast<CurlMulti*>(user);
  // libcurl has asked for this before; it must be so before the close.
  self->watches_.erase(fd);
  self->sockets_.erase(fd);
  return close(fd);
}

void CurlMulti::SetEvents(int fd, int events) {
  std::unique_ptr<Watch>& watch = watches_[fd];
  if (watch == nullptr) {
    const uint64_t serial = ++last_serial_;
    watch = std::make_unique<Watch>(
        loop_, fd, serial,
        [this, fd, serial](int ready) { OnPoll(fd, serial, ready); });
  }
  watch->Start(events);
}

void CurlMulti::OnPoll(int fd, uint64_t serial, int events) {
  if (events < 0) {
    // libcurl learns which error it is when it tries to read and write.
    const auto watch = watches_.find(fd);
    if (watch != watches_.end()) watch->second->SetBroken();
    events = UV_READABLE | UV_WRITABLE;
  }
  ready_.push_back({.fd = fd, .serial = serial, .events = events});
  // Timers run before the loop polls again: what is ready is not reported
  // twice.
  Wake();
}

void CurlMulti::Run() {
  run_.Stop();
  const uint64_t turn_ms = uv_now(loop_->uv());
  runs_of_turn_ = turn_ms == turn_ms_ ? runs_of_turn_ + 1 : 0;
  turn_ms_ = turn_ms;
  std::vector<Ready> ready;
  ready.swap(ready_);
  for (const Ready& one : ready) RunSocket(one);
  if (std::exchange(timed_out_, false)) {
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  TakeMessages();
  callbacks_.after();
}

void CurlMulti::RunSocket(const Ready& ready) {
  // An earlier one's work may have closed this one, and even opened another
  // of the same number.
  auto watch = watches_.find(ready.fd);
  if (watch == watches_.end() || watch->second->serial() != ready.serial)
    return;
  int bits = 0;
  if ((ready.events & UV_READABLE) != 0) bits |= CURL_CSELECT_IN;
  if ((ready.events & UV_WRITABLE) != 0) bits |= CURL_CSELECT_OUT;
  int running = 0;
  curl_multi_socket_action(multi_, ready.fd, bits, &running);
  watch = watches_.find(ready.fd);
  if (watch != watches_.end()) watch->second->RestartIfBroken();
}

void CurlMulti::TakeMessages() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message does not outlive the removal of its handle.
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    callbacks_.on_end(easy, code);
  }
}

}  // namespace dnsd
