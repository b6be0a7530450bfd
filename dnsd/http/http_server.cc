#include "dnsd/http/http_server.h"

#include <arpa/inet.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "dnsd/http/http_connection.h"

namespace dnsd {
namespace {

constexpr absl::string_view kTooManyConnections =
    "Your IP is issuing too many concurrent connections, please rate limit "
    "your calls";

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

Endpoint FromSockaddr(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    uv_ip6_name(in6, text.data(), text.size());
    return {text.data(), ntohs(in6->sin6_port)};
  }
  const auto* in4 = reinterpret_cast<const sockaddr_in*>(&storage);
  uv_ip4_name(in4, text.data(), text.size());
  return {text.data(), ntohs(in4->sin_port)};
}

// A socket that takes both families knows IPv4 clients as "::ffff:10.0.0.1".
std::string PlainIp(const std::string& ip) {
  return std::string(
      absl::StripPrefix(ip, absl::StrContains(ip, '.') ? "::ffff:" : ""));
}

}  // namespace

// A listening socket. Like a Client it lives until libuv's close callback.
struct HttpListener {
  uv_tcp_t tcp;
};

struct HttpServer::Impl {
  // One accepted socket. `server` is null once it is closing; libuv may still
  // call back for what was under way.
  struct Client {
    uv_tcp_t tcp{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
    Impl* server = nullptr;
    std::shared_ptr<HttpConnection> http;
    std::string ip;                    // empty: not counted
    size_t index = 0;                  // in clients
    std::vector<std::string> writing;  // with libuv
    size_t writing_bytes = 0;          // 0: no write is under way
    size_t queue_bytes = 0;            // of libuv's, when last looked at
    uint64_t step = 0;                 // of http, when the deadline was set
    uint64_t deadline_ms = 0;
    bool reading = false;
    bool received_end = false;
    bool lingering = false;  // our FIN is sent; waiting for the client's
    bool refused = false;
  };

  Impl(EventLoop* event_loop, Handler request_handler, HttpLimits http_limits)
      : loop(event_loop),
        handler(std::move(request_handler)),
        limits(http_limits),
        sweep(event_loop, [this] { Sweep(); }) {}
  ~Impl();

  absl::Status ListenOne(const Endpoint& address, bool ipv6_only);
  void CloseListeners(size_t first);
  void Accept(uv_stream_t* listener);
  void Admit(Client* client);
  void Flush(Client* client);
  void Write(Client* client);
  void Linger(Client* client);
  void SetReading(Client* client);
  void SetDeadline(Client* client);
  void OnRead(Client* client, ssize_t size);
  void OnWritten(Client* client, int status);
  void Sweep();
  void Close(Client* client, bool reset = false);

  EventLoop* const loop;
  const Handler handler;
  const HttpLimits limits;
  Timer sweep;  // runs while there are clients
  std::vector<HttpListener*> listeners;
  std::vector<Endpoint> listening;
  std::vector<Client*> clients;
  std::unordered_map<std::string, size_t> clients_by_ip;
  size_t refused_count = 0;
  std::vector<char> read_buffer = std::vector<char>(kHttpReadBytes);
};

HttpServer::Impl::~Impl() {
  while (!clients.empty()) Close(clients.back());
  CloseListeners(0);
}

void HttpServer::Impl::CloseListeners(size_t first) {
  for (size_t i = first; i < listeners.size(); ++i) {
    uv_close(reinterpret_cast<uv_handle_t*>(&listeners[i]->tcp),
             [](uv_handle_t* handle) {
               std::unique_ptr<HttpListener>(
                   reinterpret_cast<HttpListener*>(handle));
             });
  }
  listeners.resize(first);
  listening.resize(first);
}

absl::Status HttpServer::Impl::ListenOne(const Endpoint& address,
                                         bool ipv6_only) {
  sockaddr_storage storage{};
  const bool ipv6 = IsIPv6(address.ip);
  int error = ipv6 ? uv_ip6_addr(address.ip.c_str(), address.port,
                                 reinterpret_cast<sockaddr_in6*>(&storage))
                   : uv_ip4_addr(address.ip.c_str(), address.port,
                                 reinterpret_cast<sockaddr_in*>(&storage));
  if (error != 0) return ListenError(address, error);
  auto listener = std::make_unique<HttpListener>();
  error = uv_tcp_init(loop->uv(), &listener->tcp);
  if (error != 0) return ListenError(address, error);
  // From here on only CloseListeners() may free it.
  uv_tcp_t* const tcp = &listener->tcp;
  tcp->data = this;
  listeners.push_back(listener.release());
  listening.push_back(address);
  // libuv sets SO_REUSEADDR: a restart need not wait for old connections.
  error = uv_tcp_bind(tcp, reinterpret_cast<const sockaddr*>(&storage),
                      ipv6 && ipv6_only ? UV_TCP_IPV6ONLY : 0);
  if (error != 0) return ListenError(address, error);
  error = uv_listen(reinterpret_cast<uv_stream_t*>(tcp), kHttpBacklog,
                    [](uv_stream_t* stream, int status) {
                      // A failed accept is tried again by libuv.
                      if (status != 0) return;
                      static_cast<Impl*>(stream->data)->Accept(stream);
                    });
  if (error != 0) return ListenError(address, error);
  int size = sizeof(storage);
  error = uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  if (error != 0) return ListenError(address, error);
  listening.back() = FromSockaddr(storage);
  return absl::OkStatus();
}

void HttpServer::Impl::Accept(uv_stream_t* listener) {
  auto owner = std::make_unique<Client>();
  if (uv_tcp_init(loop->uv(), &owner->tcp) != 0) return;
  Client* const client = owner.release();  // freed by Close()'s callback
  client->tcp.data = client;
  client->server = this;
  client->index = clients.size();
  clients.push_back(client);
  if (!sweep.active()) {
    const uint64_t shortest_ms =
        std::min({limits.head_ms, limits.idle_ms, limits.half_close_ms,
                  limits.linger_ms});
    const uint64_t every_ms =
        std::clamp(shortest_ms / 4, kHttpSweepMsMin, kHttpSweepMsMax);
    sweep.Start(every_ms, every_ms);
  }
  if (uv_accept(listener, reinterpret_cast<uv_stream_t*>(&client->tcp)) != 0 ||
      clients.size() > limits.connections_max) {
    Close(client);
    return;
  }
  Admit(client);
}

void HttpServer::Impl::Admit(Client* client) {
  sockaddr_storage storage{};
  int size = sizeof(storage);
  if (uv_tcp_getpeername(&client->tcp, reinterpret_cast<sockaddr*>(&storage),
                         &size) != 0) {
    Close(client);  // gone already
    return;
  }
  uv_tcp_nodelay(&client->tcp, 1);
  const std::string ip = FromSockaddr(storage).ip;
  client->http = HttpConnection::Create(
      &limits, &handler, [this, client] { Flush(client); }, PlainIp(ip));
  client->deadline_ms = uv_now(loop->uv()) + limits.head_ms;
  size_t& same_ip = clients_by_ip[ip];
  if (same_ip < limits.connections_per_client_max) {
    ++same_ip;
    client->ip = ip;
  } else if (refused_count < kHttpRejectedMax) {
    ++refused_count;
    client->refused = true;
    client->http->Refuse(429, kTooManyConnections);
  } else {
    Close(client);
    return;
  }
  Flush(client);
}

// Sends what there is, and brings reading and deadline in line with what the
// connection wants now.
void HttpServer::Impl::Flush(Client* client) {
  if (client->server == nullptr) return;  // closed by what led here
  if (client->writing_bytes == 0) Write(client);
  if (client->server == nullptr) return;
  if (client->writing_bytes == 0 && client->http->finished() &&
      !client->lingering) {
    if (client->http->wants_reset()) {
      Close(client, /*reset=*/true);
    } else {
      Linger(client);
    }
    if (client->server == nullptr) return;
  }
  SetReading(client);
  SetDeadline(client);
}

void HttpServer::Impl::Write(Client* client) {
  client->writing = client->http->TakeOutput();
  if (client->writing.empty()) return;
  std::vector<uv_buf_t> buffers;
  buffers.reserve(client->writing.size());
  for (std::string& piece : client->writing) {
    buffers.push_back(
        uv_buf_init(piece.data(), static_cast<unsigned>(piece.size())));
    client->writing_bytes += piece.size();
  }
  client->write.data = client;
  const int error =
      uv_write(&client->write, reinterpret_cast<uv_stream_t*>(&client->tcp),
               buffers.data(), static_cast<unsigned>(buffers.size()),
               [](uv_write_t* write, int status) {
                 auto* written = static_cast<Client*>(write->data);
                 if (written->server == nullptr) return;
                 written->server->OnWritten(written, status);
               });
  if (error != 0) {
    Close(client);
    return;
  }
  client->queue_bytes = client->tcp.write_queue_size;
  client->deadline_ms = uv_now(loop->uv()) + limits.idle_ms;
}

void HttpServer::Impl::OnWritten(Client* client, int status) {
  if (status != 0) {
    Close(client);
    return;
  }
  const size_t bytes = client->writing_bytes;
  client->writing.clear();
  client->writing_bytes = 0;
  // The phase's own time begins when the client has its answer.
  client->step = client->http->step() - 1;
  client->http->Sent(bytes);
  Flush(client);
}

void HttpServer::Impl::Linger(Client* client) {
  client->lingering = true;
  client->shutdown.data = client;
  const int error = uv_shutdown(
      &client->shutdown, reinterpret_cast<uv_stream_t*>(&client->tcp),
      [](uv_shutdown_t* shutdown, int status) {
        auto* ended = static_cast<Client*>(shutdown->data);
        if (ended->server == nullptr) return;
        if (status != 0 || ended->received_end) ended->server->Close(ended);
      });
  if (error != 0) {
    Close(client);
    return;
  }
  client->deadline_ms = uv_now(loop->uv()) + limits.linger_ms;
}

void HttpServer::Impl::SetReading(Client* client) {
  // While lingering, what still comes is read and thrown away.
  const bool wanted = !client->received_end &&
                      (client->lingering || client->http->wants_input());
  if (wanted == client->reading) return;
  auto* const stream = reinterpret_cast<uv_stream_t*>(&client->tcp);
  client->reading = wanted;
  if (!wanted) {
    uv_read_stop(stream);
    return;
  }
  const int error = uv_read_start(
      stream,
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        std::vector<char>& shared =
            static_cast<Client*>(handle->data)->server->read_buffer;
        *buffer =
            uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* from, ssize_t size, const uv_buf_t*) {
        auto* reader = static_cast<Client*>(from->data);
        if (size != 0) reader->server->OnRead(reader, size);
      });
  if (error != 0) Close(client);
}

void HttpServer::Impl::SetDeadline(Client* client) {
  if (client->server == nullptr || client->lingering ||
      client->writing_bytes != 0 || client->http->step() == client->step) {
    return;
  }
  client->step = client->http->step();
  const uint64_t now_ms = uv_now(loop->uv());
  switch (client->http->phase()) {
    case HttpConnection::Phase::kIdle:
    case HttpConnection::Phase::kBody:
      client->deadline_ms = now_ms + limits.idle_ms;
      break;
    case HttpConnection::Phase::kHead:
      client->deadline_ms = now_ms + limits.head_ms;
      break;
    case HttpConnection::Phase::kParked:
    case HttpConnection::Phase::kStream:
      client->deadline_ms =
          client->received_end ? now_ms + limits.half_close_ms : UINT64_MAX;
      break;
  }
}

void HttpServer::Impl::OnRead(Client* client, ssize_t size) {
  if (size < 0) {
    client->received_end = true;
    client->reading = false;
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&client->tcp));
    if (size != UV_EOF || client->lingering) {
      Close(client);
      return;
    }
    client->http->ReceiveEnd();
    if (client->writing_bytes == 0) {
      client->deadline_ms = uv_now(loop->uv()) + limits.half_close_ms;
    }
  } else if (!client->lingering) {
    client->http->Receive({read_buffer.data(), static_cast<size_t>(size)});
  }
  Flush(client);
}

void HttpServer::Impl::Sweep() {
  const uint64_t now_ms = uv_now(loop->uv());
  // Backwards: Close() moves the last client, seen already, to the gap.
  for (size_t i = clients.size(); i-- > 0;) {
    // A handler that is told of one client may have closed others.
    if (i >= clients.size()) continue;
    Client* const client = clients[i];
    if (client->writing_bytes != 0 &&
        client->tcp.write_queue_size != client->queue_bytes) {
      // Slow but reading.
      client->queue_bytes = client->tcp.write_queue_size;
      client->deadline_ms = now_ms + limits.idle_ms;
    }
    if (now_ms < client->deadline_ms) continue;
    if (client->lingering || client->writing_bytes != 0) {
      Close(client);
      continue;
    }
    client->http->TimeOut();
    Flush(client);
  }
}

void HttpServer::Impl::Close(Client* client, bool reset) {
  if (client->refused) --refused_count;
  const auto same_ip = clients_by_ip.find(client->ip);
  if (same_ip != clients_by_ip.end() && --same_ip->second == 0) {
    clients_by_ip.erase(same_ip);
  }
  clients.back()->index = client->index;
  std::swap(clients[client->index], clients.back());
  clients.pop_back();
  if (clients.empty()) sweep.Stop();
  client->server = nullptr;
  const uv_close_cb on_close = [](uv_handle_t* handle) {
    std::unique_ptr<Client>(static_cast<Client*>(handle->data));
  };
  if (!reset || uv_tcp_close_reset(&client->tcp, on_close) != 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&client->tcp), on_close);
  }
  // Last, because a handler may be told that its client has left.
  if (client->http) client->http->Detach();
}

HttpServer::HttpServer(EventLoop* loop, Handler handler, HttpLimits limits)
    : impl_(std::make_unique<Impl>(loop, std::move(handler), limits)) {}

HttpServer::~HttpServer() = default;

absl::Status HttpServer::Listen(const std::vector<Endpoint>& addresses) {
  const size_t first = impl_->listeners.size();
  for (const Endpoint& address : addresses) {
    // "::" serves IPv4 too, as Consul's does, unless that is bound by itself.
    const bool ipv4_apart = std::any_of(
        addresses.begin(), addresses.end(), [&](const Endpoint& other) {
          return !IsIPv6(other.ip) && other.port == address.port;
        });
    absl::Status status = impl_->ListenOne(address, ipv4_apart);
    if (!status.ok()) {
      impl_->CloseListeners(first);
      return status;
    }
  }
  return absl::OkStatus();
}

const std::vector<Endpoint>& HttpServer::listening() const {
  return impl_->listening;
}

}  // namespace dnsd
