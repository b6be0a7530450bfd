// The fenced blocks of documents, which tests run, so that they cannot rot. A
// comment on the line above each says what becomes of it:
//
//   <!-- tested: NAME, more words -->   a test reads it by this name
//   <!-- run -->                        and what else tests/documents knows
//   ```lang
//   the text of the block
//   ```
//
// Threads: any; pure functions.
// Errors:  a block without a comment has an empty mark.
#ifndef DNSD_TESTS_TESTING_DOCUMENT_H_
#define DNSD_TESTS_TESTING_DOCUMENT_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace dnsd::testing {

struct DocumentBlock {
  size_t line = 0;   // of the fence, from 1
  std::string mark;  // "run", "tested: unbound-stub"; "" for none
  std::string text;
};

// In order. Comments that readers do not see are blocks too: "given" and
// "given, MARK" with the lines below; "stop: PROGRAM" and "needs: PROGRAM".
[[nodiscard]] std::vector<DocumentBlock> DocumentBlocks(
    const std::string& markdown);

// The tested ones by name; a name that stands twice has both texts, one after
// the other.
[[nodiscard]] std::map<std::string, std::string> Snippets(
    const std::string& markdown);

// Those of dnsd/docs/machine.md and resolvers.md.
[[nodiscard]] std::map<std::string, std::string> ChainSnippets();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_DOCUMENT_H_
