#include "catalog/registry/checks/dialer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"

namespace dnsd {
namespace {

// RFC 6555 5.5, and Go's default.
constexpr uint64_t kNextAddressMs = 300;
// A name with more addresses than this has them for others.
constexpr size_t kAddressesMax = 16;

std::string AddressText(const sockaddr_storage& address) {
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof(address),
                  host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return JoinHostPort(host, port);
}

}  // namespace

PolledSocket::PolledSocket(EventLoop* loop, int fd) : fd_(fd) {
  poll_.emplace(loop, fd, [this](int events) {
    // The callback may replace itself.
    const auto callback = callback_;
    if (callback != nullptr && *callback) (*callback)(events);
  });
}

PolledSocket::~PolledSocket() {
  // Its last word to epoll must not be about a number that is another's now.
  poll_.reset();
  close(fd_);
}

void PolledSocket::Watch(int events, std::function<void(int)> callback) {
  callback_ =
      std::make_shared<const std::function<void(int)>>(std::move(callback));
  poll_->Start(events);
}

std::string PolledSocket::Ends() const {
  sockaddr_storage local{};
  sockaddr_storage remote{};
  socklen_t bytes = sizeof(local);
  getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &bytes);
  bytes = sizeof(remote);
  getpeername(fd_, reinterpret_cast<sockaddr*>(&remote), &bytes);
  return absl::StrCat(AddressText(local), "->", AddressText(remote));
}

Dialer::Dialer(EventLoop* loop, NameResolver* names, const Target& target,
               Done done)
    : loop_(loop),
      target_(target),
      done_(std::move(done)),
      next_(loop, [this] { TryNext(); }) {
  auto lookup = names->Resolve(
      target.network, target.address,
      [this](const Endpoints& endpoints) { OnAddresses(endpoints); });
  lookup_ = std::move(lookup);
}

std::string Dialer::TimeOutText() const {
  if (addresses_.empty()) {
    return absl::StrCat("dial ", target_.network, ": lookup ",
                        target_.address.substr(0, target_.address.rfind(':')),
                        ": i/o timeout");
  }
  if (!first_error_.empty()) return first_error_;
  return absl::StrCat("dial ", target_.network, " ", addresses_[0].text,
                      ": i/o timeout");
}

void Dialer::OnAddresses(const Endpoints& endpoints) {
  if (!endpoints.error.empty()) {
    is_done_ = true;
    done_(nullptr,
          absl::StrCat("dial ", target_.network, ": ", endpoints.error));
    return;
  }
  addresses_ = endpoints.addresses;
  if (addresses_.size() > kAddressesMax) addresses_.resize(kAddressesMax);
  TryNext();
}

void Dialer::TryNext() {
  if (is_done_ || sockets_.size() == addresses_.size()) return;
  const size_t index = sockets_.size();
  sockets_.emplace_back();
  if (sockets_.size() < addresses_.size()) next_.Start(kNextAddressMs);
  const IpEndpoint& to = addresses_[index];
  const int type = target_.network == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  const int fd =
      socket(to.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    Fail(index, errno);
    return;
  }
  sockets_[index] = std::make_unique<PolledSocket>(loop_, fd);
  const int code = connect(fd, reinterpret_cast<const sockaddr*>(&to.address),
                           to.address_bytes);
  if (code == 0) {
    Win(index);
  } else if (errno == EINPROGRESS) {
    sockets_[index]->Watch(UV_WRITABLE,
                           [this, index](int) { OnConnect(index); });
  } else {
    Fail(index, errno);
  }
}

void Dialer::OnConnect(size_t index) {
  if (is_done_) return;
  PolledSocket* const socket = sockets_[index].get();
  int error = 0;
  socklen_t bytes = sizeof(error);
  getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error == EINPROGRESS) return;
  if (error == 0) {
    Win(index);
  } else {
    Fail(index, error);
  }
}

void Dialer::Fail(size_t index, int error) {
  if (sockets_[index] != nullptr) sockets_[index]->Stop();
  ++failed_count_;
  if (index == 0) {
    first_error_ = absl::StrCat(
        "dial ", target_.network, " ", addresses_[0].text, ": ",
        sockets_[0] == nullptr ? "socket: " : "connect: ", GoErrno(error));
  }
  if (failed_count_ == addresses_.size()) {
    is_done_ = true;
    done_(nullptr, first_error_);
  } else if (failed_count_ == sockets_.size()) {
    next_.Stop();
    TryNext();
  }
}

void Dialer::Win(size_t index) {
  is_done_ = true;
  next_.Stop();
  std::unique_ptr<PolledSocket> won = std::move(sockets_[index]);
  won->Stop();
  for (const auto& socket : sockets_) {
    if (socket != nullptr) socket->Stop();
  }
  if (target_.network == "tcp") {
    const int on = 1;
    setsockopt(won->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  done_(std::move(won), "");
}

}  // namespace dnsd
