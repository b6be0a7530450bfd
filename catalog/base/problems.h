// Problems collects everything that is wrong with a configuration, so that
// all of it is shown at once.
//
// Threads: one owner; a plain value.
// Format:  "FILE:LINE: KEY: what is wrong"; parts that do not apply are left
//          out (a flag has no line: "-dns-port: ...").
#ifndef DNSD_CATALOG_BASE_PROBLEMS_H_
#define DNSD_CATALOG_BASE_PROBLEMS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

// Where a value was written.
struct Place {
  std::string file;  // empty: not from a file
  int line = 0;      // 0: no line
  std::string key;   // "dns_config.node_ttl", "services[1].port", "-dns-port"

  [[nodiscard]] std::string ToString() const;
};

class Problems {
 public:
  void Error(const Place& place, absl::string_view message);
  void Warn(const Place& place, absl::string_view message);

  [[nodiscard]] bool ok() const { return errors_.empty(); }
  [[nodiscard]] const std::vector<std::string>& errors() const {
    return errors_;
  }
  [[nodiscard]] const std::vector<std::string>& warnings() const {
    return warnings_;
  }

 private:
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_PROBLEMS_H_
