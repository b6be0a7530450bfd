#include "dnsd/config_forward.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"
#include "dnsd/config_policy.h"
#include "zones/name.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

constexpr uint64_t kCacheBytesMax = uint64_t{1} << 40;

Place Inside(const Place& place, const char* key) {
  Place inner = place;
  absl::StrAppend(&inner.key, ".", key);
  return inner;
}

// False, and reported: it is none.
bool ReadStrategy(const PlacedText& written, ForwardStrategy* strategy,
                  Problems* problems) {
  static constexpr std::pair<const char*, ForwardStrategy> kWords[] = {
      {"fastest", ForwardStrategy::kFastest},
      {"sequential", ForwardStrategy::kSequential},
      {"random", ForwardStrategy::kRandom},
  };
  for (const auto& [word, value] : kWords) {
    if (written.text != word) continue;
    *strategy = value;
    return true;
  }
  problems->Error(written.place,
                  absl::StrCat(Quoted(written.text),
                               " is neither \"sequential\" nor \"random\" nor "
                               "\"fastest\""));
  return false;
}

bool ReadTimeout(const PlacedText& written, nanoseconds* timeout,
                 Problems* problems) {
  nanoseconds duration{0};
  if (!ReadDurationText(written.text, written.place, problems, &duration)) {
    return false;
  }
  if (duration.count() < 0) {
    problems->Error(written.place,
                    absl::StrCat(Quoted(written.text), " is negative"));
    return false;
  }
  if (duration.count() == 0) {
    problems->Warn(written.place, "0 would wait forever, 2s is used");
    duration = std::chrono::seconds(2);
  }
  *timeout = duration;
  return true;
}

// "16MB", "512KB", "1GB", or bytes.
std::optional<size_t> ParseSize(const std::string& text) {
  static constexpr std::pair<const char*, int> kUnits[] = {
      {"KB", 10}, {"MB", 20}, {"GB", 30}};
  std::string digits = text;
  int shift = 0;
  for (const auto& [unit, bits] : kUnits) {
    if (!absl::EndsWith(text, unit)) continue;
    digits.resize(text.size() - 2);
    shift = bits;
  }
  uint64_t number = 0;
  // SimpleAtoi() takes signs and spaces too.
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &number) || number > kCacheBytesMax >> shift) {
    return std::nullopt;
  }
  return number << shift;
}

class ForwardReader {
 public:
  ForwardReader(const Settings& settings, Config* config, Problems* problems)
      : settings_(settings), config_(*config), problems_(*problems) {}

  void Read() {
    ReadDefaults();
    for (const WrittenRule& rule : settings_.forward) ReadRule(rule);
    ReadRecursors();
    ReadAllow();
    ReadCache();
    SetPolicy();
  }

 private:
  // What rules have that do not say it themselves.
  void ReadDefaults() {
    const Setting* strategy = settings_.Find("dns_config.recursor_strategy");
    if (strategy != nullptr && !strategy->text.empty()) {
      (void)ReadStrategy({strategy->text, strategy->place}, &defaults_.strategy,
                         &problems_);
    }
    const Setting* timeout = settings_.Find("dns_config.recursor_timeout");
    if (timeout != nullptr) {
      (void)ReadTimeout({timeout->text, timeout->place}, &defaults_.timeout,
                        &problems_);
    }
  }

  void ReadRule(const WrittenRule& written) {
    ForwardRuleConfig rule = defaults_;
    rule.zone = written.zone == "." ? "." : NormalizeDomain(written.zone, true);
    if (written.zone.empty()) {
      problems_.Error(written.place, "a rule needs a zone; \".\" is all names");
      return;
    }
    if (rule.zone.empty()) {
      problems_.Error(
          Inside(written.place, "zone"),
          absl::StrCat(Quoted(written.zone), " is not a domain name"));
      return;
    }
    const auto [first, is_new] = places_.emplace(rule.zone, written.place);
    if (!is_new) {
      problems_.Error(
          written.place,
          absl::StrCat("duplicate zone ", Quoted(rule.zone),
                       ", first defined at ", first->second.ToString()));
      return;
    }
    rule.to =
        ReadUpstreams(written.to, "upstream", settings_, config_, &problems_);
    if (written.to.empty() != written.refuse) {
      problems_.Error(written.place,
                      written.refuse ? "has both to and refuse: which of them?"
                                     : "needs to, or refuse = true");
    }
    if (!written.strategy.text.empty()) {
      (void)ReadStrategy(written.strategy, &rule.strategy, &problems_);
    }
    if (!written.timeout.text.empty()) {
      (void)ReadTimeout(written.timeout, &rule.timeout, &problems_);
    }
    rule.is_fallthrough = written.fallthrough;
    JudgeOwn(written, rule);
    config_.forward.push_back(std::move(rule));
  }

  // What is ours is answered by us, whatever rules say.
  void JudgeOwn(const WrittenRule& written, const ForwardRuleConfig& rule) {
    const ZonePolicy& policy = config_.policy;
    const bool is_catalogs =
        IsIn(rule.zone, policy.domain) || IsIn(rule.zone, policy.alt_domain);
    if (rule.is_fallthrough && !is_catalogs) {
      problems_.Error(
          Inside(written.place, "fallthrough"),
          absl::StrCat("is for zones in ", policy.domain,
                       " only: other names are forwarded in any case"));
    } else if (rule.is_fallthrough && rule.to.empty() && written.refuse) {
      problems_.Error(Inside(written.place, "fallthrough"),
                      "there is nobody to ask");
    } else if (is_catalogs && !rule.is_fallthrough) {
      problems_.Warn(written.place,
                     absl::StrCat(Quoted(rule.zone),
                                  " is ours: without fallthrough nothing is "
                                  "forwarded"));
    }
    for (const ZoneFileConfig& zone : config_.zones) {
      if (!IsIn(rule.zone, zone.name)) continue;
      problems_.Warn(written.place,
                     absl::StrCat("has no effect: ", Quoted(rule.zone),
                                  " is in our zone ", Quoted(zone.name)));
    }
  }

  // Both with their final dot, in lower case.
  static bool IsIn(const std::string& name, const std::string& zone) {
    return !zone.empty() &&
           (name == zone || absl::EndsWith(name, absl::StrCat(".", zone)));
  }

  // They are the rule of all names that have no other.
  void ReadRecursors() {
    const Setting* setting = settings_.Find("recursors");
    if (setting == nullptr) return;
    ForwardRuleConfig rule = defaults_;
    rule.zone = ".";
    rule.to = ReadUpstreams(setting->list, "recursor", settings_, config_,
                            &problems_);
    if (const auto root = places_.find("."); root != places_.end()) {
      problems_.Warn(setting->place,
                     absl::StrCat("has no effect beside the rule for \".\" at ",
                                  root->second.ToString()));
    } else if (!rule.to.empty()) {
      config_.forward.push_back(std::move(rule));
    }
  }

  void ReadAllow() {
    const Setting* allow = settings_.Find("dns_config.recursion_allow");
    if (allow == nullptr) return;
    config_.recursion_allow = ReadNetworks(*allow, &problems_);
  }

  void ReadCache() {
    ForwardCacheLimits* limits = &config_.forward_cache;
    if (const Setting* size = settings_.Find("dns_config.cache.size")) {
      const std::optional<size_t> bytes = ParseSize(size->text);
      if (bytes) {
        limits->bytes_max = *bytes;
      } else {
        problems_.Error(size->place, absl::StrCat(Quoted(size->text),
                                                  " is not a size like 32MB"));
      }
    }
    for (const auto& [path, field] :
         {std::pair{"dns_config.cache.max_ttl", &limits->ttl_max_s},
          std::pair{"dns_config.cache.min_ttl", &limits->ttl_min_s},
          std::pair{"dns_config.cache.max_negative_ttl",
                    &limits->negative_ttl_max_s},
          std::pair{"dns_config.cache.max_stale", &limits->stale_max_s}}) {
      const Setting* setting = settings_.Find(path);
      if (setting == nullptr) continue;
      (void)ReadTtl({setting->text, setting->place}, field, &problems_);
    }
    if (limits->ttl_min_s > limits->ttl_max_s) {
      problems_.Error(settings_.PlaceOf("dns_config.cache.min_ttl"),
                      "is longer than max_ttl");
    }
  }

  void SetPolicy() {
    ZonePolicy* policy = &config_.policy;
    bool has_root = false;
    bool falls_through = false;
    auto zones = std::make_shared<SuffixTable<ForwardZone>>();
    for (const ForwardRuleConfig& rule : config_.forward) {
      if (!rule.to.empty()) policy->recursion_available = true;
      has_root = has_root || rule.zone == ".";
      falls_through = falls_through || rule.is_fallthrough;
      std::string wire;
      DNSD_CHECK(NameToWire(rule.zone, &wire));
      zones->Add(std::move(wire), {rule.is_fallthrough});
    }
    // Who has a rule for all names need not look for it.
    if (!has_root || falls_through) policy->forward_zones = std::move(zones);
  }

  const Settings& settings_;
  Config& config_;
  Problems& problems_;
  ForwardRuleConfig defaults_;
  std::map<std::string, Place> places_;
};

}  // namespace

WrittenRule DecodeForwardRule(const Value& value, const Place& place,
                              Problems* problems) {
  WrittenRule rule;
  rule.place = place;
  Fields fields(value, place, problems);
  fields.String("zone", &rule.zone);
  if (const Value* to = fields.Take("to")) {
    std::vector<std::string> texts;
    if (to->kind == Value::Kind::kString) {
      texts.push_back(to->text);
    } else {
      (void)ReadStrings(*to, fields.PlaceOf("to"), problems, &texts);
    }
    for (std::string& text : texts) {
      rule.to.push_back({std::move(text), fields.PlaceOf("to")});
    }
  }
  fields.Bool("refuse", &rule.refuse);
  fields.Bool("fallthrough", &rule.fallthrough);
  rule.strategy.place = fields.PlaceOf("strategy");
  fields.String("strategy", &rule.strategy.text);
  rule.timeout.place = fields.PlaceOf("timeout");
  fields.String("timeout", &rule.timeout.text);
  fields.Finish();
  return rule;
}

void ResolveForward(const Settings& settings, Config* config,
                    Problems* problems) {
  ForwardReader(settings, config, problems).Read();
}

}  // namespace dnsd
