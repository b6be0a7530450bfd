// ApiFixture is a catalog with the reading half of the HTTP API over it: asked
// directly (Ask) on the thread of the test, or over sockets (Serve).
#ifndef DNSD_TESTS_DNSD_HTTP_API_FIXTURE_H_
#define DNSD_TESTS_DNSD_HTTP_API_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/state.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/catalog_api.h"
#include "dnsd/http/health_api.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/routes.h"
#include "dnsd/http/url.h"
#include "gtest/gtest.h"
#include "tests/testing/on_loop.h"

namespace dnsd {

class ApiFixture {
 public:
  // What a request asked directly came to.
  struct Answered {
    std::optional<HttpResponse> response;  // nothing: it waits
    [[nodiscard]] uint64_t index() const {
      if (!response) return 0;
      for (const auto& [name, value] : response->headers) {
        if (name == "X-Consul-Index") return std::stoull(value);
      }
      return 0;
    }
    [[nodiscard]] std::string body() const {
      return response ? response->body : "(waits)";
    }
  };

  explicit ApiFixture(uint64_t seed = 1, size_t names_max = 1u << 16,
                      const std::string& leader = "127.0.0.1:8300")
      : blocking_(std::make_unique<Blocking>(&loop, &state, seed)) {
    ApiContext context;
    context.state = &state;
    context.blocking = blocking_.get();
    context.datacenter = "dc1";
    context.node_name = "n1";
    context.leader_address = leader;
    auto shared = std::make_shared<const ApiContext>(std::move(context));
    std::vector<Route> all;
    for (auto& family : {CatalogRoutes(shared), HealthRoutes(shared, names_max),
                         UiRoutes(shared), StatusRoutes(shared)}) {
      all.insert(all.end(), family.begin(), family.end());
    }
    routes_.emplace(std::move(all));
  }
  ~ApiFixture() {
    if (!thread_.joinable()) return;
    loop.Stop();
    thread_.join();
    server_.reset();
  }
  ApiFixture(const ApiFixture&) = delete;
  ApiFixture& operator=(const ApiFixture&) = delete;

  // Applies and publishes, on the loop's thread.
  Dirty Apply(std::vector<Change> changes) {
    Dirty dirty;
    EXPECT_TRUE(
        state.Apply({.source = 0, .changes = std::move(changes)}, &dirty).ok());
    blocking_->Wake(dirty.watched);
    return dirty;
  }

  std::shared_ptr<Answered> Ask(const std::string& target) {
    auto answered = std::make_shared<Answered>();
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    UrlTarget url = *ParseTarget(target);
    request.path = url.path;
    request.query = url.query;
    routes_->Handle(request, HttpReply([answered](HttpResponse response) {
                      answered->response = std::move(response);
                    }));
    return answered;
  }

  // Runs what the loop has to do now.
  void Turn() { uv_run(loop.uv(), UV_RUN_NOWAIT); }

  // From here on the loop has a thread of its own; use OnLoop().
  void Serve(HttpLimits limits = {}) {
    server_ = std::make_unique<HttpServer>(
        &loop,
        [this](const HttpRequest& request, HttpServer::Reply reply) {
          routes_->Handle(request, std::move(reply));
        },
        limits);
    ASSERT_TRUE(server_->Listen({{"127.0.0.1", 0}}).ok());
    thread_ = std::thread([this] { loop.Run(); });
  }
  [[nodiscard]] Endpoint address() const { return server_->listening()[0]; }

  template <typename Function>
  void OnLoop(Function function) {
    testing::OnLoop(&loop, function);
  }
  [[nodiscard]] BlockingCounts Counts() {
    BlockingCounts counts;
    OnLoop([&] { counts = blocking_->counts(); });
    return counts;
  }

  EventLoop loop;
  State state;

  [[nodiscard]] Blocking& blocking() { return *blocking_; }

 private:
  std::unique_ptr<Blocking> blocking_;
  std::optional<Routes> routes_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

// Short forms of changes in dc1.
inline UpsertNode NodeIs(const std::string& name,
                         const std::string& address = "10.0.0.1",
                         std::map<std::string, std::string> meta = {}) {
  UpsertNode change;
  change.node.name = name;
  change.node.datacenter = "dc1";
  change.node.address = address;
  change.node.has_meta = !meta.empty();
  change.node.meta = std::move(meta);
  return change;
}
inline UpsertInstance InstanceIs(const std::string& node, const std::string& id,
                                 const std::string& name, uint16_t port = 80,
                                 std::vector<std::string> tags = {}) {
  UpsertInstance change;
  change.key = {"dc1", node};
  change.instance.id = id;
  change.instance.name = name;
  change.instance.port = port;
  change.instance.tags = std::move(tags);
  return change;
}
inline UpsertInstance ProxyIs(const std::string& node, const std::string& id,
                              const std::string& destination,
                              uint16_t port = 80) {
  UpsertInstance change =
      InstanceIs(node, id, absl::StrCat(destination, "-proxy"), port);
  change.instance.kind = ServiceKind::kConnectProxy;
  change.instance.mesh.Edit().proxy_destination = destination;
  return change;
}
inline UpsertCheck CheckIs(const std::string& node, const std::string& id,
                           const std::string& service_id, HealthStatus status,
                           const std::string& output = "") {
  UpsertCheck change;
  change.key = {"dc1", node};
  change.check.id = id;
  change.check.name = id;
  change.check.service_id = service_id;
  change.check.status = status;
  change.check.output = output;
  return change;
}

}  // namespace dnsd

#endif  // DNSD_TESTS_DNSD_HTTP_API_FIXTURE_H_
