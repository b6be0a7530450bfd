// ConsulSource mirrors a Consul: its own datacenter, those that are configured
// and those that prepared queries fail over to from the start, others from
// when somebody first asks for a name in them. What it knows is kept on disk
// for the next start.
//
// Threads:   the sync thread, except the constructor.
// Ownership: owns the mirrors and the connections to Consul.
// Errors:    none reach the caller; status() and the log have them.
#ifndef DNSD_CATALOG_CONSUL_CONSUL_SOURCE_H_
#define DNSD_CATALOG_CONSUL_CONSUL_SOURCE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/consul_options.h"
#include "catalog/consul/datacenter_mirror.h"
#include "catalog/source.h"

namespace dnsd {

struct ConsulStatus {
  std::string address;
  std::string version;  // of Consul; "" until it said so
  bool is_http2 = false;
  ConsulTraffic traffic;  // since the start
  uint64_t requests_per_minute = 0;
  uint64_t bytes_per_minute = 0;
  std::vector<MirrorStatus> datacenters;  // the local one first
  uint64_t saves = 0;
  std::string last_save_error;
};

class ConsulSource : public Source {
 public:
  struct Events {
    // The name of Consul's own datacenter: once, before any change of it.
    std::function<void(const std::string&)> on_local_datacenter;
    // datacenters() says something else now.
    std::function<void()> on_datacenters;
  };
  struct KnownDatacenter {
    std::string name;
    MirrorState state;
  };

  // `local_datacenter`: empty, and Consul is asked.
  ConsulSource(SourceId id, EventLoop* loop, const ConsulOptions& options,
               std::string local_datacenter, Events events);
  ~ConsulSource() override;

  // Reads what was kept on disk, at once.
  void Start(Sink sink) override;
  // Keeps on disk what is known: blocks for it.
  void Stop() override;

  // Somebody asked for a service there (lower case), or for a name in a
  // datacenter that is not mirrored yet.
  void AskedService(const std::string& datacenter, const std::string& name);
  void AskedDatacenter(const std::string& datacenter);

  // Every datacenter that Consul knows; the local one first, if it is known.
  [[nodiscard]] std::vector<KnownDatacenter> datacenters() const;
  // Whether there are more services than can be watched one by one.
  [[nodiscard]] bool wants_asked_names() const;
  [[nodiscard]] ConsulStatus status() const;
  [[nodiscard]] const ConsulAddress& address() const {
    return client_.address();
  }

 private:
  struct Known {
    std::unique_ptr<DatacenterMirror> mirror;  // nullptr: not asked for yet
    uint64_t saved_version = 0;
    bool is_saving = false;
  };
  static constexpr size_t kSamples = 7;  // a minute, ten seconds apart

  void Restore();
  void Discover();
  void OnSelf(ConsulReply reply);
  void OnServers(ConsulReply reply);
  void DiscoverLater();
  void TellLocal();
  void SetLocal(const std::string& name);
  Known& Know(const std::string& name);
  void ChangeAddress();
  void StartMirror(const std::string& name);
  void ListDatacenters();
  void OnDatacenters(ConsulReply reply);
  void LookAtFailover(const Changes& changes);
  // `position`: among all datacenters but the local one, by name.
  [[nodiscard]] bool IsWanted(const std::string& name, int position) const;
  void ShareBudget();
  void Save();
  void Sample();

  const SourceId id_;
  EventLoop* loop_;
  const ConsulOptions options_;
  const Events events_;
  ConsulClient client_;
  Sink sink_;
  std::string local_;
  bool running_ = false;
  bool is_local_told_ = false;
  std::map<std::string, Known> known_;
  std::set<std::string> failover_;  // of prepared queries
  int failover_nearest_ = 0;        // the most of them
  Timer discover_timer_;
  Timer list_timer_;
  Timer save_timer_;
  Timer sample_timer_;
  ConsulClient::Id asked_ = 0;
  int failures_ = 0;
  std::string version_;
  bool is_http2_ = false;
  uint64_t saves_ = 0;
  std::string save_error_;
  std::array<ConsulTraffic, kSamples> samples_{};  // [0] is the newest
  // Gone with us: what the pool still works at notices.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CONSUL_SOURCE_H_
