// ForwardLink ties forwarding to the rest of the agent: what the configuration
// says of it goes to the workers, loops go to the log, and what HTTP wants of
// the caches and of upstreams is gathered from all workers.
//
// Threads:   made and given workers on the main thread; everything else on the
//            sync thread, whose loop outlives it.
// Ownership: borrows loop and workers. What workers answer after it is gone is
//            forgotten.
// Errors:    OptionsOf() names the address that cannot be used.
#ifndef DNSD_DNSD_FORWARD_LINK_H_
#define DNSD_DNSD_FORWARD_LINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/base/event_loop.h"
#include "dnsd/config.h"
#include "dnsd/forward/forward_options.h"
#include "dnsd/forward_figures.h"
#include "dnsd/http/forward_cache_api.h"
#include "dnsd/serve/worker.h"

namespace dnsd {

class ForwardLink {
 public:
  explicit ForwardLink(EventLoop* sync);
  ForwardLink(const ForwardLink&) = delete;
  ForwardLink& operator=(const ForwardLink&) = delete;

  // The same labels for loops each time.
  [[nodiscard]] absl::StatusOr<ForwardOptions> OptionsOf(const Config& config);
  // For any thread, as long as the sync's loop is there.
  [[nodiscard]] OnForwardLoop LoopHandler();

  void Add(Worker* worker) { workers_.push_back(worker); }

  // Whether anything is asked of others.
  [[nodiscard]] bool is_used() const { return is_used_; }
  // What all workers have to show, soon or at once. Of one that does not tell
  // in time it is what it told last.
  void Figures(std::function<void(const ForwardFigures&)> done);
  // Nobody is told anything any more. On the sync thread, while it runs.
  void Stop();

  // Workers take the options one after the other, each between two queries.
  void Configure(const ForwardOptions& options);

  // Fits ForwardCacheHooks.
  void Dump(const CacheNames& names, size_t limit,
            std::function<void(CacheDump)> done);
  void Flush(const CacheNames& names, std::function<void(size_t)> done);

 private:
  void TellFigures();
  void WarnOfLoop(const std::string& zone, const SocketAddress& from);
  void WarnOfTls(const UpstreamAddress& upstream, const std::string& reason);

  EventLoop* sync_;
  const std::string loop_labels_;
  bool is_used_ = false;
  std::vector<Worker*> workers_;
  std::set<std::string> looping_zones_;  // that were warned of
  struct Warning {
    std::string reason;
    uint64_t at_ms = 0;
  };
  std::map<std::string, Warning> tls_warnings_;  // the last of each upstream

  // Of each worker, as it told last.
  std::vector<ForwardFigures> figures_;
  std::vector<std::function<void(const ForwardFigures&)>> figures_wanted_;
  size_t figures_awaited_ = 0;  // of this round
  uint64_t figures_round_ = 0;
  std::unique_ptr<Timer> figures_due_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_LINK_H_
