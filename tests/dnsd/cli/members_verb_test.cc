#include "catalog/base/json_read.h"
#include "dnsd/cli/agent_verbs.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

// A server, a client and something that is neither, out of order.
constexpr char kMembers[] =
    R"([{"Name":"z","Addr":"::1","Port":2,"Status":4,"Tags":{"role":"x"}},
        {"Name":"c","Addr":"10.0.0.1","Port":1,"Status":3,
         "Tags":{"role":"node","build":"1.8.7:ab","vsn":"2","dc":"d"}},
        {"Name":"a","Addr":"10.0.0.2","Port":1,"Status":1,
         "Tags":{"role":"consul","vsn":"2","dc":"d"}}])";

TEST(MembersText, KnowsRolesAndStates) {
  const auto members = ParseJson(kMembers);
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(
      MembersText(members->items, false),
      "Node  Address     Status  Type     Build  Protocol  DC  Segment\n"
      "a     10.0.0.2:1  alive   server   < 0.3  2         d   <all>\n"
      "c     10.0.0.1:1  left    client   1.8.7  2         d   <default>\n"
      "z     [::1]:2     failed  unknown                       ");
}

TEST(MembersText, DetailedSortsTags) {
  const auto members = ParseJson(kMembers);
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(MembersText(members->items, true),
            "Node  Address     Status  Tags\n"
            "a     10.0.0.2:1  alive   dc=d,role=consul,segment=<all>,vsn=2\n"
            "c     10.0.0.1:1  left    build=1.8.7:ab,dc=d,role=node,"
            "segment=<default>,vsn=2\n"
            "z     [::1]:2     failed  role=x,segment=<default>");
}

TEST(InfoText, SortsAndSkipsWhatHasNoKeys) {
  const auto self = ParseJson(
      R"({"Config":{},"Stats":{"b":{"y":"2","x":"1 = 2"},"a":{"k":""},)"
      R"("e":{}}})");
  ASSERT_TRUE(self.ok()) << self.status();
  const auto text = InfoText(*self);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "a:\n\tk = \nb:\n\tx = 1 = 2\n\ty = 2\n");
}

TEST(InfoText, SaysWhatIsMissing) {
  for (const char* json : {"[]", "{\"Config\":{}}", "null"}) {
    const auto self = ParseJson(json);
    ASSERT_TRUE(self.ok()) << self.status();
    EXPECT_EQ(InfoText(*self).status().message(),
              "Agent response did not contain 'Stats' key");
  }
}

}  // namespace
}  // namespace dnsd
