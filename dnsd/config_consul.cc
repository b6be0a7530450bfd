#include "dnsd/config_consul.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_consul_address.h"
#include "dnsd/sockaddr_template.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;

constexpr size_t kTokenBytesMax = 4096;

constexpr int64_t kConnectionsMin = 8;
constexpr int64_t kConnectionsMax = 200;  // Consul's http_max_conns_per_client
constexpr int64_t kWatchesMax = 100'000;
constexpr int64_t kSecondMs = 1000;
constexpr int64_t kWaitMaxMs = 600 * kSecondMs;  // Consul's longest
constexpr int64_t kDayMs = 86'400 * kSecondMs;

// strconv.ParseBool's words.
std::optional<bool> ParseGoBool(const std::string& text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// What was given later in Consul's order of files, flags and -hcl pieces.
int Rank(const Place& place) {
  if (place.file == "-hcl") return 2;
  return place.file.empty() ? 1 : 0;
}

class ConsulReader {
 public:
  ConsulReader(const Settings& settings, const Environment& environment,
               Config* config, Problems* problems)
      : settings_(settings),
        environment_(environment),
        config_(*config),
        options_(config->consul),
        problems_(*problems) {}

  void Read();

 private:
  // A setting, or a variable in its place; `text` is empty for neither.
  struct Given {
    std::string text;
    Place place;
  };
  Given Written(const char* path) const;
  Given Variable(const char* name) const;
  // Two that belong together: no variable counts where there is a setting of
  // either.
  std::pair<Given, Given> Pair(const char* path1, const char* path2,
                               const char* variable1,
                               const char* variable2) const;
  // Nothing when it is not set, or neither true nor false.
  std::optional<bool> BoolVariable(const char* name);

  std::vector<Given> AddressTexts();
  void ReadAddresses(const std::vector<Given>& texts);
  void CheckListeners(const ParsedConsulAddress& parsed, const Given& given);
  void ReadToken();
  std::string TokenFromFile(const Given& file);
  void ReadTls();
  void CheckFile(const Given& given, bool directory);
  void ReadDatacenters();
  void ReadLimits();
  void Milliseconds(const char* path, int64_t min_ms, int64_t max_ms,
                    int64_t* out);

  const Settings& settings_;
  const Environment& environment_;
  Config& config_;
  ConsulOptions& options_;
  Problems& problems_;
  bool mirrors_ = false;      // there is an address
  bool by_variable_ = false;  // and it is a variable's
};

ConsulReader::Given ConsulReader::Written(const char* path) const {
  return {settings_.Text(path, ""), settings_.PlaceOf(path)};
}

ConsulReader::Given ConsulReader::Variable(const char* name) const {
  // The token of a Consul that is not asked is nobody's business.
  if (!environment_ || !mirrors_) return {};
  return {environment_(name), {"", 0, name}};
}

std::pair<ConsulReader::Given, ConsulReader::Given> ConsulReader::Pair(
    const char* path1, const char* path2, const char* variable1,
    const char* variable2) const {
  if (settings_.Find(path1) != nullptr || settings_.Find(path2) != nullptr) {
    return {Written(path1), Written(path2)};
  }
  return {Variable(variable1), Variable(variable2)};
}

std::optional<bool> ConsulReader::BoolVariable(const char* name) {
  const Given given = Variable(name);
  if (given.text.empty()) return std::nullopt;
  const std::optional<bool> value = ParseGoBool(given.text);
  if (!value) {
    problems_.Warn(given.place, absl::StrCat(Quoted(given.text),
                                             " is neither true nor false, and "
                                             "is ignored"));
  }
  return value;
}

std::vector<ConsulReader::Given> ConsulReader::AddressTexts() {
  std::vector<Given> lists;
  if (const Setting* setting = settings_.Find("consul.address")) {
    for (const PlacedText& written : setting->list) {
      lists.push_back({written.text, written.place});
    }
  } else if (environment_) {
    const char* const name = "CONSUL_HTTP_ADDR";
    const std::string text = environment_(name);
    if (!text.empty()) lists.push_back({text, {"", 0, name}});
    by_variable_ = !lists.empty();
  }
  std::vector<Given> texts;
  for (const Given& list : lists) {
    for (const absl::string_view word : absl::StrSplit(list.text, ',')) {
      texts.push_back(
          {std::string(absl::StripAsciiWhitespace(word)), list.place});
    }
  }
  return texts;
}

void ConsulReader::Read() {
  options_.data_dir = config_.data_dir;
  const std::vector<Given> texts = AddressTexts();
  mirrors_ = !texts.empty();
  ReadAddresses(texts);
  ReadToken();
  ReadTls();
  ReadDatacenters();
  ReadLimits();
  if (mirrors_ || settings_.Find("consul.address") != nullptr ||
      !settings_.HasBlock("consul.")) {
    return;
  }
  problems_.Warn({"", 0, "consul.address"},
                 "is not given, so that nothing is mirrored unless the "
                 "agent's environment has CONSUL_HTTP_ADDR");
}

void ConsulReader::ReadAddresses(const std::vector<Given>& texts) {
  const bool ssl_written = settings_.Find("consul.ssl") != nullptr;
  SchemeRules rules;
  rules.https_by_default =
      ssl_written ? settings_.Bool("consul.ssl", false)
                  : BoolVariable("CONSUL_HTTP_SSL").value_or(false);
  // Consul's commands take http:// for https:// then: who asks for TLS shall
  // not send a token without it.
  rules.https_for_http = by_variable_ && !ssl_written && rules.https_by_default;
  for (const Given& given : texts) {
    const auto parsed = ParseConsulAddress(given.text, rules);
    if (!parsed.ok()) {
      problems_.Error(given.place, parsed.status().message());
      continue;
    }
    const ConsulAddress& address = parsed->address;
    if (address.unix_socket.empty() && !parsed->port_given) {
      problems_.Warn(
          given.place,
          absl::StrCat(Quoted(given.text), " has no port: it is ", parsed->port,
                       " then, as for Consul's own commands"));
    }
    CheckListeners(*parsed, given);
    if (std::find(options_.addresses.begin(), options_.addresses.end(),
                  address) == options_.addresses.end()) {
      options_.addresses.push_back(address);
    }
  }
  if (!by_variable_ || options_.addresses.empty()) return;
  problems_.Warn(texts[0].place,
                 absl::StrCat("is set, and no file or flag names a Consul: "
                              "this agent mirrors ",
                              Quoted(texts[0].text)));
}

void ConsulReader::CheckListeners(const ParsedConsulAddress& parsed,
                                  const Given& given) {
  std::vector<std::string> own_ips;
  for (const InterfaceAddress& own : ListInterfaceAddresses()) {
    own_ips.push_back(own.ip);
  }
  if (LeadsTo(parsed, config_.https_listen, own_ips)) {
    problems_.Error(given.place,
                    absl::StrCat(Quoted(given.text),
                                 " is this agent's own HTTPS address: it would "
                                 "mirror itself"));
    return;
  }
  if (!LeadsTo(parsed, config_.http_listen, own_ips)) return;
  // That Consul has the usual port is why ours must be another. A variable
  // may be meant for this very agent, which is Consul to its clients.
  if (!by_variable_ && settings_.Find("ports.http") == nullptr &&
      parsed.port != kHttpPortBesideConsul) {
    problems_.Warn(given.place,
                   absl::StrCat(Quoted(given.text),
                                " has the usual port of "
                                "HTTP on this machine, so that HTTP listens "
                                "on ",
                                kHttpPortBesideConsul,
                                " here; ports.http can say another"));
    for (Endpoint& endpoint : config_.http_listen) {
      endpoint.port = kHttpPortBesideConsul;
    }
    return;
  }
  problems_.Error(
      given.place,
      absl::StrCat(Quoted(given.text),
                   " is this agent's own HTTP address: it "
                   "would mirror itself. Give one of the two another port",
                   by_variable_ ? ", or unset the variable" : ""));
}

void ConsulReader::ReadToken() {
  auto [token, file] = Pair("consul.token", "consul.token_file",
                            "CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE");
  token.text = std::string(absl::StripAsciiWhitespace(token.text));
  const bool written = settings_.Find("consul.token") != nullptr &&
                       settings_.Find("consul.token_file") != nullptr;
  if (written && !token.text.empty() && !file.text.empty()) {
    if (Rank(token.place) > Rank(file.place)) {
      file.text.clear();
    } else if (Rank(token.place) == Rank(file.place)) {
      problems_.Warn(file.place,
                     "is read although a token is given, too: its "
                     "token is used, as by Consul's own commands");
    }
  }
  options_.token = token.text;
  options_.token_file = file.text;
  if (!file.text.empty()) {
    const std::string text = TokenFromFile(file);
    if (!text.empty()) options_.token = text;
  }
  const std::string& used = options_.token;
  const bool printable = std::all_of(used.begin(), used.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (printable && used.size() <= kTokenBytesMax) return;
  problems_.Error(file.text.empty() ? token.place : file.place,
                  absl::StrCat(file.text.empty() ? "" : Quoted(file.text),
                               file.text.empty() ? "is no" : " has no",
                               " token: more than one word, or too long"));
  options_.token.clear();
}

std::string ConsulReader::TokenFromFile(const Given& file) {
  struct stat info;
  const auto fail = [&](const char* why) {
    problems_.Error(file.place, absl::StrCat("the token's file ",
                                             Quoted(file.text), " ", why));
    return std::string();
  };
  const auto fail_errno = [&] {
    return fail(absl::StrCat("cannot be read: ", strerror(errno)).c_str());
  };
  // Opening a pipe would wait for its writer.
  if (stat(file.text.c_str(), &info) != 0) return fail_errno();
  if (!S_ISREG(info.st_mode)) return fail("is not a file");
  const int fd = open(file.text.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno();
  // One byte more than a token with line ends may have.
  std::string text(kTokenBytesMax + 3, '\0');
  const ssize_t got = read(fd, text.data(), text.size());
  if (got < 0) {
    const std::string status = fail_errno();
    close(fd);
    return status;
  }
  close(fd);
  text.resize(static_cast<size_t>(got));
  text = std::string(absl::StripAsciiWhitespace(text));
  if (text.empty()) {
    problems_.Warn(file.place, absl::StrCat("the token's file ",
                                            Quoted(file.text), " is empty"));
  }
  return text;
}

void ConsulReader::ReadTls() {
  TlsClientOptions& tls = options_.tls;
  const auto [ca_file, ca_path] = Pair("consul.ca_file", "consul.ca_path",
                                       "CONSUL_CACERT", "CONSUL_CAPATH");
  const auto [cert, key] = Pair("consul.cert_file", "consul.key_file",
                                "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY");
  tls.ca_file = ca_file.text;
  tls.ca_path = ca_path.text;
  tls.cert_file = cert.text;
  tls.key_file = key.text;
  CheckFile(ca_file, false);
  CheckFile(ca_path, true);
  CheckFile(cert, false);
  CheckFile(key, false);
  if (cert.text.empty() != key.text.empty()) {
    const Given& given = cert.text.empty() ? key : cert;
    problems_.Error(given.place,
                    "a client certificate and its key are both "
                    "needed, and only one of them is given");
  }
  if (settings_.Find("consul.tls_skip_verify") != nullptr) {
    tls.verify = !settings_.Bool("consul.tls_skip_verify", false);
  } else {
    tls.verify = BoolVariable("CONSUL_HTTP_SSL_VERIFY").value_or(true);
  }
}

void ConsulReader::CheckFile(const Given& given, bool directory) {
  if (given.text.empty()) return;
  struct stat info;
  if (stat(given.text.c_str(), &info) != 0 ||
      access(given.text.c_str(), R_OK) != 0) {
    problems_.Error(
        given.place,
        absl::StrCat(Quoted(given.text), " cannot be read: ", strerror(errno)));
  } else if (directory != S_ISDIR(info.st_mode)) {
    problems_.Error(given.place, absl::StrCat(Quoted(given.text),
                                              directory ? " is no directory"
                                                        : " is a directory"));
  }
}

void ConsulReader::ReadDatacenters() {
  const Setting* setting = settings_.Find("consul.datacenters");
  if (setting == nullptr) return;
  std::vector<std::string>& names = options_.datacenters;
  for (const PlacedText& written : setting->list) {
    const std::string name = AsciiLower(written.text);
    const bool valid =
        name == "*" ||
        (!name.empty() && name.size() <= kLabelBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '_';
         }));
    if (!valid) {
      problems_.Error(written.place,
                      absl::StrCat(Quoted(written.text),
                                   " is neither a datacenter's name nor *"));
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
}

void ConsulReader::ReadLimits() {
  options_.stale = settings_.Bool("consul.stale", options_.stale);
  options_.connections_max = static_cast<size_t>(settings_.Int(
      "consul.connections", kConnectionsMin, kConnectionsMax,
      static_cast<int64_t>(options_.connections_max), &problems_));
  options_.watches_max = static_cast<size_t>(
      settings_.Int("consul.watches", 0, kWatchesMax,
                    static_cast<int64_t>(options_.watches_max), &problems_));
  Milliseconds("consul.wait", kSecondMs, kWaitMaxMs, &options_.wait_ms);
  Milliseconds("consul.stale_after", kSecondMs, kDayMs,
               &options_.stale_after_ms);
  Milliseconds("consul.hold_shrunken", 0, kDayMs, &options_.hold_ms);
}

void ConsulReader::Milliseconds(const char* path, int64_t min_ms,
                                int64_t max_ms, int64_t* out) {
  const Setting* setting = settings_.Find(path);
  std::chrono::nanoseconds duration{0};
  if (setting == nullptr ||
      !ReadDurationText(setting->text, setting->place, &problems_, &duration)) {
    return;
  }
  // Rounded down before zero too, so that -1ns is none of zero's.
  const int64_t ms = std::chrono::floor<milliseconds>(duration).count();
  if (ms >= min_ms && ms <= max_ms) {
    *out = ms;
    return;
  }
  problems_.Error(
      setting->place,
      absl::StrCat(Quoted(setting->text), " is not between ",
                   min_ms / kSecondMs, "s and ", max_ms / kSecondMs, "s"));
}

}  // namespace

void ResolveConsul(const Settings& settings, const Environment& environment,
                   Config* config, Problems* problems) {
  ConsulReader(settings, environment, config, problems).Read();
}

std::string ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace dnsd
