#include "dnsd/config_clients.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "dnsd/config_addresses.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int64_t kRateMax = 1'000'000;
constexpr int64_t kTableMax = 1 << 26;  // a GiB for each worker
constexpr int64_t kConnectionsMax = 1'000'000;

// A duration from `min` to `max`, both included.
milliseconds ReadDuration(const Settings& settings, const std::string& path,
                          milliseconds min, milliseconds max,
                          milliseconds otherwise, Problems* problems) {
  const Setting* setting = settings.Find(path);
  nanoseconds read{0};
  if (setting == nullptr ||
      !ReadDurationText(setting->text, setting->place, problems, &read)) {
    return otherwise;
  }
  if (read < min || read > max) {
    problems->Error(
        setting->place,
        absl::StrCat(Quoted(setting->text), " is not between ", min.count(),
                     "ms and ", max.count() / 1000, "s"));
    return otherwise;
  }
  return std::chrono::duration_cast<milliseconds>(read);
}

void ResolveCookies(const Settings& settings, Config* config,
                    Problems* problems) {
  ZonePolicy* policy = &config->policy;
  // Consul knows none.
  policy->cookies.use =
      policy->compat == Compat::kRfc ? Cookies::kOn : Cookies::kOff;
  const Setting* use = settings.Find("dns_config.cookies");
  if (use != nullptr && !use->text.empty()) {
    if (use->text == "off") {
      policy->cookies.use = Cookies::kOff;
    } else if (use->text == "on") {
      policy->cookies.use = Cookies::kOn;
    } else if (use->text == "required") {
      policy->cookies.use = Cookies::kRequired;
    } else {
      problems->Error(use->place, absl::StrCat(Quoted(use->text),
                                               " is neither \"off\" nor \"on\""
                                               " nor \"required\""));
    }
  }
  const Setting* secret = settings.Find("dns_config.cookie_secret");
  if (secret == nullptr || secret->text.empty()) return;
  SipKey key;
  const bool is_hex =
      secret->text.size() == 2 * sizeof(key.bytes) &&
      std::all_of(secret->text.begin(), secret->text.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      });
  if (!is_hex) {
    problems->Error(secret->place, "must be 32 hexadecimal digits");
    return;
  }
  const std::string bytes = absl::HexStringToBytes(secret->text);
  std::copy(bytes.begin(), bytes.end(), key.bytes);
  config->cookie_secret = key;
}

void ResolveRateLimit(const Settings& settings, RateLimitOptions* rate,
                      Problems* problems) {
  const auto number = [&](const char* name, int64_t min, int64_t max,
                          int64_t otherwise) {
    return settings.Int(absl::StrCat("dns_config.rate_limit.", name), min, max,
                        otherwise, problems);
  };
  rate->responses_per_second = static_cast<uint32_t>(
      number("responses_per_second", 0, kRateMax, rate->responses_per_second));
  rate->slip = static_cast<uint32_t>(number("slip", 0, 100, rate->slip));
  rate->ipv4_prefix =
      static_cast<uint8_t>(number("ipv4_prefix", 0, 32, rate->ipv4_prefix));
  rate->ipv6_prefix =
      static_cast<uint8_t>(number("ipv6_prefix", 0, 128, rate->ipv6_prefix));
  rate->table_size = static_cast<uint32_t>(
      number("table_size", 1, kTableMax, rate->table_size));
  rate->log_only = settings.Bool("dns_config.rate_limit.log_only", false);
  rate->window_s = static_cast<uint32_t>(
      ReadDuration(settings, "dns_config.rate_limit.window", milliseconds(1000),
                   milliseconds(3'600'000), milliseconds(1000 * rate->window_s),
                   problems)
          .count() /
      1000);
  const Setting* exempt = settings.Find("dns_config.rate_limit.exempt");
  if (exempt != nullptr) rate->exempt = ReadNetworks(*exempt, problems);
}

void ResolveTcp(const Settings& settings, TcpLimits* tcp, Problems* problems) {
  const auto number = [&](const char* name, int64_t min, size_t otherwise) {
    return static_cast<size_t>(settings.Int(
        absl::StrCat("dns_config.tcp.", name), min, kConnectionsMax,
        static_cast<int64_t>(otherwise), problems));
  };
  tcp->connections_max = number("max_conns", 1, tcp->connections_max);
  tcp->connections_per_client_max =
      number("max_conns_per_client", 1, tcp->connections_per_client_max);
  tcp->queries_max = number("max_queries_per_conn", 0, tcp->queries_max);
  tcp->idle_ms = static_cast<uint64_t>(
      ReadDuration(settings, "dns_config.tcp.idle_timeout", milliseconds(100),
                   milliseconds(3'600'000), milliseconds(tcp->idle_ms),
                   problems)
          .count());
}

}  // namespace

void ResolveClients(const Settings& settings, Config* config,
                    Problems* problems) {
  ResolveCookies(settings, config, problems);
  ResolveRateLimit(settings, &config->client_limits.rate, problems);
  ResolveTcp(settings, &config->client_limits.tcp, problems);
  config->policy.minimal_any = settings.Bool(
      "dns_config.minimal_any", config->policy.compat == Compat::kRfc);
}

}  // namespace dnsd
