// The system's log, by syslog(3): ident "dnsd", the process id, and the
// facility that Consul's syslog_facility names.
//
// Threads:  any, except OpenSyslog(): once, before other threads start.
// Errors:   where nobody is behind /dev/log lines are lost; each line looks
//           for it again. Nothing of that is an error of ours.
// Blocking: like a full pipe, as long as somebody holds /dev/log and its queue
//           is full; not without one.
// Consul:   1.8.7 sends every line as NOTICE, with time and level before it;
//           here the priority is the level's.
#ifndef DNSD_CATALOG_BASE_LOG_SYSLOG_H_
#define DNSD_CATALOG_BASE_LOG_SYSLOG_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/base/log.h"

namespace dnsd {

// Its number in syslog(3), in any letter case: "LOCAL0", "DAEMON". Nothing for
// other words. KERN is none: that is what programs may not send.
[[nodiscard]] std::optional<int> SyslogFacility(absl::string_view name);
// Its default in Consul, "LOCAL0".
[[nodiscard]] int DefaultSyslogFacility();
// "AUTH, AUTHPRIV, ...".
[[nodiscard]] std::string SyslogFacilityNames();

void OpenSyslog(int facility);
// Trace and debug are DEBUG there.
void WriteSyslog(LogLevel level, const std::string& text);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LOG_SYSLOG_H_
