#include "catalog/base/log_syslog.h"

#include <syslog.h>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(SyslogFacility, IsKnownByItsNameInAnyLetterCase) {
  EXPECT_EQ(SyslogFacility("LOCAL0"), LOG_LOCAL0);
  EXPECT_EQ(SyslogFacility("local7"), LOG_LOCAL7);
  EXPECT_EQ(SyslogFacility("Daemon"), LOG_DAEMON);
  EXPECT_EQ(SyslogFacility("AUTHPRIV"), LOG_AUTHPRIV);
  EXPECT_EQ(DefaultSyslogFacility(), LOG_LOCAL0);
  for (const char* none :
       {"", "LOCAL", "LOCAL8", "KERN", "LOG_USER", " USER"}) {
    EXPECT_FALSE(SyslogFacility(none).has_value()) << none;
  }
}

TEST(SyslogFacility, AllNamesThatAreToldAreOnes) {
  int count = 0;
  for (absl::string_view name : absl::StrSplit(SyslogFacilityNames(), ", ")) {
    EXPECT_TRUE(SyslogFacility(name).has_value()) << name;
    ++count;
  }
  EXPECT_EQ(count, 19);
}

}  // namespace
}  // namespace dnsd
