#include "dnsd/config.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/log_control.h"
#include "catalog/base/log_syslog.h"
#include "catalog/base/uuid.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_acl.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"
#include "dnsd/config_consul.h"
#include "dnsd/config_files.h"
#include "dnsd/config_forward.h"
#include "dnsd/config_forward_tls.h"
#include "dnsd/config_health.h"
#include "dnsd/config_keys.h"
#include "dnsd/config_policy.h"
#include "dnsd/config_query_log.h"
#include "dnsd/config_settings.h"
#include "dnsd/config_tls.h"
#include "dnsd/config_transfer.h"
#include "dnsd/go_flags.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

constexpr size_t kLabelBytesMax = 63;

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name.data();
}

void ResolveNode(const Settings& settings, Config* config, Problems* problems) {
  Node* node = &config->node;
  node->name =
      std::string(absl::StripAsciiWhitespace(settings.Text("node_name", "")));
  if (node->name.empty()) node->name = HostName();
  const bool valid =
      std::all_of(node->name.begin(), node->name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
      });
  if (!valid || node->name.size() > kLabelBytesMax) {
    problems->Warn(
        settings.PlaceOf("node_name"),
        absl::StrCat("Node name ", Quoted(node->name),
                     " will not be discoverable via DNS due to ",
                     valid ? "it being too long. Valid lengths are between 1 "
                             "and 63 bytes."
                           : "invalid characters. Valid characters include "
                             "all alpha-numerics and dashes."));
  }
  config->policy.node_name = node->name;
  node->id = AsciiLower(settings.Text("node_id", ""));
  if (!node->id.empty() && !IsUuid(node->id)) {
    problems->Error(settings.PlaceOf("node_id"),
                    absl::StrCat(Quoted(node->id), " is not a UUID"));
  }
  if (const Setting* meta = settings.Find("node_meta")) {
    for (const auto& [key, written] : meta->map) {
      node->meta[key] = written.text;
    }
    CheckMeta(node->meta, meta->place, nullptr, problems);
  }
}

void ResolveSyslog(const Settings& settings, Config* config,
                   Problems* problems) {
  config->enable_syslog = settings.Bool("enable_syslog", false);
  const Setting* setting = settings.Find("syslog_facility");
  if (setting == nullptr || setting->text.empty()) return;
  if (const std::optional<int> facility = SyslogFacility(setting->text)) {
    config->syslog_facility = *facility;
    return;
  }
  problems->Error(
      setting->place,
      absl::StrCat(Quoted(setting->text), " is no facility of syslog: one of ",
                   SyslogFacilityNames()));
}

void ResolveLog(const Settings& settings, Config* config, Problems* problems) {
  config->log_json = settings.Bool("log_json", false);
  ResolveSyslog(settings, config, problems);
  const Setting* setting = settings.Find("log_level");
  if (setting == nullptr || setting->text.empty()) return;
  if (ParseLogLevel(setting->text, &config->log_level)) return;
  problems->Error(setting->place,
                  absl::StrCat(Quoted(setting->text),
                               " is not trace, debug, info, warn or error"));
}

void ResolveProcess(const Settings& settings, Config* config,
                    Problems* problems) {
  config->workers =
      static_cast<int>(settings.Int("workers", 0, kWorkersMax, 0, problems));
  config->data_dir = settings.Text("data_dir", "");
  config->server_port = static_cast<uint16_t>(
      settings.Int("ports.server", 1, 65535, config->server_port, problems));
  config->pid_file = settings.Text("pid_file", "");
  config->ui =
      settings.Bool("ui_config.enabled", settings.Bool("ui", config->ui));
  if (config->dev && !config->data_dir.empty()) {
    problems->Warn(settings.PlaceOf("data_dir"),
                   "is ignored with -dev, nothing is kept");
    config->data_dir.clear();
  }
  ResolveLog(settings, config, problems);
  ResolveLogFile(settings, config, problems);
  ResolveQueryLog(settings, config, problems);
}

void Resolve(Settings* settings, const Environment& environment, Config* config,
             Problems* problems) {
  ResolveDatacenter(*settings, config, problems);
  ResolveNode(*settings, config, problems);
  ResolveAddresses(*settings, config, problems);
  ResolveTls(*settings, config, problems);
  ResolveHttpLimits(*settings, config, problems);
  ResolveAcl(*settings, config, problems);
  ResolvePolicy(*settings, config, problems);
  ResolveProcess(*settings, config, problems);
  ResolveHealth(*settings, config, problems);
  ResolveConsul(*settings, environment, config, problems);
  WarnAboutDnsToken(*settings, *config, problems);
  ResolveCatalog(settings, config, problems);
  ResolveForward(*settings, config, problems);
  ResolveTransfer(*settings, config, problems);
  ResolveForwardTls(*settings, config, problems);
}

const AgentFlag* FindFlag(const std::string& name) {
  for (const AgentFlag& flag : AgentFlags()) {
    if (name == flag.name) return &flag;
  }
  return nullptr;
}

GoFlags ParseAgentFlags(const std::vector<std::string>& args) {
  std::vector<FlagSpec> specs;
  for (const AgentFlag& flag : AgentFlags()) {
    specs.push_back({flag.name, flag.type});
  }
  return ParseGoFlags(args, specs);
}

bool IsList(const AgentFlag& flag) {
  if (flag.path == nullptr) return false;
  const ConfigKey* key = FindConfigKey(flag.path);
  return key != nullptr && AppendsWords(key->type);
}

// What flags say besides settings.
struct FlagWords {
  std::string config_format;
  std::vector<std::string> hcl;
};

FlagWords ReadFlagWords(const GoFlags& flags, Config* config,
                        Problems* problems) {
  FlagWords words;
  for (const GivenFlag& given : flags.flags) {
    if (given.name == "config-file" || given.name == "config-dir") {
      config->config_files.push_back(given.text);
    } else if (given.name == "config-format") {
      words.config_format = given.text;
    } else if (given.name == "hcl") {
      words.hcl.push_back(given.text);
    } else if (given.name == "dev") {
      config->dev = given.boolean;
    }
  }
  if (!words.config_format.empty() && words.config_format != "hcl" &&
      words.config_format != "json") {
    problems->Error({"", 0, "-config-format"},
                    absl::StrCat("must be either 'hcl' or 'json', not ",
                                 Quoted(words.config_format)));
    words.config_format.clear();
  }
  return words;
}

}  // namespace

Config LoadConfig(const std::vector<std::string>& args, bool* help,
                  Problems* problems, const Environment& environment) {
  Config config;
  const GoFlags flags = ParseAgentFlags(args);
  *help = flags.help;
  if (flags.help) return config;
  for (const std::string& error : flags.errors) problems->Error({}, error);
  for (const std::string& word : flags.rest) {
    problems->Error({}, absl::StrCat("unexpected extra argument: ", word));
  }
  const FlagWords words = ReadFlagWords(flags, &config, problems);

  // Consul's order: -dev's defaults, lists from flags, files, other flags,
  // -hcl pieces.
  Settings settings;
  if (config.dev) {
    settings.SetDefault("bind_addr", "127.0.0.1");
    settings.SetDefault("log_level", "debug");
  }
  for (const GivenFlag& given : flags.flags) {
    const AgentFlag* flag = FindFlag(given.name);
    if (IsList(*flag)) settings.ReadFlag(given, *flag, problems);
  }
  for (const std::string& path : config.config_files) {
    ReadConfigPath(path, words.config_format, &settings, problems);
  }
  for (const GivenFlag& given : flags.flags) {
    const AgentFlag* flag = FindFlag(given.name);
    if (!IsList(*flag)) settings.ReadFlag(given, *flag, problems);
  }
  for (const std::string& text : words.hcl) {
    ReadConfigText(text, "-hcl", true, &settings, problems);
  }
  Resolve(&settings, environment, &config, problems);
  return config;
}

Config LoadConfigFiles(const std::vector<std::string>& paths,
                       Problems* problems) {
  Config config;
  config.config_files = paths;
  Settings settings;
  for (const std::string& path : paths) {
    ReadConfigPath(path, "", &settings, problems);
  }
  Resolve(&settings, nullptr, &config, problems);
  return config;
}

std::string AgentUsage() {
  std::string usage =
      "Usage: dnsd agent [options]\n\n"
      "  Starts the agent and serves until it is interrupted. The options are\n"
      "  Consul's; -flag value, -flag=value and --flag are the same.\n\n"
      "Options\n\n";
  std::string ignored;
  for (const AgentFlag& flag : AgentFlags()) {
    if (flag.path == nullptr) {
      absl::StrAppend(&ignored, "  -", flag.name, "\n");
      continue;
    }
    const char* value = flag.type == FlagType::kBool  ? ""
                        : flag.type == FlagType::kInt ? "=<number>"
                                                      : "=<value>";
    absl::StrAppend(&usage, "  -", flag.name, value, "\n     ", flag.help,
                    "\n\n");
  }
  absl::StrAppend(&usage,
                  "Environment, for what neither options nor files say of the "
                  "Consul to mirror\n\n"
                  "  CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, "
                  "CONSUL_HTTP_TOKEN_FILE,\n  CONSUL_HTTP_SSL, "
                  "CONSUL_HTTP_SSL_VERIFY, CONSUL_CACERT, CONSUL_CAPATH,\n"
                  "  CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY\n\n"
                  "Options of Consul's that are accepted and mean nothing "
                  "here\n\n",
                  ignored);
  return usage;
}

}  // namespace dnsd
