// Routes is the one table of what the HTTP server answers: method, path,
// handler. 404, 405, Allow and OPTIONS follow from it, as in Consul.
//
//   /v1/agent/reload     exactly this path
//   /v1/catalog/node/    every path that begins so; the longest wins. The
//                        handler finds the rest with PathRest().
//   /                    exactly this one too
//
// Rules:     a path that is not clean ("//", "/./", "/../") is answered with
//            301 to the clean one. An unknown path is 404 without a body, an
//            unknown method 405 with Allow, OPTIONS 200 with Allow. HEAD is
//            answered like GET without the body; Consul refuses it, and its
//            Allow does not name it, so ours does not either.
// Fallback:  with one, what begins with /v1/ and is no row's (path unknown or
//            not clean, or the path is a row's but the method is not) goes
//            there instead, with its target untouched.
// Threads:   immutable after construction; handlers run on the sync thread.
// Ownership: owns the handlers. They may keep their Reply and answer later.
#ifndef DNSD_DNSD_HTTP_ROUTES_H_
#define DNSD_DNSD_HTTP_ROUTES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/request_acl.h"

namespace dnsd {

struct Route {
  std::string method;
  std::string path;
  HttpServer::Handler handler;
};

class Routes {
 public:
  // The same path may stand there once per method; Allow keeps their order.
  explicit Routes(std::vector<Route> routes, HttpServer::Handler fallback = {});

  // Fits HttpServer's Handler.
  void Handle(const HttpRequest& request, HttpServer::Reply reply) const;

 private:
  struct Method {
    std::string name;
    HttpServer::Handler handler;
  };
  struct Path {
    std::string path;
    std::vector<Method> methods;
    std::string allow;
  };

  [[nodiscard]] const Path* Find(absl::string_view path) const;
  [[nodiscard]] static const Method* FindMethod(const Path& path,
                                                absl::string_view name);
  static void Redirect(const HttpRequest& request, const std::string& path,
                       const HttpServer::Reply& reply);
  static void RefuseMethod(const HttpRequest& request, const Path& path,
                           const HttpServer::Reply& reply);

  std::vector<Path> paths_;  // longest first
  HttpServer::Handler fallback_;
};

// What follows a prefix route's path: the name in /v1/catalog/node/NAME.
[[nodiscard]] absl::string_view PathRest(const HttpRequest& request,
                                         absl::string_view prefix);

// AgentRead() or AgentWrite().
using AgentRight = bool (Authorizer::*)(absl::string_view node) const;

// `handler` for whoever has that right on the agent's node; 403 for others.
[[nodiscard]] HttpServer::Handler ForAgentRight(AgentRight right,
                                                RequestAcl acl,
                                                std::string node_name,
                                                HttpServer::Handler handler);

// What the agent's own routes need from the server. They are called on the
// sync thread, once per request.
struct AgentHooks {
  // Re-reads the configuration and tells `done`, on the sync thread, what is
  // wrong with it, a line each; then the old one goes on serving.
  using ReloadDone = std::function<void(const std::vector<std::string>&)>;
  std::function<void(ReloadDone done)> reload;
  // The metrics in Prometheus' text format (metrics_text.h), soon or at once.
  using TextDone = std::function<void(std::string)>;
  std::function<void(TextDone done)> metrics;
  // The agent's description of itself in JSON (agent_self.h). Without it there
  // is no such route.
  std::function<std::string()> self = {};
  // Who may: agent:read on the node for the last two, agent:write to reload.
  RequestAcl acl = {};
  std::string node_name = {};
  // The metrics in Consul's JSON. Without it there is the text only.
  std::function<void(TextDone done)> metrics_json = {};
};

// PUT /v1/agent/reload, GET /v1/agent/metrics, GET /metrics,
// GET /v1/agent/self.
[[nodiscard]] std::vector<Route> AgentRoutes(AgentHooks hooks);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_ROUTES_H_
