// ChangingView is a catalog of services with ten instances each, and the line
// of views that its changes make, as the sync thread makes them.
//
// Threads:   one owner; readers from reader() each on a thread of their own,
//            registered before the first change and offline when it ends.
#ifndef DNSD_BENCH_CHANGING_VIEW_H_
#define DNSD_BENCH_CHANGING_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "bench/bench_data.h"
#include "catalog/change.h"
#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "catalog/state.h"
#include "zones/view.h"
#include "zones/view_builder.h"

namespace dnsd::bench {

class ChangingView {
 public:
  explicit ChangingView(size_t services);
  ~ChangingView() { builder_.FinishLine(); }
  ChangingView(const ChangingView&) = delete;
  ChangingView& operator=(const ChangingView&) = delete;

  // When it returns, readers see it.
  void Apply(Change change);

  // So many instances get another port, of another service each; all of it is
  // one publication.
  void ChangePorts(size_t count);

  // Counts through all that is measured, so that no change repeats one made
  // before: that would be no change.
  [[nodiscard]] size_t NextStep() { return step_++; }
  [[nodiscard]] Place PlaceOf(size_t service) const {
    return MakePlace(service % size_.services, 3, size_.node_count());
  }
  [[nodiscard]] Qsbr::Reader reader() { return qsbr_.Register(); }
  [[nodiscard]] const Published<View>& published() const { return published_; }
  // Replaced objects that a reader may still hold.
  [[nodiscard]] size_t waiting() const { return qsbr_.waiting(); }

 private:
  void Apply(const ChangeBatch& batch);
  void Publish(const Dirty& dirty);

  CatalogSize size_;
  State state_;
  Qsbr qsbr_;
  Published<View> published_{&qsbr_};
  ViewBuilder builder_{0x5eed, &qsbr_};
  uint32_t serial_ = 0;
  size_t step_ = 0;
};

}  // namespace dnsd::bench

#endif  // DNSD_BENCH_CHANGING_VIEW_H_
