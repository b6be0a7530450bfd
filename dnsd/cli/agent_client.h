// AgentClient asks an agent's HTTP API for the verbs: whom, with which token
// and which certificates is what the flags say, else the environment, else
// Consul's defaults.
//
// Threads: the main thread; calls block.
// Errors:  worded as Consul's client words them, without what the verb puts
//          before them.
#ifndef DNSD_DNSD_CLI_AGENT_CLIENT_H_
#define DNSD_DNSD_CLI_AGENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"
#include "dnsd/cli/command.h"
#include "dnsd/http_client.h"

namespace dnsd {

// Parameters of a URL, escaped and sorted by name when they are sent.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

// "/v1/catalog/node/" and a name, escaped as Go escapes a path.
[[nodiscard]] std::string EscapedPath(absl::string_view path);
// "?a=1&b=2", or "".
[[nodiscard]] std::string EscapedQuery(QueryParameters parameters);

class AgentClient {
 public:
  // An environment variable, or "" when it is not set.
  using Environment = std::function<std::string(const char*)>;

  // kInvalidArgument for an address nobody can call and for files that cannot
  // be read.
  [[nodiscard]] static absl::StatusOr<AgentClient> Make(
      const Command& command, const Environment& environment);

  // -datacenter and -stale, as parameters; more may be added to them.
  [[nodiscard]] const QueryParameters& read_parameters() const {
    return read_parameters_;
  }
  // -datacenter alone.
  [[nodiscard]] const QueryParameters& write_parameters() const {
    return write_parameters_;
  }
  // Calls may take as long as they take.
  void WaitWithoutEnd() { request_.total_ms = 0; }
  // Calls take no longer.
  void WaitAtMost(int64_t total_ms) { request_.total_ms = total_ms; }

  // GET without an end: `on_body` as that of HttpCallRequest.
  [[nodiscard]] absl::StatusOr<HttpCallAnswer> Stream(
      absl::string_view path, const QueryParameters& parameters,
      std::function<void(absl::string_view)> on_body) const;
  // Any status is an answer. `path` is escaped here.
  [[nodiscard]] absl::StatusOr<HttpCallAnswer> Call(
      const std::string& method, absl::string_view path,
      const QueryParameters& parameters, const std::string& body = "") const;
  // An answer that is no 200 is an error with its status and body.
  [[nodiscard]] absl::StatusOr<std::string> Ask(
      const std::string& method, absl::string_view path,
      const QueryParameters& parameters, const std::string& body = "") const;
  // GET, and the JSON of the answer.
  [[nodiscard]] absl::StatusOr<Value> Get(
      absl::string_view path, const QueryParameters& parameters) const;

 private:
  absl::Status SetAddress(const std::string& address, bool https);

  HttpCallRequest request_;  // all but method, path and body
  QueryParameters read_parameters_;
  QueryParameters write_parameters_;
};

// "Unexpected response code: 500 (why)".
[[nodiscard]] absl::Status UnexpectedStatus(const HttpCallAnswer& answer);

// The client, or nothing after saying why there is none.
[[nodiscard]] std::optional<AgentClient> ConnectOrSay(const Command& command);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_AGENT_CLIENT_H_
