#include "dnsd/acl/acl.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

AclRules Rules(const std::string& text) {
  Problems problems;
  AclRules rules = ParseAclRules(text, {}, &problems);
  EXPECT_TRUE(problems.ok()) << problems.errors()[0];
  return rules;
}

AclOptions TwoTokens(bool default_allow) {
  AclOptions options;
  options.enabled = true;
  options.default_allow = default_allow;
  options.tokens = {
      {"secret-1", "one",
       Rules("service \"web\" { policy = \"write\" } "
             "service_prefix \"w\" { policy = \"deny\" }"
             "key_prefix \"a/\" { policy = \"list\" }")},
      {"secret-2", "two", Rules("node_prefix \"\" { policy = \"read\" }")}};
  return options;
}

std::shared_ptr<const Authorizer> Resolve(const Acl& acl,
                                          const std::string& secret) {
  const Acl::Result result = acl.Resolve(secret);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : nullptr;
}

TEST(Acl, DisabledLetsEverybodyDoEverything) {
  const Acl acl;
  EXPECT_FALSE(acl.enabled());
  const auto anybody = Resolve(acl, "whoever");
  EXPECT_TRUE(anybody->AclWrite() && anybody->ServiceWrite("x"));
  EXPECT_EQ(acl.dns(), anybody);
}

TEST(Acl, ATokenHasItsRightsAndElseTheDefault) {
  for (const bool default_allow : {false, true}) {
    const Acl acl(TwoTokens(default_allow));
    const auto one = Resolve(acl, "secret-1");
    EXPECT_EQ(one->name(), "one");
    EXPECT_TRUE(one->ServiceRead("web") && one->ServiceWrite("web"));
    EXPECT_FALSE(one->ServiceRead("web2") || one->ServiceWrite("w"));
    EXPECT_EQ(one->ServiceRead("db"), default_allow);
    EXPECT_TRUE(one->KeyRead("a/b") && one->KeyList("a/b"));
    EXPECT_FALSE(one->KeyWrite("a/b"));
    EXPECT_EQ(one->NodeWrite("n"), default_allow);
    EXPECT_EQ(one->OperatorRead(), default_allow);
    const auto two = Resolve(acl, "secret-2");
    EXPECT_TRUE(two->NodeRead("n"));
    EXPECT_FALSE(two->NodeWrite("n"));
    // Managing ACLs is no default.
    EXPECT_FALSE(one->AclRead() || two->AclWrite());
  }
}

TEST(Acl, AnUnknownSecretIsNotTheAnonymousToken) {
  const Acl acl(TwoTokens(/*default_allow=*/true));
  for (const char* secret : {"secret-3", "secret-", "SECRET-1", " "}) {
    const Acl::Result result = acl.Resolve(secret);
    EXPECT_EQ(result.status(), absl::NotFoundError("ACL not found")) << secret;
  }
  EXPECT_EQ(Resolve(acl, "")->name(), "anonymous");
  EXPECT_EQ(Resolve(acl, "anonymous")->name(), "anonymous");
}

TEST(Acl, WhoGivesNoSecretHasTheDefaultToken) {
  AclOptions options = TwoTokens(/*default_allow=*/false);
  options.default_secret = "secret-2";
  {
    const Acl acl(options);
    EXPECT_EQ(Resolve(acl, "")->name(), "two");
    EXPECT_EQ(Resolve(acl, "anonymous")->name(), "anonymous");
    EXPECT_EQ(acl.dns()->name(), "two");
    EXPECT_EQ(acl.agent()->name(), "two");
  }
  options.dns_secret = "secret-1";
  options.agent_secret = "secret-1";
  options.tokens.push_back(
      {"anonymous", "nobody", Rules("service \"x\" { policy = \"read\" }")});
  const Acl acl(options);
  EXPECT_EQ(acl.dns()->name(), "one");
  EXPECT_EQ(acl.agent()->name(), "one");
  EXPECT_EQ(Resolve(acl, "anonymous")->name(), "nobody");
}

TEST(Acl, BuiltInRulesAreEnough) {
  const Authorizer manager("m", ManagementRules(), /*default_allow=*/false);
  EXPECT_TRUE(manager.AclWrite() && manager.ServiceWrite("x") &&
              manager.KeyWrite("") && manager.OperatorWrite());
  const Authorizer recovery("r", AgentRecoveryRules("n1"),
                            /*default_allow=*/false);
  EXPECT_TRUE(recovery.AgentWrite("n1") && recovery.NodeRead("n2"));
  EXPECT_FALSE(recovery.AgentRead("n2") || recovery.NodeWrite("n1"));
}

}  // namespace
}  // namespace dnsd
