// Printable() is text of others for a terminal: names, tags, and what checks or
// servers say may have escapes in them.
//
// Threads: any; a pure function.
#ifndef DNSD_DNSD_CLI_PRINTABLE_H_
#define DNSD_DNSD_CLI_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

// ASCII as it is, every other byte as "\x1b", line ends too.
[[nodiscard]] std::string Printable(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_PRINTABLE_H_
