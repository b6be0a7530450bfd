#include "dnsd/http/request_acl.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

// The first field of that name, as Go's Header.Get().
absl::string_view Header(const HttpRequest& request, absl::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (field == name) return value;
  }
  return "";
}

HttpResponse Forbidden(std::string text) {
  HttpResponse response;
  response.status = 403;
  response.body = std::move(text);
  return response;
}

}  // namespace

std::string RequestToken(const HttpRequest& request) {
  std::string in_query = QueryValue(request.query, "token").value_or("");
  if (!in_query.empty()) return in_query;
  const absl::string_view own = Header(request, "x-consul-token");
  if (!own.empty()) return std::string(own);
  const absl::string_view bearer = Header(request, "authorization");
  const size_t space = bearer.find(' ');
  if (space == bearer.npos ||
      !absl::EqualsIgnoreCase(bearer.substr(0, space), "bearer")) {
    return "";
  }
  // A bearer's token has no blanks; Consul takes the first word.
  const absl::string_view rest =
      absl::StripAsciiWhitespace(bearer.substr(space + 1));
  return std::string(rest.substr(0, rest.find(' ')));
}

HttpResponse PermissionDenied(absl::string_view missing) {
  return Forbidden(
      absl::StrCat("Permission denied",
                   missing.empty() ? "" : absl::StrCat(": Missing ", missing)));
}

RequestAcl::RequestAcl()
    : current_([acl = std::make_shared<const Acl>()] { return acl; }) {}

std::shared_ptr<const Authorizer> RequestAcl::Authorize(
    const HttpRequest& request, const HttpReply& reply) const {
  return AuthorizeToken(RequestToken(request), reply);
}

std::shared_ptr<const Authorizer> RequestAcl::AuthorizeToken(
    absl::string_view secret, const HttpReply& reply) const {
  Acl::Result may = current_()->Resolve(secret);
  if (may.ok()) return *std::move(may);
  reply(Forbidden(std::string(may.status().message())));
  return nullptr;
}

}  // namespace dnsd
