#include "dnsd/http/routes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "catalog/base/check.h"
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

Routes::Routes(std::vector<Route> routes) {
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
    if (absl::EndsWith(known.path, "/") ? absl::StartsWith(path, known.path)
                                        : path == known.path) {
      return &known;
    }
  }
  return nullptr;
}

void Routes::Handle(const HttpRequest& request, HttpServer::Reply reply) const {
  if (request.path == "*") {  // OPTIONS about the server itself
    reply(Empty(request.method == "OPTIONS" ? 200 : 400));
    return;
  }
  const std::string clean = CleanPath(request.path);
  if (clean != request.path) {
    HttpResponse response = Empty(301);
    std::string location = EscapePath(clean);
    if (!request.query.empty()) {
      absl::StrAppend(&location, "?", request.query);
    }
    response.headers.emplace_back("Location", std::move(location));
    reply(std::move(response));
    return;
  }
  const Path* const path = Find(request.path);
  if (path == nullptr) {
    reply(Empty(404));
    return;
  }
  const absl::string_view wanted =
      request.method == "HEAD" ? "GET" : absl::string_view(request.method);
  for (const Method& method : path->methods) {
    if (method.name == request.method || method.name == wanted) {
      method.handler(request, std::move(reply));
      return;
    }
  }
  HttpResponse response =
      request.method == "OPTIONS"
          ? Empty(200)
          : Text(405, absl::StrCat("method ", request.method, " not allowed"));
  response.headers.emplace_back("Allow", path->allow);
  reply(std::move(response));
}

absl::string_view PathRest(const HttpRequest& request,
                           absl::string_view prefix) {
  return absl::StripPrefix(request.path, prefix);
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
    reply(Prometheus(hook()));
  };
  auto agent_metrics = [metrics](const HttpRequest& request,
                                 HttpServer::Reply reply) {
    const auto format = QueryValue(request.query, "format");
    if (format != "prometheus") {
      reply(Text(415, "Only format=prometheus is available"));
      return;
    }
    metrics(request, std::move(reply));
  };
  return {
      {"PUT", "/v1/agent/reload", std::move(reload)},
      {"GET", "/v1/agent/metrics", std::move(agent_metrics)},
      {"GET", "/metrics", std::move(metrics)},
  };
}

}  // namespace dnsd
