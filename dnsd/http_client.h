// HttpCall asks the agent one question, for command-line verbs. It blocks.
//
// Threads: one at a time, and none beside it when it is called first: libcurl
//          sets itself up then.
// Errors:  kUnavailable when nobody answers, kDeadlineExceeded when it takes
//          too long, kResourceExhausted above the size limit. Worded as Go
//          words them where it has words for it, which people know from
//          Consul: `Get "URL": dial tcp IP:PORT: connect: connection refused`.
//          Any HTTP status is an answer, not an error.
// Safety:  redirects are not followed and proxies not used: the question is
//          for this agent.
#ifndef DNSD_DNSD_HTTP_CLIENT_H_
#define DNSD_DNSD_HTTP_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

// A verb's answer is a list at most; more than this is not our agent.
inline constexpr size_t kHttpAnswerBytesMax = 64u << 20;

// Empty: the system's authorities, no certificate of our own, the URL's host.
struct HttpCallTls {
  std::string ca_file;
  std::string ca_path;
  std::string cert_file;
  std::string key_file;
  std::string server_name;
  bool verify = true;
};

struct HttpCallRequest {
  std::string method = "GET";
  std::string url;
  std::string unix_socket;           // empty: TCP to the URL's host
  std::vector<std::string> headers;  // "Name: value"
  std::string user_password;         // "user:password"; empty: none
  HttpCallTls tls;
  std::string body;
  int64_t connect_ms = 30'000;  // as Consul's clients wait for a connection
  // A reload of a large configuration takes a while. 0: without an end.
  int64_t total_ms = 60'000;
  // Gets the body of a 200 as it comes, instead of the answer; with nothing
  // first, when its head is there. No size limit then.
  std::function<void(absl::string_view)> on_body = {};
};

struct HttpCallAnswer {
  int status = 0;
  uint64_t index = 0;  // X-Consul-Index
  std::string date;    // as the answer has it, without blanks around
  std::string body;
};

[[nodiscard]] absl::StatusOr<HttpCallAnswer> HttpCall(
    const HttpCallRequest& request);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_CLIENT_H_
