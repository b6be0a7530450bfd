#include "dnsd/config_policy.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_catalog.h"
#include "dnsd/config_clients.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

// RFC 2181 8: a TTL has 31 bits.
constexpr int64_t kTtlSecondsMax = 2147483647;
constexpr int64_t kUint32Max = std::numeric_limits<uint32_t>::max();
constexpr int64_t kLimitMax = 1 << 20;

void ResolveTtls(const Settings& settings, ZonePolicy* policy,
                 Problems* problems) {
  if (const Setting* node = settings.Find("dns_config.node_ttl")) {
    (void)ReadTtl({node->text, node->place}, &policy->node_ttl, problems);
  }
  const Setting* services = settings.Find("dns_config.service_ttl");
  if (services == nullptr) return;
  for (const auto& [name, written] : services->map) {
    const size_t star = name.find('*');
    if (name.empty() || (star != std::string::npos && star + 1 < name.size())) {
      problems->Error(
          written.place,
          absl::StrCat(Quoted(name), " is not a name, a prefix* or *"));
      continue;
    }
    uint32_t ttl = 0;
    if (ReadTtl(written, &ttl, problems)) {
      policy->service_ttl[AsciiLower(name)] = ttl;
    }
  }
}

void ResolveSoa(const Settings& settings, SoaPolicy* soa, Problems* problems) {
  for (const auto& [path, field] :
       {std::pair{"dns_config.soa.refresh", &soa->refresh},
        std::pair{"dns_config.soa.retry", &soa->retry},
        std::pair{"dns_config.soa.expire", &soa->expire}}) {
    *field = static_cast<uint32_t>(
        settings.Int(path, 0, kUint32Max, *field, problems));
  }
  const char* const min_ttl = "dns_config.soa.min_ttl";
  if (settings.Find(min_ttl) != nullptr) {
    soa->min_ttl = static_cast<uint32_t>(
        settings.Int(min_ttl, 0, kTtlSecondsMax, 0, problems));
  }
}

// Consul's isValidAltDomain: a first label that names a kind of lookup or the
// datacenter would shadow the grammar below the domain.
bool ShadowsGrammar(const std::string& alt_domain,
                    const std::string& datacenter) {
  for (const std::string& word :
       {std::string("service"), std::string("connect"), std::string("node"),
        std::string("query"), std::string("addr"), datacenter}) {
    if (absl::StartsWith(alt_domain, absl::StrCat(word, "."))) return true;
  }
  return false;
}

void ResolveDomains(const Settings& settings, ZonePolicy* policy,
                    Problems* problems) {
  const Setting* domain = settings.Find("domain");
  if (domain != nullptr && !domain->text.empty()) {
    const std::string name = NormalizeDomain(domain->text, false);
    if (name.empty()) {
      problems->Error(domain->place, absl::StrCat(Quoted(domain->text),
                                                  " is not a domain name"));
    } else {
      policy->domain = name;
    }
  }
  const Setting* alt = settings.Find("alt_domain");
  if (alt == nullptr || alt->text.empty()) return;
  const std::string name = NormalizeDomain(alt->text, false);
  if (name.empty()) {
    problems->Error(alt->place,
                    absl::StrCat(Quoted(alt->text), " is not a domain name"));
  } else if (ShadowsGrammar(AsciiLower(alt->text), policy->datacenter)) {
    problems->Error(
        alt->place,
        absl::StrCat("alt_domain ", Quoted(alt->text),
                     " cannot start with {service,connect,node,query,addr,",
                     policy->datacenter, "}"));
  } else if (name == policy->domain) {
    problems->Warn(alt->place, "is the domain itself and is ignored");
  } else {
    policy->alt_domain = name;
  }
}

// Reads one of two words.
bool ReadChoice(const Settings& settings, const std::string& path,
                const char* off, const char* on, bool otherwise,
                Problems* problems) {
  const Setting* setting = settings.Find(path);
  if (setting == nullptr || setting->text.empty()) return otherwise;
  if (setting->text == on) return true;
  if (setting->text != off) {
    problems->Error(setting->place,
                    absl::StrCat(Quoted(setting->text), " is neither \"", off,
                                 "\" nor \"", on, "\""));
  }
  return false;
}

void ResolveDns(const Settings& settings, Config* config, Problems* problems) {
  ZonePolicy* policy = &config->policy;
  policy->compat = ReadChoice(settings, "dns_config.compat", "rfc", "consul",
                              false, problems)
                       ? Compat::kConsul
                       : Compat::kRfc;
  ResolveTtls(settings, policy, problems);
  ResolveSoa(settings, &policy->soa, problems);
  policy->only_passing = settings.Bool("dns_config.only_passing", false);
  policy->enable_truncate = settings.Bool("dns_config.enable_truncate", false);
  policy->disable_compression =
      settings.Bool("dns_config.disable_compression", false);
  policy->enable_additional_node_meta_txt =
      settings.Bool("dns_config.enable_additional_node_meta_txt", true);
  policy->translate_wan_addrs = settings.Bool("translate_wan_addrs", false);
  const char* const udp_limit = "dns_config.udp_answer_limit";
  if (settings.Find(udp_limit) != nullptr) {
    policy->udp_answer_limit =
        static_cast<int>(settings.Int(udp_limit, 0, kLimitMax, 3, problems));
  }
  policy->a_record_limit = static_cast<int>(
      settings.Int("dns_config.a_record_limit", 0, kLimitMax, 0, problems));
  policy->edns_udp_size = static_cast<uint16_t>(settings.Int(
      "dns_config.edns_udp_size", 512, 4096, policy->edns_udp_size, problems));
  ResolveClients(settings, config, problems);
}

}  // namespace

bool ReadTtl(const PlacedText& written, uint32_t* ttl, Problems* problems) {
  nanoseconds duration{0};
  if (!ReadDurationText(written.text, written.place, problems, &duration)) {
    return false;
  }
  const int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (duration.count() < 0 || seconds > kTtlSecondsMax) {
    problems->Error(written.place,
                    absl::StrCat("a TTL cannot be ", Quoted(written.text)));
    return false;
  }
  *ttl = static_cast<uint32_t>(seconds);
  return true;
}

void ResolveDatacenter(const Settings& settings, Config* config,
                       Problems* problems) {
  const Place place = settings.PlaceOf("datacenter");
  config->datacenter_given = settings.Find("datacenter") != nullptr;
  std::string datacenter = AsciiLower(settings.Text("datacenter", "dc1"));
  const bool valid =
      std::all_of(datacenter.begin(), datacenter.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
               c == '_';
      });
  if (datacenter.empty()) {
    problems->Error(place, "datacenter cannot be empty");
    datacenter = "dc1";
  } else if (!valid || datacenter.size() > kLabelBytesMax) {
    problems->Error(place,
                    absl::StrCat("datacenter cannot be ", Quoted(datacenter),
                                 ". Please use only [a-z0-9-_], at most 63"));
    datacenter = "dc1";
  }
  config->node.datacenter = datacenter;
  config->policy.datacenter = datacenter;
}

void ResolvePolicy(const Settings& settings, Config* config,
                   Problems* problems) {
  ResolveDomains(settings, &config->policy, problems);
  ResolveDns(settings, config, problems);
}

}  // namespace dnsd
