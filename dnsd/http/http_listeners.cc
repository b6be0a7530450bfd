#include "dnsd/http/http_listeners.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

bool IsIPv6(const std::string& ip) { return absl::StrContains(ip, ':'); }

std::string AddressText(const Endpoint& address) {
  return IsIPv6(address.ip) ? absl::StrCat("[", address.ip, "]:", address.port)
                            : absl::StrCat(address.ip, ":", address.port);
}

absl::Status ListenError(const Endpoint& address, int error) {
  std::string message = absl::StrCat("cannot listen on ", AddressText(address),
                                     ": ", uv_strerror(error));
  if (error == UV_EACCES) {
    absl::StrAppend(&message,
                    "; ports below 1024 need root or CAP_NET_BIND_SERVICE "
                    "(setcap cap_net_bind_service=+ep on the dnsd binary)");
  }
  switch (error) {
    case UV_EADDRINUSE:
      return absl::AlreadyExistsError(message);
    case UV_EACCES:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

}  // namespace

Endpoint EndpointOf(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address);
    uv_ip6_name(in6, text.data(), text.size());
    return {text.data(), ntohs(in6->sin6_port)};
  }
  const auto* in4 = reinterpret_cast<const sockaddr_in*>(&address);
  uv_ip4_name(in4, text.data(), text.size());
  return {text.data(), ntohs(in4->sin_port)};
}

// Lives until libuv's close callback.
struct HttpListeners::Socket {
  uv_tcp_t tcp;
};

HttpListeners::HttpListeners(EventLoop* loop, Accept accept)
    : loop_(loop), accept_(std::move(accept)) {}

HttpListeners::~HttpListeners() { Close(0); }

void HttpListeners::Close(size_t first) {
  for (size_t i = first; i < sockets_.size(); ++i) {
    uv_close(reinterpret_cast<uv_handle_t*>(&sockets_[i]->tcp),
             [](uv_handle_t* handle) {
               std::unique_ptr<Socket>(reinterpret_cast<Socket*>(handle));
             });
  }
  sockets_.resize(first);
  listening_.resize(first);
}

absl::Status HttpListeners::ListenOne(const Endpoint& address, bool ipv6_only) {
  sockaddr_storage storage{};
  const bool ipv6 = IsIPv6(address.ip);
  int error = ipv6 ? uv_ip6_addr(address.ip.c_str(), address.port,
                                 reinterpret_cast<sockaddr_in6*>(&storage))
                   : uv_ip4_addr(address.ip.c_str(), address.port,
                                 reinterpret_cast<sockaddr_in*>(&storage));
  if (error != 0) return ListenError(address, error);
  auto socket = std::make_unique<Socket>();
  error = uv_tcp_init(loop_->uv(), &socket->tcp);
  if (error != 0) return ListenError(address, error);
  // From here on only Close() may free it.
  uv_tcp_t* const tcp = &socket->tcp;
  tcp->data = this;
  sockets_.push_back(socket.release());
  listening_.push_back(address);
  // libuv sets SO_REUSEADDR: a restart need not wait for old connections.
  error = uv_tcp_bind(tcp, reinterpret_cast<const sockaddr*>(&storage),
                      ipv6 && ipv6_only ? UV_TCP_IPV6ONLY : 0);
  if (error != 0) return ListenError(address, error);
  error =
      uv_listen(reinterpret_cast<uv_stream_t*>(tcp), kHttpBacklog,
                [](uv_stream_t* stream, int status) {
                  // A failed accept is tried again by libuv.
                  if (status != 0) return;
                  static_cast<HttpListeners*>(stream->data)->accept_(stream);
                });
  if (error != 0) return ListenError(address, error);
  int size = sizeof(storage);
  error = uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  if (error != 0) return ListenError(address, error);
  listening_.back() = EndpointOf(storage);
  return absl::OkStatus();
}

absl::Status HttpListeners::Listen(const std::vector<Endpoint>& addresses) {
  const size_t first = sockets_.size();
  for (const Endpoint& address : addresses) {
    // "::" serves IPv4 too, as Consul's does, unless that is bound by itself.
    const bool ipv4_apart = std::any_of(
        addresses.begin(), addresses.end(), [&](const Endpoint& other) {
          return !IsIPv6(other.ip) && other.port == address.port;
        });
    absl::Status status = ListenOne(address, ipv4_apart);
    if (!status.ok()) {
      Close(first);
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace dnsd
