#include "catalog/registry/records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dnsd {
namespace {

using Texts = std::vector<std::string>;

TEST(Records, KeysComeApartAsTheyWerePut) {
  for (const Texts& parts :
       {Texts{"a", "b"}, Texts{"a/b", "%2F", "c"}, Texts{"y", "x", ""},
        Texts{std::string("n\0l", 3), "%", "/"}}) {
    std::string key;
    if (parts.size() == 2) key = RecordKey({parts[0], parts[1]});
    if (parts.size() == 3) key = RecordKey({parts[0], parts[1], parts[2]});
    EXPECT_EQ(key.find('\0'), std::string::npos);
    EXPECT_EQ(RecordKeyParts(key), parts) << key;
  }
}

TEST(Records, StampsStandBeforeTheirJson) {
  const std::string value = EncodeStamped({7, 12}, R"({"a b":1})");
  const auto stamped = DecodeStamped(value);
  ASSERT_TRUE(stamped.ok());
  EXPECT_EQ(stamped->stamp, (Stamp{7, 12}));
  EXPECT_EQ(std::string(stamped->json), R"({"a b":1})");
}

TEST(Records, DamagedValuesAreSaidToBe) {
  for (const char* value : {"", "x", "1", "1 x {}", "-1 2 {}", "1 2x {}"}) {
    EXPECT_EQ(DecodeStamped(value).status().code(), absl::StatusCode::kDataLoss)
        << value;
  }
  for (const char* value : {"", "passing", "good 1 x", "passing one x"}) {
    EXPECT_EQ(DecodeCheckState(value).status().code(),
              absl::StatusCode::kDataLoss)
        << value;
  }
}

TEST(Records, CheckStatesKeepTheirOutput) {
  const auto state = DecodeCheckState(
      EncodeCheckState({HealthStatus::kWarning, 1234, "so so\nand so"}));
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->status, HealthStatus::kWarning);
  EXPECT_EQ(state->unix_ms, 1234);
  EXPECT_EQ(state->output, "so so\nand so");
}

}  // namespace
}  // namespace dnsd
