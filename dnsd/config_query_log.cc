#include "dnsd/config_query_log.h"

#include <sys/un.h>

#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"
#include "dnsd/version.h"
#include "zones/name.h"
#include "zones/rcode_text.h"

namespace dnsd {
namespace {

constexpr int64_t kSampleMax = 1'000'000'000;
constexpr int64_t kFilesMax = 1'000'000;
constexpr unsigned kRcodeMax = 31;  // bits of SampleRule::rcodes

// "NXDOMAIN" or "3".
std::optional<unsigned> ParseRcode(const std::string& text) {
  if (const auto known = RcodeOfWord(text)) return *known;
  unsigned rcode = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, rcode);
  if (error != std::errc() || at != end || rcode > kRcodeMax) {
    return std::nullopt;
  }
  return rcode;
}

void ReadNames(const Setting& setting, SampleRule* rule, Problems* problems) {
  for (const PlacedText& text : setting.list) {
    std::string wire;
    const std::string name = NormalizeDomain(text.text, true);
    if (name.empty() || !NameToWire(name, &wire)) {
      problems->Error(text.place,
                      absl::StrCat(Quoted(text.text), " is not a domain name"));
      continue;
    }
    rule->names.push_back(std::move(wire));
  }
}

void ReadRcodes(const Setting& setting, SampleRule* rule, Problems* problems) {
  if (setting.list.empty()) return;
  rule->rcodes = 0;
  for (const PlacedText& text : setting.list) {
    const std::optional<unsigned> rcode = ParseRcode(text.text);
    if (!rcode) {
      problems->Error(text.place,
                      absl::StrCat(Quoted(text.text),
                                   " is no rcode: NOERROR, NXDOMAIN, "
                                   "SERVFAIL, REFUSED ... or a number to 31"));
      continue;
    }
    rule->rcodes |= 1u << *rcode;
  }
}

// Of the block `path`, which is on.
void ReadRule(const Settings& settings, const std::string& path,
              SampleRule* rule, Problems* problems) {
  rule->every = static_cast<uint32_t>(
      settings.Int(absl::StrCat(path, ".sample"), 1, kSampleMax, 1, problems));
  if (const Setting* names = settings.Find(absl::StrCat(path, ".names"))) {
    ReadNames(*names, rule, problems);
  }
  if (const Setting* clients = settings.Find(absl::StrCat(path, ".clients"))) {
    rule->clients = ReadNetworks(*clients, problems);
  }
  if (const Setting* rcodes = settings.Find(absl::StrCat(path, ".rcodes"))) {
    ReadRcodes(*rcodes, rule, problems);
  }
}

void ReadDnstap(const Settings& settings, Config* config, Problems* problems) {
  QueryLogOptions* options = &config->query_log;
  DnstapOptions* tap = &options->dnstap;
  tap->socket = settings.Text("dnstap.socket", "");
  if (tap->socket.empty()) {
    if (settings.HasBlock("dnstap.")) {
      problems->Warn({"", 0, "dnstap"}, "is off without dnstap.socket");
    }
    return;
  }
  if (tap->socket.size() >= sizeof(sockaddr_un::sun_path)) {
    problems->Error(settings.PlaceOf("dnstap.socket"),
                    absl::StrCat(Quoted(tap->socket),
                                 " is longer than a path of a socket may be (",
                                 sizeof(sockaddr_un::sun_path) - 1, ")"));
  }
  tap->identity = settings.Text("dnstap.identity", config->node.name);
  tap->version =
      settings.Text("dnstap.version", absl::StrCat("dnsd ", kVersion));
  tap->queries = settings.Bool("dnstap.queries", true);
  tap->responses = settings.Bool("dnstap.responses", true);
  ReadRule(settings, "dnstap", &options->rule(SampleUse::kTap), problems);
  if (!tap->queries && !tap->responses) {
    problems->Error(settings.PlaceOf("dnstap.responses"),
                    "is false, and dnstap.queries too: nothing is left");
  }
}

}  // namespace

void ResolveLogFile(const Settings& settings, Config* config,
                    Problems* problems) {
  LogFileOptions* file = &config->log_file;
  file->path = settings.Text("log_file", "");
  file->rotate_bytes = settings.Int(
      "log_rotate_bytes", 0, std::numeric_limits<int64_t>::max(), 0, problems);
  file->files_max = static_cast<int>(
      settings.Int("log_rotate_max_files", -1, kFilesMax, 0, problems));
  const Setting* after = settings.Find("log_rotate_duration");
  std::chrono::nanoseconds duration{0};
  if (after == nullptr ||
      !ReadDurationText(after->text, after->place, problems, &duration)) {
    return;
  }
  if (duration.count() < 0) {
    problems->Error(after->place,
                    absl::StrCat(Quoted(after->text), " is negative"));
  } else if (duration.count() > 0) {  // 0 is the default, as Consul's
    file->rotate_after = duration;
  }
}

void ResolveQueryLog(const Settings& settings, Config* config,
                     Problems* problems) {
  QueryLogOptions* options = &config->query_log;
  options->file = config->log_file;
  options->file.path = settings.Text("query_log.file", "");
  if (!options->file.path.empty() && !config->log_file.path.empty() &&
      LogFile::HaveSameNames(options->file, config->log_file)) {
    problems->Error(
        settings.Find("query_log.file")->place,
        absl::StrCat(Quoted(options->file.path),
                     " has the names of log_file: give it another"));
  }
  if (settings.Bool("query_log.enabled", false)) {
    ReadRule(settings, "query_log", &options->rule(SampleUse::kLog), problems);
  } else if (settings.HasBlock("query_log.") &&
             settings.Find("query_log.enabled") == nullptr) {
    problems->Warn({"", 0, "query_log"}, "is off without enabled = true");
  }
  ReadDnstap(settings, config, problems);
  options->rule(SampleUse::kTop).every = static_cast<uint32_t>(settings.Int(
      "top_names.sample", 0, kSampleMax, kTopNamesEvery, problems));
}

}  // namespace dnsd
