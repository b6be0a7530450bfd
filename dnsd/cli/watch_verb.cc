#include "dnsd/cli/watch_verb.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/json_read.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/json_text.h"
#include "dnsd/cli/watch_handler.h"
#include "dnsd/cli/watch_plan.h"
#include "dnsd/config.h"

namespace dnsd {
namespace {

constexpr int kRetrySeconds = 5;       // times the square of the failures
constexpr int kRetrySecondsMax = 180;  // both are Consul's
constexpr int kNotFound = 404;         // a key that is not there

constexpr CommandFlag kFlags[] = {
    {{"key", FlagType::kString}, "Of type key: the key"},
    {{"name", FlagType::kString}, "Of type event: the name of events"},
    {{"passingonly", FlagType::kString},
     "Of type service: true for instances that pass all checks"},
    {{"prefix", FlagType::kString}, "Of type keyprefix: the prefix"},
    {{"service", FlagType::kString}, "Of type service or checks: the service"},
    {{"shell", FlagType::kPlainBool},
     "Run the command by $SHELL; default: true"},
    {{"state", FlagType::kString}, "Of type checks: their state"},
    {{"tag", FlagType::kString}, "Of type service: a tag; repeats"},
    {{"type", FlagType::kString},
     "services, nodes, service, checks, key, keyprefix or event"},
};
constexpr CommandSpec kWatch = {
    "watch [options] [COMMAND...]",
    "Prints a view of the catalog. With a command: runs it, with the view on\n"
    "its standard input, now and whenever the view changes.\n",
    kFlags, true};

// "45s", "1m20s", "3m0s", as Go prints a duration.
std::string SecondsText(int seconds) {
  return seconds < 60 ? absl::StrCat(seconds, "s")
                      : absl::StrCat(seconds / 60, "m", seconds % 60, "s");
}

int Fail(absl::string_view what) {
  PrintErrorLine(what);
  return 1;
}

struct WatchAnswer {
  uint64_t index = 0;
  Value view;
};

class Watch {
 public:
  Watch(const WatchPlan* plan, const AgentClient* client, WatchHandler* handler)
      : plan_(plan), client_(client), handler_(handler) {}

  int Run() {
    int failures = 0;
    std::optional<int> exit_code;
    while (!exit_code) {
      const absl::StatusOr<WatchAnswer> answer = Ask();
      if (answer.ok()) {
        failures = 0;
        exit_code = Take(*answer);
        continue;
      }
      index_ = 0;
      ++failures;
      const int wait =
          std::min(kRetrySeconds * failures * failures, kRetrySecondsMax);
      SayFailure(answer.status(), wait);
      absl::SleepFor(absl::Seconds(wait));
      failures = std::min(failures, kRetrySecondsMax);
    }
    return *exit_code;
  }

 private:
  // Waits on the server until the index is past the last one.
  absl::StatusOr<WatchAnswer> Ask() const {
    QueryParameters parameters = client_->read_parameters();
    parameters.insert(parameters.end(), plan_->parameters.begin(),
                      plan_->parameters.end());
    if (index_ != 0) parameters.push_back({"index", absl::StrCat(index_)});
    const auto answer = client_->Call("GET", plan_->path, parameters);
    if (!answer.ok()) return answer.status();
    const bool is_key =
        plan_->shape == WatchShape::kKey || plan_->shape == WatchShape::kKeys;
    if (is_key && answer->status == kNotFound) {
      return WatchAnswer{answer->index, {}};
    }
    if (answer->status != 200) return UnexpectedStatus(*answer);
    const absl::StatusOr<Value> json = ParseJson(answer->body);
    if (!json.ok()) return json.status();
    return WatchAnswer{answer->index, ShapedAnswer(plan_->shape, *json)};
  }

  // The exit code when the watch ends with this answer.
  std::optional<int> Take(const WatchAnswer& answer) {
    if (index_ != 0 && index_ == answer.index) return std::nullopt;
    const bool is_first = index_ == 0;
    // An index that went back is not to be waited on.
    index_ = answer.index < index_ ? 0 : answer.index;
    std::string json = JsonText(answer.view, JsonLayout::kCompact) + "\n";
    if (!is_first && json == last_) return std::nullopt;
    last_ = std::move(json);
    if (!handler_->has_command()) {
      PrintLine(JsonText(answer.view, JsonLayout::kIndented));
      return 0;
    }
    const absl::Status status = handler_->Run(answer.index, last_);
    if (status.ok()) return std::nullopt;
    return Fail(status.message());
  }

  void SayFailure(const absl::Status& status, int wait) const {
    const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                                             absl::Now(), absl::UTCTimeZone());
    PrintErrorLine(absl::StrCat(
        now, " [ERROR] watch.watch: Watch errored: type=", plan_->type,
        " error=\"", status.message(), "\" retry=", SecondsText(wait)));
  }

  const WatchPlan* plan_;
  const AgentClient* client_;
  WatchHandler* handler_;
  uint64_t index_ = 0;  // 0: ask without waiting
  std::string last_;
};

}  // namespace

int WatchVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kWatch, args, &exit_code);
  if (!command) return exit_code;
  if (command->Text("type").empty()) {
    PrintErrorLine("Watch type must be specified\n");
    std::fputs(CommandHelp(kWatch).c_str(), stderr);
    return 1;
  }
  absl::StatusOr<AgentClient> client =
      AgentClient::Make(*command, ProcessEnvironment);
  const absl::StatusOr<WatchPlan> plan = MakeWatchPlan(*command);
  // A token file that cannot be read is said first, an address that cannot be
  // used last; both are the client's.
  if (!client.ok()) return Fail(client.status().message());
  if (!plan.ok()) return Fail(plan.status().message());
  const absl::StatusOr<Value> self =
      client->Get("/v1/agent/self", client->write_parameters());
  if (!self.ok()) {
    return Fail(
        absl::StrCat("Error querying Consul agent: ", self.status().message()));
  }
  client->WaitWithoutEnd();
  WatchHandler handler(command->rest(), command->Bool("shell", true));
  return Watch(&*plan, &*client, &handler).Run();
}

}  // namespace dnsd
