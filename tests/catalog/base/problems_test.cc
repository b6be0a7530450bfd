#include "catalog/base/problems.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dnsd {
namespace {

using Lines = std::vector<std::string>;

TEST(Place, LeavesOutWhatDoesNotApply) {
  EXPECT_EQ((Place{"a.hcl", 3, "services[1].port"}.ToString()),
            "a.hcl:3: services[1].port");
  EXPECT_EQ((Place{"a.hcl", 3, ""}.ToString()), "a.hcl:3");
  EXPECT_EQ((Place{"a.hcl", 0, "node_name"}.ToString()), "a.hcl: node_name");
  EXPECT_EQ((Place{"a.hcl", 0, ""}.ToString()), "a.hcl");
  EXPECT_EQ((Place{"", 0, "-dns-port"}.ToString()), "-dns-port");
  EXPECT_EQ(Place().ToString(), "");
}

TEST(Problems, BeginsWithNone) {
  const Problems problems;
  EXPECT_TRUE(problems.ok());
  EXPECT_EQ(problems.errors(), Lines());
  EXPECT_EQ(problems.warnings(), Lines());
}

TEST(Problems, KeepsEveryErrorInOrder) {
  Problems problems;
  problems.Error({"b.json", 7, "ports.dns"}, "70000 is not a port");
  problems.Error({"", 0, "-dns-port"}, "not a number: \"x\"");
  problems.Error({}, "no configuration");
  problems.Error({"b.json", 7, "ports.dns"}, "70000 is not a port");
  EXPECT_FALSE(problems.ok());
  EXPECT_EQ(problems.errors(),
            (Lines{"b.json:7: ports.dns: 70000 is not a port",
                   "-dns-port: not a number: \"x\"", "no configuration",
                   "b.json:7: ports.dns: 70000 is not a port"}));
  EXPECT_EQ(problems.warnings(), Lines());
}

TEST(Problems, WarningsAreNoErrors) {
  Problems problems;
  problems.Warn({"a.hcl", 1, "raft_protocol"}, "has no meaning here");
  EXPECT_TRUE(problems.ok());
  EXPECT_EQ(problems.errors(), Lines());
  EXPECT_EQ(problems.warnings(),
            Lines{"a.hcl:1: raft_protocol: has no meaning here"});
}

}  // namespace
}  // namespace dnsd
