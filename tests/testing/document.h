// The snippets of a document that tests run, so that it cannot rot:
//
//   <!-- tested: NAME, more words -->
//   ```lang
//   the text of the snippet
//   ```
//
// Threads: any; pure functions.
// Errors:  a mark without its block has an empty text.
#ifndef DNSD_TESTS_TESTING_DOCUMENT_H_
#define DNSD_TESTS_TESTING_DOCUMENT_H_

#include <map>
#include <string>

namespace dnsd::testing {

// By name; a name that stands twice has both texts, one after the other.
[[nodiscard]] std::map<std::string, std::string> Snippets(
    const std::string& markdown);

// Those of dnsd/forward/CHAINS.md.
[[nodiscard]] std::map<std::string, std::string> ChainSnippets();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_DOCUMENT_H_
