#include "tests/testing/call_counters.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <time.h>

#include <cstdlib>

namespace {

using Counts = dnsd::testing::CallCounts;
thread_local Counts counts;
thread_local bool armed = false;

void CountIn(int Counts::*what) {
  if (armed) ++(counts.*what);
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// gcc installs no header for it.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void*, size_t),
    void (*on_free)(const volatile void*));

namespace dnsd::testing {
bool CountsLocks() { return false; }
void InstallCallCounters() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, size_t) { CountIn(&Counts::allocations); },
      [](const volatile void*) { CountIn(&Counts::frees); });
  ASSERT_GT(installed, 0);
}
}  // namespace dnsd::testing
#else

namespace dnsd::testing {
bool CountsLocks() { return true; }
void InstallCallCounters() {}
}  // namespace dnsd::testing

namespace {
// The next definition of a libc function: the real one.
template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
}  // namespace

// operator new and delete end here too. glibc offers its own under these
// names; asking dlsym() for malloc would need malloc.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier)
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t align, size_t size);
void __libc_free(void* block);
// NOLINTEND(bugprone-reserved-identifier)

__attribute__((visibility("default"))) void* malloc(size_t size) {
  CountIn(&Counts::allocations);
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(size_t count, size_t size) {
  CountIn(&Counts::allocations);
  return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* old, size_t size) {
  CountIn(&Counts::allocations);
  return __libc_realloc(old, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t align,
                                                           size_t size) {
  CountIn(&Counts::allocations);
  return __libc_memalign(align, size);
}
__attribute__((visibility("default"))) void free(void* block) {
  CountIn(&Counts::frees);
  __libc_free(block);
}

__attribute__((visibility("default"))) int pthread_mutex_lock(
    pthread_mutex_t* mutex) {
  static auto* const real = Real<int(pthread_mutex_t*)>("pthread_mutex_lock");
  CountIn(&Counts::locks);
  return real(mutex);
}
__attribute__((visibility("default"))) int pthread_rwlock_rdlock(
    pthread_rwlock_t* lock) {
  static auto* const real =
      Real<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  CountIn(&Counts::locks);
  return real(lock);
}
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                         struct timespec* now) {
  static auto* const real =
      Real<int(clockid_t, struct timespec*)>("clock_gettime");
  CountIn(&Counts::clocks);
  return real(clock, now);
}
}  // extern "C"
#endif

namespace dnsd::testing {

void Arm() {
  counts = Counts();
  armed = true;
}

CallCounts Disarm() {
  armed = false;
  return counts;
}

}  // namespace dnsd::testing
