// What makes a machine ask dnsd for its names: which files have to say what,
// for each kind of machine, and what dnsd then needs itself.
//
// Threads: one. Reads below `root`, writes nothing.
// Errors:  kFailedPrecondition with what to do, when the machine's own
//          resolvers cannot be made out or would be asked in a circle.
#ifndef DNSD_DNSD_CLI_RESOLVER_SETUP_H_
#define DNSD_DNSD_CLI_RESOLVER_SETUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dnsd/config.h"

namespace dnsd {

// Who writes /etc/resolv.conf.
enum class ResolverMode : uint8_t { kResolved, kNetworkManager, kResolvConf };

// "resolved", "networkmanager", "resolv.conf".
[[nodiscard]] const char* ModeWord(ResolverMode mode);
[[nodiscard]] std::optional<ResolverMode> ParseMode(absl::string_view word);

struct ResolverRequest {
  std::string root;                  // "", or a path that paths are put behind
  std::optional<ResolverMode> mode;  // nothing: what the machine looks like
  std::vector<std::string> domains;  // at least one; no final dot
  // Where dnsd listens. Port 0: 53 for kResolvConf, else 8600.
  Endpoint address{"127.0.0.1", 0};
  std::vector<Endpoint> recursors;  // empty: those that the machine has now
};

struct WantedFile {
  std::string path;  // as the machine sees it: without the root
  std::string body;
};

struct ResolverSetup {
  ResolverMode mode = ResolverMode::kResolvConf;
  std::string reason;  // why this mode
  std::vector<WantedFile> files;
  std::string config;  // HCL for dnsd; "" when it needs nothing
  std::vector<std::string> notes;
};

[[nodiscard]] absl::StatusOr<ResolverSetup> PlanResolverSetup(
    const ResolverRequest& request);

// Every path that some mode writes.
[[nodiscard]] std::vector<std::string> ResolverPaths();
// The command that makes whoever reads `path` read it again, or "".
[[nodiscard]] std::string ReloadCommand(absl::string_view path);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_RESOLVER_SETUP_H_
