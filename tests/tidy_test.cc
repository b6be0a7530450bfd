// The house style, executed (CONTRIBUTING.md). Each test reads every source
// file and lists all violations of one rule. There is no list of exemptions: a
// file that needs one is split, or the rule is wrong and changes here.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/testing/source_text.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileLinesMax = 500;
constexpr size_t kFunctionLinesMax = 70;
constexpr size_t kColumnsMax = 80;

const char* const kFolders[] = {"bench", "catalog", "dnsd", "tests", "zones"};

// Files below `kFolders` that `wanted` likes, by their path from the root.
std::vector<std::string> Find(
    const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::string> paths;
  const fs::path root = DNSD_SOURCE_DIR;
  for (const char* folder : kFolders) {
    std::error_code error;
    for (const auto& entry :
         fs::recursive_directory_iterator(root / folder, error)) {
      const std::string path = entry.path().lexically_relative(root).string();
      if (entry.is_regular_file() && wanted(path)) paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool IsHeader(const std::string& path) { return absl::EndsWith(path, ".h"); }
bool IsTest(const std::string& path) {
  return absl::StartsWith(path, "tests/") || absl::StartsWith(path, "bench/");
}

// Every C++ file by its path from the root; read once for all tests.
const std::map<std::string, SourceText>& Sources() {
  static const std::map<std::string, SourceText> sources = [] {
    std::map<std::string, SourceText> read;
    for (const std::string& path : Find([](const std::string& name) {
           return IsHeader(name) || absl::EndsWith(name, ".cc");
         })) {
      read.emplace(path, ReadFile(fs::path(DNSD_SOURCE_DIR) / path));
    }
    return read;
  }();
  return sources;
}

void Report(const std::string& path, size_t line, const std::string& what) {
  ADD_FAILURE() << path << ":" << line << ": " << what;
}

// Reports each line in which `pattern` is found.
void ForbidIn(const std::string& path, const std::vector<std::string>& lines,
              const std::string& pattern, const std::string& why) {
  const std::regex forbidden(pattern);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(lines[i], match, forbidden)) {
      Report(path, i + 1, absl::StrCat("'", match.str(), "': ", why));
    }
  }
}

// --- include directions ---

// Folder (the longest that fits counts) -> what its files may include.
const std::map<std::string, std::vector<std::string>>& AllowedIncludes() {
  static const std::map<std::string, std::vector<std::string>> allowed = {
      {"catalog/base", {"catalog/base"}},
      {"catalog", {"catalog/base", "catalog"}},
      {"catalog/consul", {"catalog/base", "catalog", "catalog/consul"}},
      {"catalog/registry",
       {"catalog/base", "catalog", "catalog/registry",
        "catalog/registry/checks"}},
      // Below it, but for the definitions of checks and Go's texts.
      {"catalog/registry/checks",
       {"catalog/base", "catalog", "catalog/registry",
        "catalog/registry/checks"}},
      {"zones", {"catalog/base", "catalog", "zones"}},
      {"dnsd/acl",
       {"catalog/base", "catalog/registry", "catalog/catalog_rights.h",
        "dnsd/acl"}},
      {"dnsd/forward",
       {"catalog/base", "catalog", "zones", "dnsd/forward", "dnsd/counter.h",
        "dnsd/duration_histogram.h", "dnsd/limits.h", "dnsd/socket_address.h",
        "dnsd/way_back.h"}},
      {"dnsd/transfer",
       {"catalog/base", "catalog", "zones", "dnsd/transfer",
        "dnsd/forward/ip_network.h", "dnsd/forward/secret_random.h",
        "dnsd/counter.h", "dnsd/socket_address.h"}},
      {"dnsd/explain", {"catalog/base", "catalog", "zones", "dnsd/explain"}},
      {"dnsd/querylog",
       {"catalog/base", "zones", "dnsd/querylog", "dnsd/serve/query_sampler.h",
        "dnsd/serve/sample_ring.h", "dnsd/serve/sample_rules.h",
        "dnsd/counter.h", "dnsd/socket_address.h"}},
      {"dnsd/serve",
       {"catalog/base", "catalog", "zones", "dnsd/forward", "dnsd/serve",
        "dnsd/transfer", "dnsd/config.h", "dnsd/counter.h",
        "dnsd/duration_histogram.h", "dnsd/limits.h", "dnsd/socket_address.h",
        "dnsd/way_back.h"}},
      {"dnsd/http",
       {"catalog/base", "catalog", "catalog/consul", "catalog/registry",
        "zones", "dnsd/acl", "dnsd/explain", "dnsd/http", "dnsd/config.h",
        "dnsd/duration_histogram.h", "dnsd/limits.h"}},
      {"dnsd",
       {"catalog/base", "catalog", "catalog/consul", "catalog/registry",
        "catalog/registry/checks", "zones", "dnsd", "dnsd/acl", "dnsd/explain",
        "dnsd/forward", "dnsd/http", "dnsd/querylog", "dnsd/serve",
        "dnsd/transfer"}},
      {"bench",
       {"catalog/base", "catalog", "catalog/consul", "catalog/registry",
        "zones", "dnsd", "dnsd/acl", "dnsd/explain", "dnsd/forward",
        "dnsd/http", "dnsd/querylog", "dnsd/serve", "dnsd/transfer", "bench",
        "tests/testing"}},
      {"tests",
       {"catalog/base", "catalog", "catalog/consul", "catalog/registry",
        "catalog/registry/checks", "zones", "dnsd", "dnsd/acl", "dnsd/explain",
        "dnsd/forward", "dnsd/http", "dnsd/querylog", "dnsd/serve",
        "dnsd/transfer", "tests"}},
  };
  return allowed;
}

// The folder of AllowedIncludes() that `path` belongs to, or "".
std::string FolderOf(const std::string& path) {
  std::string folder = path;
  while (folder.find('/') != std::string::npos) {
    folder.resize(folder.rfind('/'));
    if (AllowedIncludes().count(folder) != 0) return folder;
  }
  return "";
}

bool MayInclude(const std::string& from, const std::string& target) {
  const std::string folder = FolderOf(target);
  const std::vector<std::string>& allowed = AllowedIncludes().at(from);
  return std::any_of(
      allowed.begin(), allowed.end(), [&](const std::string& may) {
        return may == folder || may == target ||
               (absl::StartsWith(target, may + "/") && IsTest(target));
      });
}

TEST(Tidy, IncludesFollowTheDirectionBetweenFolders) {
  ASSERT_GT(Sources().size(), 20u) << "no sources below " << DNSD_SOURCE_DIR;
  for (const auto& [path, source] : Sources()) {
    const std::string from = FolderOf(path);
    ASSERT_NE(from, "") << path << ": say in AllowedIncludes() where it stands";
    for (const Include& include : source.Includes()) {
      if (FolderOf(include.path).empty()) continue;  // not ours
      EXPECT_TRUE(include.quoted) << path << ": <" << include.path << ">";
      EXPECT_TRUE(MayInclude(from, include.path))
          << path << ": " << from << "/ must not include " << include.path;
    }
  }
}

TEST(Tidy, IncludesNameHeadersThatExist) {
  for (const auto& [path, source] : Sources()) {
    for (const Include& include : source.Includes()) {
      if (FolderOf(include.path).empty()) continue;
      EXPECT_TRUE(IsHeader(include.path)) << path << ": " << include.path;
      // Some are made at configure time, from a file beside them.
      const bool made =
          fs::exists(fs::path(DNSD_SOURCE_DIR) / (include.path + ".in"));
      EXPECT_TRUE(made || Sources().count(include.path) == 1)
          << path << ": there is no " << include.path;
    }
  }
}

// Follows what `path` includes; false on meeting a file of `open`, the way
// here. `done` has what was followed to its end before.
bool HasNoCycle(const std::string& path, std::set<std::string>* open,
                std::set<std::string>* done) {
  const auto source = Sources().find(path);
  if (source == Sources().end() || done->count(path) != 0) return true;
  if (!open->insert(path).second) return false;
  for (const Include& include : source->second.Includes()) {
    if (!HasNoCycle(include.path, open, done)) return false;
  }
  open->erase(path);
  done->insert(path);
  return true;
}

TEST(Tidy, HeadersIncludeEachOtherInNoCircle) {
  std::set<std::string> done;
  for (const auto& [path, source] : Sources()) {
    std::set<std::string> open;
    EXPECT_TRUE(HasNoCycle(path, &open, &done))
        << path << ": in the circle of " << absl::StrJoin(open, ", ");
  }
}

TEST(Tidy, TheCatalogSpeaksNoDns) {
  for (const auto& [path, source] : Sources()) {
    if (!absl::StartsWith(path, "catalog/")) continue;
    for (const auto* lines : {&source.code(), &source.comments()}) {
      ForbidIn(path, *lines,
               R"re(\b(rrset|qname|qtype|nxdomain|rcode|edns)\b)re",
               "a DNS word; it belongs into zones/");
    }
  }
}

TEST(Tidy, AnImplementationIncludesItsOwnHeaderFirst) {
  for (const auto& [path, source] : Sources()) {
    if (IsHeader(path)) continue;
    const std::string header = path.substr(0, path.size() - 2) + "h";
    if (Sources().count(header) == 0) continue;
    const std::vector<Include> includes = source.Includes();
    ASSERT_FALSE(includes.empty()) << path;
    EXPECT_EQ(includes[0].path, header) << path;
  }
}

// --- files ---

TEST(Tidy, FilesAndLinesAreShort) {
  for (const auto& [path, source] : Sources()) {
    EXPECT_LE(source.lines().size(), kFileLinesMax)
        << path << ": split it; does it still have one job?";
    for (size_t i = 0; i < source.lines().size(); ++i) {
      const std::string& line = source.lines()[i];
      if (absl::StrContains(line, "://") ||
          absl::StartsWith(line, "#include")) {
        continue;
      }
      // Bytes that continue a UTF-8 character take no column.
      const auto columns = static_cast<size_t>(
          std::count_if(line.begin(), line.end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
          }));
      if (columns > kColumnsMax) {
        Report(path, i + 1, absl::StrCat(columns, " columns"));
      }
    }
  }
}

TEST(Tidy, FunctionsAreShort) {
  for (const auto& [path, source] : Sources()) {
    if (IsTest(path)) continue;  // a table of cases may be long
    for (const FunctionSize& function : source.Functions()) {
      if (function.line_count > kFunctionLinesMax) {
        Report(path, function.first_line,
               absl::StrCat("a function of ", function.line_count, " lines"));
      }
    }
  }
}

TEST(Tidy, HeadersOpenWithTheirContractAndAGuardOfTheirPath) {
  for (const auto& [path, source] : Sources()) {
    if (!IsHeader(path)) continue;
    std::string guard = absl::StrCat("DNSD_", path, "_");
    for (char& c : guard) {
      c = c == '/' || c == '.'
              ? '_'
              : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    const std::vector<std::string>& lines = source.lines();
    ASSERT_GE(lines.size(), 4u) << path;
    EXPECT_TRUE(absl::StartsWith(lines[0], "// "))
        << path << ": what is it, who may use it, what can fail?";
    const auto after_contract = std::find_if(
        lines.begin(), lines.end(),
        [](const std::string& line) { return !absl::StartsWith(line, "//"); });
    ASSERT_LT(lines.end() - after_contract, lines.end() - lines.begin());
    ASSERT_GE(lines.end() - after_contract, 3) << path;
    EXPECT_EQ(after_contract[0], "#ifndef " + guard) << path;
    EXPECT_EQ(after_contract[1], "#define " + guard) << path;
    EXPECT_EQ(lines.back(), "#endif  // " + guard) << path;
  }
}

TEST(Tidy, NoBlanksAtLineEndsAndNoTabs) {
  const std::vector<std::string> paths = Find([](const std::string& path) {
    return IsHeader(path) || absl::EndsWith(path, ".cc") ||
           absl::EndsWith(path, ".txt") || absl::EndsWith(path, ".md");
  });
  for (const std::string& path : paths) {
    if (absl::StartsWith(path, "tests/testdata/")) continue;
    const std::string text = ReadFile(fs::path(DNSD_SOURCE_DIR) / path);
    EXPECT_TRUE(absl::EndsWith(text, "\n")) << path << ": no last newline";
    EXPECT_FALSE(absl::EndsWith(text, "\n\n")) << path << ": blank last line";
    ForbidIn(path, SourceText(text).lines(), "[ \t\r]+$|\t", "a stray blank");
  }
}

// A file that no target compiles, or a header that nobody includes, is dead.
TEST(Tidy, EveryFileIsUsed) {
  std::set<std::string> included;
  for (const auto& [path, source] : Sources()) {
    for (const Include& include : source.Includes()) {
      included.insert(include.path);
    }
  }
  std::map<std::string, std::string> lists;
  for (const std::string& path : Find([](const std::string& name) {
         return absl::EndsWith(name, "CMakeLists.txt");
       })) {
    const fs::path full = fs::path(DNSD_SOURCE_DIR) / path;
    lists[fs::path(path).parent_path().string()] = ReadFile(full);
  }
  for (const auto& [path, source] : Sources()) {
    if (IsHeader(path)) {
      EXPECT_EQ(included.count(path), 1u) << path << ": nobody includes it";
      continue;
    }
    bool listed = false;
    for (fs::path folder = fs::path(path).parent_path(); !folder.empty();
         folder = folder.parent_path()) {
      const auto list = lists.find(folder.string());
      if (list == lists.end()) continue;
      // Libraries and tests list the file, dnsd_fuzz() lists the target.
      const std::string name =
          fs::path(path).lexically_relative(folder).replace_extension("");
      std::string pattern = "(^|[\\s(])" + name + "\\.cc([\\s)]|$)";
      if (absl::EndsWith(name, "_fuzz")) {
        const std::string stem = fs::path(name).filename();
        pattern = "dnsd_fuzz\\(" + stem.substr(0, stem.size() - 5) + "\\b";
      }
      listed = listed || std::regex_search(list->second, std::regex(pattern));
    }
    EXPECT_TRUE(listed) << path << ": no CMakeLists.txt above it lists it";
  }
}

// --- language ---

TEST(Tidy, TheLanguageIsTheOneOfTheHouse) {
  const std::pair<const char*, const char*> rules[] = {
      {R"re(\busing namespace\b)re", "name what you use"},
      {R"re(\babsl::(Mutex|MutexLock|ReaderMutexLock|call_once|CondVar)\b)re",
       "std::mutex; ThreadSanitizer cannot see into Debian's abseil"},
      {R"re(\bthrow\b|\btry\b|\bcatch\s*\()re", "no exceptions"},
      {R"re(\bdynamic_cast\b|\btypeid\b)re", "no RTTI"},
      // A private constructor leaves no other way than unique_ptr<T>(new T).
      {R"re((^\s*|[^\w\s<>(]\s*|[^>]\(\s*|\breturn\s+)new\b)re",
       "std::make_unique, or inside the unique_ptr that owns it"},
      {R"re((^\s*|[;{})]\s*)delete\b)re", "ownership is a type"},
      {R"re(\b(rand|srand|gets|strcpy|strcat|sprintf|localtime|gmtime)\s*\()re",
       "not thread-safe or not bounded"},
      {R"re(\bDISABLED_)re", "no disabled test lands"},
  };
  for (const auto& [path, source] : Sources()) {
    for (const auto& [pattern, why] : rules) {
      ForbidIn(path, source.code(), pattern, why);
    }
  }
}

// Debian's absl::string_view is not std::string_view and converts neither way.
// A library's own interface may use the other; ours must not.
TEST(Tidy, InterfacesSpeakOfOneStringView) {
  for (const auto& [path, source] : Sources()) {
    if (!IsHeader(path)) continue;
    ForbidIn(path, source.code(), R"re(\bstd::string_view\b)re",
             "absl::string_view");
  }
}

TEST(Tidy, NobodySleeps) {
  for (const auto& [path, source] : Sources()) {
    if (IsTest(path)) continue;  // a test may poll, with an end
    ForbidIn(path, source.code(),
             R"re(\b(usleep|nanosleep|sleep|sleep_for|sleep_until)\s*\()re",
             "wait for an event, with a timeout");
  }
}

TEST(Tidy, NoMutableStatics) {
  for (const auto& [path, source] : Sources()) {
    if (IsTest(path)) continue;
    // `static const T x` and `static T* const x` do not change.
    ForbidIn(path, source.code(),
             R"re(^\s*(inline )?static (?!const |constexpr |inline )re"
             R"re(|[^=;{]*\bconst \w+ *[=;{])[^()]*[=;{])re",
             "a mutable static");
    ForbidIn(path, source.code(), R"re(\bthread_local\b)re",
             "a mutable static of each thread");
  }
}

TEST(Tidy, OpenEndsNameTheirIssue) {
  for (const auto& [path, source] : Sources()) {
    ForbidIn(path, source.comments(),
             R"re(\b(FIXME|XXX|HACK)\b|\bTODO\b(?!\(#[0-9]+\)))re",
             "say TODO(#issue), or do it");
  }
}

// The web UI shows what anybody may register: it stays text. The policy that
// the server sends says the same to the browser.
TEST(Tidy, TheWebUiMakesNoMarkupOfText) {
  const std::vector<std::string> paths = Find([](const std::string& path) {
    return absl::StartsWith(path, "dnsd/ui/") && absl::EndsWith(path, ".js");
  });
  EXPECT_GT(paths.size(), 10u);
  for (const std::string& path : paths) {
    const SourceText text(ReadFile(fs::path(DNSD_SOURCE_DIR) / path));
    EXPECT_LE(text.lines().size(), kFileLinesMax) << path;
    ForbidIn(path, text.code(),
             R"re(\b(inner|outer)HTML\b|insertAdjacentHTML|srcdoc|)re"
             R"re(document\.write|\beval\b|new Function|://)re",
             "text is text, and this server is the only one");
  }
}

// --- the hot path ---

// Code that answers queries may not lock, log, read the clock or wait. What it
// cannot include it cannot call by accident. Containers are read there and
// built elsewhere: no_alloc_test sees to it that no query allocates.
TEST(Tidy, TheHotPathIncludesNothingSlow) {
  const std::regex slow(
      "mutex|shared_mutex|condition_variable|functional|future|thread|chrono|"
      "ctime|sys/time\\.h|iostream|fstream|sstream|iomanip|regex|random|"
      "filesystem|uv\\.h|ldns/.*|curl/.*|spdlog/.*|fmt/.*|simdjson\\.h|"
      "absl/(synchronization|time|log|status|strings/str_|strings/cord).*|"
      "catalog/base/(log|event_loop|json_read|hcl|problems)\\.h");
  size_t hot_files = 0;
  for (const auto& [path, source] : Sources()) {
    const std::vector<std::string>& lines = source.lines();
    bool hot = false;
    for (size_t i = 0; i < lines.size() && absl::StartsWith(lines[i], "//");
         ++i) {
      hot = hot || absl::StrContains(lines[i], "HOT PATH");
    }
    if (!hot || IsTest(path)) continue;
    ++hot_files;
    for (const Include& include : source.Includes()) {
      EXPECT_FALSE(std::regex_match(include.path, slow))
          << path << ": HOT PATH must not include " << include.path;
    }
  }
  EXPECT_GT(hot_files, 0u) << "nothing says HOT PATH in its head any more";
}

}  // namespace
}  // namespace dnsd::testing
