#include "dnsd/http/routes.h"

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace dnsd {
namespace {

HttpServer::Handler Say(std::string text) {
  return [text](const HttpRequest&, HttpServer::Reply reply) {
    HttpResponse response;
    response.body = text;
    reply(std::move(response));
  };
}

HttpResponse Ask(const Routes& routes, const std::string& method,
                 const std::string& path, const std::string& query = "") {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.query = query;
  HttpResponse answer;
  int answers = 0;
  routes.Handle(request, [&](HttpResponse response) {
    answer = std::move(response);
    ++answers;
  });
  EXPECT_EQ(answers, 1);
  return answer;
}

std::string Header(const HttpResponse& response, const std::string& name) {
  for (const auto& header : response.headers) {
    if (header.first == name) return header.second;
  }
  return "";
}

Routes Table() {
  return Routes({{"GET", "/v1/kv/", Say("get kv")},
                 {"PUT", "/v1/kv/", Say("put kv")},
                 {"GET", "/v1/catalog/service/", Say("service")},
                 {"GET", "/v1/catalog/service/special", Say("special")},
                 {"PUT", "/v1/agent/reload", Say("reload")}});
}

TEST(Routes, FindsExactPathsAndLongestPrefixes) {
  const Routes routes = Table();
  EXPECT_EQ(Ask(routes, "PUT", "/v1/agent/reload").body, "reload");
  EXPECT_EQ(Ask(routes, "GET", "/v1/kv/a/b").body, "get kv");
  EXPECT_EQ(Ask(routes, "PUT", "/v1/kv/").body, "put kv");
  EXPECT_EQ(Ask(routes, "GET", "/v1/catalog/service/web").body, "service");
  EXPECT_EQ(Ask(routes, "GET", "/v1/catalog/service/special").body, "special");
  EXPECT_EQ(Ask(routes, "GET", "/v1/catalog/service/special2").body, "service");
  EXPECT_EQ(Ask(routes, "HEAD", "/v1/kv/a").body, "get kv");
}

TEST(Routes, UnknownPathIs404WithoutABody) {
  const Routes routes = Table();
  for (const char* path : {"/", "/v1/", "/v1/kv", "/v1/agent/reload/",
                           "/v1/agent/reloadx", "/v1/agent/reloa"}) {
    for (const char* method : {"GET", "PUT", "OPTIONS"}) {
      const HttpResponse response = Ask(routes, method, path);
      EXPECT_EQ(response.status, 404) << path;
      EXPECT_EQ(response.body, "") << path;
    }
  }
}

// As recorded from Consul 1.8.7.
TEST(Routes, UnknownMethodIs405AndOptionsTellsTheKnownOnes) {
  const Routes routes = Table();
  HttpResponse response = Ask(routes, "GET", "/v1/agent/reload");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.body, "method GET not allowed");
  EXPECT_EQ(Header(response, "Allow"), "OPTIONS,PUT");
  EXPECT_EQ(Ask(routes, "HEAD", "/v1/agent/reload").status, 405);

  response = Ask(routes, "OPTIONS", "/v1/kv/x");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(Header(response, "Allow"), "OPTIONS,GET,PUT");
  EXPECT_EQ(Ask(routes, "OPTIONS", "*").status, 200);
  EXPECT_EQ(Ask(routes, "GET", "*").status, 400);
}

TEST(Routes, UncleanPathsAreRedirectedAsByConsul) {
  const Routes routes = Table();
  HttpResponse response =
      Ask(routes, "GET", "/v1//status/x y<b\r\n", "a=b%20c");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(Header(response, "Location"), "/v1/status/x%20y%3Cb%0D%0A?a=b%20c");
  response = Ask(routes, "PUT", "/v1/agent/./self/../reload");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(Header(response, "Location"), "/v1/agent/reload");
  // No redirect may lead to another host.
  response = Ask(routes, "GET", "//evil.example/%2e");
  EXPECT_EQ(Header(response, "Location"), "/evil.example/%252e");
}

TEST(Routes, PathRestIsTheNameBehindThePrefix) {
  HttpRequest request;
  request.path = "/v1/catalog/service/web";
  EXPECT_EQ(PathRest(request, "/v1/catalog/service/"), "web");
}

TEST(Routes, TheFallbackGetsWhatNoRowAnswersBelowV1) {
  const Routes routes({{"GET", "/v1/kv/", Say("get kv")},
                       {"PUT", "/v1/agent/reload", Say("reload")},
                       {"GET", "/metrics", Say("metrics")}},
                      Say("consul"));
  const struct {
    const char* method;
    const char* path;
    const char* body;
  } cases[] = {
      {"GET", "/v1/kv/a", "get kv"},
      {"HEAD", "/v1/kv/a", "get kv"},
      {"PUT", "/v1/agent/reload", "reload"},
      {"GET", "/metrics", "metrics"},
      {"GET", "/v1/", "consul"},
      {"GET", "/v1/kv", "consul"},
      {"PUT", "/v1/kv/a", "consul"},
      {"OPTIONS", "/v1/kv/a", "consul"},
      {"HEAD", "/v1/agent/reload", "consul"},
      {"GET", "/v1/agent/members", "consul"},
      // Consul cleans paths itself.
      {"GET", "/v1/kv//a", "consul"},
      {"GET", "/v1/agent/../status/leader", "consul"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = Ask(routes, c.method, c.path);
    EXPECT_EQ(response.status, 200) << c.path;
    EXPECT_EQ(response.body, c.body) << c.path;
  }
  // The rest is as without one.
  EXPECT_EQ(Ask(routes, "GET", "/ui/").status, 404);
  EXPECT_EQ(Ask(routes, "GET", "/v1").status, 404);
  EXPECT_EQ(Ask(routes, "GET", "/v2/kv/a").status, 404);
  EXPECT_EQ(Ask(routes, "PUT", "/metrics").status, 405);
  EXPECT_EQ(Ask(routes, "GET", "//v1/kv/a").status, 301);
  EXPECT_EQ(Ask(routes, "OPTIONS", "*").status, 200);
}

TEST(AgentRoutes, SelfIsThereWhenItsHookIs) {
  AgentHooks hooks;
  EXPECT_EQ(Ask(Routes(AgentRoutes(hooks)), "GET", "/v1/agent/self").status,
            404);
  hooks.self = [] { return std::string("{}"); };
  const HttpResponse response =
      Ask(Routes(AgentRoutes(hooks)), "GET", "/v1/agent/self");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(response.content_type, "application/json");
}

TEST(AgentRoutes, ReloadAnswersEmptyOrTheErrors) {
  std::vector<std::string> errors;
  int calls = 0;
  const Routes routes(
      AgentRoutes({[&](AgentHooks::ReloadDone done) {
                     ++calls;
                     done(errors);
                   },
                   [](AgentHooks::TextDone done) { done("m 1\n"); }}));
  HttpResponse response = Ask(routes, "PUT", "/v1/agent/reload");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  errors = {"a.hcl:3: services: bad", "b.json: worse"};
  response = Ask(routes, "PUT", "/v1/agent/reload");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "a.hcl:3: services: bad\nb.json: worse\n");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(Ask(routes, "GET", "/v1/agent/reload").status, 405);
  EXPECT_EQ(calls, 2);
}

TEST(AgentRoutes, ReloadAnswersWhenItIsDone) {
  AgentHooks::ReloadDone done;
  const Routes routes(AgentRoutes(
      {[&](AgentHooks::ReloadDone later) { done = std::move(later); },
       [](AgentHooks::TextDone text) { text(""); }}));
  HttpRequest request;
  request.method = "PUT";
  request.path = "/v1/agent/reload";
  std::vector<int> statuses;
  routes.Handle(request, [&](const HttpResponse& response) {
    statuses.push_back(response.status);
  });
  EXPECT_TRUE(statuses.empty());
  done({"bad"});
  EXPECT_EQ(statuses, std::vector<int>{500});
}

TEST(AgentRoutes, MetricsAreThereUnderBothNames) {
  const Routes routes(
      AgentRoutes({[](AgentHooks::ReloadDone done) { done({}); },
                   [](AgentHooks::TextDone done) { done("m 1\n"); }}));
  for (const HttpResponse& response :
       {Ask(routes, "GET", "/metrics"),
        Ask(routes, "GET", "/v1/agent/metrics", "pretty&format=prometheus")}) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "m 1\n");
    EXPECT_EQ(response.content_type,
              "text/plain; version=0.0.4; charset=utf-8");
  }
  EXPECT_EQ(Ask(routes, "GET", "/v1/agent/metrics").status, 415);
}

TEST(AgentRoutes, MetricsAreConsulsJsonUnlessPrometheusIsAsked) {
  AgentHooks hooks;
  hooks.metrics = [](AgentHooks::TextDone done) { done("m 1\n"); };
  hooks.metrics_json = [](AgentHooks::TextDone done) {
    done(R"({"Gauges":[]})");
  };
  const Routes routes(AgentRoutes(std::move(hooks)));
  const HttpResponse response = Ask(routes, "GET", "/v1/agent/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"Gauges":[]})");
  EXPECT_EQ(Ask(routes, "GET", "/v1/agent/metrics", "format=prometheus").body,
            "m 1\n");
}

// The right that each of the agent's routes asks for, by 1.8.7's example.
TEST(AgentRoutes, AskForRightsOnTheAgent) {
  AclOptions options;
  options.enabled = true;
  options.default_allow = false;
  options.tokens = {
      {"r", "r", {{AclResource::kAgent, "n1", false, AclAccess::kRead}}},
      {"w", "w", {{AclResource::kAgent, "n1", false, AclAccess::kWrite}}},
      {"o", "o", {{AclResource::kAgent, "n2", false, AclAccess::kWrite}}}};
  AgentHooks hooks;
  int reloads = 0;
  hooks.reload = [&reloads](AgentHooks::ReloadDone done) {
    ++reloads;
    done({});
  };
  hooks.metrics = [](AgentHooks::TextDone done) { done("metrics"); };
  hooks.self = [] { return "{}"; };
  hooks.acl =
      RequestAcl([acl = std::make_shared<const Acl>(options)] { return acl; });
  hooks.node_name = "n1";
  const Routes routes(AgentRoutes(hooks));
  const std::tuple<const char*, const char*, const char*> all[] = {
      {"GET", "/v1/agent/self", ""},
      {"GET", "/metrics", ""},
      {"GET", "/v1/agent/metrics", "&format=prometheus"},
      {"PUT", "/v1/agent/reload", ""}};
  for (const auto& [method, path, more] : all) {
    const auto ask = [&, method = method, path = path,
                      more = more](const char* token) {
      return Ask(routes, method, path, std::string("token=") + token + more);
    };
    EXPECT_EQ(ask("w").status, 200) << path;
    EXPECT_EQ(ask("r").status, std::string(method) == "PUT" ? 403 : 200);
    for (const char* token : {"", "o"}) {
      EXPECT_EQ(ask(token).status, 403) << path;
      EXPECT_EQ(ask(token).body, "Permission denied") << path;
    }
    EXPECT_EQ(ask("nobody's").body, "ACL not found") << path;
  }
  EXPECT_EQ(reloads, 1);
}

}  // namespace
}  // namespace dnsd
