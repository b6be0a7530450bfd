// That it reads what the other decoder reads: api_body_property_test.cc.
#include "catalog/registry/registration_reader.h"

#include <gtest/gtest.h>

namespace dnsd {
namespace {

TEST(RegistrationReader, LeavesTheRestToTheOther) {
  RegistrationReader reader;
  for (const char* json :
       {"", "{", "[]", "null", "{}", R"({"Node":1})", R"({"Node":""})",
        R"({"Node":"n","Nodes":1})", R"({"node":"n"})",
        R"({"Node":"n","SkipNodeUpdate":"true"})",
        R"({"Node":"n","Service":{"ID":"a"}})",
        R"({"Node":"n","Service":{"ID":"a","Service":"a","Port":70000}})",
        R"({"Node":"n","Service":{"ID":"a","Service":"a","Kind":"x"}})",
        R"({"Node":"n","Service":{"ID":"a","Service":"a","Tags":[1]}})",
        R"({"Node":"n","Service":null})", R"({"Node":"n","Checks":{}})",
        R"({"Node":"n","Checks":[{"CheckID":"c"}]})",
        R"({"Node":"n","Checks":[{"CheckID":"c","Status":"maybe"}]})",
        R"({"Node":"n","Checks":[{"CheckID":"c","Status":"passing",)"
        R"("Definition":{"TTL":"10s"}}]})"}) {
    CatalogRegistration got;
    EXPECT_FALSE(reader.Read(json, &got)) << json;
  }
  CatalogRegistration got;
  EXPECT_TRUE(reader.Read(R"({"Node":"n","SkipNodeUpdate":true})", &got));
  EXPECT_EQ(got.node.name, "n");
}

}  // namespace
}  // namespace dnsd
