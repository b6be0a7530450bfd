#include "dnsd/http/http_server.h"

#include <uv.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "catalog/base/check.h"
#include "dnsd/http/http_connection.h"
#include "dnsd/http/http_in_flight.h"
#include "dnsd/http/http_listeners.h"
#include "dnsd/http/tls_session.h"

namespace dnsd {
namespace {

constexpr absl::string_view kTooManyConnections =
    "Your IP is issuing too many concurrent connections, please rate limit "
    "your calls";

// A socket that takes both families knows IPv4 clients as "::ffff:10.0.0.1".
std::string PlainIp(const std::string& ip) {
  return std::string(
      absl::StripPrefix(ip, absl::StrContains(ip, '.') ? "::ffff:" : ""));
}

}  // namespace

struct HttpServer::Impl {
  // One accepted socket. `server` is null once it is closing; libuv may still
  // call back for what was under way.
  struct Client {
    uv_tcp_t tcp{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
    Impl* server = nullptr;
    std::shared_ptr<HttpConnection> http;
    std::unique_ptr<TlsSession> tls;   // nullptr: none
    std::string ip;                    // empty: not counted
    size_t index = 0;                  // in clients
    std::vector<std::string> writing;  // with libuv
    size_t writing_bytes = 0;          // 0: no write is under way
    size_t http_bytes = 0;             // of http's output, in those
    size_t queue_bytes = 0;            // of libuv's, when last looked at
    uint64_t step = 0;                 // of http, when the deadline was set
    uint64_t deadline_ms = 0;
    bool reading = false;
    bool received_end = false;
    bool lingering = false;  // our FIN is sent; waiting for the client's
    bool refused = false;

    [[nodiscard]] bool handshaking() const { return tls && tls->handshaking(); }
    // Nothing more is to be sent.
    [[nodiscard]] bool done() const {
      if (tls && !tls->open()) return tls->failed();
      return http->finished();
    }
  };

  Impl(EventLoop* event_loop, Handler request_handler, HttpLimits http_limits)
      : loop(event_loop),
        handler(std::move(request_handler)),
        limits(http_limits),
        in_flight(&limits),
        plain(event_loop,
              [this](uv_stream_t* from) { Accept(from, /*with_tls=*/false); }),
        secure(event_loop,
               [this](uv_stream_t* from) { Accept(from, /*with_tls=*/true); }),
        sweep(event_loop, [this] { Sweep(); }) {}
  ~Impl();

  void Accept(uv_stream_t* listener, bool with_tls);
  void Admit(Client* client);
  void Flush(Client* client);
  void TakeOutput(Client* client);
  void Write(Client* client);
  void Linger(Client* client);
  void SetReading(Client* client);
  void SetDeadline(Client* client);
  void OnRead(Client* client, ssize_t size);
  void Receive(Client* client, absl::string_view bytes);
  void ReceiveEnd(Client* client);
  void OnWritten(Client* client, int status);
  void Sweep();
  void Close(Client* client, bool reset = false);

  EventLoop* const loop;
  const Handler handler;
  HttpLimits limits;
  HttpInFlight in_flight;
  HttpListeners plain;
  HttpListeners secure;
  std::shared_ptr<const TlsContext> tls;  // of the connections to come
  Timer sweep;                            // runs while there are clients
  HttpCounts counts;
  std::vector<Client*> clients;
  std::unordered_map<std::string, size_t> clients_by_ip;
  size_t refused_count = 0;
  std::vector<char> read_buffer = std::vector<char>(kHttpReadBytes);
};

HttpServer::Impl::~Impl() {
  while (!clients.empty()) Close(clients.back());
}

void HttpServer::Impl::Accept(uv_stream_t* listener, bool with_tls) {
  auto owner = std::make_unique<Client>();
  if (uv_tcp_init(loop->uv(), &owner->tcp) != 0) return;
  Client* const client = owner.release();  // freed by Close()'s callback
  client->tcp.data = client;
  client->server = this;
  client->index = clients.size();
  clients.push_back(client);
  if (!sweep.active()) {
    const uint64_t shortest_ms =
        std::min({limits.handshake_ms, limits.head_ms, limits.idle_ms,
                  limits.half_close_ms, limits.linger_ms});
    const uint64_t every_ms =
        std::clamp(shortest_ms / 4, kHttpSweepMsMin, kHttpSweepMsMax);
    sweep.Start(every_ms, every_ms);
  }
  if (uv_accept(listener, reinterpret_cast<uv_stream_t*>(&client->tcp)) != 0 ||
      clients.size() > limits.connections_max) {
    Close(client);
    return;
  }
  if (with_tls) client->tls = std::make_unique<TlsSession>(tls);
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
  const std::string ip = EndpointOf(storage).ip;
  client->http = HttpConnection::Create(
      &limits, &handler, [this, client] { Flush(client); }, PlainIp(ip),
      &in_flight);
  client->deadline_ms =
      uv_now(loop->uv()) + (client->tls ? limits.handshake_ms : limits.head_ms);
  size_t& same_ip = clients_by_ip[ip];
  if (same_ip < limits.connections_per_client_max) {
    ++same_ip;
    client->ip = ip;
  } else if (refused_count < kHttpRejectedMax) {
    ++counts.refused;
    ++refused_count;
    client->refused = true;
    client->http->Refuse(429, kTooManyConnections);
  } else {
    ++counts.refused;
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
  if (client->writing_bytes == 0 && client->done() && !client->lingering) {
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

// What the socket gets next. Through TLS it is http's too, but for handshakes
// and what is said about the connection itself.
void HttpServer::Impl::TakeOutput(Client* client) {
  TlsSession* const session = client->tls.get();
  if (session == nullptr || session->open()) {
    client->writing = client->http->TakeOutput();
    for (const std::string& piece : client->writing) {
      client->http_bytes += piece.size();
    }
  }
  if (session == nullptr) return;
  for (std::string& piece : std::exchange(client->writing, {})) {
    if (session->open()) session->Send(piece);
    std::string().swap(piece);  // or a long answer would be there twice
  }
  // An answer that is cut must look like one.
  if (client->http->finished() && !client->http->wants_reset()) session->End();
  if (session->output_bytes() > 0) {
    client->writing.push_back(session->TakeOutput());
  }
}

void HttpServer::Impl::Write(Client* client) {
  TakeOutput(client);
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
  // What TLS has to say by itself takes no time from what is waited for.
  if (client->http_bytes > 0 || (client->tls && client->tls->failed())) {
    client->deadline_ms = uv_now(loop->uv()) + limits.idle_ms;
  }
}

void HttpServer::Impl::OnWritten(Client* client, int status) {
  if (status != 0) {
    Close(client);
    return;
  }
  client->writing.clear();
  client->writing_bytes = 0;
  const size_t bytes = std::exchange(client->http_bytes, 0);
  if (bytes > 0) {
    // The phase's own time begins when the client has its answer.
    client->step = client->http->step() - 1;
    client->http->Sent(bytes);
  }
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
  const bool wanted =
      !client->received_end &&
      (client->lingering || client->handshaking() ||
       client->http->wants_input()) &&
      (!client->tls || client->tls->output_bytes() < kHttpPipelinedBytesMax);
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
  if (client->server == nullptr || client->lingering || client->handshaking() ||
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
    if (size != UV_EOF || client->lingering || client->handshaking()) {
      if (client->handshaking()) ++counts.handshake_failures;
      Close(client);
      return;
    }
    ReceiveEnd(client);
  } else if (!client->lingering) {
    Receive(client, {read_buffer.data(), static_cast<size_t>(size)});
  }
  Flush(client);
}

void HttpServer::Impl::ReceiveEnd(Client* client) {
  client->http->ReceiveEnd();
  if (client->writing_bytes == 0) {
    client->deadline_ms = uv_now(loop->uv()) + limits.half_close_ms;
  }
}

void HttpServer::Impl::Receive(Client* client, absl::string_view bytes) {
  if (!client->tls) {
    client->http->Receive(bytes);
    return;
  }
  const bool was_handshaking = client->handshaking();
  std::string text;
  client->tls->Receive(bytes, &text);
  if (was_handshaking && !client->handshaking()) {
    ++(client->tls->open() ? counts.handshakes : counts.handshake_failures);
    client->deadline_ms = uv_now(loop->uv()) + limits.head_ms;
  }
  if (!text.empty()) client->http->Receive(text);
  // Its FIN may come later or never.
  if (client->server == nullptr || !client->tls->received_end()) return;
  client->received_end = true;
  client->reading = false;
  uv_read_stop(reinterpret_cast<uv_stream_t*>(&client->tcp));
  ReceiveEnd(client);
}

void HttpServer::Impl::Sweep() {
  const uint64_t now_ms = uv_now(loop->uv());
  // Backwards: Close() moves the last client, seen already, to the gap.
  for (size_t i = clients.size(); i-- > 0;) {
    // A handler that is told of one client may have closed others.
    if (i >= clients.size()) continue;
    Client* const client = clients[i];
    if (client->writing_bytes != 0 && !client->handshaking() &&
        client->tcp.write_queue_size != client->queue_bytes) {
      // Slow but reading.
      client->queue_bytes = client->tcp.write_queue_size;
      client->deadline_ms = now_ms + limits.idle_ms;
    }
    if (now_ms < client->deadline_ms) continue;
    if (client->handshaking()) ++counts.handshake_failures;
    if (client->handshaking() || client->lingering ||
        client->writing_bytes != 0) {
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
  return impl_->plain.Listen(addresses);
}

absl::Status HttpServer::ListenTls(const std::vector<Endpoint>& addresses,
                                   std::shared_ptr<const TlsContext> tls) {
  SetTls(std::move(tls));
  return impl_->secure.Listen(addresses);
}

void HttpServer::SetTls(std::shared_ptr<const TlsContext> tls) {
  DNSD_CHECK(tls != nullptr);
  impl_->tls = std::move(tls);
}

void HttpServer::SetConnectionsPerClientMax(size_t count) {
  impl_->limits.connections_per_client_max = count;
}

const std::vector<Endpoint>& HttpServer::listening() const {
  return impl_->plain.listening();
}

const std::vector<Endpoint>& HttpServer::listening_tls() const {
  return impl_->secure.listening();
}

void HttpServer::SetRequestsMax(size_t count, size_t per_client) {
  impl_->limits.requests_max = count;
  impl_->limits.requests_per_client_max = per_client;
}

HttpCounts HttpServer::counts() const {
  HttpCounts counts = impl_->counts;
  counts.requests_refused = impl_->in_flight.refused_count();
  counts.requests_in_flight = impl_->in_flight.count();
  return counts;
}

}  // namespace dnsd
