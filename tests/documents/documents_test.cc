// Every command and every piece of configuration in the documents is run. A
// page is played from top to bottom on a machine of its own (DocumentMachine),
// on the ports and in the places that stand there; nothing is replaced. What
// becomes of a block is said in a comment above it, which readers do not see:
//
//   run                 a script that has to succeed
//   start: TEXT         a command that goes on, until its output has TEXT
//   output              what the last script prints; it is run again until it
//                       does. "…" is any text; behind "output, in any order"
//                       lines may come in another one
//   file: PATH          the file is written
//   config              `dnsd validate` has no error and no warning for it
//   tested: NAME        another test reads it: resolver_chain_test and others
//   not run: WHY        it cannot be, or not here
//
// On lines of their own: "given" opens a script that readers do not see, for
// what they have already, "given, start: TEXT" a command; "stop: PROGRAM" ends
// what was started of it; "needs: PROGRAM" skips the rest of the page where
// there is none.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/documents/document_machine.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/document.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

std::string SourceFile(const std::string& path) {
  return absl::StrCat(DNSD_SOURCE_DIR, "/", path);
}

// The pages that are for who runs dnsd.
std::vector<std::string> Pages() {
  std::vector<std::string> pages = {"README.md", "docker/README.md",
                                    "dnsd/METRICS.md"};
  for (const auto& entry :
       std::filesystem::directory_iterator(SourceFile("dnsd/docs"))) {
    if (entry.path().extension() == ".md") {
      pages.push_back("dnsd/docs/" + entry.path().filename().string());
    }
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

std::vector<DocumentBlock> BlocksOf(const std::string& page) {
  return DocumentBlocks(ReadFile(SourceFile(page)));
}

// Whether `text` is `pattern`, in which "…" is anything.
bool Matches(absl::string_view text, absl::string_view pattern) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(pattern, absl::ByString("…"));
  if (!absl::ConsumePrefix(&text, parts.front())) return false;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (i + 1 == parts.size()) return absl::EndsWith(text, parts[i]);
    const size_t at = text.find(parts[i]);
    if (at == absl::string_view::npos) return false;
    text.remove_prefix(at + parts[i].size());
  }
  return text.empty();
}

std::vector<std::string> LinesOf(const std::string& text, bool sorted) {
  std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  for (std::string& line : lines) {
    absl::StripTrailingAsciiWhitespace(&line);
  }
  if (sorted) std::sort(lines.begin(), lines.end());
  return lines;
}

bool IsOutput(const std::string& printed, const std::string& shown,
              bool in_any_order) {
  const std::vector<std::string> lines = LinesOf(printed, in_any_order);
  const std::vector<std::string> patterns = LinesOf(shown, in_any_order);
  // A line "…" alone is any number of lines.
  if (!in_any_order &&
      std::find(patterns.begin(), patterns.end(), "…") != patterns.end()) {
    std::string text = "\n";
    for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
    std::string pattern = "\n";
    for (const std::string& line : patterns) {
      absl::StrAppend(&pattern, line, line == "…" ? "" : "\n");
    }
    return Matches(text, pattern);
  }
  return std::equal(
      lines.begin(), lines.end(), patterns.begin(), patterns.end(),
      [](const auto& line, const auto& shape) { return Matches(line, shape); });
}

// Plays one page.
class PagePlayer {
 public:
  explicit PagePlayer(const std::vector<DocumentBlock>& blocks)
      : blocks_(blocks) {}

  // The program that is missing, or "".
  std::string Play() {
    EXPECT_EQ(machine_.error(), "");
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const std::string missing = PlayBlock(i);
      if (!missing.empty()) return missing;
      if (::testing::Test::HasFailure()) break;
    }
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "what was started said:\n" << machine_.Output();
    }
    return "";
  }

 private:
  std::string PlayBlock(size_t i) {
    const DocumentBlock& block = blocks_[i];
    absl::string_view mark = block.mark;
    (void)absl::ConsumePrefix(&mark, "given, ");
    SCOPED_TRACE(absl::StrCat("line ", block.line));
    if (mark == "given" || mark == "run") {
      const bool has_output = i + 1 < blocks_.size() &&
                              absl::StartsWith(blocks_[i + 1].mark, "output");
      if (has_output) {
        RunUntil(block.text, blocks_[i + 1]);
      } else {
        const Finished run = machine_.Run(block.text);
        EXPECT_EQ(run.exit_code, 0) << block.text << run.output;
      }
    } else if (absl::ConsumePrefix(&mark, "stop: ")) {
      EXPECT_TRUE(machine_.Stop(std::string(mark))) << "nothing of " << mark;
    } else if (mark == "config") {
      machine_.Write("snippet.hcl", block.text);
      const Finished run = machine_.Run("dnsd validate snippet.hcl");
      EXPECT_EQ(run.output, "Configuration is valid!\n") << block.text;
    } else if (absl::ConsumePrefix(&mark, "start: ")) {
      EXPECT_EQ(machine_.Start(block.text, std::string(mark)), "")
          << block.text;
    } else if (absl::ConsumePrefix(&mark, "file: ")) {
      machine_.Write(std::string(mark), block.text);
    } else if (absl::ConsumePrefix(&mark, "needs: ")) {
      if (!machine_.HasProgram(std::string(mark))) return std::string(mark);
    }
    return "";
  }

  void RunUntil(const std::string& script, const DocumentBlock& shown) {
    Finished run;
    const bool done = WaitUntil(
        [&] {
          run = machine_.Run(script);
          return run.exit_code == 0 &&
                 IsOutput(run.output, shown.text,
                          absl::StrContains(shown.mark, "in any order"));
        },
        std::chrono::seconds(15));
    EXPECT_TRUE(done) << script << "prints\n"
                      << run.output << "and not\n"
                      << shown.text;
  }

  const std::vector<DocumentBlock>& blocks_;
  DocumentMachine machine_;
};

class DocumentsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(DocumentsTest, DoesWhatItSays) {
  const std::vector<DocumentBlock> blocks = BlocksOf(GetParam());
  const bool plays =
      std::any_of(blocks.begin(), blocks.end(), [](const auto& block) {
        return !absl::StartsWith(block.mark, "tested: ") &&
               !absl::StartsWith(block.mark, "not run: ");
      });
  if (!plays) return;
  if (!DocumentMachine::WhyNot().empty()) {
    GTEST_SKIP() << DocumentMachine::WhyNot();
  }
  PagePlayer player(blocks);
  const std::string missing = player.Play();
  if (!missing.empty()) GTEST_SKIP() << "no " << missing;
}

TEST_P(DocumentsTest, SaysOfEveryBlockHowItIsRun) {
  const std::vector<std::string> kinds = {
      "run",       "start: ", "output", "file: ",         "config", "tested: ",
      "not run: ", "given",   "stop: ", "given, start: ", "needs: "};
  for (const DocumentBlock& block : BlocksOf(GetParam())) {
    const bool known =
        std::any_of(kinds.begin(), kinds.end(), [&](const std::string& kind) {
          return absl::EndsWith(kind, " ") ? absl::StartsWith(block.mark, kind)
                                           : block.mark == kind;
        });
    EXPECT_TRUE(known || block.mark == "output, in any order")
        << GetParam() << ":" << block.line << ": \"" << block.mark
        << "\" does not say how this block is run";
  }
}

// How GitHub names the heading of a section: small letters, digits, '-' and
// '_', and '-' for a blank.
std::string Anchor(const std::string& heading) {
  std::string anchor;
  for (const char c : absl::AsciiStrToLower(heading)) {
    if (c == ' ') {
      anchor += '-';
    } else if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
               c == '_') {
      anchor += c;
    }
  }
  return anchor;
}

std::set<std::string> AnchorsOf(const std::string& path) {
  std::set<std::string> anchors;
  for (absl::string_view line : LinesOf(ReadFile(path), false)) {
    if (!absl::StartsWith(line, "#")) continue;
    while (absl::ConsumePrefix(&line, "#")) {
    }
    anchors.insert(Anchor(std::string(absl::StripAsciiWhitespace(line))));
  }
  return anchors;
}

TEST_P(DocumentsTest, LinksLeadSomewhere) {
  const std::string page = SourceFile(GetParam());
  const std::string text = ReadFile(page);
  const std::filesystem::path folder =
      std::filesystem::path(page).parent_path();
  for (size_t at = text.find("]("); at != std::string::npos;
       at = text.find("](", at + 1)) {
    const std::string target = text.substr(at + 2, text.find(')', at) - at - 2);
    if (absl::StrContains(target, "://")) continue;
    const size_t hash = target.find('#');
    const std::string file =
        hash == 0 ? page : (folder / target.substr(0, hash)).string();
    EXPECT_TRUE(std::filesystem::exists(file)) << GetParam() << ": " << target;
    if (hash == std::string::npos) continue;
    EXPECT_EQ(AnchorsOf(file).count(target.substr(hash + 1)), 1u)
        << GetParam() << ": no such section: " << target;
  }
}

TEST_P(DocumentsTest, NamesMetricsThatAreThere) {
  const std::string metrics = ReadFile(SourceFile("dnsd/METRICS.md"));
  const std::string text = ReadFile(SourceFile(GetParam()));
  const std::regex name("`(dnsd_\\w+)`");
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end;
       ++at) {
    const std::string metric = (*at)[1];
    if (absl::EndsWith(metric, "_test")) continue;
    EXPECT_TRUE(absl::StrContains(metrics, absl::StrCat("`", metric, "`")))
        << GetParam() << ": there is no " << metric;
  }
}

// A page that says what tests something says the truth.
TEST_P(DocumentsTest, NamesTestsThatAreThere) {
  std::set<std::string> sources;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SourceFile("tests"))) {
    sources.insert(entry.path().stem().string());
  }
  const std::string lists = ReadFile(SourceFile("tests/CMakeLists.txt"));
  const std::string text = ReadFile(SourceFile(GetParam()));
  const std::regex name("`(\\w+_test)`");
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end;
       ++at) {
    const std::string test = (*at)[1];
    EXPECT_TRUE(sources.count(test) == 1 ||
                absl::StrContains(lists, absl::StrCat("(", test, " ")))
        << GetParam() << ": there is no " << test;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DocumentsTest, ::testing::ValuesIn(Pages()),
                         [](const auto& page) {
                           std::string name;
                           for (const char c : page.param) {
                             name += std::isalnum(c) != 0 ? c : '_';
                           }
                           return name;
                         });

// --- troubleshooting.md ---

// All sources of the daemon, with literals that go over several lines in one.
std::string AllSources() {
  std::string all;
  for (const char* folder : {"catalog", "dnsd", "zones"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(SourceFile(folder))) {
      if (entry.path().extension() != ".cc") continue;
      absl::StrAppend(&all, ReadFile(entry.path().string()), "\n");
    }
  }
  std::string joined;
  for (const std::string& line : LinesOf(all, false)) {
    const std::string text(absl::StripAsciiWhitespace(line));
    if (absl::EndsWith(joined, "\"\n") && absl::StartsWith(text, "\"")) {
      joined.resize(joined.size() - 2);
      absl::StrAppend(&joined, text.substr(1), "\n");
    } else {
      absl::StrAppend(&joined, text, "\n");
    }
  }
  return absl::StrReplaceAll(joined, {{"\\\"", "\""}});
}

// The first cells of the rows of tables of messages.
std::vector<std::string> Messages(const std::string& page) {
  std::vector<std::string> messages;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (absl::StartsWith(line, "| message |") ||
        absl::StartsWith(line, "| answer |")) {
      inside = true;
    } else if (!absl::StartsWith(line, "|")) {
      inside = false;
    } else if (inside && absl::ConsumePrefix(&line, "| `")) {
      messages.emplace_back(line.substr(0, line.find('`')));
    }
  }
  return messages;
}

TEST(Troubleshooting, HasMessagesThatDnsdWrites) {
  const std::string sources = AllSources();
  const std::vector<std::string> messages =
      Messages(ReadFile(SourceFile("dnsd/docs/troubleshooting.md")));
  EXPECT_GT(messages.size(), 25u);
  for (const std::string& message : messages) {
    for (const absl::string_view part :
         absl::StrSplit(message, absl::ByString("…"), absl::SkipEmpty())) {
      EXPECT_TRUE(absl::StrContains(sources, part))
          << message << ": nobody writes \"" << part << "\"";
    }
  }
}

TEST(Output, MayHaveWhatChanges) {
  EXPECT_TRUE(IsOutput("a\nb\n", "a\nb\n", false));
  EXPECT_FALSE(IsOutput("a\nb\n", "b\na\n", false));
  EXPECT_TRUE(IsOutput("a\nb\n", "b\na\n", true));
  EXPECT_TRUE(IsOutput("id 12 of x\n", "id … of …\n", false));
  EXPECT_FALSE(IsOutput("id 12 of x\nmore\n", "id … of …\n", false));
  EXPECT_TRUE(IsOutput("a\nb\nc\nd\n", "a\n…\nd\n", false));
  EXPECT_FALSE(IsOutput("a\nb\nc\nd\n", "a\n…\nc\n", false));
  EXPECT_FALSE(IsOutput("", "a\n", false));
}

}  // namespace
}  // namespace dnsd::testing
