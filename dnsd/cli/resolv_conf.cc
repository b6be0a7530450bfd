#include "dnsd/cli/resolv_conf.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "dnsd/config_addresses.h"

namespace dnsd {
namespace {

void AddNameserver(absl::string_view value, ResolvConf* conf) {
  const size_t end = value.find_first_of(" \t");
  const std::optional<std::string> ip =
      ParseIp(std::string(value.substr(0, end)));
  if (!ip || std::find(conf->nameservers.begin(), conf->nameservers.end(),
                       *ip) != conf->nameservers.end()) {
    return;
  }
  conf->nameservers.push_back(*ip);
}

}  // namespace

ResolvConf ParseResolvConf(absl::string_view text) {
  ResolvConf conf;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    const size_t blank = line.find_first_of(" \t");
    if (blank == absl::string_view::npos) continue;
    const absl::string_view keyword = line.substr(0, blank);
    const absl::string_view value =
        absl::StripLeadingAsciiWhitespace(line.substr(blank));
    if (keyword == "nameserver") {
      AddNameserver(value, &conf);
    } else if (keyword == "search" || keyword == "domain" ||
               keyword == "options" || keyword == "sortlist") {
      conf.other_lines.emplace_back(line);
    }
  }
  return conf;
}

}  // namespace dnsd
