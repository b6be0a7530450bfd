#include "tests/testing/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "tests/testing/fault_connection.h"

namespace dnsd::testing {
namespace {

constexpr int kBacklog = 1024;

// A socket of 127.0.0.1 that holds its port, listening or not.
int BindTo(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  DNSD_CHECK(fd >= 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  DNSD_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) == 0);
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t bytes = sizeof(address);
  DNSD_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) ==
             0);
  return ntohs(address.sin_port);
}

}  // namespace

struct FaultProxy::Impl {
  int listener = -1;
  int wake = -1;
  uint16_t port = 0;
  std::thread thread;
  mutable std::mutex mutex;  // any thread may ask; guards all that follows
  mutable std::condition_variable turned;
  bool stopping = false;
  FaultState state;
  std::map<uint64_t, std::unique_ptr<FaultConnection>> connections;
  uint64_t next_connection = 0;
  size_t connections_max = 0;
  uint64_t connections_total = 0;

  void Run();
  void Accept();
  void Wake() const;
  // Milliseconds for poll(), -1: no end.
  int Collect(std::vector<pollfd>* polled, std::vector<uint64_t>* owners);
  [[nodiscard]] FaultCounts Sum(const std::string& path_prefix) const;
};

FaultCounts FaultProxy::Impl::Sum(const std::string& path_prefix) const {
  FaultCounts sum;
  for (const auto& [path, counts] : state.counts) {
    if (!absl::StartsWith(path, path_prefix)) continue;
    sum.requests += counts.requests;
    sum.answers += counts.answers;
    sum.request_bytes += counts.request_bytes;
    sum.response_bytes += counts.response_bytes;
    sum.last_request_head = counts.last_request_head;
  }
  return sum;
}

void FaultProxy::Impl::Wake() const {
  const uint64_t one = 1;
  DNSD_CHECK(write(wake, &one, sizeof(one)) == sizeof(one));
}

int FaultProxy::Impl::Collect(std::vector<pollfd>* polled,
                              std::vector<uint64_t>* owners) {
  polled->clear();
  owners->clear();
  int timeout = -1;
  polled->push_back({wake, POLLIN, 0});
  polled->push_back({state.mode == Mode::kRefuse ? -1 : listener, POLLIN, 0});
  for (const auto& [number, connection] : connections) {
    owners->push_back(number);
    // The time first: what comes due in between is wanted then.
    const std::optional<int> wait = connection->WaitMs();
    const auto client = connection->ClientWanted();
    const auto upstream = connection->UpstreamWanted();
    polled->push_back({client.fd, client.events, 0});
    polled->push_back({upstream.fd, upstream.events, 0});
    if (wait) timeout = timeout < 0 ? *wait : std::min(timeout, *wait);
  }
  return timeout;
}

void FaultProxy::Impl::Accept() {
  while (true) {
    const int fd =
        accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    connections.emplace(next_connection++,
                        std::make_unique<FaultConnection>(fd, &state));
    ++connections_total;
    connections_max = std::max(connections_max, connections.size());
  }
}

void FaultProxy::Impl::Run() {
  std::vector<pollfd> polled;
  std::vector<uint64_t> owners;
  std::unique_lock lock(mutex);
  while (!stopping) {
    const int timeout = Collect(&polled, &owners);
    lock.unlock();
    const int ready = poll(polled.data(), polled.size(), timeout);
    lock.lock();
    if (ready < 0) continue;
    uint64_t count = 0;
    if (polled[0].revents != 0) (void)!read(wake, &count, sizeof(count));
    for (size_t i = 0; i < owners.size(); ++i) {
      const auto at = connections.find(owners[i]);
      if (at == connections.end()) continue;  // reset meanwhile
      at->second->Turn(polled[2 * i + 2].revents, polled[2 * i + 3].revents);
      if (at->second->done()) connections.erase(at);
    }
    if (state.mode != Mode::kRefuse) Accept();
    turned.notify_all();
  }
  connections.clear();
}

FaultProxy::FaultProxy(const std::string& upstream_ip, uint16_t upstream_port)
    : impl_(std::make_unique<Impl>()) {
  // Bound to a number, not to "any": then shutdown() keeps the port.
  const int any = BindTo(0);
  impl_->port = PortOf(any);
  close(any);
  impl_->listener = BindTo(impl_->port);
  DNSD_CHECK(listen(impl_->listener, kBacklog) == 0);
  impl_->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  DNSD_CHECK(impl_->wake >= 0);
  impl_->state.upstream_ip = upstream_ip;
  impl_->state.upstream_port = upstream_port;
  impl_->thread = std::thread([this] { impl_->Run(); });
}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->Wake();
  impl_->thread.join();
  close(impl_->listener);
  close(impl_->wake);
}

uint16_t FaultProxy::port() const { return impl_->port; }

std::string FaultProxy::Url() const {
  return absl::StrCat("http://127.0.0.1:", impl_->port);
}

void FaultProxy::SetUpstream(const std::string& ip, uint16_t port) {
  const std::lock_guard lock(impl_->mutex);
  impl_->state.upstream_ip = ip;
  impl_->state.upstream_port = port;
}

void FaultProxy::SetMode(Mode mode) {
  const std::lock_guard lock(impl_->mutex);
  const bool refused = impl_->state.mode == Mode::kRefuse;
  impl_->state.mode = mode;
  if (mode == Mode::kRefuse && !refused) {
    // The port stays ours while nobody listens.
    DNSD_CHECK(shutdown(impl_->listener, SHUT_RD) == 0);
    impl_->connections.clear();
  } else if (mode != Mode::kRefuse && refused) {
    DNSD_CHECK(listen(impl_->listener, kBacklog) == 0);
  }
  impl_->Wake();
}

void FaultProxy::SetDelay(std::chrono::milliseconds to_upstream,
                          std::chrono::milliseconds to_client) {
  const std::lock_guard lock(impl_->mutex);
  impl_->state.delay_to_upstream = to_upstream;
  impl_->state.delay_to_client = to_client;
}

void FaultProxy::ResetConnections() {
  const std::lock_guard lock(impl_->mutex);
  impl_->connections.clear();
  // poll() holds on to the sockets until it returns.
  impl_->Wake();
}

void FaultProxy::AddRule(FaultRule rule) {
  const std::lock_guard lock(impl_->mutex);
  FaultState& state = impl_->state;
  state.rules.emplace(state.next_rule++, std::move(rule));
}

void FaultProxy::ClearRules() {
  const std::lock_guard lock(impl_->mutex);
  impl_->state.rules.clear();
}

void FaultProxy::Answer(const std::string& path_contains, int status,
                        const std::string& body) {
  FaultRule rule;
  rule.path_contains = path_contains;
  rule.answer = FaultRule::Answer{status, body, {}};
  AddRule(std::move(rule));
}

void FaultProxy::CutAfter(uint64_t response_bytes, int times,
                          const std::string& path_contains) {
  FaultRule rule;
  rule.path_contains = path_contains;
  rule.times = times;
  rule.cut_after = response_bytes;
  AddRule(std::move(rule));
}

void FaultProxy::Corrupt(const std::string& path_contains, uint64_t every) {
  FaultRule rule;
  rule.path_contains = path_contains;
  rule.corrupt_every = every;
  AddRule(std::move(rule));
}

void FaultProxy::SetHeader(const std::string& path_contains,
                           const std::string& name, const std::string& value) {
  FaultRule rule;
  rule.path_contains = path_contains;
  rule.set_headers.emplace_back(name, value);
  AddRule(std::move(rule));
}

size_t FaultProxy::connections_open() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections.size();
}

size_t FaultProxy::connections_max() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections_max;
}

uint64_t FaultProxy::connections_total() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections_total;
}

size_t FaultProxy::RequestsWaiting(const std::string& path_prefix) const {
  const std::lock_guard lock(impl_->mutex);
  size_t count = 0;
  for (const auto& [number, connection] : impl_->connections) {
    const std::string& path = connection->waiting();
    if (!path.empty() && absl::StartsWith(path, path_prefix)) ++count;
  }
  return count;
}

FaultCounts FaultProxy::Counts(const std::string& path_prefix) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Sum(path_prefix);
}

void FaultProxy::ResetCounts() {
  const std::lock_guard lock(impl_->mutex);
  impl_->state.counts.clear();
  impl_->connections_max = impl_->connections.size();
  impl_->connections_total = impl_->connections.size();
}

bool FaultProxy::WaitForAnswers(const std::string& path_prefix,
                                uint64_t answers,
                                std::chrono::milliseconds timeout) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->turned.wait_for(lock, timeout, [&] {
    return impl_->Sum(path_prefix).answers >= answers;
  });
}

}  // namespace dnsd::testing
