#include "dnsd/config_catalog.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/fields.h"
#include "catalog/registry/sidecar.h"
#include "dnsd/config_checks.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kWireBytesMax = 255;  // RFC 1035 2.3.4
constexpr int kOutputBytesDefault = 4096;

// Says that an id was defined twice, and where.
bool IsNew(const std::string& id, const Place& place, const char* what,
           std::map<std::string, Place>* seen, Problems* problems) {
  const auto [at, is_new] = seen->emplace(id, place);
  if (is_new) return true;
  problems->Error(place,
                  absl::StrCat("duplicate ", what, " ", Quoted(id),
                               ", first defined at ", at->second.ToString()));
  return false;
}

// What the configuration says of sidecars' ports; `used` must outlive it.
SidecarPorts PortsOf(const Settings& settings, const std::set<uint16_t>& used,
                     Problems* problems) {
  SidecarPorts ports;
  ports.min = static_cast<int>(
      settings.Int("ports.sidecar_min_port", 0, 65535, ports.min, problems));
  ports.max = static_cast<int>(
      settings.Int("ports.sidecar_max_port", 0, 65535, ports.max, problems));
  ports.is_used = [&used](uint16_t port) { return used.contains(port); };
  return ports;
}

// The ports of services and sidecars that have one of their own.
std::set<uint16_t> UsedPorts(const Settings& settings) {
  std::set<uint16_t> used;
  for (const ServiceDefinition& service : settings.services) {
    used.insert(service.instance.port);
    for (const ServiceDefinition& sidecar : service.sidecars) {
      used.insert(sidecar.instance.port);
    }
  }
  return used;
}

void ResolveServices(Settings* settings, Config* config, Problems* problems) {
  std::set<uint16_t> used = UsedPorts(*settings);
  const SidecarPorts ports = PortsOf(*settings, used, problems);
  std::map<std::string, Place> seen;
  for (ServiceDefinition& service : settings->services) {
    std::vector<ServiceDefinition> sidecars;
    std::swap(sidecars, service.sidecars);
    if (service.instance.id.empty()) continue;  // reported: it has no name
    if (!IsNew(service.instance.id, service.place, "service id", &seen,
               problems)) {
      continue;
    }
    config->services.push_back(service);
    for (ServiceDefinition& sidecar : sidecars) {
      const Place place = sidecar.place;
      absl::StatusOr<ServiceDefinition> complete =
          CompleteSidecar(service, std::move(sidecar), ports);
      if (!complete.ok()) {
        problems->Error(place,
                        "no port is given, and none is left between "
                        "ports.sidecar_min_port and ports.sidecar_max_port");
        continue;
      }
      used.insert(complete->instance.port);
      if (IsNew(complete->instance.id, complete->place, "service id", &seen,
                problems)) {
        config->services.push_back(*std::move(complete));
      }
    }
  }
}

void ResolveChecks(Settings* settings, Config* config, Problems* problems) {
  std::set<std::string> service_ids;
  std::map<std::string, Place> seen;
  for (const ServiceDefinition& service : config->services) {
    service_ids.insert(service.instance.id);
    for (const CheckDefinition& check : service.checks) {
      IsNew(check.id, check.place, "check id", &seen, problems);
    }
  }
  for (CheckDefinition& check : settings->checks) {
    if (check.id.empty()) check.id = check.name;
    if (check.name.empty()) check.name = check.id;
    if (check.id.empty()) {
      problems->Error(check.place, "a check needs a name or an id");
      continue;
    }
    Place place = check.place;
    absl::StrAppend(&place.key, ".service_id");
    if (!check.service_id.empty() && !service_ids.contains(check.service_id)) {
      problems->Error(place, absl::StrCat("no service has the id ",
                                          Quoted(check.service_id)));
    }
    if (IsNew(check.id, check.place, "check id", &seen, problems)) {
      config->checks.push_back(check);
    }
  }
}

// Rules that depend on the agent: who may run commands, how much is kept.
void JudgeCheck(const Settings& settings, CheckDefinition* check,
                Problems* problems) {
  if (!check->args.empty() && !settings.Bool("enable_script_checks", false) &&
      !settings.Bool("enable_local_script_checks", false)) {
    problems->Error(check->place,
                    "scripts are disabled on this agent; to run them, set "
                    "enable_local_script_checks = true");
  }
  const Setting* size = settings.Find("check_output_max_size");
  if (size == nullptr || size->integer < 1) return;
  const int64_t wanted = check->output_max_size;
  check->output_max_size = static_cast<int>(
      wanted == kOutputBytesDefault ? std::min<int64_t>(size->integer, 1 << 30)
                                    : std::min(wanted, size->integer));
}

void ResolveZones(Settings* settings, Config* config, Problems* problems) {
  std::map<std::string, Place> seen;
  for (ZoneFileConfig& zone : settings->zones) {
    const std::string name = NormalizeDomain(zone.name, true);
    if (zone.name.empty()) {
      problems->Error(zone.place, "a zone needs a name");
    } else if (name.empty()) {
      problems->Error(zone.place, absl::StrCat("zone name ", Quoted(zone.name),
                                               " is not a domain name"));
    } else if (name == config->policy.domain ||
               name == config->policy.alt_domain) {
      problems->Error(zone.place, absl::StrCat("zone ", Quoted(name),
                                               " is the catalog's own domain"));
    } else if (IsNew(name, zone.place, "zone", &seen, problems)) {
      zone.name = name;
      if (!zone.file.empty()) config->zones.push_back(zone);
    }
    if (zone.file.empty()) {
      problems->Error(zone.place, "a zone needs a file");
    }
  }
}

}  // namespace

std::string NormalizeDomain(const std::string& text, bool slash_too) {
  std::string name = AsciiLower(text);
  if (absl::EndsWith(name, ".")) name.pop_back();
  if (name.empty()) return "";
  size_t wire_bytes = 1;  // the root label
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    if (label.empty() || label.size() > kLabelBytesMax) return "";
    wire_bytes += label.size() + 1;
    for (const char c : label) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' &&
          c != '_' && !(slash_too && c == '/')) {
        return "";
      }
    }
  }
  if (wire_bytes > kWireBytesMax) return "";
  return absl::StrCat(name, ".");
}

void ResolveCatalog(Settings* settings, Config* config, Problems* problems) {
  ResolveServices(settings, config, problems);
  ResolveChecks(settings, config, problems);
  for (ServiceDefinition& service : config->services) {
    for (CheckDefinition& check : service.checks) {
      JudgeCheck(*settings, &check, problems);
    }
  }
  for (CheckDefinition& check : config->checks) {
    JudgeCheck(*settings, &check, problems);
  }
  ResolveCheckSettings(*settings, config, problems);
  ResolveZones(settings, config, problems);
}

}  // namespace dnsd
