// OnLoop() runs a function on the thread of an event loop and waits for it.
//
// Threads: any but the loop's own, which must be running.
#ifndef DNSD_TESTS_TESTING_ON_LOOP_H_
#define DNSD_TESTS_TESTING_ON_LOOP_H_

#include <future>

#include "catalog/base/event_loop.h"

namespace dnsd::testing {

template <typename Function>
void OnLoop(EventLoop* loop, Function function) {
  std::promise<void> done;
  loop->Post([&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_ON_LOOP_H_
