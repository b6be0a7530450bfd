#include "catalog/registry/records.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/body_parts.h"

namespace dnsd {
namespace {

constexpr std::pair<char, absl::string_view> kEscapes[] = {
    {'%', "%25"}, {'/', "%2F"}, {'\0', "%00"}};

void AppendEscaped(absl::string_view part, std::string* key) {
  for (const char c : part) {
    absl::string_view text(&c, 1);
    for (const auto& [byte, escape] : kEscapes) {
      if (c == byte) text = escape;
    }
    absl::StrAppend(key, text);
  }
}

std::string Unescape(absl::string_view part) {
  std::string text;
  while (!part.empty()) {
    char next = part[0];
    size_t used = 1;
    for (const auto& [byte, escape] : kEscapes) {
      if (part.substr(0, escape.size()) != escape) continue;
      next = byte;
      used = escape.size();
    }
    text.push_back(next);
    part.remove_prefix(used);
  }
  return text;
}

absl::Status Damaged(absl::string_view value) {
  return absl::DataLossError(absl::StrCat(
      "\"", absl::CHexEscape(value.substr(0, 60)), "\" is not such a record"));
}

// The text up to the next space, which is taken off `rest` with it.
absl::string_view TakeWord(absl::string_view* rest) {
  const size_t end = rest->find(' ');
  const absl::string_view word = rest->substr(0, end);
  rest->remove_prefix(end == absl::string_view::npos ? rest->size() : end + 1);
  return word;
}

}  // namespace

std::string RecordKey(std::initializer_list<absl::string_view> parts) {
  std::string key;
  for (const absl::string_view part : parts) {
    if (!key.empty()) key.push_back('/');
    AppendEscaped(part, &key);
  }
  return key;
}

std::vector<std::string> RecordKeyParts(absl::string_view key) {
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(key, '/')) {
    parts.push_back(Unescape(part));
  }
  return parts;
}

absl::Status OfRecord(absl::string_view key, const absl::Status& error) {
  return absl::Status(error.code(),
                      absl::StrCat("record \"", key, "\": ", error.message()));
}

std::string EncodeStamped(const Stamp& stamp, absl::string_view json) {
  return absl::StrCat(stamp.create_index, " ", stamp.modify_index, " ", json);
}

absl::StatusOr<StampedValue> DecodeStamped(absl::string_view value) {
  StampedValue stamped;
  stamped.json = value;
  if (!absl::SimpleAtoi(TakeWord(&stamped.json), &stamped.stamp.create_index) ||
      !absl::SimpleAtoi(TakeWord(&stamped.json), &stamped.stamp.modify_index)) {
    return Damaged(value);
  }
  return stamped;
}

std::string EncodeCheckState(const CheckStateValue& state) {
  return absl::StrCat(HealthStatusName(state.status), " ", state.unix_ms, " ",
                      state.output);
}

absl::StatusOr<CheckStateValue> DecodeCheckState(absl::string_view value) {
  CheckStateValue state;
  absl::string_view rest = value;
  const auto status = ParseHealthStatus(TakeWord(&rest));
  if (!status.has_value() ||
      !absl::SimpleAtoi(TakeWord(&rest), &state.unix_ms)) {
    return Damaged(value);
  }
  state.status = *status;
  state.output = std::string(rest);
  return state;
}

}  // namespace dnsd
