#include "catalog/types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace dnsd {
namespace {

TEST(AsciiLower, ChangesLettersOnly) {
  EXPECT_EQ(AsciiLower(""), "");
  EXPECT_EQ(AsciiLower("WeB-01_aZ.@[`{"), "web-01_az.@[`{");
}

TEST(AsciiLower, LeavesBytesAbove127AndZeroAlone) {
  // RFC 4343: only ASCII letters have a case. In Latin-1 0xC4 is a letter.
  const std::string text("\xc3\x84\xc4\0Z\xff", 6);
  EXPECT_EQ(AsciiLower(text), std::string("\xc3\x84\xc4\0z\xff", 6));
}

TEST(AsciiLower, TakesEveryByteAsCComparesNames) {
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    const int lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
    EXPECT_EQ(AsciiLower(text), std::string(1, static_cast<char>(lower))) << c;
  }
}

TEST(HealthStatus, WorstIsLargest) {
  EXPECT_EQ(std::max(HealthStatus::kPassing, HealthStatus::kWarning),
            HealthStatus::kWarning);
  EXPECT_EQ(std::max(HealthStatus::kCritical, HealthStatus::kWarning),
            HealthStatus::kCritical);
}

TEST(HealthStatus, HasConsulsNames) {
  EXPECT_STREQ(HealthStatusName(HealthStatus::kPassing), "passing");
  EXPECT_STREQ(HealthStatusName(HealthStatus::kWarning), "warning");
  EXPECT_STREQ(HealthStatusName(HealthStatus::kCritical), "critical");
}

// State decides with == whether a source said something new.
TEST(Values, DifferWhenAnyFieldDoes) {
  const ServiceInstance plain;
  ServiceInstance other;
  EXPECT_EQ(plain, other);
  other.weights.warning = 2;
  EXPECT_NE(plain, other);
  other = plain;
  other.tagged_addresses["wan"].port = 1;
  EXPECT_NE(plain, other);
  other = plain;
  other.mesh.Edit().gateway_services = {"web"};
  EXPECT_NE(plain, other);

  Node node;
  node.meta["rack"] = "1";
  EXPECT_NE(node, Node());
  Check check;
  check.output = "connection refused";
  EXPECT_NE(check, Check());
}

// A new definition is critical until its check has run (consul.md 4.2).
TEST(Values, ACheckBeginsCritical) {
  EXPECT_EQ(Check().status, HealthStatus::kCritical);
  EXPECT_EQ(ServiceInstance().weights, (Weights{1, 1}));
}

}  // namespace
}  // namespace dnsd
