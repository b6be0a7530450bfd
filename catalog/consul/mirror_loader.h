// MirrorLoader asks a Consul for everything a datacenter has: by one request
// where Consul allows it (/v1/internal/ui/nodes), else service by service. A
// dnsd with a registry gives it in a way that can be followed by one request
// (delta_watch.h), so that is tried first: a small 404 where there is none.
//
// Threads:   the loop's thread; large answers are decoded on the pool.
// Ownership: may be cancelled or destroyed at any time but inside `done`.
// Errors:    Loaded::status. All or nothing.
#ifndef DNSD_CATALOG_CONSUL_MIRROR_LOADER_H_
#define DNSD_CATALOG_CONSUL_MIRROR_LOADER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/base/event_loop.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/report.h"
#include "catalog/prepared_query.h"

namespace dnsd {

class MirrorLoader {
 public:
  struct Loaded {
    absl::Status status;
    // Nothing in `nodes` is older than this index says, and a watch from here
    // on misses nothing.
    uint64_t index = 0;
    std::vector<NodeReport> nodes;
    // Not empty: this run of a dnsd tells what changes after `index`.
    std::string run;
    // Services that Consul cannot tell about: what is known of them stays.
    std::vector<std::string> skipped;
    // With kEverything. What failed is missing here: what is known stays.
    std::optional<std::vector<PreparedQuery>> queries;
    std::map<std::string, std::vector<std::string>> gateways;
  };
  enum class What : uint8_t { kNodes, kEverything };
  using Done = std::function<void(Loaded)>;

  MirrorLoader(EventLoop* loop, ConsulClient* client, std::string datacenter);
  ~MirrorLoader();
  MirrorLoader(const MirrorLoader&) = delete;
  MirrorLoader& operator=(const MirrorLoader&) = delete;

  // One at a time. `done` is called once, not from inside this call, unless
  // cancelled.
  void Load(What what, Done done);
  void Cancel();
  [[nodiscard]] bool active() const { return done_ != nullptr; }
  // False once Consul refused to give everything at once, or failed to
  // several times: 1.8.7 cuts every answer that has a service with a null in
  // its Proxy.Config.
  [[nodiscard]] bool by_one_request() const { return by_one_request_; }

 private:
  // Services asked for at a time, when it must be one by one.
  static constexpr size_t kServicesAtATime = 8;
  static constexpr int kDumpFailuresMax = 3;
  static constexpr uint64_t kDumpAgain = 16;  // every so many loads
  static constexpr size_t kSkippedMax = 16;

  using Nodes = absl::StatusOr<std::vector<NodeReport>>;
  using Decode = Nodes (*)(std::string*, const std::string&);

  void Get(const std::string& path, std::function<void(ConsulReply)> done,
           const std::string& parameters = "");
  void OnDelta(ConsulReply reply);
  // `index`: of the header.
  void OnDeltaDecoded(uint64_t index, absl::StatusOr<DeltaReport> delta,
                      std::vector<NodeReport> nodes);
  void LoadOrdinarily();
  void OnDump(ConsulReply reply);
  void DecodeOnPool(ConsulReply reply, Decode decode,
                    std::function<void(Nodes)> done);
  void LoadNames();
  void OnNames(ConsulReply reply);
  void OnNodes(ConsulReply reply);
  void NextServices();
  void OnService(const std::string& name, ConsulReply reply);
  void OnNodesLoaded(Loaded loaded);
  void GetExtra(const std::string& path,
                std::function<absl::Status(ConsulReply*)> on_reply);
  void Finish(Loaded loaded);
  void Fail(const absl::Status& status);

  EventLoop* loop_;
  ConsulClient* client_;
  const std::string datacenter_;
  bool by_one_request_ = true;
  int dump_failures_ = 0;  // in a row
  int delta_failures_ = 0;
  What what_ = What::kNodes;
  Done done_;
  Loaded loaded_;      // while the rest is on its way
  uint64_t load_ = 0;  // counts loads: what an earlier one began is not heeded
  std::vector<ConsulClient::Id> asked_;
  // Service by service: nodes by name, and the names still to ask for.
  uint64_t index_ = 0;
  std::map<std::string, NodeReport> nodes_;
  std::vector<std::string> names_;
  std::vector<std::string> skipped_;
  size_t on_its_way_ = 0;
  // Gone with us: what the pool still works at notices.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The error of a list of all nodes, or that it is empty: Consul's own servers
// are nodes, so nothing is left of a catalog only for who may not read it.
[[nodiscard]] absl::Status CheckNodes(
    const absl::StatusOr<std::vector<NodeReport>>& nodes);

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_MIRROR_LOADER_H_
