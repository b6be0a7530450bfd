#include "catalog/registry/checks/docker_probe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"

namespace dnsd {
namespace {

// Docker Engine API, "stream format": stream, three zeros, length.
constexpr size_t kFrameHeadBytes = 8;

const Value* Find(const Value& object, absl::string_view key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

// As Go's url.QueryEscape.
std::string Escaped(absl::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-_.~", c)) {
      escaped.push_back(c);
    } else if (c == ' ') {
      escaped.push_back('+');
    } else {
      escaped.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return escaped;
}

std::string CreateBody(const std::vector<std::string>& args) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  for (const char* key : {"AttachStdin", "AttachStdout", "AttachStderr"}) {
    json.Key(key);
    json.Bool(key != absl::string_view("AttachStdin"));
  }
  json.Key("Tty");
  json.Bool(false);
  json.Key("Cmd");
  json.Strings(args);
  json.EndObject();
  return body;
}

}  // namespace

DockerProbe::DockerProbe(ProbeTools* tools, const CheckDefinition& check,
                         ProbeDone done)
    : tools_(tools),
      check_(check),
      done_(std::move(done)),
      output_(static_cast<size_t>(std::max(check.output_max_size, 1))) {
  running_ = tools_->docker.Fetch(
      Request("POST",
              absl::StrCat("/containers/", Escaped(check.docker_container_id),
                           "/exec"),
              CreateBody(check.args)),
      [this](const HttpFetched& fetched) { OnCreated(fetched); });
}

DockerProbe::~DockerProbe() { tools_->docker.Cancel(running_); }

HttpFetch DockerProbe::Request(const std::string& method,
                               const std::string& path,
                               const std::string& body) const {
  HttpFetch fetch;
  fetch.method = method;
  absl::string_view host = tools_->settings.docker_host;
  if (absl::ConsumePrefix(&host, "unix://")) {
    fetch.unix_socket = std::string(host);
    fetch.url = absl::StrCat("http://docker", path);
  } else {
    absl::ConsumePrefix(&host, "tcp://");
    fetch.url = absl::StrCat("http://", absl::StripSuffix(host, "/"), path);
  }
  if (!body.empty()) fetch.headers = {{"Content-Type", "application/json"}};
  fetch.body = body;
  fetch.body_bytes_max = kDockerAnswerBytesMax;
  return fetch;
}

std::string DockerProbe::Why(const absl::Status& status) const {
  return std::string(status.message());
}

void DockerProbe::Fail(absl::string_view text) {
  running_ = 0;
  done_({.status = HealthStatus::kCritical, .output = std::string(text)});
}

void DockerProbe::OnCreated(const HttpFetched& fetched) {
  const std::string& id = check_.docker_container_id;
  if (!fetched.status.ok()) {
    Fail(absl::StrCat("create exec failed for container ", id, ": ",
                      Why(fetched.status)));
    return;
  }
  switch (fetched.head.status) {
    case 201:
      break;
    case 404:
      Fail(absl::StrCat("create exec failed for unknown container ", id));
      return;
    case 409:
      Fail(absl::StrCat("create exec failed since container ", id,
                        " is paused or stopped"));
      return;
    default:
      Fail(absl::StrCat("create exec failed for container ", id,
                        " with status ", fetched.head.status, ": ",
                        fetched.body));
      return;
  }
  const auto answer = ParseJson(fetched.body);
  const Value* exec = answer.ok() ? Find(*answer, "Id") : nullptr;
  if (exec == nullptr || exec->kind != Value::Kind::kString ||
      exec->text.empty()) {
    Fail(absl::StrCat("create exec response for container ", id,
                      " cannot be parsed: ",
                      answer.ok() ? "no Id in it" : Why(answer.status())));
    return;
  }
  exec_id_ = exec->text;
  Start();
}

void DockerProbe::Start() {
  HttpFetch fetch =
      Request("POST", absl::StrCat("/exec/", Escaped(exec_id_), "/start"),
              R"({"Detach":false,"Tty":true})");
  fetch.body_bytes_max = 1u << 30;  // only its end is kept
  running_ = tools_->docker.Open(
      std::move(fetch),
      {.on_head =
           [this](const HttpHead& head) {
             start_head_ = head;
             const std::string* type = head.Find("content-type");
             is_framed_ = type != nullptr &&
                          absl::StrContains(*type, "multiplexed-stream");
           },
       .on_body =
           [this](absl::string_view bytes) {
             OnOutput(bytes);
             return true;
           },
       .on_done = [this](const absl::Status& status) { OnStarted(status); }});
}

void DockerProbe::OnOutput(absl::string_view bytes) {
  if (!is_framed_) {
    output_.Append(bytes);
    return;
  }
  while (!bytes.empty()) {
    if (frame_bytes_ == 0) {
      const size_t taken =
          std::min(kFrameHeadBytes - frame_head_.size(), bytes.size());
      frame_head_.append(bytes.data(), taken);
      bytes.remove_prefix(taken);
      if (frame_head_.size() < kFrameHeadBytes) return;
      for (size_t i = 4; i < kFrameHeadBytes; ++i) {
        frame_bytes_ = frame_bytes_ << 8 | static_cast<uint8_t>(frame_head_[i]);
      }
      frame_head_.clear();
      continue;
    }
    const size_t taken = std::min(frame_bytes_, bytes.size());
    output_.Append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    frame_bytes_ -= taken;
  }
}

void DockerProbe::OnStarted(const absl::Status& status) {
  const std::string& id = check_.docker_container_id;
  // Some daemons reset the connection behind the last byte.
  if (start_head_.status == 0) {
    Fail(absl::StrCat("start exec failed for container ", id, ": ",
                      Why(status)));
    return;
  }
  switch (start_head_.status) {
    case 200:
      break;
    case 404:
      Fail(absl::StrCat("start exec failed for container ", id,
                        ": invalid exec id ", exec_id_));
      return;
    case 409:
      Fail(absl::StrCat("start exec failed since container ", id,
                        " is paused or stopped"));
      return;
    default:
      Fail(absl::StrCat("start exec failed for container ", id, " with status ",
                        start_head_.status, ": body: ", output_.Tail()));
      return;
  }
  running_ = tools_->docker.Fetch(
      Request("GET", absl::StrCat("/exec/", Escaped(exec_id_), "/json"), ""),
      [this](const HttpFetched& fetched) { OnInspected(fetched); });
}

void DockerProbe::OnInspected(const HttpFetched& fetched) {
  const std::string& id = check_.docker_container_id;
  if (!fetched.status.ok()) {
    Fail(absl::StrCat("inspect exec failed for container ", id, ": ",
                      Why(fetched.status)));
    return;
  }
  if (fetched.head.status == 404) {
    Fail(absl::StrCat("inspect exec failed for container ", id,
                      ": invalid exec id ", exec_id_));
    return;
  }
  if (fetched.head.status != 200) {
    Fail(absl::StrCat("inspect exec failed for container ", id, " with status ",
                      fetched.head.status, ": ", fetched.body));
    return;
  }
  const auto answer = ParseJson(fetched.body);
  const Value* code = answer.ok() ? Find(*answer, "ExitCode") : nullptr;
  if (code == nullptr || code->kind != Value::Kind::kInt) {
    Fail(absl::StrCat(
        "inspect exec response for container ", id, " cannot be parsed: ",
        answer.ok() ? "no ExitCode in it" : Why(answer.status())));
    return;
  }
  running_ = 0;
  done_({.status = code->integer == 0   ? HealthStatus::kPassing
                   : code->integer == 1 ? HealthStatus::kWarning
                                        : HealthStatus::kCritical,
         .output = output_.TailWithNote()});
}

ProbeResult DockerProbe::TimeOut() {
  return {.status = HealthStatus::kCritical,
          .output = absl::StrCat("Timed out running check in container ",
                                 check_.docker_container_id)};
}

}  // namespace dnsd
