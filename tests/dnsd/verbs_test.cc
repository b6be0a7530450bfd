// The verbs against a server of ours.
#include "dnsd/verbs.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/agent_self.h"
#include "dnsd/http/routes.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

TEST(InfoText, SortsAndSkipsWhatHasNoKeys) {
  const auto text = InfoText(
      R"({"Config":{},"Stats":{"b":{"y":"2","x":"1 = 2"},"a":{"k":""},)"
      R"("e":{}}})");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "a:\n\tk = \nb:\n\tx = 1 = 2\n\ty = 2\n");
}

TEST(InfoText, SaysWhatIsWrong) {
  for (const char* json : {"", "nonsense", "[]", "{\"Config\":{}}"}) {
    EXPECT_FALSE(InfoText(json).ok()) << json;
  }
}

class VerbsTest : public testing::Test {
 protected:
  VerbsTest()
      : routes_(AgentRoutes(Hooks())),
        server_(&loop_,
                [this](const HttpRequest& request, HttpServer::Reply reply) {
                  routes_.Handle(request, std::move(reply));
                }) {
    const absl::Status status = server_.Listen({{"127.0.0.1", 0}});
    EXPECT_TRUE(status.ok()) << status;
    address_ =
        absl::StrCat("-http-addr=127.0.0.1:", server_.listening()[0].port);
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~VerbsTest() override {
    loop_.Stop();
    thread_.join();
  }

  AgentHooks Hooks() {
    AgentHooks hooks;
    hooks.reload = [this](AgentHooks::ReloadDone done) { done(errors_); };
    hooks.self = [this] { return self_; };
    return hooks;
  }

  std::vector<std::string> errors_;  // set before a call, read during it
  std::string self_;
  std::string address_;
  EventLoop loop_;
  Routes routes_;
  HttpServer server_;
  std::thread thread_;
};

TEST_F(VerbsTest, InfoPrintsTheStats) {
  SelfInfo info;
  info.stats = {{"agent", {{"services", "2"}}}};
  self_ = AgentSelf(info);
  CaptureStdout();
  EXPECT_EQ(InfoVerb({address_}), 0);
  EXPECT_EQ(GetCapturedStdout(), "agent:\n\tservices = 2\n");
  self_ = "nonsense";
  CaptureStderr();
  EXPECT_EQ(InfoVerb({address_}), 1);
  EXPECT_TRUE(absl::StartsWith(GetCapturedStderr(),
                               "==> Error querying agent: line 1: "));
}

TEST_F(VerbsTest, ReloadSaysHowItWent) {
  CaptureStdout();
  EXPECT_EQ(ReloadVerb({address_}), 0);
  EXPECT_EQ(GetCapturedStdout(), "Configuration reload triggered\n");
  errors_ = {"a.hcl:1: bad"};
  CaptureStderr();
  EXPECT_EQ(ReloadVerb({address_}), 1);
  EXPECT_EQ(GetCapturedStderr(),
            "Error reloading: the agent answered 500\na.hcl:1: bad\n\n");
}

TEST(Verbs, RefuseWhatTheyCannotUse) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"word"}, {"-bogus"}, {"-http-addr=ftp://x"}}) {
    CaptureStderr();
    EXPECT_EQ(InfoVerb(args), 1);
    EXPECT_TRUE(absl::StartsWith(GetCapturedStderr(), "==> "));
  }
  CaptureStderr();
  EXPECT_EQ(InfoVerb({"-http-addr=127.0.0.1:1"}), 1);
  EXPECT_TRUE(absl::StartsWith(GetCapturedStderr(),
                               "==> Error querying agent: cannot ask "));
}

}  // namespace
}  // namespace dnsd
