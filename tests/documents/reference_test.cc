// The reference of the configuration and the manuals are made of the tables
// that files and flags are read by, are complete, and say the truth of
// defaults. What stands in the committed documents is what the tables say now:
// `./dev reference` writes it again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "dnsd/config_keys.h"
#include "dnsd/docs/config_docs.h"
#include "tests/dnsd/config_testing.h"
#include "tests/documents/reference_text.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

std::string SourceFile(const std::string& path) {
  return absl::StrCat(DNSD_SOURCE_DIR, "/", path);
}

bool IsHeading(const ConfigDoc& doc) { return doc.path[0] == ' '; }

TEST(Reference, HasASentenceForEveryKeyAndNoOther) {
  std::set<std::string> keys;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.type != KeyType::kBlock && key.type != KeyType::kIgnored) {
      keys.insert(key.path);
    }
  }
  std::set<std::string> described;
  for (const ConfigDoc& doc : ConfigDocs()) {
    EXPECT_GT(absl::string_view(doc.text).size(), 5u) << doc.path;
    EXPECT_FALSE(absl::EndsWith(doc.text, ".")) << doc.path;
    if (IsHeading(doc)) continue;
    EXPECT_TRUE(described.insert(doc.path).second) << doc.path << " twice";
  }
  for (const std::string& key : keys) {
    EXPECT_EQ(described.count(key), 1u)
        << key << ": say in dnsd/docs/config_docs.cc what it means";
  }
  for (const std::string& key : described) {
    EXPECT_EQ(keys.count(key), 1u) << key << ": there is no such key";
  }
}

TEST(Reference, EveryFlagHasItsSentenceAndSetsAKey) {
  for (const AgentFlag& flag : AgentFlags()) {
    if (flag.path == nullptr) continue;
    EXPECT_NE(flag.help, nullptr) << flag.name;
    if (flag.path[0] != '\0') {
      EXPECT_NE(FindConfigKey(flag.path), nullptr) << flag.name;
    }
  }
}

// --- defaults ---

bool AreAlike(const CheckSettings& a, const CheckSettings& b) {
  return a.enable_scripts == b.enable_scripts &&
         a.enable_local_scripts == b.enable_local_scripts &&
         a.update_interval == b.update_interval &&
         a.reap_interval == b.reap_interval &&
         a.deregister_after_min == b.deregister_after_min &&
         a.output_bytes_max == b.output_bytes_max;
}

bool AreAlike(const HealthLimits& a, const HealthLimits& b) {
  return a.hang_after_ms == b.hang_after_ms && a.max_age_ms == b.max_age_ms &&
         a.lame_duck_ms == b.lame_duck_ms;
}

// Whether two configurations are the same as far as a default goes.
bool AreAlike(const Config& a, const Config& b) {
  const ZonePolicy& p = a.policy;
  const ZonePolicy& q = b.policy;
  return Show(a.dns_listen) == Show(b.dns_listen) &&
         Show(a.http_listen) == Show(b.http_listen) &&
         Show(a.https_listen) == Show(b.https_listen) &&
         a.server_port == b.server_port && a.workers == b.workers &&
         a.node.datacenter == b.node.datacenter && p.domain == q.domain &&
         p.compat == q.compat && p.node_ttl == q.node_ttl &&
         p.soa.refresh == q.soa.refresh && p.soa.retry == q.soa.retry &&
         p.soa.expire == q.soa.expire && p.only_passing == q.only_passing &&
         p.a_record_limit == q.a_record_limit &&
         p.enable_truncate == q.enable_truncate &&
         p.disable_compression == q.disable_compression &&
         p.enable_additional_node_meta_txt ==
             q.enable_additional_node_meta_txt &&
         p.translate_wan_addrs == q.translate_wan_addrs &&
         p.edns_udp_size == q.edns_udp_size &&
         a.forward_cache == b.forward_cache &&
         a.client_limits == b.client_limits && a.consul == b.consul &&
         AreAlike(a.health, b.health) && a.transfer == b.transfer &&
         a.log_level == b.log_level && a.log_json == b.log_json &&
         a.log_file == b.log_file && a.enable_syslog == b.enable_syslog &&
         a.syslog_facility == b.syslog_facility && a.query_log == b.query_log &&
         a.ui == b.ui && AreAlike(a.check_settings, b.check_settings) &&
         a.http_connections_per_client_max ==
             b.http_connections_per_client_max &&
         a.http_requests_max == b.http_requests_max &&
         a.http_requests_per_client_max == b.http_requests_per_client_max &&
         a.https_handshake_ms == b.https_handshake_ms;
}

// "dns_config { cache { max_ttl = TEXT } }".
std::string Nested(const std::string& path, const std::string& text) {
  std::vector<std::string> parts = absl::StrSplit(path, '.');
  std::string hcl = absl::StrCat(parts.back(), " = ", text);
  for (size_t i = parts.size() - 1; i-- > 0;) {
    hcl = absl::StrCat(parts[i], " { ", hcl, " }");
  }
  return hcl;
}

// Another value of the same type, or "".
std::string Another(const ConfigDoc& doc) {
  const std::map<std::string, std::string> words = {
      {"dns_config.compat", "\"consul\""},
      {"dns_config.cache.size", "\"16MB\""},
      {"client_addr", "\"127.0.0.2\""},
      {"datacenter", "\"dc2\""},
      {"domain", "\"example.\""},
      {"log_level", "\"warn\""},
      {"syslog_facility", "\"DAEMON\""},
      {"zone_transfer.allow", "[\"10.0.0.0/8\"]"},
      {"zone_transfer.notify", "[\"10.0.0.1\"]"},
      {"consul.datacenters", "[\"dc2\"]"},
      {"dns_config.rate_limit.exempt", "[\"10.0.0.0/8\"]"},
      {"ports.https", ""},
  };
  const auto word = words.find(doc.path);
  if (word != words.end()) return word->second;
  switch (FindConfigKey(doc.path)->type) {
    case KeyType::kBool:
      return absl::string_view(doc.otherwise) == "true" ? "false" : "true";
    case KeyType::kInt:
      return absl::StrCat(
          "8", absl::string_view(doc.otherwise).size() > 3 ? "00" : "");
    case KeyType::kDuration:
      return "\"77s\"";
    default:
      return "";
  }
}

// Keys whose value shows elsewhere than in what AreAlike() looks at.
const std::set<std::string> kSeenElsewhere = {
    "acl.enabled",
    "acl.default_policy",
    "dns_config.recursor_strategy",
    "dns_config.recursor_timeout",
    "ports.https",
    "ports.sidecar_min_port",
    "ports.sidecar_max_port",
    "tls_min_version",
    "tls_prefer_server_cipher_suites",
    "verify_incoming",
    "verify_incoming_https",
};

TEST(Reference, DefaultsAreWhatAnEmptyConfigurationMeans) {
  // Some blocks mean nothing without their first key.
  const std::string around =
      "consul { address = \"http://192.0.2.1:8501\" }\n"
      "dnstap { socket = \"/run/dnstap.sock\" }\n"
      "zone_transfer { allow = [] }\n";
  size_t compared = 0;
  for (const ConfigDoc& doc : ConfigDocs()) {
    const std::string text = IsHeading(doc) ? "" : doc.otherwise;
    if (text.empty() || text.front() == '(') continue;
    const auto load = [&](const std::string& more) {
      return Load({"-hcl", around, "-hcl", more});
    };
    const Loaded nothing = load("");
    const Loaded stated = load(Nested(doc.path, text));
    EXPECT_EQ(Join(stated.problems.errors()), "") << doc.path;
    EXPECT_EQ(Join(stated.problems.warnings()),
              Join(nothing.problems.warnings()))
        << doc.path;
    EXPECT_TRUE(AreAlike(stated.config, nothing.config))
        << doc.path << ": " << text << " is not the default";
    if (kSeenElsewhere.count(doc.path) != 0) continue;
    const std::string other = Another(doc);
    ASSERT_NE(other, "") << doc.path << ": of what other value is it told?";
    ASSERT_NE(other, text) << doc.path;
    const Loaded changed = load(Nested(doc.path, other));
    EXPECT_EQ(Join(changed.problems.errors()), "") << doc.path;
    EXPECT_FALSE(AreAlike(changed.config, nothing.config))
        << doc.path << " = " << other
        << ": AreAlike() does not look at it, so its default is not checked";
    ++compared;
  }
  EXPECT_GT(compared, 50u);
}

// --- definitions ---

// The names in calls like fields.String("name", …) of one function.
std::set<std::string> FieldsIn(const std::string& path,
                               const std::string& object) {
  const std::string source = ReadFile(SourceFile(path));
  std::set<std::string> names;
  const std::regex call(
      absl::StrCat("\\b", object, "(\\.|->)(String|Bool|Int|Duration|Strings|",
                   "StringMap|Take|TakeList)\\(\\s*\"(\\w+)\""));
  for (std::sregex_iterator at(source.begin(), source.end(), call), end;
       at != end; ++at) {
    names.insert((*at)[3]);
  }
  const std::regex accept(
      absl::StrCat("\\b", object, "\\.Accept\\(\\{([^}]*)\\}"));
  const std::regex quoted("\"(\\w+)\"");
  for (std::sregex_iterator at(source.begin(), source.end(), accept), end;
       at != end; ++at) {
    const std::string list = (*at)[1];
    for (std::sregex_iterator word(list.begin(), list.end(), quoted), stop;
         word != stop; ++word) {
      names.insert((*word)[1]);
    }
  }
  return names;
}

TEST(Reference, HasEveryFieldOfDefinitions) {
  std::map<std::string, std::set<std::string>> described;
  for (const ConfigDoc& doc : DefinitionDocs()) {
    if (IsHeading(doc)) continue;
    const std::string path = doc.path;
    described[path.substr(0, path.rfind('.'))].insert(
        path.substr(path.rfind('.') + 1));
  }
  std::map<std::string, std::set<std::string>> read;
  read["forward"] = FieldsIn("dnsd/config_forward.cc", "fields");
  read["acl.static_tokens"] = FieldsIn("dnsd/config_acl.cc", "fields");
  read["acl.static_tokens"].insert("secret");  // by ReadSecret()
  read["zone_transfer.keys"] = FieldsIn("dnsd/config_transfer.cc", "fields");
  read["zone"] = {"name", "file"};
  read["service"] = FieldsIn("catalog/registry/definition.cc", "fields");
  read["service"].insert({"namespace", "partition"});  // by WarnTenancy()
  read["check"] = FieldsIn("catalog/registry/check_definition.cc", "fields");
  read["check"].insert("deregister_critical_service_after");
  EXPECT_EQ(described, read);
}

TEST(Reference, SaysWhatNeedsARestartAsTheServerDoes) {
  const std::string source = ReadFile(SourceFile("dnsd/config_restart.cc"));
  const std::regex kept("\\bKeep\\(\"([\\w.]+)\"");
  std::set<std::string> settings;
  for (std::sregex_iterator at(source.begin(), source.end(), kept), end;
       at != end; ++at) {
    settings.insert((*at)[1]);
  }
  ASSERT_GT(settings.size(), 10u);
  for (const ConfigDoc& doc : ConfigDocs()) {
    if (IsHeading(doc)) continue;
    for (const std::string& setting : settings) {
      if (doc.path != setting &&
          !absl::StartsWith(doc.path, absl::StrCat(setting, "."))) {
        continue;
      }
      EXPECT_EQ(doc.on_reload, OnReload::kNeedsRestart) << doc.path;
    }
  }
}

// --- what is committed ---

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// What `dnsd -h`, and the usage of a verb with subcommands, lists.
std::vector<VerbHelp> Listed(const std::string& usage) {
  std::vector<VerbHelp> verbs;
  for (const std::string& line : Lines(usage)) {
    if (!absl::StartsWith(line, "    ") || absl::StartsWith(line, "     ")) {
      continue;
    }
    const size_t end = line.find(' ', 4);
    verbs.push_back({line.substr(4, end - 4),
                     line.substr(line.find_first_not_of(' ', end)), ""});
  }
  return verbs;
}

std::vector<VerbHelp> Verbs() { return Listed(RunDnsd({"-h"}).output); }

// With subcommands in place of those that have some, and their help; without
// the agent, which has its own.
std::vector<VerbHelp> VerbsWithHelp() {
  std::vector<VerbHelp> all;
  for (VerbHelp& verb : Verbs()) {
    if (verb.name == "agent" || verb.name == "version") continue;
    verb.help = RunDnsd({verb.name, "-h"}).output;
    if (!absl::StrContains(verb.help, "Subcommands:")) {
      all.push_back(verb);
      continue;
    }
    for (VerbHelp& inner : Listed(verb.help)) {
      inner.help = RunDnsd({verb.name, inner.name, "-h"}).output;
      inner.name = absl::StrCat(verb.name, " ", inner.name);
      all.push_back(inner);
    }
  }
  return all;
}

struct GeneratedPart {
  const char* file;
  const char* name;
  std::string text;
};

std::vector<GeneratedPart> Parts() {
  static constexpr char kPage[] = "dnsd/docs/configuration.md";
  static constexpr char kDnsd[] = "docker/man/dnsd.8";
  static constexpr char kHcl[] = "docker/man/dnsd.hcl.5";
  return {{kPage, "keys", KeysMarkdown()},
          {kPage, "definitions", DefinitionsMarkdown()},
          {kPage, "ignored", IgnoredMarkdown()},
          {kDnsd, "verbs", VerbsManual(Verbs())},
          {kDnsd, "agent options", FlagsManual()},
          {kDnsd, "verb options", VerbOptionsManual(VerbsWithHelp())},
          {kHcl, "keys", KeysManual()},
          {kHcl, "definitions", DefinitionsManual()}};
}

TEST(Reference, IsWhatTheDocumentsHave) {
  std::map<std::string, std::string> files;
  for (const GeneratedPart& part : Parts()) {
    std::string& text = files[part.file];
    if (text.empty()) text = ReadFile(SourceFile(part.file));
    ASSERT_TRUE(
        absl::StrContains(text, absl::StrCat("BEGIN GENERATED: ", part.name)))
        << part.file << " has no part " << part.name;
    text = WithGenerated(text, part.name, part.text);
  }
  for (const auto& [file, text] : files) {
    if (std::getenv("DNSD_WRITE_REFERENCE") != nullptr) {
      std::ofstream(SourceFile(file)) << text;
    }
    EXPECT_EQ(ReadFile(SourceFile(file)), text)
        << file << " is not what the tables say: ./dev reference";
  }
}

}  // namespace
}  // namespace dnsd::testing
