#include "tests/integration/cli_pair.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

std::string SortedLines(const std::string& text) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    // The last element of a list has no comma.
    lines.emplace_back(line.substr(0, line.find_last_not_of(',') == line.npos
                                          ? 0
                                          : line.find_last_not_of(',') + 1));
  }
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

// Every number as one '#'.
std::string NoDigits(const std::string& text) {
  std::string masked;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      masked += c;
    } else if (masked.empty() || masked.back() != '#') {
      masked += '#';
    }
  }
  return masked;
}

void Mask(CliSame same, CliResult* result) {
  switch (same) {
    case CliSame::kAll:
      break;
    case CliSame::kErrorLine:
      result->err = result->err.substr(0, result->err.find('\n'));
      break;
    case CliSame::kSortedLines:
      result->out = SortedLines(result->out);
      break;
    case CliSame::kNoDigits:
      result->out = NoDigits(result->out);
      result->err = NoDigits(result->err);
      break;
    case CliSame::kExit:
      result->out.clear();
      result->err.clear();
      break;
  }
}

std::string Text(const CliResult& result) {
  return absl::StrCat("exit code ", result.exit_code, "\n--- stdout\n",
                      result.out, "--- stderr\n", result.err, "---\n");
}

}  // namespace

CliPair::CliPair(std::string consul, std::string dnsd, std::string address)
    : consul_(std::move(consul)),
      dnsd_(std::move(dnsd)),
      address_(std::move(address)) {}

std::vector<std::string> CliPair::Environment(const CliCase& c) const {
  std::vector<std::string> words = {"env", "-i", "PATH=/usr/bin:/bin",
                                    "SHELL=/bin/sh",
                                    "CONSUL_HTTP_ADDR=" + address_};
  words.insert(words.end(), c.environment.begin(), c.environment.end());
  return words;
}

CliResult CliPair::Run(const std::string& binary, const CliCase& c) {
  const std::string out = dir_.Path("out");
  const std::string err = dir_.Path("err");
  std::vector<std::string> words = Environment(c);
  words.insert(words.end(),
               {"/bin/sh", "-c",
                absl::StrCat("exec \"$0\" \"$@\" >", out, " 2>", err), binary});
  words.insert(words.end(), c.args.begin(), c.args.end());
  CliResult result;
  result.exit_code = RunToEnd(words).exit_code;
  result.out = ReadFile(out);
  result.err = ReadFile(err);
  return result;
}

std::string CliPair::Difference(const CliCase& c) {
  CliResult consul = Consul(c);
  CliResult dnsd = Dnsd(c);
  Mask(c.same, &consul);
  Mask(c.same, &dnsd);
  if (consul.exit_code == dnsd.exit_code && consul.out == dnsd.out &&
      consul.err == dnsd.err) {
    return "";
  }
  return absl::StrCat(absl::StrJoin(c.args, " "),
                      "\n=== consul: ", Text(consul), "=== dnsd: ", Text(dnsd));
}

}  // namespace dnsd::testing
