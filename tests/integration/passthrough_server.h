// PassthroughServer is a dnsd without its DNS: an HttpServer, a Passthrough to
// a Consul and an HttpFetcher on a loop of their own, in a thread.
//
// Threads:   one owner.
// Ownership: stops and joins its thread at the end.
#ifndef DNSD_TESTS_INTEGRATION_PASSTHROUGH_SERVER_H_
#define DNSD_TESTS_INTEGRATION_PASSTHROUGH_SERVER_H_

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch.h"
#include "dnsd/http/agent_self.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/passthrough.h"
#include "dnsd/http/routes.h"

namespace dnsd::testing {

class PassthroughServer {
 public:
  // Everything below /v1/ goes to `consul_url`, but, when `self` is given,
  // /v1/agent/self, which says that.
  explicit PassthroughServer(const std::string& consul_url,
                             const SelfInfo* self = nullptr)
      : fetcher_(&loop_, {}),
        passthrough_(&fetcher_,
                     [consul_url] {
                       return PassthroughTarget{consul_url, ""};
                     }),
        routes_(Table(self),
                [this](const HttpRequest& request, HttpReply reply) {
                  passthrough_.Handle(request, std::move(reply));
                }),
        server_(
            &loop_,
            [this](const HttpRequest& request, HttpReply reply) {
              routes_.Handle(request, std::move(reply));
            },
            Limits()) {
    DNSD_CHECK(server_.Listen({{"127.0.0.1", 0}}).ok());
    port_ = server_.listening()[0].port;
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~PassthroughServer() {
    loop_.Stop();
    thread_.join();
  }
  PassthroughServer(const PassthroughServer&) = delete;
  PassthroughServer& operator=(const PassthroughServer&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const {
    return absl::StrCat("http://127.0.0.1:", port_);
  }

  [[nodiscard]] PassthroughCounts counts() {
    std::promise<PassthroughCounts> counts;
    loop_.Post([&] { counts.set_value(passthrough_.counts()); });
    return counts.get_future().get();
  }

 private:
  static std::vector<Route> Table(const SelfInfo* self) {
    if (self == nullptr) return {};
    AgentHooks hooks;
    hooks.self = [info = *self] { return AgentSelf(info); };
    return AgentRoutes(std::move(hooks));
  }
  static HttpLimits Limits() {
    HttpLimits limits;
    limits.body_bytes_max = kPassthroughBodyBytesMax;
    limits.half_close_ms = 100;
    return limits;
  }

  EventLoop loop_;
  HttpFetcher fetcher_;
  Passthrough passthrough_;
  Routes routes_;
  HttpServer server_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_PASSTHROUGH_SERVER_H_
