// Worker is one data-plane thread: its own event loop, its own SO_REUSEPORT
// UDP and TCP sockets on every listen address, its own counters.
//
// Threads:   Create(), BeginStop() and Stop() on the main thread; everything
//            else inside runs on the worker's own thread. stats(), beat(),
//            parked_count(), Poke(), SetLimits(), SetSampleRules() and
//            WithForwarder(): any, as
//            long as the Worker lives.
// Ownership: owns its thread, loop and sockets; borrows the published view.
// Errors:    Create() says which address could not be bound and why (port in
//            use, no permission and how to grant it, no such address).
#ifndef DNSD_DNSD_SERVE_WORKER_H_
#define DNSD_DNSD_SERVE_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/config.h"
#include "dnsd/forward/forward_options.h"
#include "dnsd/serve/asked_names.h"
#include "dnsd/serve/client_limits.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/query_sampler.h"
#include "dnsd/serve/worker_stats.h"
#include "zones/view.h"

namespace dnsd {

class Forwarder;
class Heartbeat;
class TransferTaker;

class Worker {
 public:
  struct Options {
    int index = 0;
    int cpu = -1;  // pin to this core; -1: do not pin
    std::vector<Endpoint> listen;
    // Bound already, for all of `listen`; empty: Create() binds.
    WorkerSockets sockets;
    const Published<View>* view = nullptr;  // a view is published before Start
    Qsbr::Reader reader;
    uint64_t seed = 0;  // for answer rotation
    // Where names that clients ask for are reported; the sync thread pops.
    // nullptr: nobody listens.
    AskedNames* asked = nullptr;
    // Called on the worker's thread when `asked` holds something that a query
    // waits for. Names of services alone need no haste: look now and then.
    std::function<void()> wake;
    // Whom to ask for other people's names, and who is told of loops, on the
    // worker's thread.
    ForwardOptions forward;
    OnForwardLoop on_loop;
    ClientLimits limits;
    // Where samples of queries go, and which they are. Outlives the worker;
    // nullptr: nobody takes any.
    SampleRing* samples = nullptr;
    SampleRules sample_rules;
    // Outlives the worker; nullptr: there are no secondaries.
    TransferTaker* transfers = nullptr;
  };

  // Binds the sockets; does not serve yet. Port 0 binds a port the kernel
  // chooses, see listening().
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Worker>> Create(
      Options options);
  ~Worker();  // Stop(0) if still running

  void Start();

  // Answers what is queued, closes listeners, and lets TCP clients read what
  // was answered for at most `drain_ms`; does not wait for that. UDP sockets
  // that were passed stay open in another process, and with them their share of
  // the port's queries: those are answered for as long, out of what is known.
  void BeginStop(uint64_t drain_ms);
  // BeginStop(), unless it was called; then joins the thread.
  void Stop(uint64_t drain_ms);

  // There is a newer view: queries that wait are asked again of it. To be
  // called after a publication, unless parked_count() says, after it too, that
  // none waits.
  void Poke();
  [[nodiscard]] size_t parked_count() const;

  // Other limits from soon on.
  void SetLimits(const ClientLimits& limits);
  // Other samples from soon on.
  void SetSampleRules(const SampleRules& rules);
  // Runs `task` on the worker's thread; never, when that has ended.
  void WithForwarder(std::function<void(Forwarder*)> task);

  // The addresses really bound, in the order of Options::listen.
  [[nodiscard]] const std::vector<Endpoint>& listening() const;
  [[nodiscard]] const WorkerStats& stats() const;
  [[nodiscard]] const Heartbeat& beat() const;

 private:
  struct Impl;
  explicit Worker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_WORKER_H_
