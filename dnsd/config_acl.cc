#include "dnsd/config_acl.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/fields.h"
#include "dnsd/acl/acl.h"

namespace dnsd {
namespace {

constexpr size_t kSecretBytesMax = 4096;
// Consul's own limit is that of a write to its store.
constexpr size_t kRulesBytesMax = 512u << 10;

// The text of a secret, or "" after saying what is wrong with it.
std::string ReadSecret(Fields* fields, const char* name, Problems* problems) {
  const Value* value = fields->Take(name);
  if (value == nullptr) return "";
  if (Unwrap(*value).kind == Value::Kind::kString) return Unwrap(*value).text;
  problems->Error(fields->PlaceOf(name), "must be a string");
  return "";
}

bool IsSecret(const std::string& secret) {
  return !secret.empty() && secret.size() <= kSecretBytesMax &&
         std::all_of(secret.begin(), secret.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c));
         });
}

class AclReader {
 public:
  AclReader(const Settings& settings, const std::string& node_name,
            Problems* problems)
      : settings_(settings), node_name_(node_name), problems_(*problems) {}

  AclOptions Read() {
    options_.enabled = settings_.Bool("acl.enabled", false);
    ReadDefaultPolicy();
    for (const StaticToken& token : settings_.static_tokens) {
      AddToken(token.secret, token.place, token.name, RulesOf(token));
    }
    AddBuiltIn("acl.tokens.initial_management", ManagementRules());
    AddBuiltIn("acl.tokens.master", ManagementRules());
    AddBuiltIn("acl.tokens.agent_recovery", AgentRecoveryRules(node_name_));
    AddBuiltIn("acl.tokens.agent_master", AgentRecoveryRules(node_name_));
    options_.default_secret = Reference("acl.tokens.default");
    options_.dns_secret = Reference("acl.tokens.dns");
    options_.agent_secret = Reference("acl.tokens.agent");
    if (options_.enabled && !options_.default_allow &&
        options_.tokens.empty()) {
      problems_.Warn(settings_.PlaceOf("acl.default_policy"),
                     "is deny and there are no acl.static_tokens: nobody may "
                     "do anything");
    }
    return std::move(options_);
  }

 private:
  void ReadDefaultPolicy() {
    const std::string policy = settings_.Text("acl.default_policy", "allow");
    options_.default_allow = policy == "allow";
    if (policy == "allow" || policy == "deny") return;
    problems_.Error(settings_.PlaceOf("acl.default_policy"),
                    absl::StrCat(Quoted(policy), " is not allow or deny"));
  }

  void AddToken(const std::string& secret, const Place& place,
                const std::string& name, AclRules rules) {
    if (secret.empty()) {
      problems_.Error(place,
                      absl::StrCat("token ", Quoted(name), " has no secret"));
    } else if (!IsSecret(secret)) {
      problems_.Error(place,
                      absl::StrCat("the secret of token ", Quoted(name),
                                   " is more than one word, or too long"));
    } else if (!secrets_.insert(secret).second) {
      problems_.Error(place, absl::StrCat("the secret of token ", Quoted(name),
                                          " is that of another token, too"));
    } else {
      options_.tokens.push_back({secret, name, std::move(rules)});
    }
  }

  // A token that a setting makes by itself, with rights that it always has.
  void AddBuiltIn(const char* path, AclRules rules) {
    const Setting* setting = settings_.Find(path);
    if (setting == nullptr || setting->text.empty()) return;
    AddToken(setting->text, setting->place, path, std::move(rules));
  }

  // A setting that names a token by its secret.
  std::string Reference(const char* path) {
    const Setting* setting = settings_.Find(path);
    if (setting == nullptr || setting->text.empty()) return "";
    if (secrets_.count(setting->text) != 0) return setting->text;
    if (options_.enabled && settings_.static_tokens.empty()) {
      problems_.Warn(setting->place,
                     "is a token of Consul's, and means nothing here without "
                     "acl.static_tokens");
    } else if (options_.enabled) {
      problems_.Error(setting->place,
                      "is the secret of none of acl.static_tokens");
    }
    return "";
  }

  AclRules RulesOf(const StaticToken& token) {
    if (token.rules_file.empty()) {
      return ParseAclRules(token.rules, token.rules_place, &problems_);
    }
    if (!token.rules.empty()) {
      problems_.Error(token.rules_place,
                      "is given beside rules: which of them?");
      return {};
    }
    const std::string& file = token.rules_file;
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      problems_.Error(token.rules_place,
                      absl::StrCat(Quoted(file), ": ",
                                   error ? error.message() : "is not a file"));
      return {};
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text(kRulesBytesMax + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(stream.gcount()));
    if (!stream.eof() || text.size() > kRulesBytesMax) {
      problems_.Error(
          token.rules_place,
          absl::StrCat(
              Quoted(file), ": ",
              text.size() > kRulesBytesMax ? "is too long" : "cannot be read"));
      return {};
    }
    return ParseAclRules(text, {file, 0, ""}, &problems_);
  }

  const Settings& settings_;
  const std::string& node_name_;
  Problems& problems_;
  AclOptions options_;
  std::set<std::string> secrets_;
};

}  // namespace

StaticToken DecodeStaticToken(const Value& value, const Place& place,
                              Problems* problems) {
  StaticToken token;
  token.place = place;
  Fields fields(value, place, problems);
  fields.String("name", &token.name);
  token.secret = ReadSecret(&fields, "secret", problems);
  fields.String("rules", &token.rules);
  fields.String("rules_file", &token.rules_file);
  token.rules_place =
      fields.PlaceOf(token.rules_file.empty() ? "rules" : "rules_file");
  fields.Accept({"description"});
  fields.Finish();
  if (token.name.empty()) token.name = place.key;
  return token;
}

void ResolveAcl(const Settings& settings, Config* config, Problems* problems) {
  const size_t errors_before = problems->errors().size();
  const AclOptions options =
      AclReader(settings, config->node.name, problems).Read();
  // With errors the configuration is not used.
  config->acl = problems->errors().size() == errors_before
                    ? std::make_shared<const Acl>(options)
                    : std::make_shared<const Acl>();
}

void WarnAboutDnsToken(const Settings& settings, const Config& config,
                       Problems* problems) {
  const Setting* setting = settings.Find("acl.tokens.dns");
  if (setting == nullptr || setting->text.empty() || !config.acl->enabled() ||
      config.consul.addresses.empty() || settings.static_tokens.empty()) {
    return;
  }
  problems->Warn(setting->place,
                 "has no effect beside a mirrored Consul: DNS shows what "
                 "consul.token may read there");
}

}  // namespace dnsd
