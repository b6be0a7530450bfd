// DNSD_CHECK(condition): our own bugs stop the process with file and line.
//
// Never for input: bad packets and bad files are values, not bugs.
// DNSD_DCHECK costs nothing in release builds.
#ifndef DNSD_CATALOG_BASE_CHECK_H_
#define DNSD_CATALOG_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace dnsd {

[[noreturn]] inline void CheckFailed(const char* file, int line,
                                     const char* condition) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace dnsd

#define DNSD_CHECK(condition) \
  ((condition) ? (void)0 : ::dnsd::CheckFailed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define DNSD_DCHECK(condition) ((void)sizeof(condition))
#else
#define DNSD_DCHECK(condition) DNSD_CHECK(condition)
#endif

#endif  // DNSD_CATALOG_BASE_CHECK_H_
