// health { }: what it may say, and what is said about the rest.
#include "dnsd/config_health.h"

#include <gtest/gtest.h>

#include "dnsd/config.h"
#include "tests/dnsd/config_testing.h"

namespace dnsd {
namespace {

TEST(ConfigHealthTest, HasDefaults) {
  const Loaded loaded = LoadHcl("");
  EXPECT_EQ(loaded.config.health.hang_after_ms, 10'000u);
  EXPECT_EQ(loaded.config.health.max_age_ms, 86'400'000u);
  EXPECT_EQ(loaded.config.health.lame_duck_ms, 0u);
}

TEST(ConfigHealthTest, ReadsAllOfIt) {
  const Loaded loaded = LoadHcl(
      "health { hang_after = \"2500ms\" max_age = \"0s\" lame_duck = \"5s\" }");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(loaded.config.health.hang_after_ms, 2'500u);
  EXPECT_EQ(loaded.config.health.max_age_ms, 0u);
  EXPECT_EQ(loaded.config.health.lame_duck_ms, 5'000u);
}

TEST(ConfigHealthTest, NamesWhatIsWrong) {
  static constexpr BadSetting kBad[] = {
      {"health { hang_after = \"1s\" }",
       "health.hang_after: \"1s\" is not between 2s and 3600s"},
      {"health { hang_after = \"2h\" }", "\"2h\" is not between 2s and 3600s"},
      {"health { max_age = \"-1s\" }", "health.max_age"},
      {"health { lame_duck = \"soon\" }", "soon"},
      {"health { lame_duck = true }", "health.lame_duck"},
      {"health { lameduck = \"5s\" }", "lame_duck"},
  };
  ExpectOneError(kBad);
}

}  // namespace
}  // namespace dnsd
