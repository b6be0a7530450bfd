// Settings is what files and flags say, merged in their order but not yet
// judged: a later scalar wins, lists append, maps merge, definitions
// accumulate. Every value remembers where it was written.
//
// Threads: one owner; a plain value.
// Errors:  wrong types and unknown keys are reported while reading; whether a
//          value makes sense is decided when all are merged (config.cc).
#ifndef DNSD_DNSD_CONFIG_SETTINGS_H_
#define DNSD_DNSD_CONFIG_SETTINGS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "catalog/registry/definition.h"
#include "catalog/registry/fields.h"
#include "dnsd/config.h"
#include "dnsd/config_keys.h"
#include "dnsd/go_flags.h"

namespace dnsd {

struct PlacedText {
  std::string text;
  Place place;
};

struct Setting {
  Place place;
  std::string text;                       // kString, kSecret, kDuration
  int64_t integer = 0;                    // kInt
  bool boolean = false;                   // kBool
  std::vector<PlacedText> list;           // kStrings, kWords
  std::map<std::string, PlacedText> map;  // kStringMap
};

// One of acl.static_tokens, not yet judged.
struct StaticToken {
  std::string name;
  std::string secret;  // no message may show it
  std::string rules;
  std::string rules_file;
  Place place;
  Place rules_place;
};

// One of forward, not yet judged.
struct WrittenRule {
  std::string zone;
  std::vector<PlacedText> to;
  bool refuse = false;
  bool fallthrough = false;
  PlacedText strategy;
  PlacedText timeout;
  Place place;
};

// One of zone_transfer.keys, not yet judged.
struct TransferKey {
  std::string name;
  std::string algorithm = "hmac-sha256";
  std::string secret;  // base64; no message may show it
  Place place;
};

class Settings {
 public:
  // Reads one document; `file` names it in messages.
  void ReadDocument(const Value& document, const std::string& file,
                    Problems* problems);
  // Applies a flag that sets `flag.path`.
  void ReadFlag(const GivenFlag& given, const AgentFlag& flag,
                Problems* problems);
  // A value that stands before anything is read.
  void SetDefault(const std::string& path, const std::string& text);

  // nullptr: not given.
  [[nodiscard]] const Setting* Find(const std::string& path) const;
  // Whether anything whose path begins so ("consul.") is given.
  [[nodiscard]] bool HasBlock(const std::string& prefix) const;
  // The text that is given, or `otherwise`.
  [[nodiscard]] std::string Text(const std::string& path,
                                 const std::string& otherwise) const;
  // Where it is written; nowhere when it is not given.
  [[nodiscard]] Place PlaceOf(const std::string& path) const;
  [[nodiscard]] bool Bool(const std::string& path, bool otherwise) const;
  // The number given, or `otherwise` when there is none or it is not between
  // `min` and `max`, which is reported.
  [[nodiscard]] int64_t Int(const std::string& path, int64_t min, int64_t max,
                            int64_t otherwise, Problems* problems) const;

  std::vector<ServiceDefinition> services;
  std::vector<CheckDefinition> checks;
  std::vector<ZoneFileConfig> zones;
  std::vector<StaticToken> static_tokens;
  std::vector<WrittenRule> forward;
  std::vector<TransferKey> transfer_keys;

 private:
  void ReadBlock(const std::string& prefix, Fields* fields, Problems* problems);
  void Apply(const ConfigKey& key, const Value& value, const Place& place,
             Problems* problems);
  void ReadDefinitions(const std::string& name, Fields* fields,
                       Problems* problems);

  std::map<std::string, Setting> settings_;
  std::set<std::string> ignored_;  // keys that have been warned about
};

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_SETTINGS_H_
