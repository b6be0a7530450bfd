// HttpCall asks the agent one question, for command-line verbs. It blocks.
//
// Threads: one at a time, and none beside it when it is called first: libcurl
//          sets itself up then.
// Errors:  HttpAddress(): kInvalidArgument for an address nobody can call.
//          HttpCall(): kUnavailable when nobody answers, kDeadlineExceeded
//          when it takes too long, kResourceExhausted above the size limit.
//          Any HTTP status is an answer, not an error.
// Safety:  redirects are not followed and proxies not used: the question is
//          for this agent.
#ifndef DNSD_DNSD_HTTP_CLIENT_H_
#define DNSD_DNSD_HTTP_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

// A verb's answer is a list at most; more than this is not our agent.
inline constexpr size_t kHttpAnswerBytesMax = 64u << 20;

// What to call: the flag -http-addr, else the environment's CONSUL_HTTP_ADDR
// (null when unset), else http://127.0.0.1:8500. The scheme may be left out.
// Returns it with the scheme and without a final slash.
[[nodiscard]] absl::StatusOr<std::string> HttpAddress(absl::string_view flag,
                                                      const char* environment);

struct HttpCallRequest {
  std::string method = "GET";
  std::string url;
  std::string body;
  int64_t connect_ms = 5'000;
  int64_t total_ms = 60'000;  // a reload of a large configuration takes a while
};

struct HttpCallAnswer {
  int status = 0;
  std::string body;
};

[[nodiscard]] absl::StatusOr<HttpCallAnswer> HttpCall(
    const HttpCallRequest& request);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_CLIENT_H_
