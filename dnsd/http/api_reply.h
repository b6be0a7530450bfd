// Answers of Consul's HTTP API: JSON laid out as asked, statuses of errors, and
// the seam where rights come in.
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_API_REPLY_H_
#define DNSD_DNSD_HTTP_API_REPLY_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"

namespace dnsd {

// What a request touches. An empty right is everything's.
enum class ApiResource : uint8_t { kAgent, kNode, kService };
enum class ApiAccess : uint8_t { kRead, kWrite };
using ApiRights =
    std::function<bool(const HttpRequest& request, ApiResource resource,
                       const std::string& name, ApiAccess access)>;

// Whether `rights` allow it; without any, everything is allowed.
[[nodiscard]] bool IsAllowed(const ApiRights& rights,
                             const HttpRequest& request, ApiResource resource,
                             const std::string& name, ApiAccess access);

// 403 "Permission denied".
void ReplyDenied(const HttpReply& reply);
void ReplyText(int status, absl::string_view text, const HttpReply& reply);
// 200 without a body.
void ReplyEmpty(const HttpReply& reply);
// `json` is compact; ?pretty gives it lines.
[[nodiscard]] HttpResponse JsonAnswer(const HttpRequest& request,
                                      std::string json);
void ReplyJson(const HttpRequest& request, std::string json,
               const HttpReply& reply);
// kInvalidArgument 400, kPermissionDenied 403, kNotFound 404, all else 500,
// with the message as body. Not for OK.
void ReplyError(const absl::Status& status, const HttpReply& reply);

// ?ns names a tenant, and there is one: answered, and true.
[[nodiscard]] bool RefusesTenant(const HttpRequest& request,
                                 const HttpReply& reply);

// As Go's strconv.ParseBool.
[[nodiscard]] std::optional<bool> ParseGoBool(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_API_REPLY_H_
