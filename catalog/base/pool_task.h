// RunOnPool() takes long work off an event loop: it runs on libuv's thread
// pool, and what is to be done with the result on the loop.
//
// Threads:   called on the loop's thread. `work` runs on a thread of the pool
//            and may touch nothing but what it owns; `done` on the loop's.
// Ownership: both functions live until `done` returned. There is no
//            cancelling: `done` must notice by itself that its owner is gone.
#ifndef DNSD_CATALOG_BASE_POOL_TASK_H_
#define DNSD_CATALOG_BASE_POOL_TASK_H_

#include <functional>

#include "catalog/base/event_loop.h"

namespace dnsd {

void RunOnPool(EventLoop* loop, std::function<void()> work,
               std::function<void()> done);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_POOL_TASK_H_
