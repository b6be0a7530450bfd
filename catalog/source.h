// Source is where changes come from: a config directory, a Consul, the HTTP
// API. Several run side by side; each has its own SourceId.
//
// Threads: Start(), Stop(), Verify() and every call of the sink are on the sync
//          thread, or on its starter's before it runs.
#ifndef DNSD_CATALOG_SOURCE_H_
#define DNSD_CATALOG_SOURCE_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "catalog/change.h"

namespace dnsd {

class Source {
 public:
  using Sink = std::function<void(ChangeBatch)>;

  virtual ~Source() = default;

  // Begins to call `sink`, at once or later, until Stop().
  virtual void Start(Sink sink) = 0;
  virtual void Stop() = 0;

  // After Start(): whether what it gave at once may be relied on. Waits until
  // it knows.
  [[nodiscard]] virtual absl::Status Verify() { return absl::OkStatus(); }

  // After Start(): the index that clients may have seen before this process
  // began (State::RaiseIndex()).
  [[nodiscard]] virtual uint64_t first_index() const { return 0; }
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_SOURCE_H_
