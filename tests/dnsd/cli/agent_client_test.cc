#include "dnsd/cli/agent_client.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

TEST(EscapedPath, IsGos) {
  EXPECT_EQ(EscapedPath("/v1/a b/ü?#%"), "/v1/a%20b/%C3%BC%3F%23%25");
  EXPECT_EQ(EscapedPath("/$&+,:;=@-_.~!*'()"), "/$&+,:;=@-_.~%21%2A%27%28%29");
}

TEST(EscapedQuery, IsGos) {
  EXPECT_EQ(EscapedQuery({}), "");
  EXPECT_EQ(EscapedQuery({{"b", "x &=é/"}, {"a", "1"}, {"b", "2"}}),
            "?a=1&b=x+%26%3D%C3%A9%2F&b=2");
}

constexpr CommandSpec kSpec = {"x", "", {}, true, true};

class AgentClientTest : public ::testing::Test {
 protected:
  // What Make() says, or "".
  std::string Error(const std::vector<std::string>& args) {
    int exit_code = 0;
    const auto command = ParseCommand(kSpec, args, &exit_code);
    EXPECT_TRUE(command.has_value());
    const auto client = AgentClient::Make(*command, [this](const char* name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? "" : found->second;
    });
    return std::string(client.status().message());
  }

  std::map<std::string, std::string> environment_;
};

TEST_F(AgentClientTest, NamesWhatIsWrong) {
  EXPECT_EQ(Error({}), "");
  EXPECT_EQ(Error({"-http-addr=ftp://x"}), "Unknown protocol scheme: ftp");
  EXPECT_EQ(Error({"-http-addr=h:1/x"}), "cannot call h:1/x: not HOST:PORT");
  EXPECT_EQ(Error({"-http-addr=http://h:1/"}), "");
  EXPECT_EQ(Error({"-http-addr=unix:///a b"}), "");
  EXPECT_EQ(Error({"-token-file=/nope"}),
            "Error loading token file: open /nope: no such file or directory");
  EXPECT_EQ(Error({"-token=a\nb"}), "the token has more than one line");
  EXPECT_EQ(Error({"-ca-file=/nope"}),
            "Error loading CA File: open /nope: no such file or directory");
  EXPECT_EQ(Error({"-ca-path=/nope"}),
            "lstat /nope: no such file or directory");
  EXPECT_EQ(Error({"-client-cert=/nope"}),
            "both client cert and client key must be provided");
}

TEST_F(AgentClientTest, FlagsWinOverTheEnvironment) {
  environment_["CONSUL_HTTP_ADDR"] = "ftp://e";
  EXPECT_EQ(Error({}), "Unknown protocol scheme: ftp");
  EXPECT_EQ(Error({"-http-addr="}), "Unknown protocol scheme: ftp");
  EXPECT_EQ(Error({"-http-addr=h:1"}), "");
  const testing::TempDir dir;
  environment_["CONSUL_HTTP_ADDR"] = "";
  environment_["CONSUL_HTTP_TOKEN_FILE"] = "/nope";
  EXPECT_NE(Error({}), "");
  EXPECT_EQ(Error({"-token-file=" + dir.Write("token", "t\n")}), "");
  environment_ = {{"CONSUL_CLIENT_KEY", "/nope"}};
  EXPECT_EQ(Error({}), "both client cert and client key must be provided");
}

}  // namespace
}  // namespace dnsd
