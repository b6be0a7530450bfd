#include "dnsd/http/agent_self.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "catalog/base/json_read.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

SelfInfo Info() {
  SelfInfo info;
  info.datacenter = "dc1";
  info.node_name = "node-1";
  info.node_id = "0123";
  info.version = "1.2.3";
  info.revision = "abc";
  info.address = "10.0.0.1";
  info.domain = "consul.";
  info.dns_addresses = {"127.0.0.1:8600"};
  info.http_addresses = {"127.0.0.1:8500", "[::1]:8500"};
  info.meta = {{"rack", "r1"}};
  info.stats = {{"agent", {{"services", "2"}}},
                {"odd", {{"a\"b\\c\n", "\xff<&>\t"}}},
                {"none", {}}};
  return info;
}

// The value at "Config/Datacenter", or nullptr.
const Value* At(const Value& value, absl::string_view path) {
  const Value* at = &value;
  for (const absl::string_view key : absl::StrSplit(path, '/')) {
    const Value* next = nullptr;
    for (const Member& member : at->members) {
      if (member.key == key) next = &member.value;
    }
    if (next == nullptr) return nullptr;
    at = next;
  }
  return at;
}

std::string Text(const Value& value, absl::string_view path) {
  const Value* const at = At(value, path);
  return at == nullptr ? "(missing)" : at->text;
}

TEST(AgentSelf, HasTheShapeOfConsuls) {
  const absl::StatusOr<Value> self = ParseJson(AgentSelf(Info()));
  ASSERT_TRUE(self.ok()) << self.status();
  // What Prometheus reads.
  EXPECT_EQ(Text(*self, "Config/Datacenter"), "dc1");
  EXPECT_EQ(Text(*self, "Config/PrimaryDatacenter"), "dc1");
  EXPECT_EQ(Text(*self, "Config/NodeName"), "node-1");
  EXPECT_EQ(Text(*self, "Config/NodeID"), "0123");
  EXPECT_EQ(Text(*self, "Config/Revision"), "abc");
  EXPECT_EQ(Text(*self, "Config/Version"), "1.2.3");
  ASSERT_NE(At(*self, "Config/Server"), nullptr);
  EXPECT_EQ(At(*self, "Config/Server")->kind, Value::Kind::kBool);
  EXPECT_FALSE(At(*self, "Config/Server")->boolean);
  // What Vault reads.
  for (const char* size : {"KVMaxValueSize", "TxnMaxReqLen"}) {
    const Value* const value = At(*self, std::string("DebugConfig/") + size);
    ASSERT_NE(value, nullptr) << size;
    EXPECT_EQ(value->integer, 524288) << size;
  }
  const Value* const addresses = At(*self, "DebugConfig/DNSAddrs");
  ASSERT_NE(addresses, nullptr);
  ASSERT_EQ(addresses->items.size(), 2u);
  EXPECT_EQ(addresses->items[0].text, "tcp://127.0.0.1:8600");
  EXPECT_EQ(addresses->items[1].text, "udp://127.0.0.1:8600");
  EXPECT_EQ(Text(*self, "DebugConfig/DNSDomain"), "consul.");
  ASSERT_NE(At(*self, "Coord"), nullptr);
  EXPECT_EQ(At(*self, "Coord")->kind, Value::Kind::kNull);
  EXPECT_EQ(Text(*self, "Member/Name"), "node-1");
  EXPECT_EQ(Text(*self, "Member/Addr"), "10.0.0.1");
  EXPECT_EQ(At(*self, "Member/Status")->integer, 1);
  EXPECT_EQ(Text(*self, "Member/Tags/dc"), "dc1");
  EXPECT_EQ(Text(*self, "Meta/rack"), "r1");
  EXPECT_EQ(Text(*self, "Stats/agent/services"), "2");
  EXPECT_EQ(Text(*self, "Stats/odd/a\"b\\c\n"), "\xef\xbf\xbd<&>\t");
  ASSERT_NE(At(*self, "Stats/none"), nullptr);
  EXPECT_EQ(At(*self, "Stats/none")->kind, Value::Kind::kObject);
}

TEST(AgentSelf, NamesThePrimaryDatacenterWhenItIsAnother) {
  SelfInfo info = Info();
  info.primary_datacenter = "dc0";
  const absl::StatusOr<Value> self = ParseJson(AgentSelf(info));
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_EQ(Text(*self, "Config/PrimaryDatacenter"), "dc0");
}

}  // namespace
}  // namespace dnsd
