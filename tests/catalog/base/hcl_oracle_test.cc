// Compares ParseHcl() with the library whose language it reads, hashicorp/hcl
// v1, on the table of hcl_cases.h and on random documents. The library runs in
// the Go program of tests/testing/hcl_oracle, built here; without Go or the
// library's sources the test is skipped.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/hcl.h"
#include "tests/catalog/base/hcl_cases.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/value_text.h"

namespace dnsd {
namespace {

using testing::HclCase;
using testing::TempDir;

// Debian's package golang-github-hashicorp-hcl-dev puts its sources here.
constexpr char kGoCode[] = "/usr/share/gocode";

class Oracle {
 public:
  // False if there is no Go here, or no library.
  static bool IsHere() {
    return std::filesystem::exists(
               absl::StrCat(kGoCode, "/src/github.com/hashicorp/hcl")) &&
           testing::RunToEnd({"go", "version"}).exit_code == 0;
  }

  Oracle() {
    const testing::Finished build = Shell(absl::StrCat(
        "cd '", DNSD_SOURCE_DIR,
        "/tests/testing/hcl_oracle' && GO111MODULE=off GOFLAGS= GOPATH='",
        dir_.path(), ":", kGoCode, "' GOCACHE='", dir_.Path("cache"),
        "' go build -o '", dir_.Path("oracle"), "' ."));
    EXPECT_EQ(build.exit_code, 0) << build.output;
  }

  // One line per document: its JSON, or "error: " and a message.
  std::vector<std::string> Answers(const std::vector<std::string>& documents) {
    std::string batch;
    for (const std::string& document : documents) {
      absl::StrAppend(&batch, document.size(), "\n", document);
    }
    dir_.Write("batch", batch);
    const testing::Finished run =
        Shell(absl::StrCat("'", dir_.Path("oracle"), "' -batch <'",
                           dir_.Path("batch"), "' >'", dir_.Path("out"), "'"));
    EXPECT_EQ(run.exit_code, 0) << run.output;
    std::ifstream out(dir_.Path("out"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(out, line);) lines.push_back(line);
    lines.resize(documents.size(), "the oracle stopped");
    return lines;
  }

 private:
  static testing::Finished Shell(const std::string& command) {
    return testing::RunToEnd({"sh", "-c", command}, std::chrono::minutes(2));
  }

  TempDir dir_;
};

// What a Go map makes of an object: members sorted, the last of equal keys.
// `mixed` is set if scalars of several kinds share a key: the library converts
// the later ones to the kind of the first or gives up, ParseHcl() keeps all.
Value AsGoMap(Value value, bool* mixed) {
  for (Value& item : value.items) item = AsGoMap(std::move(item), mixed);
  std::stable_sort(
      value.members.begin(), value.members.end(),
      [](const Member& a, const Member& b) { return a.key < b.key; });
  std::vector<Member> kept;
  for (Member& member : value.members) {
    member.value = AsGoMap(std::move(member.value), mixed);
    if (!kept.empty() && kept.back().key == member.key) {
      *mixed |= kept.back().value.kind != member.value.kind;
      kept.pop_back();
    }
    kept.push_back(std::move(member));
  }
  value.members = std::move(kept);
  return value;
}

constexpr char kMixed[] = "mixed kinds";

// ParseHcl()'s answer in the oracle's form.
std::string OurAnswer(const std::string& document) {
  absl::StatusOr<Value> value = ParseHcl(document);
  if (!value.ok()) return absl::StrCat("error: ", value.status().message());
  bool mixed = false;
  const std::string text =
      testing::ValueText(AsGoMap(*std::move(value), &mixed));
  return mixed ? kMixed : text;
}

TEST(HclOracle, AgreesWithTheTable) {
  if (!Oracle::IsHere()) GTEST_SKIP() << "no go or no hashicorp/hcl";
  std::vector<std::string> documents;
  const std::vector<HclCase> good = testing::HclGoodCases();
  for (const HclCase& c : good) documents.push_back(c.document);
  for (const HclCase& c : testing::HclBadCases()) {
    documents.push_back(c.document);
  }
  const std::vector<std::string> answers = Oracle().Answers(documents);
  for (size_t i = 0; i < documents.size(); ++i) {
    if (i < good.size()) {
      EXPECT_EQ(OurAnswer(documents[i]), answers[i]) << documents[i];
    } else {
      EXPECT_TRUE(absl::StartsWith(answers[i], "error: "))
          << documents[i] << "\n"
          << answers[i];
    }
  }
}

// Writes random documents of HCL's grammar, with few enough keys that they
// repeat.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string Document() {
    text_.clear();
    Items(0);
    return text_;
  }

  // A document with a few bytes changed, which most often breaks it.
  std::string BrokenDocument() {
    constexpr char kBytes[] = "{}[]=,\"\\$<-#/*\n\r .e0x1a\xC3\xA9";
    std::string text = Document();
    for (size_t i = 1 + Below(3); i > 0 && !text.empty(); --i) {
      const size_t at = Below(text.size());
      const char byte = kBytes[Below(sizeof(kBytes) - 1)];
      switch (Below(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1 + Below(4));
          break;
      }
    }
    return text;
  }

 private:
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }

  void Put(std::initializer_list<const char*> choices) {
    text_ += choices.begin()[Below(choices.size())];
  }

  void Blank() {
    Put({" ", " ", "  ", "\n", "\t", "\r\n", " # c \"{\n", "\n// x\n",
         " /* }\n* */ "});
  }

  // Repeated scalars are made of one kind, by the first letter of their key.
  void Items(size_t depth) {
    for (size_t i = Below(5); i > 0; --i) {
      switch (Below(depth < 4 ? 7 : 3)) {
        case 0:
          Put({"i1", "i2", "\"i1\""});
          Assign();
          Integer();
          break;
        case 1:
          Put({"s1", "s2", "s-3.x", "\"s \\\"4\\\"\""});
          Assign();
          String();
          break;
        case 2:
          Put({"f1 = 1.5", "f2=-0.25e2", "f1 = 3.", "b1=true", "b1 = false"});
          break;
        case 3:
          Put({"k1", "k2", "k3"});
          Assign();
          List(depth + 1);
          break;
        case 4:
          Put({"k1", "k2", "k3", "o1", "o2"});
          Assign();
          Object(depth + 1);
          break;
        case 5:
          Put({"o1", "\"o2\"", "k1"});
          Blank();
          Object(depth + 1);
          break;
        default:
          Put({"l1", "l1", "l2", "o1"});
          for (size_t n = 1 + Below(3); n > 0; --n) {
            Blank();
            Put({"\"x\"", "y", "\"z w\"", "\"\\t\""});
          }
          Object(depth + 1);
          break;
      }
      if (Below(4) == 0) text_ += ",";
      Blank();
    }
  }

  void Assign() { Put({"=", " = ", " =", "\n=\n"}); }

  void Object(size_t depth) {
    text_ += "{";
    Blank();
    Items(depth);
    text_ += "}";
  }

  void List(size_t depth) {
    text_ += "[";
    for (size_t i = Below(4); i > 0; --i) {
      Blank();
      switch (Below(depth < 4 ? 6 : 4)) {
        case 0:
          Integer();
          break;
        case 1:
          String();
          break;
        case 2:
        case 3:
          Object(depth + 1);
          break;
        default:
          List(depth + 1);
          break;
      }
      Put({",", " ,", ",\n", i == 1 ? "" : ","});
    }
    text_ += "]";
  }

  void Integer() {
    Put({"0", "7", "-12", "0x1f", "-0XA", "017", "9223372036854775807",
         "1000000", "-9223372036854775808", "00"});
  }

  void String() {
    if (Below(4) == 0) return Heredoc();
    text_ += "\"";
    for (size_t i = Below(5); i > 0; --i) {
      Put({"x",
           "word ",
           "\xC3\xA9",
           "\xF0\x9F\x98\x80",
           "\\n",
           "\\\"",
           "\\\\",
           "\\t",
           "\\u00e9",
           "\\U0001F600",
           "\\x41",
           "\\377",
           "\\ud800",
           "${a}",
           "${f(\"q\", {b})}",
           "${x\\\"\n}",
           "$",
           "{",
           "}",
           "#",
           "'"});
    }
    text_ += "\"";
  }

  void Heredoc() {
    const bool indented = Below(2) == 0;
    text_ += indented ? "<<-" : "<<";
    Put({"E\n", "E\n", "E\r\n"});
    for (size_t i = Below(4); i > 0; --i) {
      Put({"", " ", "  ", "\t", "    "});
      Put({"x", "E F", "EE", "\"${\\q", "", "  y "});
      Put({"\n", "\n", "\r\n"});
    }
    Put({"", " ", "  ", "\t"});
    text_ += "E\n";
  }

  std::string text_;
  std::mt19937_64 random_;
};

// The documents that the library takes and ParseHcl() refuses on purpose.
bool IsLibraryMistake(const std::string& document, const std::string& ours) {
  // The library forgets an error, and the rest of the object with it, if it
  // finds a '}' instead of something else and then another one; and it drops
  // a last "key =".
  return absl::EndsWith(ours, "found '}'") ||
         absl::EndsWith(ours, "expected a value, found the end of the file") ||
         // It lets the eight digits overflow.
         (absl::EndsWith(ours, "an escape that HCL does not have") &&
          absl::StrContains(document, "\\U"));
}

struct Agreement {
  size_t accepted = 0;
  size_t refused = 0;
};

// Fails at the first document that the two read differently; counts the ones
// they agree on.
void Compare(const std::vector<std::string>& documents, Agreement* agreement) {
  const std::vector<std::string> answers = Oracle().Answers(documents);
  for (size_t i = 0; i < documents.size(); ++i) {
    const std::string& document = documents[i];
    // The library takes such a document for JSON.
    const size_t first = document.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && document[first] == '{') continue;
    const std::string ours = OurAnswer(document);
    const bool we_refuse = absl::StartsWith(ours, "error: ");
    if (ours == kMixed || (we_refuse && IsLibraryMistake(document, ours))) {
      continue;
    }
    if (absl::StartsWith(answers[i], "error: ")) {
      ASSERT_TRUE(we_refuse) << document << "\nours: " << ours << "\n"
                             << answers[i];
      ++agreement->refused;
    } else {
      ASSERT_EQ(ours, answers[i]) << document;
      ++agreement->accepted;
    }
  }
}

TEST(HclOracle, AgreesOnRandomDocuments) {
  if (!Oracle::IsHere()) GTEST_SKIP() << "no go or no hashicorp/hcl";
  Writer writer(testing::TestSeed());
  std::vector<std::string> documents;
  for (int i = testing::Scaled(4000); i > 0; --i) {
    documents.push_back(writer.Document());
  }
  Agreement agreement;
  Compare(documents, &agreement);
  // Otherwise nothing much was compared.
  EXPECT_GT(agreement.accepted, documents.size() / 3);
}

TEST(HclOracle, AgreesOnBrokenDocuments) {
  if (!Oracle::IsHere()) GTEST_SKIP() << "no go or no hashicorp/hcl";
  Writer writer(testing::TestSeed());
  std::vector<std::string> documents;
  for (int i = testing::Scaled(8000); i > 0; --i) {
    documents.push_back(writer.BrokenDocument());
  }
  Agreement agreement;
  Compare(documents, &agreement);
  EXPECT_GT(agreement.accepted, documents.size() / 20);
  EXPECT_GT(agreement.refused, documents.size() / 4);
}

}  // namespace
}  // namespace dnsd
