#include "bench/changing_view.h"

#include <utility>

#include "catalog/base/check.h"

namespace dnsd::bench {
namespace {

constexpr size_t kInstances = 10;
constexpr size_t kStride = 7919;  // neighbours in time are none in the catalog

}  // namespace

ChangingView::ChangingView(size_t services) : size_{services, kInstances} {
  FillState(size_, &state_);
  builder_.SetPolicy(MakePolicy(Compat::kRfc));
  Publish({});
}

void ChangingView::Apply(Change change) {
  ChangeBatch batch;
  batch.changes.push_back(std::move(change));
  Apply(batch);
}

void ChangingView::Apply(const ChangeBatch& batch) {
  Dirty dirty;
  DNSD_CHECK(state_.Apply(batch, &dirty).ok());
  Publish(dirty);
}

void ChangingView::ChangePorts(size_t count) {
  ChangeBatch batch;
  for (size_t i = 0; i < count; ++i) {
    const size_t step = NextStep();
    Place place = PlaceOf(step * kStride);
    place.instance.port = static_cast<uint16_t>(step);
    batch.changes.push_back(
        UpsertInstance{std::move(place.node), std::move(place.instance)});
  }
  Apply(batch);
}

void ChangingView::Publish(const Dirty& dirty) {
  published_.Exchange(builder_.Build(state_, dirty, ++serial_));
  qsbr_.Reclaim();
}

}  // namespace dnsd::bench
