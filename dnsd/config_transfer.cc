#include "dnsd/config_transfer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

constexpr uint16_t kNotifyPort = 53;

// A name as zones and keys have theirs: "" if it is none.
std::string WireName(const std::string& text) {
  const std::string name = NormalizeDomain(text, true);
  std::string wire;
  return !name.empty() && NameToWire(name, &wire) ? wire : "";
}

class TransferReader {
 public:
  TransferReader(const Settings& settings, Config* config, Problems* problems)
      : settings_(settings), config_(*config), problems_(*problems) {}

  void Read() {
    ReadAllow();
    ReadKeys();
    ReadNotify();
    ReadInterval();
    ReadZones();
    const TransferOptions& options = config_.transfer;
    if (!options.enabled() && settings_.HasBlock("zone_transfer.")) {
      problems_.Warn(settings_.PlaceOf("zone_transfer.zones"),
                     "zone_transfer allows nobody: say who in "
                     "zone_transfer.allow");
    }
    config_.policy.has_secondaries =
        options.enabled() &&
        (options.Covers(WireName(config_.policy.domain)) ||
         (!config_.policy.alt_domain.empty() &&
          options.Covers(WireName(config_.policy.alt_domain))));
  }

 private:
  void ReadAllow() {
    const Setting* allow = settings_.Find("zone_transfer.allow");
    if (allow == nullptr) return;
    config_.transfer.allow = ReadNetworks(*allow, &problems_);
  }

  void ReadKeys() {
    for (const TransferKey& written : settings_.transfer_keys) {
      TsigKey key;
      key.name = WireName(written.name);
      const std::optional<TsigAlgorithm> algorithm =
          ParseTsigAlgorithm(written.algorithm);
      if (key.name.empty()) {
        problems_.Error(written.place,
                        absl::StrCat("key name ", Quoted(written.name),
                                     " is not a domain name"));
      } else if (!algorithm) {
        problems_.Error(
            written.place,
            absl::StrCat("algorithm ", Quoted(written.algorithm),
                         " is none of hmac-sha256, hmac-sha384, hmac-sha512, "
                         "hmac-sha224, hmac-sha1"));
      } else if (!absl::Base64Unescape(written.secret, &key.secret) ||
                 key.secret.empty()) {
        problems_.Error(written.place, "secret is not base64 text");
      } else if (HasKey(key.name)) {
        problems_.Error(written.place,
                        absl::StrCat("duplicate key ", Quoted(written.name)));
      } else {
        key.algorithm = *algorithm;
        config_.transfer.keys.push_back(std::move(key));
      }
    }
  }

  [[nodiscard]] bool HasKey(const std::string& name) const {
    return std::any_of(config_.transfer.keys.begin(),
                       config_.transfer.keys.end(),
                       [&](const TsigKey& key) { return key.name == name; });
  }

  void ReadNotify() {
    const Setting* notify = settings_.Find("zone_transfer.notify");
    if (notify == nullptr) return;
    for (const PlacedText& text : notify->list) {
      const std::optional<Endpoint> endpoint =
          ParseEndpoint(text.text, kNotifyPort);
      if (!endpoint || IsWildcardIp(endpoint->ip)) {
        problems_.Error(text.place,
                        absl::StrCat(Quoted(text.text),
                                     " is not an IP address or IP:port"));
        continue;
      }
      config_.transfer.notify.push_back(
          {text.text, *ToSocketAddress(*endpoint)});
    }
  }

  void ReadInterval() {
    const Setting* interval = settings_.Find("zone_transfer.notify_interval");
    if (interval == nullptr) return;
    nanoseconds duration{0};
    if (!ReadDurationText(interval->text, interval->place, &problems_,
                          &duration)) {
      return;
    }
    if (duration.count() < 0) {
      problems_.Error(interval->place,
                      absl::StrCat(Quoted(interval->text), " is negative"));
      return;
    }
    config_.transfer.notify_interval_ms = static_cast<uint64_t>(
        std::chrono::ceil<std::chrono::milliseconds>(duration).count());
  }

  void ReadZones() {
    const Setting* zones = settings_.Find("zone_transfer.zones");
    if (zones == nullptr) return;
    for (const PlacedText& text : zones->list) {
      const std::string name = NormalizeDomain(text.text, true);
      if (!IsServed(name)) {
        problems_.Error(text.place, absl::StrCat(Quoted(text.text),
                                                 " is no zone of this agent"));
        continue;
      }
      config_.transfer.zones.push_back(WireName(name));
    }
  }

  [[nodiscard]] bool IsServed(const std::string& name) const {
    if (name.empty()) return false;
    return name == config_.policy.domain || name == config_.policy.alt_domain ||
           std::any_of(config_.zones.begin(), config_.zones.end(),
                       [&](const auto& zone) { return zone.name == name; });
  }

  const Settings& settings_;
  Config& config_;
  Problems& problems_;
};

}  // namespace

TransferKey DecodeTransferKey(const Value& value, const Place& place,
                              Problems* problems) {
  TransferKey key;
  key.place = place;
  Fields fields(value, place, problems);
  fields.String("name", &key.name);
  fields.String("algorithm", &key.algorithm);
  // Not as a string: messages about those show them.
  if (const Value* secret = fields.Take("secret")) {
    if (Unwrap(*secret).kind == Value::Kind::kString) {
      key.secret = Unwrap(*secret).text;
    } else {
      problems->Error(fields.PlaceOf("secret"), "must be a string");
    }
  }
  fields.Finish();
  return key;
}

void ResolveTransfer(const Settings& settings, Config* config,
                     Problems* problems) {
  TransferReader(settings, config, problems).Read();
}

}  // namespace dnsd
