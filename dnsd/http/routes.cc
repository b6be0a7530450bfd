#include "dnsd/http/routes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "catalog/base/check.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

HttpResponse Empty(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

HttpResponse Text(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse Prometheus(std::string body) {
  HttpResponse response = Text(200, std::move(body));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

}  // namespace

Routes::Routes(std::vector<Route> routes, HttpServer::Handler fallback)
    : fallback_(std::move(fallback)) {
  for (Route& route : routes) {
    DNSD_CHECK(absl::StartsWith(route.path, "/"));
    auto path = std::find_if(
        paths_.begin(), paths_.end(),
        [&](const Path& known) { return known.path == route.path; });
    if (path == paths_.end()) {
      paths_.push_back({route.path, {}, "OPTIONS"});
      path = paths_.end() - 1;
    }
    for (const Method& method : path->methods) {
      DNSD_CHECK(method.name != route.method);
    }
    absl::StrAppend(&path->allow, ",", route.method);
    path->methods.push_back({route.method, std::move(route.handler)});
  }
  std::sort(paths_.begin(), paths_.end(), [](const Path& a, const Path& b) {
    return a.path.size() > b.path.size();
  });
}

// The table has some dozens of rows: comparing them all costs less than the
// system calls around it, and no path of a client's can make it cost more.
const Routes::Path* Routes::Find(absl::string_view path) const {
  for (const Path& known : paths_) {
    const bool is_prefix =
        known.path.size() > 1 && absl::EndsWith(known.path, "/");
    if (is_prefix ? absl::StartsWith(path, known.path) : path == known.path) {
      return &known;
    }
  }
  return nullptr;
}

const Routes::Method* Routes::FindMethod(const Path& path,
                                         absl::string_view name) {
  const absl::string_view wanted = name == "HEAD" ? "GET" : name;
  for (const Method& method : path.methods) {
    if (method.name == name || method.name == wanted) return &method;
  }
  return nullptr;
}

void Routes::Redirect(const HttpRequest& request, const std::string& path,
                      const HttpServer::Reply& reply) {
  HttpResponse response = Empty(301);
  std::string location = EscapePath(path);
  if (!request.query.empty()) absl::StrAppend(&location, "?", request.query);
  response.headers.emplace_back("Location", std::move(location));
  reply(std::move(response));
}

void Routes::RefuseMethod(const HttpRequest& request, const Path& path,
                          const HttpServer::Reply& reply) {
  HttpResponse response =
      request.method == "OPTIONS"
          ? Empty(200)
          : Text(405, absl::StrCat("method ", request.method, " not allowed"));
  response.headers.emplace_back("Allow", path.allow);
  reply(std::move(response));
}

void Routes::Handle(const HttpRequest& request, HttpServer::Reply reply) const {
  if (request.path == "*") {  // OPTIONS about the server itself
    reply(Empty(request.method == "OPTIONS" ? 200 : 400));
    return;
  }
  const std::string clean = CleanPath(request.path);
  const Path* const path = clean == request.path ? Find(clean) : nullptr;
  const Method* const method =
      path == nullptr ? nullptr : FindMethod(*path, request.method);
  if (method != nullptr) {
    method->handler(request, std::move(reply));
  } else if (fallback_ && absl::StartsWith(request.path, "/v1/")) {
    fallback_(request, std::move(reply));
  } else if (clean != request.path) {
    Redirect(request, clean, reply);
  } else if (path == nullptr) {
    reply(Empty(404));
  } else {
    RefuseMethod(request, *path, reply);
  }
}

absl::string_view PathRest(const HttpRequest& request,
                           absl::string_view prefix) {
  return absl::StripPrefix(request.path, prefix);
}

HttpServer::Handler ForAgentRight(AgentRight right, RequestAcl acl,
                                  std::string node_name,
                                  HttpServer::Handler handler) {
  return [right, acl = std::move(acl), node_name = std::move(node_name),
          handler = std::move(handler)](const HttpRequest& request,
                                        HttpServer::Reply reply) {
    const auto who = acl.Authorize(request, reply);
    if (who == nullptr) return;
    if (((*who).*right)(node_name)) {
      handler(request, std::move(reply));
    } else {
      reply(PermissionDenied());
    }
  };
}

std::vector<Route> AgentRoutes(AgentHooks hooks) {
  auto reload = [hook = std::move(hooks.reload)](const HttpRequest&,
                                                 HttpServer::Reply reply) {
    hook([reply = std::move(reply)](const std::vector<std::string>& errors) {
      reply(errors.empty()
                ? Empty(200)
                : Text(500, absl::StrCat(absl::StrJoin(errors, "\n"), "\n")));
    });
  };
  auto metrics = [hook = std::move(hooks.metrics)](const HttpRequest&,
                                                   HttpServer::Reply reply) {
    hook([reply = std::move(reply)](std::string text) {
      reply(Prometheus(std::move(text)));
    });
  };
  auto agent_metrics = [metrics, json = std::move(hooks.metrics_json)](
                           const HttpRequest& request,
                           HttpServer::Reply reply) {
    if (QueryValue(request.query, "format") == "prometheus") {
      metrics(request, std::move(reply));
    } else if (!json) {
      reply(Text(415, "Only format=prometheus is available"));
    } else {
      json([request, reply = std::move(reply)](std::string text) {
        ReplyJson(request, std::move(text), reply);
      });
    }
  };
  const auto guarded = [&hooks](AgentRight right, HttpServer::Handler handler) {
    return ForAgentRight(right, hooks.acl, hooks.node_name, std::move(handler));
  };
  std::vector<Route> routes = {
      {"PUT", "/v1/agent/reload",
       guarded(&Authorizer::AgentWrite, std::move(reload))},
      {"GET", "/v1/agent/metrics",
       guarded(&Authorizer::AgentRead, std::move(agent_metrics))},
      {"GET", "/metrics", guarded(&Authorizer::AgentRead, std::move(metrics))},
  };
  if (hooks.self) {
    auto self = [hook = std::move(hooks.self)](const HttpRequest&,
                                               const HttpServer::Reply& reply) {
      HttpResponse response = Text(200, hook());
      response.content_type = "application/json";
      reply(std::move(response));
    };
    routes.push_back({"GET", "/v1/agent/self",
                      guarded(&Authorizer::AgentRead, std::move(self))});
  }
  return routes;
}

}  // namespace dnsd
