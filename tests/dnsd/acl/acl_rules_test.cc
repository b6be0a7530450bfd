// The rule language, and what is said about rules that are none. What Consul
// makes of the same texts is asked in integration/acl_diff_test.cc.
#include "dnsd/acl/acl_rules.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// "5 prefix \"we\" 4": resource, kind, name, access.
std::vector<std::string> Show(const AclRules& rules) {
  std::vector<std::string> texts;
  for (const AclRule& rule : rules) {
    texts.push_back(absl::StrCat(static_cast<int>(rule.resource),
                                 rule.is_prefix ? " prefix \"" : " exact \"",
                                 rule.name, "\" ",
                                 static_cast<int>(rule.access)));
  }
  return texts;
}

std::vector<std::string> Read(const std::string& text) {
  Problems problems;
  const AclRules rules = ParseAclRules(text, {"", 0, "rules"}, &problems);
  EXPECT_TRUE(problems.ok()) << problems.errors()[0];
  return Show(rules);
}

std::vector<std::string> Errors(const std::string& text,
                                const Place& where = {"", 0, "rules"}) {
  Problems problems;
  (void)ParseAclRules(text, where, &problems);
  return problems.errors();
}

TEST(AclRules, ReadsBothLanguages) {
  const auto both =
      ElementsAre("5 exact \"web\" 4", "5 prefix \"\" 2", "3 prefix \"db-\" 1",
                  "2 exact \"a/b\" 3", "10 exact \"\" 2");
  EXPECT_THAT(Read(R"(
    service "web" { policy = "write"  intentions = "read" }
    service_prefix "" { policy = "read" }
    node_prefix "db-" { policy = "deny" }  # the rest of them
    key "a/b" { policy = "list" }
    operator = "read")"),
              both);
  EXPECT_THAT(Read(R"({
    "service": {"web": {"policy": "write"}},
    "service_prefix": {"": {"policy": "read"}},
    "node_prefix": [{"db-": [{"policy": "deny"}]}],
    "key": {"a/b": {"policy": "list", "sentinel": {}}},
    "operator": "read"})"),
              both);
  EXPECT_THAT(Read(""), ElementsAre());
  EXPECT_THAT(Read(" # nothing\n"), ElementsAre());
}

TEST(AclRules, OneNameMayHaveSeveral) {
  EXPECT_THAT(
      Read(R"(service "a" { policy = "read" }
                      service "a" { policy = "write" }
                      service "b" { policy = "read" })"),
      ElementsAre("5 exact \"a\" 2", "5 exact \"a\" 4", "5 exact \"b\" 2"));
}

TEST(AclRules, EveryResourceIsKnown) {
  for (const char* name :
       {"agent", "event", "key", "node", "query", "service", "session",
        "agent_prefix", "event_prefix", "key_prefix", "node_prefix",
        "query_prefix", "service_prefix", "session_prefix"}) {
    EXPECT_EQ(Read(absl::StrCat(name, " \"x\" { policy = \"read\" }")).size(),
              1u)
        << name;
  }
  for (const char* name : {"acl", "keyring", "mesh", "operator", "peering"}) {
    EXPECT_EQ(Read(absl::StrCat(name, " = \"write\"")).size(), 1u) << name;
  }
  EXPECT_EQ(ManagementRules().size(), kAclResourceCount);
}

TEST(AclRules, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"service \"a\" { policy = \"rite\" }",
       "rules: service \"a\": policy \"rite\" is not deny, read or write"},
      {"service \"a\" { policy = \"list\" }", "is not deny, read or write"},
      {"key \"a\" { policy = 7 }", "policy 7 is not deny, read, list or write"},
      {"service \"a\" { }", "service \"a\": has no policy"},
      {"service \"a\" { policy = \"read\" policy = \"write\" }",
       "has two policies"},
      {"service \"a\" { polcy = \"read\" }", "\"polcy\" is no part of a rule"},
      {"service { policy = \"read\" }", "must be { policy"},
      {"service = \"read\"", "must have a name and a policy"},
      {"servise \"a\" { policy = \"read\" }", "did you mean service?"},
      {"acl_prefix = \"read\"", "acl_prefix: is no resource"},
      {"operator \"x\" { policy = \"read\" }", "operator: policy a"},
      {"operator = true", "operator: policy true is not deny"},
      {"service \"a\" {", "line 1"},
      {"{\"service\": ", "line 1"},
      {"{\"service\": {\"a\": \"read\"}}", "must be { policy"},
      {"{\"service\": [[]]}", "has a list within a list"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_THAT(Errors(text), ::testing::Contains(HasSubstr(error))) << text;
  }
}

TEST(AclRules, PlacesAreThoseOfTheRules) {
  EXPECT_THAT(Errors("\n\nacl = \"x\"", {"rules.hcl", 0, ""}),
              ElementsAre(HasSubstr("rules.hcl:3: acl: policy")));
  EXPECT_THAT(Errors("\n\nacl = \"x\"", {"agent.hcl", 7, "rules"}),
              ElementsAre(HasSubstr("agent.hcl:7: rules: line 3: acl: pol")));
}

}  // namespace
}  // namespace dnsd
