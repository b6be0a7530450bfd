#include "catalog/registry/checks/name_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/pool_task.h"
#include "catalog/registry/checks/go_text.h"

namespace dnsd {
namespace {

struct Question {
  std::string network;
  std::string host;
  std::string port;

  auto operator<=>(const Question&) const = default;
};

struct FreeInfo {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};

IpEndpoint MakeEndpoint(const sockaddr* address, socklen_t bytes,
                        uint16_t port) {
  IpEndpoint endpoint{.address = {}, .address_bytes = bytes, .text = ""};
  std::memcpy(&endpoint.address, address, bytes);
  char host[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&endpoint.address);
    in->sin_port = htons(port);
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&endpoint.address);
    in6->sin6_port = htons(port);
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
  }
  endpoint.text = JoinHostPort(host, absl::StrCat(port));
  return endpoint;
}

// Whether `host` is an address, or nothing, which is this machine.
bool TakeNumber(const std::string& host, uint16_t port, Endpoints* endpoints) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  if (host.empty()) {
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    endpoints->addresses.push_back(
        MakeEndpoint(reinterpret_cast<sockaddr*>(&in), sizeof(in), port));
    endpoints->addresses[0].text = absl::StrCat(":", port);
  } else if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
    endpoints->addresses.push_back(
        MakeEndpoint(reinterpret_cast<sockaddr*>(&in), sizeof(in), port));
  } else if (inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) == 1) {
    endpoints->addresses.push_back(
        MakeEndpoint(reinterpret_cast<sockaddr*>(&in6), sizeof(in6), port));
  }
  return !endpoints->addresses.empty();
}

bool IsNumber(const std::string& port, int* number) {
  return absl::SimpleAtoi(port, number);
}

// On the pool: reads files and asks name servers.
Endpoints LookUp(const Question& question) {
  Endpoints endpoints;
  int port = 0;
  if (!IsNumber(question.port, &port)) {
    servent entry{};
    servent* found = nullptr;
    std::string buffer(4096, '\0');
    getservbyname_r(question.port.c_str(), question.network.c_str(), &entry,
                    buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
      endpoints.error = absl::StrCat("address ", question.network, "/",
                                     question.port, ": unknown port");
      return endpoints;
    }
    port = ntohs(static_cast<uint16_t>(found->s_port));
  }
  const auto number = static_cast<uint16_t>(port);
  if (TakeNumber(question.host, number, &endpoints)) return endpoints;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(question.host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, FreeInfo> owner(list);
  if (code != 0) {
    endpoints.error = absl::StrCat("lookup ", question.host, ": ",
                                   code == EAI_NONAME || code == EAI_NODATA
                                       ? "no such host"
                                       : gai_strerror(code));
    return endpoints;
  }
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    endpoints.addresses.push_back(
        MakeEndpoint(info->ai_addr, info->ai_addrlen, number));
  }
  if (endpoints.addresses.empty()) {
    endpoints.error = absl::StrCat("lookup ", question.host, ": no such host");
  }
  return endpoints;
}

}  // namespace

struct NameResolver::State : std::enable_shared_from_this<State> {
  explicit State(EventLoop* its_loop) : loop(its_loop) {}

  void StartNext();
  void Finish(const Question& question, const Endpoints& endpoints);

  EventLoop* const loop;
  bool is_closed = false;
  size_t running_count = 0;
  std::map<Question, std::vector<std::weak_ptr<const Done>>> waiting;
  std::deque<Question> queue;
};

void NameResolver::State::StartNext() {
  while (running_count < kNameLookupsMax && !queue.empty()) {
    const Question question = queue.front();
    queue.pop_front();
    bool wanted = false;
    for (const auto& one : waiting[question]) wanted |= !one.expired();
    if (!wanted) {
      waiting.erase(question);
      continue;
    }
    ++running_count;
    auto answer = std::make_shared<Endpoints>();
    RunOnPool(
        loop, [question, answer] { *answer = LookUp(question); },
        [self = shared_from_this(), question, answer] {
          self->Finish(question, *answer);
        });
  }
}

void NameResolver::State::Finish(const Question& question,
                                 const Endpoints& endpoints) {
  if (is_closed) return;
  --running_count;
  const auto found = waiting.find(question);
  const auto told = std::move(found->second);
  waiting.erase(found);
  for (const auto& one : told) {
    if (const auto done = one.lock()) (*done)(endpoints);
  }
  if (!is_closed) StartNext();
}

NameResolver::NameResolver(EventLoop* loop)
    : state_(std::make_shared<State>(loop)) {}

NameResolver::~NameResolver() { state_->is_closed = true; }

NameResolver::Lookup NameResolver::Resolve(const std::string& network,
                                           const std::string& address,
                                           Done done) {
  auto lookup = std::make_shared<const Done>(std::move(done));
  Question question{.network = network, .host = "", .port = ""};
  Endpoints endpoints;
  endpoints.error = SplitHostPort(address, &question.host, &question.port);
  int port = 0;
  const bool is_number = IsNumber(question.port, &port);
  if (endpoints.error.empty() && is_number && (port < 0 || port > 65535)) {
    endpoints.error = absl::StrCat("address ", port, ": invalid port");
  }
  if (!endpoints.error.empty() ||
      (is_number &&
       TakeNumber(question.host, static_cast<uint16_t>(port), &endpoints))) {
    (*lookup)(endpoints);
    return lookup;
  }
  auto& waiting = state_->waiting[question];
  waiting.push_back(lookup);
  if (waiting.size() == 1) {
    state_->queue.push_back(question);
    state_->StartNext();
  }
  return lookup;
}

}  // namespace dnsd
