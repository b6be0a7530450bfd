// StartThread() starts a thread that signals do not interrupt: they are the
// main thread's.
//
// Threads: any.
#ifndef DNSD_CATALOG_BASE_THREAD_H_
#define DNSD_CATALOG_BASE_THREAD_H_

#include <pthread.h>
#include <signal.h>

#include <functional>
#include <thread>
#include <utility>

namespace dnsd {

[[nodiscard]] inline std::thread StartThread(std::function<void()> run) {
  // A thread inherits its creator's mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(run));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_THREAD_H_
