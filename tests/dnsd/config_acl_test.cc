// The stanza `acl`: tokens, their rules, and that no message has a secret.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/acl/acl.h"
#include "dnsd/config.h"
#include "tests/dnsd/config_testing.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const Authorizer> Resolve(const Loaded& loaded,
                                          const std::string& secret) {
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  const Acl::Result result = loaded.config.acl->Resolve(secret);
  EXPECT_TRUE(result.ok()) << secret;
  return result.ok() ? *result : Acl().dns();
}

TEST(ConfigAcl, IsOffUnlessTold) {
  for (const char* text :
       {"", "acl { default_policy = \"deny\" }",
        "acl { enabled = false tokens { default = \"x\" }}"}) {
    const Loaded loaded = LoadHcl(text);
    EXPECT_FALSE(loaded.config.acl->enabled());
    EXPECT_TRUE(Resolve(loaded, "")->AgentWrite("n"));
  }
}

TEST(ConfigAcl, ReadsTokensInHclAndJson) {
  const testing::TempDir dir;
  const std::string file =
      dir.Write("rules.hcl", "node \"n1\" { policy = \"read\" }\n");
  const Loaded hcl = LoadHcl(absl::StrCat(R"(
    node_name = "n7"
    acl {
      enabled = true
      default_policy = "deny"
      down_policy = "extend-cache"
      tokens { default = "s-2" dns = "s-1" agent_recovery = "s-5"
               initial_management = "s-6" }
      static_tokens = [
        { secret = "s-1" name = "prometheus"
          rules = "service_prefix \"\" { policy = \"read\" }" },
        { secret = "s-2", rules_file = ")",
                                          file, R"(" },
        { secret = "s-3" name = "heredoc" rules = <<EOF
            key "a" { policy = "write" }
          EOF
        }
      ]
    })"));
  EXPECT_EQ(Resolve(hcl, "s-1")->name(), "prometheus");
  EXPECT_TRUE(Resolve(hcl, "s-1")->ServiceRead("web"));
  EXPECT_FALSE(Resolve(hcl, "s-1")->ServiceWrite("web"));
  EXPECT_TRUE(Resolve(hcl, "")->NodeRead("n1"));
  EXPECT_FALSE(Resolve(hcl, "")->NodeRead("n2"));
  EXPECT_TRUE(Resolve(hcl, "s-3")->KeyWrite("a"));
  EXPECT_TRUE(Resolve(hcl, "s-5")->AgentWrite("n7"));
  EXPECT_FALSE(Resolve(hcl, "s-5")->AgentWrite("n8"));
  EXPECT_TRUE(Resolve(hcl, "s-6")->AclWrite());
  EXPECT_EQ(hcl.config.acl->dns()->name(), "prometheus");
  EXPECT_EQ(hcl.config.acl->Resolve("s-4").status().message(), "ACL not found");

  const std::string json = dir.Write("a.json", R"({"acl": {"enabled": true,
    "static_tokens": [{"secret": "s-1", "name": "x",
      "rules": "{\"operator\": \"deny\"}"}]}})");
  const Loaded loaded = Load({"-config-file", json});
  EXPECT_FALSE(Resolve(loaded, "s-1")->OperatorRead());
  EXPECT_TRUE(Resolve(loaded, "s-1")->ServiceWrite("web"));
}

// There DNS shows what the mirror's token may see.
TEST(ConfigAcl, TheDnsTokenHasNoEffectBesideAMirroredConsul) {
  const std::string acl =
      "acl { enabled = true tokens { dns = \"s-1\" } "
      "static_tokens = [{ secret = \"s-1\" rules = \"\" }] }\n";
  EXPECT_THAT(LoadHcl(acl).problems.warnings(), IsEmpty());
  const Loaded mirror =
      LoadHcl(acl + "consul { address = \"http://127.0.0.1:1\" }");
  EXPECT_EQ(Join(mirror.problems.errors()), "");
  EXPECT_THAT(mirror.problems.warnings(),
              ElementsAre(HasSubstr("acl.tokens.dns: has no effect")));
}

TEST(ConfigAcl, SaysWhatIsWrongAndNoSecret) {
  const std::pair<const char*, const char*> cases[] = {
      {"enabled = true default_policy = \"dny\"",
       "acl.default_policy: \"dny\" is not allow or deny"},
      {"static_tokens = [{ name = \"a\" }]", "token \"a\" has no secret"},
      {"static_tokens = [{ secret = \"hush two\" }]", "more than one word"},
      {"static_tokens = [{ secret = [\"hush\", \"b\"] }]", "must be a string"},
      {"static_tokens = [{ secret = \"hush\" name = \"a\" }, "
       "{ secret = \"hush\" name = \"b\" }]",
       "the secret of token \"b\" is that of another token"},
      {"tokens { master = \"hush\" } static_tokens = [{ secret = \"hush\" }]",
       "is that of another token"},
      {"enabled = true tokens { dns = \"hush\" } "
       "static_tokens = [{ secret = \"x\" }]",
       "acl.tokens.dns: is the secret of none of acl.static_tokens"},
      {"tokens { dns = [\"hush\", \"b\"] }", "must be a string"},
      {"static_tokens = [{ secret = \"hush\" rules = \"service x\" }]",
       "rules: line 1"},
      {"static_tokens = [{ secret = \"hush\" rules = \"operator = 1\" }]",
       "operator: policy 1 is not deny"},
      {"static_tokens = [{ secret = \"hush\" rules_file = \"/nowhere/x\" }]",
       "\"/nowhere/x\": No such file or directory"},
      {"static_tokens = [{ secret = \"hush\" rules = \"acl = \\\"read\\\"\" "
       "rules_file = \"/x\" }]",
       "is given beside rules"},
      {"static_tokens = [{ secrte = \"hush\" }]", "invalid config key"},
  };
  for (const auto& [text, error] : cases) {
    const Loaded loaded = LoadHcl(absl::StrCat("acl { ", text, " }"));
    const std::string all =
        Join(loaded.problems.errors()) + Join(loaded.problems.warnings());
    EXPECT_THAT(Join(loaded.problems.errors()), HasSubstr(error)) << text;
    EXPECT_FALSE(absl::StrContains(all, "hush")) << all;
    EXPECT_FALSE(loaded.config.acl->enabled());
  }
  const Loaded nobody =
      LoadHcl("acl { enabled = true default_policy = \"deny\" }");
  // A file of Consul's, whose tokens are in its store.
  const Loaded consuls =
      LoadHcl("acl { enabled = true tokens { default = \"hush\" } }");
  EXPECT_EQ(Resolve(consuls, "")->name(), "anonymous");
  EXPECT_THAT(consuls.problems.warnings(),
              ElementsAre(HasSubstr("acl.tokens.default: is a token of "
                                    "Consul's, and means nothing here")));
  EXPECT_THAT(nobody.problems.errors(), IsEmpty());
  EXPECT_THAT(nobody.problems.warnings(),
              ElementsAre(HasSubstr("nobody may do anything")));
}

}  // namespace
}  // namespace dnsd
