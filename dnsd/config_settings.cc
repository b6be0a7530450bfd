#include "dnsd/config_settings.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "dnsd/config_acl.h"
#include "dnsd/config_forward.h"
#include "dnsd/config_transfer.h"

namespace dnsd {
namespace {

// The last part of the path if the key stands directly in the block, else
// nullptr. The table's paths are literals, so a tail of one is text too.
const char* NameInBlock(const ConfigKey& key, const std::string& prefix) {
  if (std::strncmp(key.path, prefix.c_str(), prefix.size()) != 0) {
    return nullptr;
  }
  const char* name = key.path + prefix.size();
  return std::strchr(name, '.') == nullptr ? name : nullptr;
}

// Two `service` blocks in HCL are a list of two, which Consul refuses too.
bool IsOne(const Value& value, const Place& place, Problems* problems) {
  if (value.kind != Value::Kind::kList || value.items.size() == 1) return true;
  problems->Error(place,
                  absl::StrCat("expected one map, got ", value.items.size(),
                               ", use ", place.key, "s for several"));
  return false;
}

ZoneFileConfig DecodeZone(const Value& value, const Place& place,
                          Problems* problems) {
  ZoneFileConfig zone;
  zone.place = place;
  Fields fields(value, place, problems);
  fields.String("name", &zone.name);
  fields.String("file", &zone.file);
  fields.Finish();
  return zone;
}

void MergeMap(const Value& value, const Place& place, Problems* problems,
              Setting* setting) {
  const Value& object = Unwrap(value);
  if (object.kind != Value::Kind::kObject) {
    problems->Error(place,
                    absl::StrCat("must be one map, not ", Describe(value)));
    return;
  }
  setting->place = place;
  for (const Member& member : object.members) {
    PlacedText entry;
    entry.place = place;
    absl::StrAppend(&entry.place.key, "[", member.key, "]");
    if (member.line > 0) entry.place.line = member.line;
    if (ReadString(member.value, entry.place, problems, &entry.text)) {
      setting->map[member.key] = std::move(entry);
    }
  }
}

}  // namespace

void Settings::ReadDocument(const Value& document, const std::string& file,
                            Problems* problems) {
  Place place;
  place.file = file;
  Fields fields(document, place, problems);
  ReadBlock("", &fields, problems);
}

void Settings::ReadBlock(const std::string& prefix, Fields* fields,
                         Problems* problems) {
  for (const ConfigKey& key : ConfigKeys()) {
    const char* name = NameInBlock(key, prefix);
    if (name == nullptr) continue;
    if (key.type == KeyType::kDefinitions) {
      ReadDefinitions(name, fields, problems);
      continue;
    }
    const Value* value = fields->Take(name);
    if (value == nullptr) continue;
    const Place place = fields->PlaceOf(name);
    if (key.type == KeyType::kBlock) {
      Fields inner(*value, place, problems);
      ReadBlock(absl::StrCat(key.path, "."), &inner, problems);
    } else {
      Apply(key, *value, place, problems);
    }
  }
  fields->Finish();
}

void Settings::ReadDefinitions(const std::string& name, Fields* fields,
                               Problems* problems) {
  if (name == "service" || name == "check") {
    const Value* value = fields->Take(name == "check" ? "check" : "service");
    if (value == nullptr) return;
    const Place place = fields->PlaceOf(name.c_str());
    if (!IsOne(*value, place, problems)) return;
    if (name == "check") {
      checks.push_back(DecodeCheck(*value, place, problems));
    } else {
      services.push_back(DecodeService(*value, place, problems));
    }
  } else if (name == "services") {
    for (const auto& [value, place] : fields->TakeList("services")) {
      services.push_back(DecodeService(*value, place, problems));
    }
  } else if (name == "checks") {
    for (const auto& [value, place] : fields->TakeList("checks")) {
      checks.push_back(DecodeCheck(*value, place, problems));
    }
  } else if (name == "static_tokens") {
    for (const auto& [value, place] : fields->TakeList("static_tokens")) {
      static_tokens.push_back(DecodeStaticToken(*value, place, problems));
    }
  } else if (name == "forward") {
    for (const auto& [value, place] : fields->TakeList("forward")) {
      forward.push_back(DecodeForwardRule(*value, place, problems));
    }
  } else if (name == "keys") {
    for (const auto& [value, place] : fields->TakeList("keys")) {
      transfer_keys.push_back(DecodeTransferKey(*value, place, problems));
    }
  } else {
    for (const auto& [value, place] : fields->TakeList("zones")) {
      zones.push_back(DecodeZone(*value, place, problems));
    }
  }
}

void Settings::Apply(const ConfigKey& key, const Value& value,
                     const Place& place, Problems* problems) {
  if (key.type == KeyType::kIgnored) {
    if (ignored_.insert(key.path).second) {
      problems->Warn(place, "has no meaning here and is ignored");
    }
    return;
  }
  // Read aside, so that a bad value does not hide an earlier good one.
  Setting read;
  read.place = place;
  std::vector<std::string> strings;
  switch (key.type) {
    case KeyType::kString:
      if (!ReadString(value, place, problems, &read.text)) return;
      break;
    case KeyType::kInt:
      if (!ReadInt(value, place, problems, &read.integer)) return;
      break;
    case KeyType::kBool:
      if (!ReadBool(value, place, problems, &read.boolean)) return;
      break;
    case KeyType::kDuration:
      if (Unwrap(value).kind == Value::Kind::kInt) {
        read.text = absl::StrCat(Unwrap(value).integer, "ns");
      } else if (!ReadString(value, place, problems, &read.text)) {
        return;
      }
      break;
    case KeyType::kSecret:
      if (Unwrap(value).kind != Value::Kind::kString) {
        problems->Error(place, "must be a string");
        return;
      }
      read.text = Unwrap(value).text;
      break;
    case KeyType::kWords:
    case KeyType::kStrings: {
      if (key.type == KeyType::kWords && value.kind == Value::Kind::kString) {
        strings.push_back(value.text);
      } else if (!ReadStrings(value, place, problems, &strings)) {
        return;
      }
      Setting& setting = settings_[key.path];
      setting.place = place;
      for (std::string& text : strings) {
        setting.list.push_back({std::move(text), place});
      }
      return;
    }
    case KeyType::kStringMap:
      MergeMap(value, place, problems, &settings_[key.path]);
      return;
    case KeyType::kBlock:
    case KeyType::kDefinitions:
    case KeyType::kIgnored:
      return;
  }
  settings_[key.path] = std::move(read);
}

void Settings::ReadFlag(const GivenFlag& given, const AgentFlag& flag,
                        Problems* problems) {
  Place place;
  place.key = absl::StrCat("-", given.name);
  if (flag.path == nullptr) {
    if (ignored_.insert(place.key).second) {
      problems->Warn(place, "has no meaning here and is ignored");
    }
    return;
  }
  for (const ConfigKey& key : ConfigKeys()) {
    if (std::strcmp(key.path, flag.path) != 0) continue;
    Setting& setting = settings_[key.path];
    setting.place = place;
    if (AppendsWords(key.type)) {
      setting.list.push_back({given.text, place});
    } else if (key.type == KeyType::kStringMap) {
      // "key:value"; without a colon the value is empty, as for Consul.
      const size_t colon = given.text.find(':');
      const std::string value = colon == std::string::npos
                                    ? std::string()
                                    : given.text.substr(colon + 1);
      setting.map[given.text.substr(0, colon)] = {value, place};
    } else {
      setting.text = given.text;
      setting.integer = given.integer;
      setting.boolean = given.boolean;
    }
  }
}

void Settings::SetDefault(const std::string& path, const std::string& text) {
  settings_[path].text = text;
}

const Setting* Settings::Find(const std::string& path) const {
  const auto at = settings_.find(path);
  return at == settings_.end() ? nullptr : &at->second;
}

std::string Settings::Text(const std::string& path,
                           const std::string& otherwise) const {
  const Setting* setting = Find(path);
  return setting == nullptr ? otherwise : setting->text;
}

Place Settings::PlaceOf(const std::string& path) const {
  const Setting* setting = Find(path);
  return setting == nullptr ? Place{} : setting->place;
}

bool Settings::HasBlock(const std::string& prefix) const {
  const auto at = settings_.lower_bound(prefix);
  return at != settings_.end() &&
         at->first.compare(0, prefix.size(), prefix) == 0;
}

bool Settings::Bool(const std::string& path, bool otherwise) const {
  const Setting* setting = Find(path);
  return setting == nullptr ? otherwise : setting->boolean;
}

int64_t Settings::Int(const std::string& path, int64_t min, int64_t max,
                      int64_t otherwise, Problems* problems) const {
  const Setting* setting = Find(path);
  if (setting == nullptr) return otherwise;
  if (setting->integer < min || setting->integer > max) {
    problems->Error(
        setting->place,
        absl::StrCat(setting->integer, " is not between ", min, " and ", max));
    return otherwise;
  }
  return setting->integer;
}

}  // namespace dnsd
