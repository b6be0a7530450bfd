#include "tests/testing/document.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr absl::string_view kTested = "tested: ";

// Reads line after line.
class BlockReader {
 public:
  void Line(absl::string_view line) {
    ++line_;
    if (in_given_) {
      in_given_ = line != "-->";
      if (in_given_) absl::StrAppend(&blocks_.back().text, line, "\n");
    } else if (in_block_) {
      in_block_ = !absl::StartsWith(line, "```");
      if (in_block_) absl::StrAppend(&blocks_.back().text, line, "\n");
    } else if (absl::StartsWith(line, "```")) {
      in_block_ = true;
      blocks_.push_back({line_, mark_, ""});
      mark_.clear();
    } else if (absl::StartsWith(line, "<!-- given") &&
               !absl::EndsWith(line, " -->")) {
      in_given_ = true;
      blocks_.push_back({line_, std::string(line.substr(5)), ""});
      mark_.clear();
    } else {
      mark_.clear();
      if (absl::ConsumePrefix(&line, "<!-- ") &&
          absl::ConsumeSuffix(&line, " -->")) {
        if (absl::StartsWith(line, "stop: ") ||
            absl::StartsWith(line, "needs: ")) {
          blocks_.push_back({line_, std::string(line), ""});
        } else {
          mark_ = std::string(line);
        }
      }
    }
  }

  [[nodiscard]] const std::vector<DocumentBlock>& blocks() const {
    return blocks_;
  }

 private:
  size_t line_ = 0;
  bool in_block_ = false;
  bool in_given_ = false;
  std::string mark_;  // of the line before
  std::vector<DocumentBlock> blocks_;
};

}  // namespace

std::vector<DocumentBlock> DocumentBlocks(const std::string& markdown) {
  BlockReader reader;
  for (const absl::string_view line : absl::StrSplit(markdown, '\n')) {
    reader.Line(line);
  }
  return reader.blocks();
}

std::map<std::string, std::string> Snippets(const std::string& markdown) {
  std::map<std::string, std::string> snippets;
  for (const DocumentBlock& block : DocumentBlocks(markdown)) {
    absl::string_view name = block.mark;
    if (!absl::ConsumePrefix(&name, kTested)) continue;
    const size_t end = name.find(',');
    absl::StrAppend(&snippets[std::string(name.substr(0, end))], block.text);
  }
  return snippets;
}

std::map<std::string, std::string> ChainSnippets() {
  const std::string docs = absl::StrCat(DNSD_SOURCE_DIR, "/dnsd/docs/");
  return Snippets(ReadFile(docs + "machine.md") +
                  ReadFile(docs + "resolvers.md"));
}

}  // namespace dnsd::testing
