// ParseResolvConf() reads resolv.conf(5) as glibc does: a keyword at the start
// of a line, blanks, its value. Comments and what no resolver knows are left
// out.
//
// Threads: any; a pure function.
// Errors:  none; a nameserver that is no IP address is left out too. An address
//          with a zone ("fe80::1%eth0") counts as none: a recursor has none.
#ifndef DNSD_DNSD_CLI_RESOLV_CONF_H_
#define DNSD_DNSD_CLI_RESOLV_CONF_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

struct ResolvConf {
  std::vector<std::string> nameservers;  // canonical, each once, in order
  // The lines search, domain, options and sortlist, without line ends.
  std::vector<std::string> other_lines;
};

[[nodiscard]] ResolvConf ParseResolvConf(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_RESOLV_CONF_H_
