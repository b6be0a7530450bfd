#include "dnsd/cli/agent_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/json_read.h"
#include "dnsd/config.h"

namespace dnsd {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:8500";

void AppendEscaped(absl::string_view text, absl::string_view kept,
                   std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-_.~", c) ||
        absl::StrContains(kept, c)) {
      *out += c;
    } else {
      *out += '%';
      *out += kHex[byte >> 4];
      *out += kHex[byte & 15];
    }
  }
}

std::string QueryEscaped(absl::string_view text) {
  std::string escaped;
  AppendEscaped(text, " ", &escaped);
  std::replace(escaped.begin(), escaped.end(), ' ', '+');
  return escaped;
}

std::string FileError(const char* call, const std::string& path, int error) {
  return absl::StrCat(call, " ", path, ": ",
                      absl::AsciiStrToLower(strerror(error)));
}

bool IsReadable(const std::string& path, std::string* why) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return true;
  *why = FileError("open", path, errno);
  return false;
}

// A switch of the environment; nothing when it is not set. What cannot be read
// is said and counts as not set.
std::optional<bool> EnvironmentSwitch(
    const char* name, const AgentClient::Environment& environment) {
  const std::string text = environment(name);
  if (text.empty()) return std::nullopt;
  const FlagSpec spec[] = {{"x", FlagType::kBool}};
  const GoFlags parsed = ParseGoFlags({absl::StrCat("-x=", text)}, spec);
  if (!parsed.flags.empty()) return parsed.flags[0].boolean;
  PrintErrorLine(absl::StrCat("==> warning: ", name, " is ignored: \"", text,
                              "\" is neither true nor false"));
  return std::nullopt;
}

absl::StatusOr<std::string> Token(const Command& command,
                                  const AgentClient::Environment& environment) {
  std::string token = command.Text("token");
  if (token.empty()) token = environment("CONSUL_HTTP_TOKEN");
  std::string file = command.Text("token-file");
  if (file.empty()) file = environment("CONSUL_HTTP_TOKEN_FILE");
  if (file.empty()) return token;
  std::string why;
  if (!IsReadable(file, &why)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Error loading token file: ", why));
  }
  std::ifstream stream(file);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  absl::StripAsciiWhitespace(&text);
  return text.empty() ? token : text;
}

absl::StatusOr<HttpCallTls> Tls(const Command& command,
                                const AgentClient::Environment& environment) {
  const auto text = [&](const char* flag, const char* variable) {
    const std::string given = command.Text(flag);
    return given.empty() ? environment(variable) : given;
  };
  HttpCallTls tls;
  tls.ca_file = text("ca-file", "CONSUL_CACERT");
  tls.ca_path = text("ca-path", "CONSUL_CAPATH");
  tls.cert_file = text("client-cert", "CONSUL_CLIENT_CERT");
  tls.key_file = text("client-key", "CONSUL_CLIENT_KEY");
  tls.server_name = text("tls-server-name", "CONSUL_TLS_SERVER_NAME");
  tls.verify =
      EnvironmentSwitch("CONSUL_HTTP_SSL_VERIFY", environment).value_or(true);
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return absl::InvalidArgumentError(
        "both client cert and client key must be provided");
  }
  std::string why;
  if (!IsReadable(tls.cert_file, &why) || !IsReadable(tls.key_file, &why)) {
    return absl::InvalidArgumentError(why);
  }
  if (!IsReadable(tls.ca_file, &why)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Error loading CA File: ", why));
  }
  if (!tls.ca_path.empty() && access(tls.ca_path.c_str(), R_OK) != 0) {
    return absl::InvalidArgumentError(FileError("lstat", tls.ca_path, errno));
  }
  return tls;
}

}  // namespace

std::string EscapedPath(absl::string_view path) {
  std::string escaped;
  AppendEscaped(path, "$&+,/:;=@", &escaped);
  return escaped;
}

std::string EscapedQuery(QueryParameters parameters) {
  std::stable_sort(
      parameters.begin(), parameters.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string query;
  for (const auto& [name, value] : parameters) {
    absl::StrAppend(&query, query.empty() ? "?" : "&", QueryEscaped(name), "=",
                    QueryEscaped(value));
  }
  return query;
}

absl::StatusOr<AgentClient> AgentClient::Make(const Command& command,
                                              const Environment& environment) {
  AgentClient client;
  const absl::StatusOr<std::string> token = Token(command, environment);
  if (!token.ok()) return token.status();
  if (!token->empty()) {
    if (token->find_first_of("\r\n") != std::string::npos) {
      return absl::InvalidArgumentError("the token has more than one line");
    }
    client.request_.headers.push_back(absl::StrCat("X-Consul-Token: ", *token));
  }
  absl::StatusOr<HttpCallTls> tls = Tls(command, environment);
  if (!tls.ok()) return tls.status();
  client.request_.tls = *std::move(tls);
  const std::string user = environment("CONSUL_HTTP_AUTH");
  if (!user.empty()) {
    client.request_.user_password =
        absl::StrContains(user, ':') ? user : absl::StrCat(user, ":");
  }
  std::string address = command.Text("http-addr");
  if (address.empty()) address = environment("CONSUL_HTTP_ADDR");
  if (address.empty()) address = kDefaultAddress;
  const bool https =
      EnvironmentSwitch("CONSUL_HTTP_SSL", environment).value_or(false);
  const absl::Status status = client.SetAddress(address, https);
  if (!status.ok()) return status;

  const std::string datacenter = command.Text("datacenter");
  if (!datacenter.empty()) client.write_parameters_ = {{"dc", datacenter}};
  client.read_parameters_ = client.write_parameters_;
  if (command.Bool("stale")) client.read_parameters_.push_back({"stale", ""});
  return client;
}

absl::Status AgentClient::SetAddress(const std::string& address, bool https) {
  absl::string_view host = address;
  const size_t scheme_end = host.find("://");
  if (scheme_end != absl::string_view::npos) {
    const absl::string_view scheme = host.substr(0, scheme_end);
    host.remove_prefix(scheme_end + 3);
    if (scheme == "unix") {
      std::string escaped;
      AppendEscaped(host, "!$&'()*+,;=:[]<>\"", &escaped);
      request_.unix_socket = std::string(host);
      request_.url = absl::StrCat("http://", escaped);
      return absl::OkStatus();
    }
    if (scheme == "https") {
      https = true;
    } else if (scheme != "http") {
      return absl::InvalidArgumentError(
          absl::StrCat("Unknown protocol scheme: ", scheme));
    }
  }
  host = absl::StripSuffix(host, "/");
  if (host.find_first_of(" /?#@\t\r\n") != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot call ", address, ": not HOST:PORT"));
  }
  request_.url = absl::StrCat(https ? "https://" : "http://", host);
  return absl::OkStatus();
}

absl::StatusOr<HttpCallAnswer> AgentClient::Stream(
    absl::string_view path, const QueryParameters& parameters,
    std::function<void(absl::string_view)> on_body) const {
  HttpCallRequest request = request_;
  absl::StrAppend(&request.url, EscapedPath(path), EscapedQuery(parameters));
  request.total_ms = 0;
  request.on_body = std::move(on_body);
  return HttpCall(request);
}

absl::StatusOr<HttpCallAnswer> AgentClient::Call(
    const std::string& method, absl::string_view path,
    const QueryParameters& parameters, const std::string& body) const {
  HttpCallRequest request = request_;
  request.method = method;
  absl::StrAppend(&request.url, EscapedPath(path), EscapedQuery(parameters));
  request.body = body;
  return HttpCall(request);
}

absl::StatusOr<std::string> AgentClient::Ask(const std::string& method,
                                             absl::string_view path,
                                             const QueryParameters& parameters,
                                             const std::string& body) const {
  absl::StatusOr<HttpCallAnswer> answer = Call(method, path, parameters, body);
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return UnexpectedStatus(*answer);
  return std::move(answer->body);
}

absl::StatusOr<Value> AgentClient::Get(
    absl::string_view path, const QueryParameters& parameters) const {
  const absl::StatusOr<std::string> body = Ask("GET", path, parameters);
  if (!body.ok()) return body.status();
  return ParseJson(*body);
}

absl::Status UnexpectedStatus(const HttpCallAnswer& answer) {
  return absl::UnknownError(absl::StrCat(
      "Unexpected response code: ", answer.status, " (", answer.body, ")"));
}

std::optional<AgentClient> ConnectOrSay(const Command& command) {
  absl::StatusOr<AgentClient> client =
      AgentClient::Make(command, ProcessEnvironment);
  if (client.ok()) return *std::move(client);
  PrintErrorLine(absl::StrCat("Error connecting to Consul agent: ",
                              client.status().message()));
  return std::nullopt;
}

}  // namespace dnsd
