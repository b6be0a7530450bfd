#include "tests/testing/scenario.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/testing/scenario_words.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr int kRepeatsMax = 10000;

constexpr const char* kSections[] = {"answer", "authority", "additional"};

bool IsSection(const std::string& word) {
  return std::find(std::begin(kSections), std::end(kSections), word) !=
         std::end(kSections);
}

// Reads one file; every handler returns "" or what is wrong with its line.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  absl::StatusOr<std::vector<Scenario>> Read() {
    std::ifstream stream(file_);
    if (!stream) return absl::NotFoundError(absl::StrCat("no file ", file_));
    std::string line;
    for (size_t number = 1; std::getline(stream, line); ++number) {
      std::vector<std::string> words = SplitWords(line);
      if (words.empty()) continue;
      where_ = absl::StrCat(file_, ":", number, ": ", line);
      std::string error = Line(line, words);
      if (!error.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(where_, ": ", error));
      }
    }
    return std::move(scenarios_);
  }

 private:
  std::string Line(const std::string& line,
                   const std::vector<std::string>& words) {
    const std::string& verb = words[0];
    if (verb == "repeat") return Repeat(line, words);
    if (verb == "case") return Case(words);
    if (scenarios_.empty()) return "before the first case";
    if (verb == "policy") {
      return ReadPolicyWords({words.begin() + 1, words.end()}, &policy_);
    }
    if (verb == "node" || verb == "service" || verb == "check") {
      return ReadCatalogWords(words, policy_.datacenter, &catalog_);
    }
    if (verb == "query") return Query(words);
    if (scenarios_.back().queries.empty()) return "before the first query";
    return Expectation(line, words);
  }

  std::string Repeat(const std::string& line,
                     const std::vector<std::string>& words) {
    std::vector<std::string> ends;
    int first = 0;
    int last = 0;
    if (words.size() > 2) ends = absl::StrSplit(words[1], "..");
    if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &first) ||
        !absl::SimpleAtoi(ends[1], &last) || last - first > kRepeatsMax) {
      return "repeat FIRST..LAST LINE";
    }
    std::string rest = line.substr(line.find(words[1]) + words[1].size());
    for (int i = first; i <= last; ++i) {
      std::string once = absl::StrReplaceAll(
          rest, {{"{}", absl::StrCat(i)},
                 {"{ip}", absl::StrCat(i / 250, ".", i % 250)}});
      std::string error = Line(once, SplitWords(once));
      if (!error.empty()) return error;
    }
    return "";
  }

  std::string Case(const std::vector<std::string>& words) {
    if (words.size() != 2) return "a case has one name";
    catalog_.clear();
    policy_ = ZonePolicy();
    scenarios_.push_back({words[1], {}});
    return "";
  }

  std::string Query(const std::vector<std::string>& words) {
    if (words.size() < 3) return "a query has a name and a type";
    ScenarioQuery query;
    query.where = where_;
    query.catalog = catalog_;
    query.policy = policy_;
    QueryOptions options;
    std::string raw;
    for (size_t i = 3; i < words.size(); ++i) {
      std::string error =
          ReadQueryOption(words[i], &options, &query.transport, &raw);
      if (!error.empty()) return error;
    }
    uint16_t type = TypeFromText(words[2]);
    if (type == 0) return "unknown type";
    if (TryWireName(words[1]).empty()) return "not a name";
    query.packet = raw.empty() ? BuildQuery(words[1], type, options) : raw;
    scenarios_.back().queries.push_back(std::move(query));
    return "";
  }

  std::string Expectation(const std::string& line,
                          const std::vector<std::string>& words) {
    ScenarioQuery& query = scenarios_.back().queries.back();
    const std::string& verb = words[0];
    if (IsSection(verb)) {
      Rr rr;
      // A leading blank would mean "the owner of the line before".
      std::string text = line.substr(line.find(verb) + verb.size());
      text.erase(0, text.find_first_not_of(' '));
      std::string error = ParseRr(text, &rr);
      if (error.empty()) {
        query.sections[verb].rrs.push_back(MaskSerial(rr));
      }
      return error;
    }
    if (verb == "dropped") {
      query.dropped = true;
    } else if (verb == "bare") {
      query.bare = true;
    } else if (verb == "opt") {
      query.opt = line.substr(line.find("opt") + 4);
    } else if (words.size() < 2) {
      return "a word is missing";
    } else if (verb == "rcode") {
      return ReadRcode(words[1], &query.rcode);
    } else if (verb == "flags") {
      return ReadFlags({words.begin() + 1, words.end()}, &query.flags);
    } else if (verb == "distinct" && IsSection(words[1])) {
      query.sections[words[1]].distinct = true;
    } else if (verb == "size") {
      return absl::SimpleAtoi(words[1], &query.size_max) ? "" : "no number";
    } else if (verb == "count" && words.size() == 3 && IsSection(words[1])) {
      return ReadCount(words[2], &query.sections[words[1]]);
    } else {
      return "unknown line";
    }
    return "";
  }

  static std::string ReadCount(const std::string& text,
                               ExpectedSection* section) {
    std::vector<std::string> ends = absl::StrSplit(text, "..");
    size_t low = 0;
    size_t high = SIZE_MAX;
    if (!absl::SimpleAtoi(ends[0], &low)) return "no number";
    if (ends.size() == 1) high = low;
    if (ends.size() == 2 && !ends[1].empty() &&
        !absl::SimpleAtoi(ends[1], &high)) {
      return "no number";
    }
    section->count_min = low;
    section->count_max = high;
    return "";
  }

  std::string file_;
  std::string where_;
  std::vector<Scenario> scenarios_;
  std::vector<Change> catalog_;
  ZonePolicy policy_;
};

std::string CheckSection(const std::string& name,
                         const ExpectedSection& expected,
                         const std::vector<Rr>& section) {
  std::vector<Rr> left = expected.rrs;
  std::vector<Rr> got = MaskSerials(section);
  size_t count = 0;
  std::vector<Rr> seen;
  for (const Rr& rr : got) {
    bool again = std::find(seen.begin(), seen.end(), rr) != seen.end();
    if (again && expected.distinct) continue;
    seen.push_back(rr);
    auto found = std::find(left.begin(), left.end(), rr);
    if (found == left.end()) {
      return absl::StrCat("unexpected in ", name, ": ", RrText(rr), "\n");
    }
    left.erase(found);
    ++count;
  }
  size_t low = expected.count_min.value_or(expected.rrs.size());
  size_t high = expected.count_min ? expected.count_max : expected.rrs.size();
  if (count < low || count > high) {
    return absl::StrCat(count, " records in ", name, ", expected ", low, " to ",
                        high, "; not there:\n", RrListText(left));
  }
  return "";
}

std::string CheckOpt(const std::string& expected, const Message& message) {
  std::vector<std::string> words =
      absl::StrSplit(expected, ' ', absl::SkipEmpty());
  if (words.empty() || words[0] == "none") {
    return message.opt ? "an OPT is there\n" : "";
  }
  if (!message.opt) return "no OPT\n";
  size_t size = 0;
  if (!absl::SimpleAtoi(words[0], &size)) return "bad opt line\n";
  bool dnssec_ok = std::find(words.begin(), words.end(), "do") != words.end();
  bool ecs = std::find(words.begin(), words.end(), "ecs") != words.end();
  if (message.opt->udp_size != size || message.opt->dnssec_ok != dnssec_ok ||
      message.opt->options.empty() == ecs || message.opt->version != 0) {
    return absl::StrCat("OPT differs, expected ", expected, "\n");
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Scenario>> ReadScenarios(const std::string& file) {
  return Reader(file).Read();
}

std::string CheckExpectation(const ScenarioQuery& query,
                             const Message& message) {
  std::string errors;
  if (message.rcode() != query.rcode) {
    absl::StrAppend(&errors, "rcode ", RcodeText(message.rcode()),
                    ", expected ", RcodeText(query.rcode), "\n");
  }
  constexpr uint16_t kNamed =
      kFlagQr | kFlagAa | kFlagTc | kFlagRd | kFlagRa | kFlagAd | kFlagCd;
  if (query.flags && (message.flags & kNamed) != *query.flags) {
    absl::StrAppend(&errors, "flags 0x", absl::Hex(message.flags & kNamed),
                    ", expected 0x", absl::Hex(*query.flags), "\n");
  }
  if (message.size > query.size_max) {
    absl::StrAppend(&errors, message.size, " bytes, at most ", query.size_max,
                    " expected\n");
  }
  if (query.bare == message.has_question) {
    absl::StrAppend(&errors, query.bare ? "a question came" : "no question",
                    "\n");
  }
  auto section = [&](const char* name) {
    auto found = query.sections.find(name);
    return found == query.sections.end() ? ExpectedSection() : found->second;
  };
  absl::StrAppend(
      &errors, CheckSection("answer", section("answer"), message.answer),
      CheckSection("authority", section("authority"), message.authority),
      CheckSection("additional", section("additional"), message.additional));
  if (query.opt) absl::StrAppend(&errors, CheckOpt(*query.opt, message));
  return errors;
}

}  // namespace dnsd::testing
