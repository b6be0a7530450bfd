// Fuzzes the whole way from a configuration text to a Config. The first byte
// chooses: 'h' HCL, 'j' JSON, 'f' words of a command line, 'e' environment
// variables (NAME=VALUE lines), 'd' a duration.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "dnsd/config.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"
#include "dnsd/config_consul.h"
#include "dnsd/config_files.h"
#include "dnsd/config_forward.h"
#include "dnsd/config_policy.h"
#include "dnsd/config_settings.h"

namespace dnsd {
namespace {

// What the rest of the program relies on once there is no error.
void CheckConfig(const Config& config) {
  DNSD_CHECK(absl::EndsWith(config.policy.domain, "."));
  DNSD_CHECK(config.policy.alt_domain != config.policy.domain);
  DNSD_CHECK(!config.policy.datacenter.empty());
  DNSD_CHECK(config.policy.edns_udp_size >= 512);
  for (const ForwardRuleConfig& rule : config.forward) {
    DNSD_CHECK(rule.timeout.count() > 0);
  }
  std::set<std::string> service_ids;
  std::set<std::string> check_ids;
  for (const ServiceDefinition& service : config.services) {
    DNSD_CHECK(!service.instance.name.empty());
    DNSD_CHECK(service_ids.insert(service.instance.id).second);
    DNSD_CHECK(service.instance.weights.passing >= 1);
    DNSD_CHECK(service.sidecars.empty());
    for (const CheckDefinition& check : service.checks) {
      DNSD_CHECK(check_ids.insert(check.id).second);
      DNSD_CHECK(check.service_id == service.instance.id);
    }
  }
  for (const CheckDefinition& check : config.checks) {
    DNSD_CHECK(!check.id.empty() && check_ids.insert(check.id).second);
    DNSD_CHECK(check.service_id.empty() ||
               service_ids.contains(check.service_id));
  }
  const ConsulOptions& consul = config.consul;
  for (const ConsulAddress& address : consul.addresses) {
    DNSD_CHECK(absl::StartsWith(address.url, "http://") ||
               absl::StartsWith(address.url, "https://"));
    DNSD_CHECK(address.url.find_first_of(" \r\n@?#") == std::string::npos);
  }
  // It will stand in a header.
  DNSD_CHECK(consul.token.find_first_of(" \r\n") == std::string::npos);
  DNSD_CHECK(consul.tls.cert_file.empty() == consul.tls.key_file.empty());
  DNSD_CHECK(consul.connections_max >= 8 && consul.connections_max <= 200);
  DNSD_CHECK(consul.wait_ms >= 1000 && consul.wait_ms <= 600'000);
  DNSD_CHECK(consul.stale_after_ms >= 1000 && consul.hold_ms >= 0);
  for (const ZoneFileConfig& zone : config.zones) {
    DNSD_CHECK(absl::EndsWith(zone.name, ".") && !zone.file.empty());
  }
}

void FuzzDocument(const std::string& text, bool is_hcl) {
  // No file of this machine is to be read.
  if (absl::StrContains(absl::AsciiStrToLower(text), "token_file")) return;
  Problems problems;
  Settings settings;
  Config config;
  ReadConfigText(text, "f", is_hcl, &settings, &problems);
  ResolveDatacenter(settings, &config, &problems);
  ResolveAddresses(settings, &config, &problems);
  ResolvePolicy(settings, &config, &problems);
  ResolveConsul(settings, nullptr, &config, &problems);
  ResolveCatalog(&settings, &config, &problems);
  ResolveForward(settings, &config, &problems);
  if (problems.ok()) CheckConfig(config);
}

void FuzzFlags(const std::string& text) {
  std::vector<std::string> words = absl::StrSplit(text, '\n');
  // No file of this machine is to be read.
  for (const std::string& word : words) {
    if (absl::StrContains(word, "config-")) return;
    if (absl::StrContains(word, "token")) return;
  }
  Problems problems;
  bool help = false;
  const Config config = LoadConfig(words, &help, &problems);
  if (problems.ok() && !help) CheckConfig(config);
}

void FuzzEnvironment(const std::string& text) {
  std::map<std::string, std::string> variables;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> variable =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    // No file of this machine is to be read.
    if (variable.first != "CONSUL_HTTP_TOKEN_FILE") variables.insert(variable);
  }
  Problems problems;
  bool help = false;
  const Config config =
      LoadConfig({}, &help, &problems, [&variables](const char* name) {
        const auto at = variables.find(name);
        return at == variables.end() ? std::string() : at->second;
      });
  if (problems.ok()) CheckConfig(config);
}

void FuzzDuration(const std::string& text) {
  std::chrono::nanoseconds duration{0};
  if (ParseGoDuration(text, &duration)) DNSD_CHECK(!text.empty());
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  switch (data[0]) {
    case 'h':
    case 'j':
      dnsd::FuzzDocument(text, data[0] == 'h');
      break;
    case 'f':
      dnsd::FuzzFlags(text);
      break;
    case 'e':
      dnsd::FuzzEnvironment(text);
      break;
    case 'd':
      dnsd::FuzzDuration(text);
      break;
    default:
      break;
  }
  return 0;
}
