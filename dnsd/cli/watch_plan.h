// What `watch` asks: from its flags to a path, parameters and the shape of the
// answer.
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument, in Consul's words.
#ifndef DNSD_DNSD_CLI_WATCH_PLAN_H_
#define DNSD_DNSD_CLI_WATCH_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/watch_shape.h"

namespace dnsd {

struct WatchPlan {
  std::string type;
  std::string path;
  QueryParameters parameters;  // beside the common ones
  WatchShape shape = WatchShape::kServices;
};

[[nodiscard]] absl::StatusOr<WatchPlan> MakeWatchPlan(const Command& command);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_WATCH_PLAN_H_
