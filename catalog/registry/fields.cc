#include "catalog/registry/fields.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/edit_distance.h"
#include "catalog/base/limits.h"
#include "catalog/registry/definition.h"

namespace dnsd {
namespace {

// Longer names have no near neighbour worth the quadratic comparison.
constexpr size_t kNameBytesMax = 64;
constexpr size_t kQuotedBytesMax = 80;
constexpr size_t kNearDistanceMax = 2;
// Per object; what has more is another kind of file.
constexpr size_t kUnknownKeysMax = 100;

bool Mismatch(const Value& value, const Place& place, const char* wanted,
              Problems* problems) {
  problems->Error(place,
                  absl::StrCat("must be ", wanted, ", not ", Describe(value)));
  return false;
}

bool IsMetaKeyByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '_';
}

}  // namespace

const Value& Unwrap(const Value& value) {
  if (value.kind == Value::Kind::kList && value.items.size() == 1) {
    return value.items[0];
  }
  return value;
}

std::string Quoted(const std::string& text) {
  const bool cut = text.size() > kQuotedBytesMax;
  return absl::StrCat("\"",
                      absl::Utf8SafeCHexEscape(text.substr(0, kQuotedBytesMax)),
                      cut ? "...\"" : "\"");
}

std::string Describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return value.boolean ? "true" : "false";
    case Value::Kind::kInt:
      return value.text.empty() ? absl::StrCat(value.integer) : value.text;
    case Value::Kind::kDouble:
      return value.text.empty() ? absl::StrCat(value.real) : value.text;
    case Value::Kind::kString:
      return Quoted(value.text);
    case Value::Kind::kList:
      return absl::StrCat("a list of ", value.items.size());
    case Value::Kind::kObject:
      return "a map";
  }
  return "";
}

std::string NearestName(const std::string& key,
                        std::span<const char* const> names) {
  const std::string lower = absl::AsciiStrToLower(key);
  if (lower.size() > kNameBytesMax) return "";
  std::string nearest;
  size_t best = kNearDistanceMax + 1;
  for (const char* name : names) {
    const std::string candidate = name;
    if (candidate.size() > kNameBytesMax) continue;
    const size_t distance = EditDistance(lower, candidate, kNearDistanceMax);
    // In a short word two edits are another word.
    if (distance > 1 && candidate.size() < 5) continue;
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void ReportUnknownKey(const Place& place, const std::string& key,
                      std::span<const char* const> names, Problems* problems) {
  const std::string near = NearestName(key, names);
  problems->Error(place, absl::StrCat("invalid config key ", place.key,
                                      near.empty() ? "" : ", did you mean ",
                                      near, near.empty() ? "" : "?"));
}

bool ReadString(const Value& value, const Place& place, Problems* problems,
                std::string* out) {
  const Value& plain = Unwrap(value);
  if (plain.kind != Value::Kind::kString) {
    return Mismatch(value, place, "a string", problems);
  }
  *out = plain.text;
  return true;
}

bool ReadBool(const Value& value, const Place& place, Problems* problems,
              bool* out) {
  const Value& plain = Unwrap(value);
  if (plain.kind != Value::Kind::kBool) {
    return Mismatch(value, place, "true or false", problems);
  }
  *out = plain.boolean;
  return true;
}

bool ReadInt(const Value& value, const Place& place, Problems* problems,
             int64_t* out) {
  const Value& plain = Unwrap(value);
  if (plain.kind == Value::Kind::kInt) {
    *out = plain.integer;
    return true;
  }
  // JSON writers may say 80.0 or 8e1; 2^53 bounds what a double holds exactly.
  constexpr double kExactMax = 9007199254740992.0;
  if (plain.kind == Value::Kind::kDouble &&
      plain.real == std::trunc(plain.real) &&
      std::fabs(plain.real) <= kExactMax) {
    *out = static_cast<int64_t>(plain.real);
    return true;
  }
  return Mismatch(value, place, "a whole number", problems);
}

bool ReadDurationText(const std::string& text, const Place& place,
                      Problems* problems, std::chrono::nanoseconds* out) {
  // A string of digits alone is a forgotten unit, as for Consul.
  const bool digits_only =
      text != "0" && std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' ||
               c == '+';
      });
  if (digits_only || !ParseGoDuration(text, out)) {
    problems->Error(place,
                    absl::StrCat("invalid duration: ", Quoted(text),
                                 digits_only && !text.empty()
                                     ? " has no unit (write \"10s\", \"1m\")"
                                     : " (write \"10s\", \"1h30m\")"));
    return false;
  }
  return true;
}

bool ReadDuration(const Value& value, const Place& place, Problems* problems,
                  std::chrono::nanoseconds* out) {
  const Value& plain = Unwrap(value);
  if (plain.kind == Value::Kind::kInt) {
    *out = std::chrono::nanoseconds(plain.integer);
    return true;
  }
  if (plain.kind != Value::Kind::kString) {
    return Mismatch(value, place, "a duration such as \"10s\"", problems);
  }
  return ReadDurationText(plain.text, place, problems, out);
}

bool ReadStrings(const Value& value, const Place& place, Problems* problems,
                 std::vector<std::string>* out) {
  if (value.kind != Value::Kind::kList) {
    return Mismatch(value, place, "a list of strings", problems);
  }
  std::vector<std::string> strings;
  for (size_t i = 0; i < value.items.size(); ++i) {
    const Value& item = value.items[i];
    Place item_place = place;
    absl::StrAppend(&item_place.key, "[", i, "]");
    if (item.line > 0) item_place.line = item.line;
    std::string text;
    if (ReadString(item, item_place, problems, &text)) strings.push_back(text);
  }
  *out = std::move(strings);
  return true;
}

void CheckMeta(const std::map<std::string, std::string>& meta,
               const Place& place, const char* allowed, Problems* problems) {
  if (meta.size() > kMetaPairsMax) {
    problems->Error(place, absl::StrCat(meta.size(), " pairs are more than ",
                                        kMetaPairsMax));
  }
  for (const auto& [key, value] : meta) {
    std::string wrong;
    if (key.empty()) {
      wrong = "the key is empty";
    } else if (key.size() > kMetaKeyBytesMax) {
      wrong =
          absl::StrCat("the key is longer than ", kMetaKeyBytesMax, " bytes");
    } else if (!std::all_of(key.begin(), key.end(), IsMetaKeyByte)) {
      wrong = "the key has characters besides letters, digits, - and _";
    } else if (absl::StartsWith(key, "consul-") &&
               (allowed == nullptr || key != allowed)) {
      wrong = "the key prefix \"consul-\" is reserved";
    } else if (value.size() > kMetaValueBytesMax) {
      wrong = absl::StrCat("the value is longer than ", kMetaValueBytesMax,
                           " bytes");
    }
    if (!wrong.empty()) {
      problems->Error(place, absl::StrCat(Quoted(key), ": ", wrong));
    }
  }
}

Fields::Fields(const Value& value, Place where, Problems* problems,
               std::span<const Alias> aliases)
    : where_(std::move(where)), problems_(problems) {
  const Value& object = Unwrap(value);
  if (object.kind != Value::Kind::kObject) {
    if (object.kind != Value::Kind::kNull) {
      (void)Mismatch(value, where_, "one map", problems_);
    }
    return;
  }
  std::map<std::string, size_t> index;
  for (const Member& member : object.members) {
    std::string name = absl::AsciiStrToLower(member.key);
    for (const auto& [alias, target] : aliases) {
      if (name == alias) name = target;
    }
    const auto [at, is_new] = index.emplace(name, keys_.size());
    if (is_new) {
      keys_.push_back({std::move(name), &member, false});
      continue;
    }
    Key* same = &keys_[at->second];
    Place place = where_;
    place.line = member.line;
    absl::StrAppend(&place.key, place.key.empty() ? "" : ".", member.key);
    problems_->Warn(place,
                    absl::StrCat("given before on line ", same->member->line,
                                 "; the last one counts"));
    same->member = &member;
  }
}

Place Fields::PlaceOf(const char* name) const {
  Place place = where_;
  std::string written = name;
  for (const Key& key : keys_) {
    if (key.name != name) continue;
    written = key.member->key;
    if (key.member->line > 0) place.line = key.member->line;
  }
  absl::StrAppend(&place.key, place.key.empty() ? "" : ".", written);
  return place;
}

const Value* Fields::Take(const char* name) {
  names_.push_back(name);
  for (Key& key : keys_) {
    if (key.name != name) continue;
    key.known = true;
    if (key.member->value.kind == Value::Kind::kNull) return nullptr;
    return &key.member->value;
  }
  return nullptr;
}

std::vector<std::pair<const Value*, Place>> Fields::TakeList(const char* name) {
  std::vector<std::pair<const Value*, Place>> list;
  const Value* value = Take(name);
  if (value == nullptr) return list;
  if (value->kind != Value::Kind::kList) {
    (void)Mismatch(*value, PlaceOf(name), "a list", problems_);
    return list;
  }
  const Place list_place = PlaceOf(name);
  for (size_t i = 0; i < value->items.size(); ++i) {
    Place place = list_place;
    absl::StrAppend(&place.key, "[", i, "]");
    if (value->items[i].line > 0) place.line = value->items[i].line;
    list.emplace_back(&value->items[i], std::move(place));
  }
  return list;
}

bool Fields::String(const char* name, std::string* out) {
  const Value* value = Take(name);
  return value != nullptr && ReadString(*value, PlaceOf(name), problems_, out);
}

bool Fields::String(const char* name, ShortText* out) {
  std::string text;
  const bool is_given = String(name, &text);
  if (is_given) *out = text;
  return is_given;
}

bool Fields::Bool(const char* name, bool* out) {
  const Value* value = Take(name);
  return value != nullptr && ReadBool(*value, PlaceOf(name), problems_, out);
}

bool Fields::Int(const char* name, int min, int max, int* out) {
  const Value* value = Take(name);
  int64_t number = 0;
  if (value == nullptr || !ReadInt(*value, PlaceOf(name), problems_, &number)) {
    return false;
  }
  if (number < min || number > max) {
    problems_->Error(PlaceOf(name), absl::StrCat(number, " is not between ",
                                                 min, " and ", max));
    return false;
  }
  *out = static_cast<int>(number);
  return true;
}

bool Fields::Duration(const char* name, std::chrono::nanoseconds* out) {
  const Value* value = Take(name);
  std::chrono::nanoseconds duration{0};
  if (value == nullptr ||
      !ReadDuration(*value, PlaceOf(name), problems_, &duration)) {
    return false;
  }
  if (duration.count() < 0) {
    problems_->Error(PlaceOf(name),
                     absl::StrCat(Describe(Unwrap(*value)), " is negative"));
    return false;
  }
  *out = duration;
  return true;
}

bool Fields::Strings(const char* name, std::vector<std::string>* out) {
  const Value* value = Take(name);
  return value != nullptr && ReadStrings(*value, PlaceOf(name), problems_, out);
}

bool Fields::StringMap(const char* name,
                       std::map<std::string, std::string>* out) {
  const Value* value = Take(name);
  if (value == nullptr) return false;
  const Value& object = Unwrap(*value);
  if (object.kind != Value::Kind::kObject) {
    return Mismatch(*value, PlaceOf(name), "one map", problems_);
  }
  std::map<std::string, std::string> map;
  for (const Member& member : object.members) {
    Place place = PlaceOf(name);
    absl::StrAppend(&place.key, "[", member.key, "]");
    if (member.line > 0) place.line = member.line;
    std::string text;
    if (ReadString(member.value, place, problems_, &text)) {
      map[member.key] = text;
    }
  }
  *out = std::move(map);
  return true;
}

void Fields::Accept(std::initializer_list<const char*> names) {
  for (const char* name : names) (void)Take(name);
}

void Fields::Finish() {
  size_t unknown_count = 0;
  for (const Key& key : keys_) {
    if (key.known) continue;
    if (++unknown_count > kUnknownKeysMax) {
      problems_->Error(where_, "more invalid config keys, not all are shown");
      return;
    }
    Place place = where_;
    if (key.member->line > 0) place.line = key.member->line;
    absl::StrAppend(&place.key, place.key.empty() ? "" : ".", key.member->key);
    ReportUnknownKey(place, key.member->key, names_, problems_);
  }
}

}  // namespace dnsd
