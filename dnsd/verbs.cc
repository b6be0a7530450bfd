#include "dnsd/verbs.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "dnsd/go_flags.h"
#include "dnsd/http_client.h"

namespace dnsd {
namespace {

// What a verb asks, and how it says that it got no answer.
struct Question {
  const char* verb;
  const char* method;
  const char* path;
  const char* failure;
};

void PrintError(absl::string_view error) {
  std::fprintf(stderr, "==> %.*s\n", static_cast<int>(error.size()),
               error.data());
}

// The agent's address by flag or environment; nothing, after saying why, when
// the arguments are wrong.
std::optional<std::string> AgentUrl(const char* verb,
                                    const std::vector<std::string>& args) {
  static constexpr FlagSpec kFlags[] = {{"http-addr", FlagType::kString}};
  GoFlags given = ParseGoFlags(args, kFlags);
  for (const std::string& word : given.rest) {
    given.errors.push_back(absl::StrCat("unknown argument \"", word, "\""));
  }
  if (given.help || !given.errors.empty()) {
    for (const std::string& error : given.errors) PrintError(error);
    std::fprintf(stderr, "Usage: dnsd %s [-http-addr=ADDRESS]\n", verb);
    return std::nullopt;
  }
  const std::string address =
      given.flags.empty() ? "" : given.flags.back().text;
  auto url = HttpAddress(address, std::getenv("CONSUL_HTTP_ADDR"));
  if (!url.ok()) {
    PrintError(url.status().message());
    return std::nullopt;
  }
  return *std::move(url);
}

// The body of an answer of 200; nothing after saying what was wrong.
std::optional<std::string> Ask(const Question& question,
                               const std::vector<std::string>& args) {
  const std::optional<std::string> url = AgentUrl(question.verb, args);
  if (!url) return std::nullopt;
  HttpCallRequest request;
  request.method = question.method;
  request.url = absl::StrCat(*url, question.path);
  auto answer = HttpCall(request);
  if (!answer.ok()) {
    PrintError(absl::StrCat(question.failure, ": ", answer.status().message()));
    return std::nullopt;
  }
  if (answer->status != 200) {
    std::fprintf(stderr, "%s: the agent answered %d\n%s\n", question.failure,
                 answer->status, answer->body.c_str());
    return std::nullopt;
  }
  return std::move(answer->body);
}

const Value* FindMember(const Value& object, absl::string_view key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::string> InfoText(absl::string_view json) {
  const absl::StatusOr<Value> self = ParseJson(json);
  if (!self.ok()) return self.status();
  const Value* const stats = FindMember(*self, "Stats");
  if (stats == nullptr) {
    return absl::InvalidArgumentError("the answer has no Stats");
  }
  std::map<std::string, std::map<std::string, std::string>> sections;
  for (const Member& section : stats->members) {
    for (const Member& entry : section.value.members) {
      sections[section.key][entry.key] = entry.value.text;
    }
  }
  std::string text;
  for (const auto& [name, entries] : sections) {
    absl::StrAppend(&text, name, ":\n");
    for (const auto& [key, value] : entries) {
      absl::StrAppend(&text, "\t", key, " = ", value, "\n");
    }
  }
  return text;
}

int ReloadVerb(const std::vector<std::string>& args) {
  const auto answer =
      Ask({"reload", "PUT", "/v1/agent/reload", "Error reloading"}, args);
  if (!answer) return 1;
  std::puts("Configuration reload triggered");
  return 0;
}

int InfoVerb(const std::vector<std::string>& args) {
  const Question question = {"info", "GET", "/v1/agent/self",
                             "Error querying agent"};
  const auto answer = Ask(question, args);
  if (!answer) return 1;
  const auto text = InfoText(*answer);
  if (!text.ok()) {
    PrintError(absl::StrCat(question.failure, ": ", text.status().message()));
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace dnsd
