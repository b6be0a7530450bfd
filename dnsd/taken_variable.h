// TakeVariable() reads an environment variable that is meant for this process
// alone, and takes it out: programs that checks run are not to act on it.
//
// Threads: before there are any.
#ifndef DNSD_DNSD_TAKEN_VARIABLE_H_
#define DNSD_DNSD_TAKEN_VARIABLE_H_

#include <stdlib.h>

#include <string>

namespace dnsd {

// "" when it is not set.
[[nodiscard]] inline std::string TakeVariable(const char* name) {
  const char* const value = getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace dnsd

#endif  // DNSD_DNSD_TAKEN_VARIABLE_H_
