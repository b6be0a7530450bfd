// Whose request it is. The table of tokens was asked of Consul 1.8.7, and is
// asked again in integration/acl_diff_test.cc.
#include "dnsd/http/request_acl.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(RequestAcl, TokensAreFoundWhereConsulFindsThem) {
  struct Case {
    const char* query;
    std::vector<std::pair<std::string, std::string>> headers;
    const char* token;
  };
  const Case cases[] = {
      {"", {}, ""},
      {"token=q", {}, "q"},
      {"a=b&token=q%20x", {}, "q x"},
      {"token=q", {{"x-consul-token", "h"}}, "q"},
      {"token=", {{"x-consul-token", "h"}}, "h"},
      {"token", {{"authorization", "Bearer b"}}, "b"},
      {"token=&token=q", {}, ""},
      {"", {{"x-consul-token", "h"}, {"authorization", "Bearer b"}}, "h"},
      {"", {{"x-consul-token", ""}, {"authorization", "Bearer b"}}, "b"},
      {"", {{"authorization", "bEARER   b  "}}, "b"},
      {"", {{"authorization", "Bearer b c"}}, "b"},
      {"", {{"authorization", "Bearer"}}, ""},
      {"", {{"authorization", "b"}}, ""},
      {"", {{"authorization", "Basic b"}}, ""},
      {"", {{"authorization", "Basic x"}, {"authorization", "Bearer b"}}, ""},
      {"", {{"authorization", "Bearer b"}, {"authorization", "Bearer c"}}, "b"},
  };
  for (const Case& one : cases) {
    HttpRequest request;
    request.query = one.query;
    request.headers = one.headers;
    EXPECT_EQ(RequestToken(request), one.token)
        << one.query << " "
        << (one.headers.empty() ? "" : one.headers[0].second);
  }
}

TEST(RequestAcl, AnswersForUnknownTokensOnly) {
  AclOptions options;
  options.enabled = true;
  options.tokens = {{"good", "g", {}}};
  const auto current = std::make_shared<const Acl>(options);
  const RequestAcl acl([current] { return current; });
  HttpRequest request;
  std::optional<HttpResponse> answer;
  const HttpReply reply(
      [&answer](HttpResponse response) { answer = std::move(response); });
  request.headers = {{"x-consul-token", "good"}};
  EXPECT_EQ(acl.Authorize(request, reply)->name(), "g");
  EXPECT_FALSE(answer.has_value());
  request.headers = {{"x-consul-token", "bad"}};
  EXPECT_EQ(acl.Authorize(request, reply), nullptr);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(answer->body, "ACL not found");
}

TEST(RequestAcl, WithoutAnAclEverythingIsAllowed) {
  const auto who = RequestAcl().Authorize(HttpRequest(), HttpReply());
  ASSERT_NE(who, nullptr);
  EXPECT_TRUE(who->AgentWrite("n"));
}

TEST(RequestAcl, RefusalsHaveConsulsText) {
  EXPECT_EQ(PermissionDenied().status, 403);
  EXPECT_EQ(PermissionDenied().body, "Permission denied");
  EXPECT_EQ(PermissionDenied("service:write on web").body,
            "Permission denied: Missing service:write on web");
}

}  // namespace
}  // namespace dnsd
