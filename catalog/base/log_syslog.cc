#include "catalog/base/log_syslog.h"

#include <syslog.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

// syslog(3) keeps the pointer.
constexpr char kIdent[] = "dnsd";

struct Facility {
  const char* name;
  int number;
};

constexpr Facility kFacilities[] = {
    {"AUTH", LOG_AUTH},     {"AUTHPRIV", LOG_AUTHPRIV}, {"CRON", LOG_CRON},
    {"DAEMON", LOG_DAEMON}, {"FTP", LOG_FTP},           {"LOCAL0", LOG_LOCAL0},
    {"LOCAL1", LOG_LOCAL1}, {"LOCAL2", LOG_LOCAL2},     {"LOCAL3", LOG_LOCAL3},
    {"LOCAL4", LOG_LOCAL4}, {"LOCAL5", LOG_LOCAL5},     {"LOCAL6", LOG_LOCAL6},
    {"LOCAL7", LOG_LOCAL7}, {"LPR", LOG_LPR},           {"MAIL", LOG_MAIL},
    {"NEWS", LOG_NEWS},     {"SYSLOG", LOG_SYSLOG},     {"USER", LOG_USER},
    {"UUCP", LOG_UUCP},
};

int Priority(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug:
      return LOG_DEBUG;
    case LogLevel::kInfo:
      return LOG_INFO;
    case LogLevel::kWarn:
      return LOG_WARNING;
    case LogLevel::kError:
      return LOG_ERR;
  }
  return LOG_NOTICE;
}

}  // namespace

std::optional<int> SyslogFacility(absl::string_view name) {
  const std::string upper = absl::AsciiStrToUpper(name);
  for (const Facility& facility : kFacilities) {
    if (upper == facility.name) return facility.number;
  }
  return std::nullopt;
}

int DefaultSyslogFacility() { return LOG_LOCAL0; }

std::string SyslogFacilityNames() {
  std::string names;
  for (const Facility& facility : kFacilities) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", facility.name);
  }
  return names;
}

void OpenSyslog(int facility) { openlog(kIdent, LOG_PID, facility); }

void WriteSyslog(LogLevel level, const std::string& text) {
  syslog(Priority(level), "%s", text.c_str());
}

}  // namespace dnsd
