#include "dnsd/go_flags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dnsd {
namespace {

constexpr FlagSpec kSpecs[] = {
    {"dev", FlagType::kBool},
    {"dns-port", FlagType::kInt},
    {"node", FlagType::kString},
    {"recursor", FlagType::kString},
};

// "name=text" of each flag, then "| word" for each word left.
std::string Shape(const GoFlags& parsed) {
  std::string shape;
  for (const GivenFlag& flag : parsed.flags) {
    shape += flag.name + "=" + flag.text + " ";
  }
  for (const std::string& word : parsed.rest) shape += "| " + word + " ";
  if (parsed.help) shape += "help ";
  return shape;
}

TEST(GoFlags, ReadsFlagsByGosRules) {
  struct Case {
    std::vector<std::string> args;
    std::string shape;
  };
  const Case cases[] = {
      {{}, ""},
      {{"-node", "a"}, "node=a "},
      {{"--node", "a"}, "node=a "},
      {{"-node=a"}, "node=a "},
      {{"--node=a=b"}, "node=a=b "},
      {{"-node="}, "node= "},
      {{"-node", ""}, "node= "},
      // A value may look like a flag.
      {{"-node", "-dev"}, "node=-dev "},
      {{"-dns-port", "-1"}, "dns-port=-1 "},
      {{"-dns-port=+8600"}, "dns-port=+8600 "},
      // A boolean never takes the next word.
      {{"-dev", "false"}, "dev=true | false "},
      {{"-dev=false", "-node", "x"}, "dev=false node=x "},
      {{"-dev=T"}, "dev=T "},
      {{"-recursor", "a", "-recursor=b"}, "recursor=a recursor=b "},
      // The first plain word ends the flags, and so does "--".
      {{"word", "-dev"}, "| word | -dev "},
      {{"-dev", "--", "-node"}, "dev=true | -node "},
      {{"-", "-dev"}, "| - | -dev "},
      {{"-h"}, "help "},
      {{"-dev", "--help", "-bogus"}, "dev=true help "},
  };
  for (const Case& c : cases) {
    const GoFlags parsed = ParseGoFlags(c.args, kSpecs);
    EXPECT_EQ(Shape(parsed), c.shape);
    EXPECT_TRUE(parsed.errors.empty())
        << c.shape << ": " << parsed.errors.front();
  }
}

TEST(GoFlags, KeepsTypedValues) {
  const GoFlags parsed =
      ParseGoFlags({"-dns-port", "-1", "-dev=0", "-dev"}, kSpecs);
  ASSERT_EQ(parsed.flags.size(), 3u);
  EXPECT_EQ(parsed.flags[0].integer, -1);
  EXPECT_FALSE(parsed.flags[1].boolean);
  EXPECT_TRUE(parsed.flags[2].boolean);
}

// The texts are what Go's flag package says (seen from Consul 1.8.7).
TEST(GoFlags, ReportsErrorsInGosWords) {
  struct Case {
    std::vector<std::string> args;
    std::string error;
  };
  const Case cases[] = {
      {{"-bogus"}, "flag provided but not defined: -bogus"},
      {{"--bogus=3"}, "flag provided but not defined: -bogus"},
      {{"-dns-port"}, "flag needs an argument: -dns-port"},
      {{"-dns-port=x"},
       "invalid value \"x\" for flag -dns-port: strconv.Atoi: parsing \"x\": "
       "invalid syntax"},
      {{"-dns-port", ""},
       "invalid value \"\" for flag -dns-port: strconv.Atoi: parsing \"\": "
       "invalid syntax"},
      {{"-dns-port", " 1"},
       "invalid value \" 1\" for flag -dns-port: strconv.Atoi: parsing \" "
       "1\": invalid syntax"},
      {{"-dns-port=99999999999999999999"},
       "invalid value \"99999999999999999999\" for flag -dns-port: "
       "strconv.Atoi: parsing \"99999999999999999999\": value out of range"},
      {{"-dev=maybe"},
       "invalid boolean value \"maybe\" for -dev: strconv.ParseBool: parsing "
       "\"maybe\": invalid syntax"},
      {{"-dev="},
       "invalid boolean value \"\" for -dev: strconv.ParseBool: parsing "
       "\"\": invalid syntax"},
      {{"---dev"}, "bad flag syntax: ---dev"},
      {{"-=3"}, "bad flag syntax: -=3"},
      {{"--=3"}, "bad flag syntax: --=3"},
  };
  for (const Case& c : cases) {
    const GoFlags parsed = ParseGoFlags(c.args, kSpecs);
    ASSERT_EQ(parsed.errors.size(), 1u) << c.error;
    EXPECT_EQ(parsed.errors[0], c.error);
  }
}

TEST(GoFlags, ShowsEveryBadValueButStopsAtAnUnknownFlag) {
  const GoFlags values = ParseGoFlags(
      {"-dns-port=x", "-dev=y", "-node", "n", "-dns-port=z"}, kSpecs);
  EXPECT_EQ(values.errors.size(), 3u);
  EXPECT_EQ(Shape(values), "node=n ");

  const GoFlags unknown = ParseGoFlags({"-bogus", "-dev=y"}, kSpecs);
  EXPECT_EQ(unknown.errors.size(), 1u);
}

}  // namespace
}  // namespace dnsd
