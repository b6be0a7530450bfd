// TopScreen() is a screen of `dnsd top` as lines of text, for a terminal or for
// a file.
//
// Threads: any; no shared state.
// Text:    whatever the agent says is shown as printable ASCII; other bytes
//          are escaped, for terminals act on them.
#ifndef DNSD_DNSD_CLI_TOP_SCREEN_H_
#define DNSD_DNSD_CLI_TOP_SCREEN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/cli/top_stats.h"

namespace dnsd {

struct TopScreenSize {
  size_t columns = 80;
  size_t rows = 24;  // 0: as many as there is something to say
};

// `stats` are those of `seconds`.
[[nodiscard]] std::vector<std::string> TopScreen(const TopStats& stats,
                                                 double seconds,
                                                 const TopScreenSize& size);

// "12 us", "3.4 ms", "1.2 s".
[[nodiscard]] std::string TimeText(double seconds);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_TOP_SCREEN_H_
