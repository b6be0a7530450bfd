#include "dnsd/config_tls.h"

#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/fields.h"
#include "dnsd/http/tls_context.h"

namespace dnsd {
namespace {

constexpr int64_t kConnectionsMax = 1'000'000;
constexpr int64_t kHandshakeMaxMs = 3'600'000;

class TlsReader {
 public:
  TlsReader(const Settings& settings, Problems* problems)
      : settings_(settings), problems_(*problems) {}

  std::shared_ptr<const TlsContext> Read() {
    TlsServerOptions options;
    options.cert_file = Text("cert_file");
    options.key_file = Text("key_file");
    options.ca_file = Text("ca_file");
    options.ca_path = Text("ca_path");
    options.verify_incoming = VerifyIncoming();
    options.prefer_server_cipher_suites =
        settings_.Bool("tls_prefer_server_cipher_suites", false);
    ReadVersion(&options);
    ReadCiphers(&options);
    for (const auto& [name, text] :
         {std::pair{"cert_file", &options.cert_file},
          std::pair{"key_file", &options.key_file}}) {
      if (!text->empty()) continue;
      problems_.Error(settings_.PlaceOf("ports.https"),
                      absl::StrCat("HTTPS needs a certificate and its key: ",
                                   name, " is not given"));
      return nullptr;
    }
    std::vector<TlsProblem> found;
    auto context = TlsContext::Create(options, &found);
    for (const TlsProblem& problem : found) {
      problems_.Error(PlaceOf(problem.option), problem.reason);
    }
    return context;
  }

 private:
  // What counts of `name`, or nullptr.
  [[nodiscard]] const Setting* Find(const char* name) const {
    for (const char* block : {"tls.https.", "tls.defaults.", ""}) {
      const Setting* setting = settings_.Find(absl::StrCat(block, name));
      if (setting != nullptr) return setting;
    }
    return nullptr;
  }

  [[nodiscard]] std::string Text(const char* name) const {
    const Setting* setting = Find(name);
    return setting == nullptr ? "" : setting->text;
  }

  [[nodiscard]] Place PlaceOf(const char* name) const {
    const Setting* setting = Find(name);
    if (setting != nullptr) return setting->place;
    if (std::strcmp(name, "verify_incoming") == 0) {
      return settings_.PlaceOf("verify_incoming_https");
    }
    return {"", 0, name};
  }

  [[nodiscard]] bool VerifyIncoming() const {
    for (const char* path :
         {"tls.https.verify_incoming", "tls.defaults.verify_incoming"}) {
      const Setting* setting = settings_.Find(path);
      if (setting != nullptr) return setting->boolean;
    }
    return settings_.Bool("verify_incoming", false) ||
           settings_.Bool("verify_incoming_https", false);
  }

  void ReadVersion(TlsServerOptions* options) {
    static constexpr std::pair<const char*, TlsVersion> kVersions[] = {
        {"", TlsVersion::k1_2},      {"TLS_AUTO", TlsVersion::k1_2},
        {"tls10", TlsVersion::k1_0}, {"TLSv1_0", TlsVersion::k1_0},
        {"tls11", TlsVersion::k1_1}, {"TLSv1_1", TlsVersion::k1_1},
        {"tls12", TlsVersion::k1_2}, {"TLSv1_2", TlsVersion::k1_2},
        {"tls13", TlsVersion::k1_3}, {"TLSv1_3", TlsVersion::k1_3},
    };
    const std::string text = Text("tls_min_version");
    for (const auto& [name, version] : kVersions) {
      if (text != name) continue;
      options->min_version = version;
      return;
    }
    problems_.Error(
        PlaceOf("tls_min_version"),
        absl::StrCat(Quoted(text), " is not tls10, tls11, tls12 or tls13"));
  }

  void ReadCiphers(TlsServerOptions* options) {
    for (const absl::string_view word :
         absl::StrSplit(Text("tls_cipher_suites"), ',')) {
      const absl::string_view name = absl::StripAsciiWhitespace(word);
      if (!name.empty()) options->cipher_suites.emplace_back(name);
    }
  }

  const Settings& settings_;
  Problems& problems_;
};

}  // namespace

void ResolveTls(const Settings& settings, Config* config, Problems* problems) {
  // Consul's files may have certificates that are for its servers only.
  if (config->https_listen.empty()) return;
  config->https_tls = TlsReader(settings, problems).Read();
}

void ResolveHttpLimits(const Settings& settings, Config* config,
                       Problems* problems) {
  const int64_t connections = settings.Int(
      "limits.http_max_conns_per_client", 0, kConnectionsMax,
      static_cast<int64_t>(kHttpConnectionsPerClientMax), problems);
  // Consul's 0 is no limit of its own; that of all connections remains.
  config->http_connections_per_client_max =
      connections == 0 ? kHttpConnectionsMax : static_cast<size_t>(connections);
  for (const auto& [key, max] :
       {std::pair{"limits.http_max_requests", &config->http_requests_max},
        std::pair{"limits.http_max_requests_per_client",
                  &config->http_requests_per_client_max}}) {
    const int64_t requests = settings.Int(key, 0, kConnectionsMax,
                                          static_cast<int64_t>(*max), problems);
    // A connection has one at a time.
    *max = requests == 0 ? kHttpConnectionsMax : static_cast<size_t>(requests);
  }
  const Setting* setting = settings.Find("limits.https_handshake_timeout");
  std::chrono::nanoseconds duration{0};
  if (setting == nullptr ||
      !ReadDurationText(setting->text, setting->place, problems, &duration)) {
    return;
  }
  const int64_t ms =
      std::chrono::floor<std::chrono::milliseconds>(duration).count();
  if (ms >= 1 && ms <= kHandshakeMaxMs) {
    config->https_handshake_ms = static_cast<uint64_t>(ms);
    return;
  }
  problems->Error(setting->place, absl::StrCat(Quoted(setting->text),
                                               " is not between 1ms and 1h"));
}

}  // namespace dnsd
