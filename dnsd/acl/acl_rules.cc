#include "dnsd/acl/acl_rules.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/hcl.h"
#include "catalog/base/json_read.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

// In the order of AclResource.
constexpr std::array<const char*, kAclResourceCount> kNames = {
    "agent",   "event", "key",     "node", "query",    "service",
    "session", "acl",   "keyring", "mesh", "operator", "peering"};
constexpr std::array<const char*, kAclNamedResourceCount> kPrefixNames = {
    "agent_prefix", "event_prefix",   "key_prefix",    "node_prefix",
    "query_prefix", "service_prefix", "session_prefix"};

bool HasNames(AclResource resource) {
  return static_cast<size_t>(resource) < kAclNamedResourceCount;
}

// Which resource a key is about, and whether by prefix.
std::optional<AclRule> RuleOfKey(const std::string& key) {
  const std::string name = absl::AsciiStrToLower(key);
  AclRule rule;
  for (size_t i = 0; i < kNames.size(); ++i) {
    rule.resource = static_cast<AclResource>(i);
    if (name == kNames[i]) return rule;
    rule.is_prefix = i < kPrefixNames.size() && name == kPrefixNames[i];
    if (rule.is_prefix) return rule;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Place& where, Problems* problems)
      : where_(where), in_other_file_(where.line > 0), problems_(*problems) {}

  AclRules Read(const std::string& text) {
    // As Consul: what begins as a JSON object is one.
    const std::string trimmed(absl::StripLeadingAsciiWhitespace(text));
    const bool is_json = absl::StartsWith(trimmed, "{");
    const absl::StatusOr<Value> document =
        is_json ? ParseJson(text) : ParseHcl(text);
    if (trimmed.empty()) return {};
    if (!document.ok()) {
      problems_.Error(where_, document.status().message());
      return {};
    }
    for (const Member& member : document->members) ReadMember(member);
    return std::move(rules_);
  }

 private:
  void Fail(int line, const std::string& key, absl::string_view what) {
    Place place = where_;
    std::string message = absl::StrCat(key, ": ", what);
    if (in_other_file_) {
      if (line > 0) message = absl::StrCat("line ", line, ": ", message);
    } else {
      place.line = line;
    }
    problems_.Error(place, message);
  }

  void ReadMember(const Member& member) {
    const std::optional<AclRule> rule = RuleOfKey(member.key);
    if (!rule) {
      FailUnknown(member);
    } else if (HasNames(rule->resource)) {
      ReadNames(*rule, member, member.value);
    } else {
      Add(*rule, member.key, member.line, Unwrap(member.value));
    }
  }

  void FailUnknown(const Member& member) {
    std::vector<const char*> names(kNames.begin(), kNames.end());
    names.insert(names.end(), kPrefixNames.begin(), kPrefixNames.end());
    const std::string nearest = NearestName(member.key, names);
    Fail(member.line, member.key,
         nearest.empty() ? "is no resource that rules are about"
                         : absl::StrCat("is no resource that rules are about; "
                                        "did you mean ",
                                        nearest, "?"));
  }

  // { "web": { policy }, ... }, or a list of such.
  void ReadNames(const AclRule& rule, const Member& member,
                 const Value& value) {
    if (value.kind == Value::Kind::kList) {
      for (const Value& item : value.items) {
        if (item.kind == Value::Kind::kList) {
          Fail(member.line, member.key, "has a list within a list");
        } else {
          ReadNames(rule, member, item);
        }
      }
      return;
    }
    if (value.kind != Value::Kind::kObject) {
      Fail(member.line, member.key,
           absl::StrCat("must have a name and a policy: ", member.key,
                        " \"NAME\" { policy = \"read\" }"));
      return;
    }
    for (const Member& named : value.members) {
      AclRule one = rule;
      one.name = named.key;
      ReadBodies(one, absl::StrCat(member.key, " ", Quoted(named.key)), named);
    }
  }

  void ReadBodies(const AclRule& rule, const std::string& key,
                  const Member& named) {
    if (named.value.kind == Value::Kind::kList) {
      for (const Value& body : named.value.items) {
        ReadBody(rule, key, named.line, body);
      }
    } else {
      ReadBody(rule, key, named.line, named.value);
    }
  }

  void ReadBody(const AclRule& rule, const std::string& key, int line,
                const Value& body) {
    if (body.kind != Value::Kind::kObject) {
      Fail(line, key, "must be { policy = \"...\" }");
      return;
    }
    const Value* policy = nullptr;
    for (const Member& member : body.members) {
      const std::string name = absl::AsciiStrToLower(member.key);
      if (name == "policy") {
        if (policy != nullptr) Fail(line, key, "has two policies");
        policy = &member.value;
      } else if (name == "intentions" &&
                 rule.resource == AclResource::kService) {
        AclRule unused = rule;  // there are no intentions here to decide about
        ReadAccess(&unused, absl::StrCat(key, " intentions"), member.line,
                   Unwrap(member.value));
      } else if (name != "sentinel") {
        Fail(member.line, key,
             absl::StrCat(Quoted(member.key), " is no part of a rule"));
      }
    }
    if (policy == nullptr) {
      Fail(line, key, "has no policy");
    } else {
      Add(rule, key, line, Unwrap(*policy));
    }
  }

  void Add(AclRule rule, const std::string& key, int line, const Value& value) {
    if (ReadAccess(&rule, key, line, value)) rules_.push_back(std::move(rule));
  }

  bool ReadAccess(AclRule* rule, const std::string& key, int line,
                  const Value& value) {
    static constexpr std::pair<const char*, AclAccess> kPolicies[] = {
        {"deny", AclAccess::kDeny},
        {"read", AclAccess::kRead},
        {"write", AclAccess::kWrite},
        {"list", AclAccess::kList},
    };
    const bool is_key = rule->resource == AclResource::kKey;
    for (const auto& [name, access] : kPolicies) {
      if (value.kind != Value::Kind::kString ||
          !absl::EqualsIgnoreCase(value.text, name)) {
        continue;
      }
      if (access == AclAccess::kList && !is_key) continue;
      rule->access = access;
      return true;
    }
    Fail(line, key,
         absl::StrCat("policy ", Describe(value), " is not deny, read",
                      is_key ? ", list" : "", " or write"));
    return false;
  }

  const Place& where_;
  const bool in_other_file_;
  Problems& problems_;
  AclRules rules_;
};

}  // namespace

AclRules ParseAclRules(const std::string& text, const Place& where,
                       Problems* problems) {
  return Reader(where, problems).Read(text);
}

AclRules ManagementRules() {
  AclRules rules;
  for (size_t i = 0; i < kAclResourceCount; ++i) {
    const auto resource = static_cast<AclResource>(i);
    rules.push_back({resource, "", HasNames(resource), AclAccess::kWrite});
  }
  return rules;
}

AclRules AgentRecoveryRules(absl::string_view node_name) {
  return {
      {AclResource::kAgent, std::string(node_name), false, AclAccess::kWrite},
      {AclResource::kNode, "", true, AclAccess::kRead}};
}

}  // namespace dnsd
