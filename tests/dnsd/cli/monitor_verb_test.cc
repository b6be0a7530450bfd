#include "dnsd/cli/monitor_verb.h"

#include <gtest/gtest.h>

namespace dnsd {
namespace {

TEST(MonitorText, LeavesLinesAsTheyAreButForControls) {
  EXPECT_EQ(MonitorText(""), "");
  EXPECT_EQ(MonitorText("a: b\tc=\"\xc3\xa4\"\nd"), "a: b\tc=\"\xc3\xa4\"\nd");
  EXPECT_EQ(MonitorText("\x1b[2J\r\x7f\n"), "\\x1b[2J\\x0d\\x7f\n");
}

}  // namespace
}  // namespace dnsd
