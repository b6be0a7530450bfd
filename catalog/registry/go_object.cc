#include "catalog/registry/go_object.h"

#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/definition.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

std::string KindText(const Value& value, absl::string_view type) {
  switch (value.kind) {
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return type == "int" ? absl::StrCat("number ", value.text) : "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kList:
      return "array";
    case Value::Kind::kObject:
      return "object";
    case Value::Kind::kNull:
      break;
  }
  return "null";
}

// False for most pairs that differ, and at once: a name's length is not known.
bool BeginsAlike(const std::string& key, const char* name) {
  constexpr int kCase = 'a' - 'A';
  return !key.empty() && (key[0] | kCase) == (name[0] | kCase);
}

std::string Joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

void AddMismatch(const Value& value, const GoPlace& place,
                 const std::string& name, absl::string_view type,
                 GoErrors* errors) {
  const std::string path =
      place.is_fixed || name.empty() ? place.path : Joined(place.path, name);
  errors->Add(absl::StrCat(
      "json: cannot unmarshal ", KindText(value, type), " into Go ",
      path.empty() ? "value"
                   : absl::StrCat("struct field ", place.type, ".", path),
      " of type ", type));
}

}  // namespace

GoObject::GoObject(const Value& value, GoPlace place, absl::string_view type,
                   GoErrors* errors)
    : value_(&value),
      known_(value.members.size()),
      place_(std::move(place)),
      errors_(errors) {
  if (value.kind == Value::Kind::kObject || value.kind == Value::Kind::kNull) {
    return;
  }
  // It stands in a field of the struct around it.
  GoPlace outer = place_;
  if (!outer.is_fixed) outer.type = outer.outer;
  AddMismatch(value, outer, "", type, errors_);
}

GoObject::Found GoObject::Look(Names names) const {
  Found found;
  for (size_t i = 0; i < known_.size(); ++i) {
    const Member& member = value_->members[i];
    for (const char* name : names) {
      if (BeginsAlike(member.key, name) &&
          absl::EqualsIgnoreCase(member.key, name)) {
        found = {name, &member.value};
        known_[i] = true;
      }
    }
  }
  if (found.value != nullptr && found.value->kind == Value::Kind::kNull) {
    return {};
  }
  return found;
}

void GoObject::RejectOthers(Names known, Names known_too) const {
  static_cast<void>(Look(known));
  static_cast<void>(Look(known_too));
  for (size_t i = 0; i < known_.size(); ++i) {
    if (known_[i]) continue;
    errors_->Add(
        absl::StrCat("json: unknown field ", GoQuoted(value_->members[i].key)));
  }
}

const Value* GoObject::Find(Names names) const { return Look(names).value; }

GoPlace GoObject::Inside(const char* name, const char* type) const {
  if (place_.is_fixed) return place_;
  return {type, Joined(place_.path, name), place_.type};
}

GoPlace GoObject::Within(const char* name) const {
  if (place_.is_fixed) return place_;
  return {place_.type, Joined(place_.path, name), place_.type, true};
}

void GoObject::Mismatch(const Value& value, const std::string& name,
                        absl::string_view type) const {
  AddMismatch(value, place_, name, type, errors_);
}

bool GoObject::String(Names names, std::string* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  if (found.value->kind != Value::Kind::kString) {
    Mismatch(*found.value, found.name, "string");
    return false;
  }
  *out = found.value->text;
  return true;
}

bool GoObject::String(Names names, ShortText* out) const {
  std::string text;
  const bool is_given = String(names, &text);
  if (is_given) *out = text;
  return is_given;
}

bool GoObject::Bool(Names names, bool* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  if (found.value->kind != Value::Kind::kBool) {
    Mismatch(*found.value, found.name, "bool");
    return false;
  }
  *out = found.value->boolean;
  return true;
}

bool GoObject::Int(Names names, int64_t* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  if (found.value->kind != Value::Kind::kInt) {
    Mismatch(*found.value, found.name, "int");
    return false;
  }
  *out = found.value->integer;
  return true;
}

std::vector<const Value*> GoObject::List(Names names, const char* type) const {
  std::vector<const Value*> list;
  const Found found = Look(names);
  if (found.value == nullptr) return list;
  if (found.value->kind != Value::Kind::kList) {
    Mismatch(*found.value, found.name, type);
    return list;
  }
  for (const Value& item : found.value->items) list.push_back(&item);
  return list;
}

std::vector<const Member*> GoObject::Map(Names names, const char* type) const {
  std::vector<const Member*> members;
  const Found found = Look(names);
  if (found.value == nullptr) return members;
  if (found.value->kind != Value::Kind::kObject) {
    Mismatch(*found.value, found.name, type);
    return members;
  }
  for (const Member& member : found.value->members) members.push_back(&member);
  return members;
}

bool GoObject::Strings(Names names, std::vector<std::string>* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  std::vector<std::string> strings;
  for (const Value* item : List(names, "[]string")) {
    // null is the zero value of an element.
    if (item->kind != Value::Kind::kString &&
        item->kind != Value::Kind::kNull) {
      Mismatch(*item, found.name, "string");
      continue;
    }
    strings.push_back(item->text);
  }
  *out = std::move(strings);
  return true;
}

bool GoObject::StringMap(Names names,
                         std::map<std::string, std::string>* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  std::map<std::string, std::string> map;
  for (const Member* member : Map(names, "map[string]string")) {
    if (member->value.kind != Value::Kind::kString &&
        member->value.kind != Value::Kind::kNull) {
      Mismatch(member->value, found.name, "string");
      continue;
    }
    map[member->key] = member->value.text;
  }
  *out = std::move(map);
  return true;
}

bool GoObject::StringLists(
    Names names, std::map<std::string, std::vector<std::string>>* out) const {
  const Found found = Look(names);
  if (found.value == nullptr) return false;
  std::map<std::string, std::vector<std::string>> lists;
  for (const Member* member : Map(names, "map[string][]string")) {
    std::vector<std::string>& list = lists[member->key];
    list.clear();
    if (member->value.kind == Value::Kind::kNull) continue;
    if (member->value.kind != Value::Kind::kList) {
      Mismatch(member->value, found.name, "[]string");
      continue;
    }
    for (const Value& item : member->value.items) {
      if (item.kind != Value::Kind::kString) {
        Mismatch(item, found.name, "string");
        continue;
      }
      list.push_back(item.text);
    }
  }
  *out = std::move(lists);
  return true;
}

bool GoObject::Duration(Names names, std::chrono::nanoseconds* out) const {
  const Value* value = Find(names);
  if (value == nullptr) return false;
  if (value->kind == Value::Kind::kInt) {
    *out = std::chrono::nanoseconds(value->integer);
    return true;
  }
  if (value->kind == Value::Kind::kDouble) {
    constexpr double kMax = 9.2e18;
    if (!(std::fabs(value->real) < kMax)) return false;
    *out = std::chrono::nanoseconds(static_cast<int64_t>(value->real));
    return true;
  }
  if (value->kind != Value::Kind::kString) return false;
  // ParseGoDuration() takes bare numbers for nanoseconds; Go has only "0" so.
  const std::string& text = value->text;
  const bool has_unit =
      text.find_first_not_of("+-.0123456789") != std::string::npos;
  if ((!has_unit && text != "0" && text != "+0" && text != "-0") ||
      !ParseGoDuration(text, out)) {
    errors_->Add(GoDurationError(text));
    return false;
  }
  return true;
}

}  // namespace dnsd
