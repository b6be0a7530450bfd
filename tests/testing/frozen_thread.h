// FrozenThread stops one thread of a program under test, and lets it go on when
// it is destroyed. The others run: SIGSTOP would stop them all.
//
//   FrozenThread frozen(agent.process().pid(), "dnsd-w0");
//   ASSERT_EQ(frozen.error(), "");
//
// Threads: one owner: the kernel wants to be asked by the thread that froze it.
// Errors:  error() says why nothing is frozen; it is "" when something is.
#ifndef DNSD_TESTS_TESTING_FROZEN_THREAD_H_
#define DNSD_TESTS_TESTING_FROZEN_THREAD_H_

#include <sys/types.h>

#include <string>

namespace dnsd::testing {

class FrozenThread {
 public:
  // `name` is what pthread_setname_np() gave it.
  FrozenThread(pid_t pid, const std::string& name);
  ~FrozenThread();
  FrozenThread(const FrozenThread&) = delete;
  FrozenThread& operator=(const FrozenThread&) = delete;

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  pid_t thread_ = 0;
  std::string error_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_FROZEN_THREAD_H_
