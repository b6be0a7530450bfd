#include "dnsd/serve/worker.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/heartbeat.h"
#include "catalog/base/thread.h"
#include "dnsd/forward/external_answers.h"
#include "dnsd/forward/forwarder.h"
#include "dnsd/limits.h"
#include "dnsd/serve/deliver.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/parked_queries.h"
#include "dnsd/serve/random_key.h"
#include "dnsd/serve/rate_limiter.h"
#include "dnsd/serve/serve_context.h"
#include "dnsd/serve/tcp_listener.h"
#include "dnsd/serve/udp_batch.h"
#include "dnsd/serve/udp_listener.h"

namespace dnsd {

struct Worker::Impl {
  explicit Impl(Options worker_options);

  absl::Status Bind();
  void Listen(ListenSocket udp_socket, ListenSocket tcp_socket);
  void Run();
  void BeginStop(uint64_t drain_ms);
  void SetLimits(const ClientLimits& limits);
  void SetRateLimit(const RateLimitOptions& rate);

  Options options;
  std::vector<Endpoint> listening;
  bool are_passed = false;   // the sockets
  bool is_stopping = false;  // the main thread's
  WorkerStats stats;
  ServeContext context;
  UdpBatch batch;

  EventLoop loop;         // outlives the handles below
  Heartbeat beat{&loop};  // others read it to the very end
  ParkedQueries parked;   // outlives connections; poked until the very end
  std::optional<Forwarder> forwarder;  // outlives connections
  std::optional<ExternalAnswers> external;
  std::vector<std::unique_ptr<UdpListener>> udp;
  std::optional<TcpListener> tcp;
  std::optional<RateLimiter> rate_limiter;
  std::optional<PrepareHook> offline;
  std::optional<Timer> stop_check;
  uint64_t stop_deadline_ms = 0;

  std::thread thread;
};

Worker::Impl::Impl(Options worker_options)
    : options(std::move(worker_options)),
      parked(&loop, &context, ParkedLimits(), options.wake) {
  context.view = options.view;
  context.reader = options.reader;
  context.respond.random = Random(options.seed);
  context.stats = &stats;
  context.parked = &parked;
  context.asked = options.asked;
  context.transfers = options.transfers;
  context.sampler.SetRing(options.samples, options.seed);
  context.sampler.SetRules(options.sample_rules);
  context.respond.leaves_transfers = options.transfers != nullptr;
  forwarder.emplace(
      &loop, options.forward, &stats.forward,
      [this](const WayBack& to, uint8_t* frame, size_t size) {
        DeliverAnswer(to, frame, size, &context);
      },
      options.on_loop);
  context.forwarder = &*forwarder;
  external.emplace(&*forwarder);
  context.external = &*external;
  context.respond.external = &*external;
  forwarder->OnResolved(
      [this](const ForwardQuestion& question, const UpstreamAnswer* answer) {
        parked.OnResolved(question, answer);
      });
  tcp.emplace(&loop, &context, options.limits.tcp);
  SetLimits(options.limits);
  // Every callback between two polls may read the view; while the loop sleeps
  // in epoll the worker must hold nothing.
  offline.emplace(&loop, [this] { context.reader.Offline(); });
}

void Worker::Impl::SetLimits(const ClientLimits& limits) {
  if (tcp) tcp->SetLimits(limits.tcp);
  // RFC 7828: units of 100 ms.
  context.respond.tcp_keepalive = static_cast<uint16_t>(
      std::min<uint64_t>(limits.tcp.idle_ms / 100, UINT16_MAX));
  SetRateLimit(limits.rate);
}

void Worker::Impl::SetRateLimit(const RateLimitOptions& rate) {
  // What is counted so far stays, unless it is to be counted otherwise.
  if (rate_limiter && rate_limiter->options() == rate) return;
  context.rate_limiter = nullptr;
  rate_limiter.reset();
  if (rate.responses_per_second == 0) return;
  rate_limiter.emplace(rate, RandomKey());
  context.rate_limiter = &*rate_limiter;
}

void Worker::Impl::Listen(ListenSocket udp_socket, ListenSocket tcp_socket) {
  udp.push_back(std::make_unique<UdpListener>(&loop, std::move(udp_socket),
                                              &batch, &context));
  tcp->Listen(std::move(tcp_socket));
}

absl::Status Worker::Impl::Bind() {
  listening = options.listen;
  if (!options.sockets.udp.empty()) {
    DNSD_CHECK(options.sockets.udp.size() == options.sockets.tcp.size());
    are_passed = true;
    for (size_t i = 0; i < options.sockets.udp.size(); ++i) {
      Listen(std::move(options.sockets.udp[i]),
             std::move(options.sockets.tcp[i]));
    }
    return absl::OkStatus();
  }
  // All probes before the first bind: 0.0.0.0 and 127.0.0.1 may be given
  // together, and a probe would find our own socket. Other workers are meant
  // to find the first one's, except when the kernel chooses the port.
  for (Endpoint& endpoint : listening) {
    if (options.index != 0 && endpoint.port != 0) continue;
    absl::StatusOr<uint16_t> port = ProbePort(endpoint);
    if (!port.ok()) return port.status();
    endpoint.port = *port;
  }
  for (const Endpoint& endpoint : listening) {
    absl::StatusOr<ListenSocket> udp_socket = ListenUdp(endpoint);
    if (!udp_socket.ok()) return udp_socket.status();
    absl::StatusOr<ListenSocket> tcp_socket = ListenTcp(endpoint);
    if (!tcp_socket.ok()) return tcp_socket.status();
    Listen(*std::move(udp_socket), *std::move(tcp_socket));
  }
  return absl::OkStatus();
}

void Worker::Impl::Run() {
  const std::string name = absl::StrCat("dnsd-w", options.index);
  pthread_setname_np(pthread_self(), name.c_str());
  if (options.cpu >= 0) {
    // Best effort: a worker on another core still serves.
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(options.cpu), &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
  }
  loop.Run();
  stop_check.reset();
  udp.clear();
  tcp.reset();
  external.reset();
  forwarder.reset();
  offline.reset();
  context.reader.Offline();
}

void Worker::Impl::BeginStop(uint64_t drain_ms) {
  // Nothing is waited for any more: the next server may know.
  parked.Close();
  if (forwarder) forwarder->Close();
  // Closing a socket throws away what is queued on it, so answer that first.
  for (const auto& listener : udp) listener->Drain(kUdpBatchesAtStop);
  // One that is open elsewhere would go on to get queries, and nobody would
  // answer them before the next server.
  if (!are_passed) udp.clear();
  tcp->BeginDrain();
  if (drain_ms == 0 || tcp->FinishDrain()) {
    loop.Stop();
    return;
  }
  stop_deadline_ms = uv_now(loop.uv()) + drain_ms;
  stop_check.emplace(&loop, [this] {
    if (tcp->FinishDrain() || uv_now(loop.uv()) >= stop_deadline_ms) {
      stop_check->Stop();
      loop.Stop();
    }
  });
  stop_check->Start(kStopCheckMs, kStopCheckMs);
}

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  const absl::Status status = impl->Bind();
  if (!status.ok()) return status;
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Worker::~Worker() { Stop(0); }

void Worker::Start() {
  DNSD_CHECK(!impl_->thread.joinable());
  DNSD_CHECK(impl_->options.view->current() != nullptr);
  impl_->beat.Start();
  impl_->thread = StartThread([impl = impl_.get()] { impl->Run(); });
}

void Worker::BeginStop(uint64_t drain_ms) {
  if (!impl_->thread.joinable() || impl_->is_stopping) return;
  impl_->is_stopping = true;
  impl_->loop.Post(
      [impl = impl_.get(), drain_ms] { impl->BeginStop(drain_ms); });
}

void Worker::Stop(uint64_t drain_ms) {
  BeginStop(drain_ms);
  if (impl_->thread.joinable()) impl_->thread.join();
}

const std::vector<Endpoint>& Worker::listening() const {
  return impl_->listening;
}

void Worker::Poke() { impl_->parked.Poke(); }

void Worker::SetLimits(const ClientLimits& limits) {
  impl_->loop.Post([impl = impl_.get(), limits] { impl->SetLimits(limits); });
}

void Worker::SetSampleRules(const SampleRules& rules) {
  impl_->loop.Post(
      [impl = impl_.get(), rules] { impl->context.sampler.SetRules(rules); });
}

void Worker::WithForwarder(std::function<void(Forwarder*)> task) {
  impl_->loop.Post([impl = impl_.get(), task = std::move(task)] {
    if (impl->forwarder) task(&*impl->forwarder);
  });
}

size_t Worker::parked_count() const { return impl_->parked.count(); }

const WorkerStats& Worker::stats() const { return impl_->stats; }

const Heartbeat& Worker::beat() const { return impl_->beat; }

}  // namespace dnsd
