#include "dnsd/cli/health_verb.h"

#include <chrono>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_read.h"
#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "catalog/registry/fields.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/dns_probe.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;

// Less than what containers give a check: it is to end by itself, with words.
constexpr milliseconds kTimeout{2'000};

constexpr CommandFlag kFlags[] = {
    {{"dns-addr", FlagType::kString},
     "Also ask DNS at IP:PORT a question over UDP"},
    {{"ready", FlagType::kBool},
     "Whether it should be asked: healthy, its catalog loaded and not too old, "
     "not stopping"},
    {{"timeout", FlagType::kString}, "How long an answer may take (2s)"},
};
constexpr CommandSpec kHealth = {
    "health [options]",
    "Says whether an agent is healthy: whether all its event loops turn.\n"
    "The exit code is 0 when it is, else 1. No token is needed.\n",
    kFlags};

int Fail(absl::string_view why) {
  PrintErrorLine(why);
  return 1;
}

std::optional<milliseconds> Timeout(const Command& command) {
  const std::string text = command.Text("timeout");
  if (text.empty()) return kTimeout;
  Problems problems;
  std::chrono::nanoseconds read{0};
  if (!ReadDurationText(text, {}, &problems, &read) || read < milliseconds(1)) {
    PrintErrorLine(absl::StrCat("invalid value ", Quoted(text),
                                " for flag -timeout: must be a duration"));
    return std::nullopt;
  }
  return std::chrono::duration_cast<milliseconds>(read);
}

// What stands under "Reasons" in the answer of a server that is not well.
std::string Reasons(const HttpCallAnswer& answer) {
  const absl::StatusOr<Value> body = ParseJson(answer.body);
  const Value* const reasons =
      body.ok() ? FindMember(*body, "Reasons") : nullptr;
  std::vector<std::string> texts;
  if (reasons != nullptr) {
    for (const Value& reason : reasons->items) texts.push_back(reason.text);
  }
  if (texts.empty()) return std::string(UnexpectedStatus(answer).message());
  return absl::StrJoin(texts, "; ");
}

}  // namespace

int HealthVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kHealth, args, &exit_code);
  if (!command) return exit_code;
  if (!RefuseWords(*command)) return 1;
  const std::optional<milliseconds> timeout = Timeout(*command);
  if (!timeout) return 1;
  auto client = ConnectOrSay(*command);
  if (!client) return 1;
  client->WaitAtMost(timeout->count());
  const bool ready = command->Bool("ready");
  const absl::StatusOr<HttpCallAnswer> answer =
      client->Call("GET", ready ? "/ready" : "/health", {});
  if (!answer.ok()) return Fail(answer.status().message());
  if (answer->status != 200) {
    return Fail(absl::StrCat(ready ? "not ready: " : "not healthy: ",
                             Reasons(*answer)));
  }
  const std::string dns = command->Text("dns-addr");
  if (!dns.empty()) {
    const absl::Status probed = ProbeDns(dns, *timeout);
    if (!probed.ok()) return Fail(probed.message());
  }
  PrintLine(ready ? "ready" : "healthy");
  return 0;
}

}  // namespace dnsd
