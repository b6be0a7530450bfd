// A dnsd that mirrors a dnsd with registrations of its own, as it would mirror
// a Consul: what is registered with the one, the other answers.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"

namespace dnsd::testing {
namespace {

using Texts = std::vector<std::string>;

class RegistryMirror : public ::testing::Test {
 protected:
  RegistryMirror()
      : registry_({"-dev", "-node", "one", "-bind", "127.0.0.1"}) {}

  void SetUp() override {
    ASSERT_TRUE(registry_.WaitUntilServing()) << registry_.process().output();
    api_.emplace(absl::StrCat("http://", registry_.HttpAddress()));
    mirror_.emplace(Texts{"-consul-http-addr", registry_.HttpAddress(), "-node",
                          "two", "-bind", "127.0.0.1"});
    ASSERT_TRUE(mirror_->WaitUntilServing()) << mirror_->process().output();
  }

  [[nodiscard]] bool WaitFor(const std::string& name, const Texts& addresses) {
    return WaitUntil([&] {
      return Data(AskUdp(mirror_->dns(), {name, "A"}).answer, "A") == addresses;
    });
  }

  AgentProcess registry_;
  std::optional<ConsulApi> api_;
  std::optional<AgentProcess> mirror_;
};

TEST_F(RegistryMirror, FollowsWhatIsRegistered) {
  EXPECT_EQ(api_->Put("/v1/agent/service/register",
                      R"({"Name":"web","Address":"10.0.0.7","Port":80,
                         "Check":{"TTL":"1h","Status":"passing"}})"),
            200);
  EXPECT_TRUE(WaitFor("web.service.consul", {"10.0.0.7"}));
  EXPECT_EQ(api_->Put("/v1/agent/check/fail/service:web"), 200);
  EXPECT_TRUE(WaitFor("web.service.consul", {}));
  EXPECT_EQ(api_->Put("/v1/agent/check/pass/service:web"), 200);
  EXPECT_TRUE(WaitFor("web.service.consul", {"10.0.0.7"}));
  ConsulInstance far;
  far.node = "n1";
  far.node_address = "10.0.0.8";
  far.name = "db";
  EXPECT_TRUE(api_->Register(far));
  EXPECT_TRUE(WaitFor("db.service.consul", {"10.0.0.8"}));
  EXPECT_TRUE(WaitFor("n1.node.consul", {"10.0.0.8"}));
  EXPECT_TRUE(api_->DeregisterNode("n1"));
  EXPECT_TRUE(WaitFor("db.service.consul", {}));
}

TEST_F(RegistryMirror, FollowsPreparedQueries) {
  ConsulInstance far;
  far.node = "n1";
  far.node_address = "10.0.0.8";
  far.name = "db";
  EXPECT_TRUE(api_->Register(far));
  EXPECT_EQ(api_->Call("POST", "/v1/query",
                       R"({"Name":"q","Service":{"Service":"db"}})")
                .status,
            200);
  EXPECT_TRUE(WaitFor("q.query.consul", {"10.0.0.8"}));
}

}  // namespace
}  // namespace dnsd::testing
