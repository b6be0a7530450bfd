// The store of -dev: nothing is written anywhere, and nothing is there after a
// restart.
//
// Threads, ownership, errors, limits: as in store.h.
// Cost:    it does not even keep the records: whoever commits them has them in
//          memory already. Load() finds none.
#ifndef DNSD_CATALOG_REGISTRY_MEMORY_STORE_H_
#define DNSD_CATALOG_REGISTRY_MEMORY_STORE_H_

#include <memory>

#include "catalog/base/event_loop.h"
#include "catalog/registry/store.h"

namespace dnsd {

// `loop` outlives the store.
[[nodiscard]] std::unique_ptr<Store> OpenMemoryStore(EventLoop* loop);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_MEMORY_STORE_H_
