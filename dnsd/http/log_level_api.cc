#include "dnsd/http/log_level_api.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/log_control.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

void ReplyLevel(const HttpRequest& request, const HttpReply& reply) {
  ReplyJson(
      request,
      absl::StrCat("{\"Level\":\"", LogLevelText(CurrentLogLevel()), "\"}"),
      reply);
}

void SetLevel(const HttpRequest& request, const HttpReply& reply) {
  const std::string text = QueryValue(request.query, "level").value_or("");
  LogLevel level{};
  if (!ParseLogLevel(text, &level)) {
    return ReplyText(400, "level is one of trace, debug, info, warn and error",
                     reply);
  }
  // At the lower of the two levels, so that it is seen.
  const LogLevel before = CurrentLogLevel();
  if (level < before) SetLogLevel(level);
  LogInfo("agent", "Log level changed",
          {{"from", LogLevelText(before)}, {"to", LogLevelText(level)}});
  SetLogLevel(level);
  ReplyLevel(request, reply);
}

}  // namespace

std::vector<Route> LogLevelRoutes(const RequestAcl& acl,
                                  const std::string& node_name) {
  return {
      {"GET", "/v1/dnsd/log-level",
       ForAgentRight(&Authorizer::AgentRead, acl, node_name, ReplyLevel)},
      {"PUT", "/v1/dnsd/log-level",
       ForAgentRight(&Authorizer::AgentWrite, acl, node_name, SetLevel)},
  };
}

}  // namespace dnsd
