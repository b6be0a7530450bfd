#include "dnsd/http/api_reply.h"

#include <utility>

#include "catalog/base/json_write.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

int StatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    default:
      return 500;
  }
}

}  // namespace

bool IsAllowed(const ApiRights& rights, const HttpRequest& request,
               ApiResource resource, const std::string& name,
               ApiAccess access) {
  return !rights || rights(request, resource, name, access);
}

void ReplyText(int status, absl::string_view text, const HttpReply& reply) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text);
  reply(std::move(response));
}

void ReplyDenied(const HttpReply& reply) {
  ReplyText(403, "Permission denied", reply);
}

void ReplyEmpty(const HttpReply& reply) { reply(HttpResponse()); }

HttpResponse JsonAnswer(const HttpRequest& request, std::string json) {
  HttpResponse response;
  response.content_type = "application/json";
  const bool is_pretty = QueryValue(request.query, "pretty").has_value();
  response.body = is_pretty ? IndentJson(json) : std::move(json);
  return response;
}

void ReplyJson(const HttpRequest& request, std::string json,
               const HttpReply& reply) {
  reply(JsonAnswer(request, std::move(json)));
}

void ReplyError(const absl::Status& status, const HttpReply& reply) {
  ReplyText(StatusOf(status), status.message(), reply);
}

bool RefusesTenant(const HttpRequest& request, const HttpReply& reply) {
  const std::optional<std::string> tenant = QueryValue(request.query, "ns");
  if (!tenant || tenant->empty()) return false;
  ReplyText(400,
            "Bad request: Invalid query parameter: \"ns\" - Namespaces are a "
            "Consul Enterprise feature",
            reply);
  return true;
}

std::optional<bool> ParseGoBool(absl::string_view text) {
  for (const absl::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const absl::string_view no :
       {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace dnsd
