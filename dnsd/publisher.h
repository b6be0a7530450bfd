// Publisher turns dirty names of the catalog into the next published View.
//
// Threads:   Publish(), the setters, AskQuery(), Reclaim(): the sync thread.
//            view(): its Read() by any registered reader. RegisterReader() on
//            the main thread before the sync thread starts.
// Ownership: owns the views and everything they share.
#ifndef DNSD_DNSD_PUBLISHER_H_
#define DNSD_DNSD_PUBLISHER_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "catalog/state.h"
#include "dnsd/duration_histogram.h"
#include "zones/view.h"
#include "zones/view_builder.h"

namespace dnsd {

class Publisher {
 public:
  explicit Publisher(uint64_t seed);
  ~Publisher();  // every reader must be offline
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Take effect with the next Publish().
  void SetPolicy(const ZonePolicy& policy) { builder_.SetPolicy(policy); }
  void SetZones(ViewBuilder::Zones zones) {
    builder_.SetZones(std::move(zones));
  }
  void SetRights(AskerRights rights) { builder_.SetRights(std::move(rights)); }

  void SetDatacenters(std::vector<KnownDatacenter> datacenters) {
    builder_.SetDatacenters(std::move(datacenters));
  }
  void SetWantsAskedNames(bool wants) { builder_.SetWantsAskedNames(wants); }
  // See ViewBuilder.
  bool AskQuery(uint8_t datacenter, std::span<const uint8_t> labels) {
    return builder_.AskQuery(datacenter, labels);
  }

  // `changed_since_ns`: when the first of the changes was made, MonotonicNs();
  // 0: it is none.
  void Publish(const State& state, const Dirty& dirty,
               uint64_t changed_since_ns = 0);

  // Frees what no reader holds any more; how many objects still wait.
  size_t Reclaim() { return qsbr_.Reclaim(); }
  [[nodiscard]] size_t waiting() const { return qsbr_.waiting(); }
  [[nodiscard]] const Qsbr& qsbr() const { return qsbr_; }

  [[nodiscard]] Qsbr::Reader RegisterReader() { return qsbr_.Register(); }
  [[nodiscard]] const Published<View>& view() const { return published_; }
  [[nodiscard]] uint64_t publish_count() const { return publish_count_; }
  // From a change of the catalog until its view was out.
  [[nodiscard]] const DurationTotals& delay() const { return delay_; }

 private:
  Qsbr qsbr_;
  Published<View> published_;
  ViewBuilder builder_;
  uint32_t serial_ = 0;
  uint64_t content_ = 0;  // View::content that the serial stands for
  uint64_t publish_count_ = 0;
  DurationTotals delay_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_PUBLISHER_H_
