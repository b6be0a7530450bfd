#include "dnsd/go_flags.h"

#include <errno.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

std::string Quote(const std::string& text) {
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text), "\"");
}

// The spellings strconv.ParseBool knows.
std::optional<bool> ParseBool(const std::string& text) {
  for (const char* word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const char* word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

// An optional sign and decimal digits, as strconv.Atoi has it.
std::optional<int64_t> ParseInt(const std::string& text, const char** why) {
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  *why = "invalid syntax";
  if (at == text.size()) return std::nullopt;
  for (; at < text.size(); ++at) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) {
      return std::nullopt;
    }
  }
  int64_t number = 0;
  *why = "value out of range";
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

void AddBool(GivenFlag flag, bool has_value, GoFlags* parsed) {
  if (!has_value) flag.text = "true";
  const std::optional<bool> boolean = ParseBool(flag.text);
  if (!boolean) {
    parsed->errors.push_back(absl::StrCat(
        "invalid boolean value ", Quote(flag.text), " for -", flag.name,
        flag.type == FlagType::kPlainBool
            ? ": parse error"
            : absl::StrCat(": strconv.ParseBool: parsing ", Quote(flag.text),
                           ": invalid syntax")));
    return;
  }
  flag.boolean = *boolean;
  parsed->flags.push_back(std::move(flag));
}

// As strconv.ParseInt reads it with base 0, but for underscores.
std::optional<int64_t> ParsePlainInt(const std::string& text,
                                     const char** why) {
  *why = "parse error";
  const size_t digits =
      !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  if (digits == text.size() ||
      !absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
    return std::nullopt;
  }
  errno = 0;
  char* end = nullptr;
  const int64_t number = std::strtoll(text.c_str(), &end, 0);
  if (end != text.c_str() + text.size()) return std::nullopt;
  *why = "value out of range";
  if (errno == ERANGE) return std::nullopt;
  return number;
}

void AddPlainInt(GivenFlag flag, GoFlags* parsed) {
  const char* why = "";
  const std::optional<int64_t> integer = ParsePlainInt(flag.text, &why);
  if (!integer) {
    parsed->errors.push_back(absl::StrCat("invalid value ", Quote(flag.text),
                                          " for flag -", flag.name, ": ", why));
    return;
  }
  flag.integer = *integer;
  parsed->flags.push_back(std::move(flag));
}

void AddKeyValue(GivenFlag flag, GoFlags* parsed) {
  if (flag.text.find('=') == std::string::npos) {
    parsed->errors.push_back(absl::StrCat(
        "invalid value ", Quote(flag.text), " for flag -", flag.name,
        ": Missing \"=\" value in argument: ", flag.text));
    return;
  }
  parsed->flags.push_back(std::move(flag));
}

void AddInt(GivenFlag flag, GoFlags* parsed) {
  const char* why = "";
  const std::optional<int64_t> integer = ParseInt(flag.text, &why);
  if (!integer) {
    parsed->errors.push_back(absl::StrCat(
        "invalid value ", Quote(flag.text), " for flag -", flag.name,
        ": strconv.Atoi: parsing ", Quote(flag.text), ": ", why));
    return;
  }
  flag.integer = *integer;
  parsed->flags.push_back(std::move(flag));
}

void AddWithText(GivenFlag flag, GoFlags* parsed) {
  switch (flag.type) {
    case FlagType::kInt:
      return AddInt(std::move(flag), parsed);
    case FlagType::kPlainInt:
      return AddPlainInt(std::move(flag), parsed);
    case FlagType::kKeyValue:
      return AddKeyValue(std::move(flag), parsed);
    default:
      parsed->flags.push_back(std::move(flag));
  }
}

}  // namespace

GoFlags ParseGoFlags(const std::vector<std::string>& args,
                     std::span<const FlagSpec> specs) {
  GoFlags parsed;
  size_t at = 0;
  while (at < args.size()) {
    const std::string& arg = args[at];
    if (arg.size() < 2 || arg[0] != '-') break;  // "-" alone is a plain word
    ++at;
    if (arg == "--") break;
    std::string name = arg.substr(arg[1] == '-' ? 2 : 1);
    if (name.empty() || name[0] == '-' || name[0] == '=') {
      parsed.errors.push_back(absl::StrCat("bad flag syntax: ", arg));
      return parsed;
    }
    GivenFlag flag;
    const size_t equals = name.find('=');
    const bool has_value = equals != std::string::npos;
    if (has_value) {
      flag.text = name.substr(equals + 1);
      name.resize(equals);
    }
    const auto spec =
        std::find_if(specs.begin(), specs.end(),
                     [&name](const FlagSpec& s) { return name == s.name; });
    if (spec == specs.end()) {
      if (name == "h" || name == "help") {
        parsed.help = true;
      } else {
        parsed.errors.push_back(
            absl::StrCat("flag provided but not defined: -", name));
      }
      return parsed;
    }
    flag.name = std::move(name);
    flag.type = spec->type;
    if (spec->type == FlagType::kBool || spec->type == FlagType::kPlainBool) {
      AddBool(std::move(flag), has_value, &parsed);
      continue;
    }
    if (!has_value) {
      if (at == args.size()) {
        parsed.errors.push_back(
            absl::StrCat("flag needs an argument: -", flag.name));
        return parsed;
      }
      flag.text = args[at++];
    }
    AddWithText(std::move(flag), &parsed);
  }
  parsed.rest.assign(args.begin() + static_cast<std::ptrdiff_t>(at),
                     args.end());
  return parsed;
}

}  // namespace dnsd
