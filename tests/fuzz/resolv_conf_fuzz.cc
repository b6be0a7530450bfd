// ParseResolvConf() on any bytes: what it lets through can be written into a
// file of lines and into a configuration, and is read the same again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "dnsd/cli/resolv_conf.h"
#include "dnsd/config_addresses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const dnsd::ResolvConf conf = dnsd::ParseResolvConf(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  std::string written;
  for (const std::string& line : conf.other_lines) {
    DNSD_CHECK(line.find('\n') == std::string::npos);
    absl::StrAppend(&written, line, "\n");
  }
  for (const std::string& ip : conf.nameservers) {
    DNSD_CHECK(dnsd::ParseIp(ip) == ip);
    absl::StrAppend(&written, "nameserver ", ip, "\n");
  }
  const dnsd::ResolvConf again = dnsd::ParseResolvConf(written);
  DNSD_CHECK(again.nameservers == conf.nameservers);
  DNSD_CHECK(again.other_lines == conf.other_lines);
  return 0;
}
