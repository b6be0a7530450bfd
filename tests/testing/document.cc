#include "tests/testing/document.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

std::map<std::string, std::string> Snippets(const std::string& markdown) {
  std::map<std::string, std::string> snippets;
  std::string* snippet = nullptr;  // the one whose mark was read
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(markdown, '\n')) {
    if (absl::StartsWith(line, "```")) {
      if (inside) snippet = nullptr;
      inside = !inside;
    } else if (inside) {
      if (snippet != nullptr) absl::StrAppend(snippet, line, "\n");
    } else if (absl::ConsumePrefix(&line, "<!-- tested: ")) {
      snippet =
          &snippets[std::string(line.substr(0, line.find_first_of(", ")))];
    } else {
      snippet = nullptr;
    }
  }
  return snippets;
}

std::map<std::string, std::string> ChainSnippets() {
  return Snippets(
      ReadFile(absl::StrCat(DNSD_SOURCE_DIR, "/dnsd/forward/CHAINS.md")));
}

}  // namespace dnsd::testing
