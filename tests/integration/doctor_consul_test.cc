// `dnsd doctor` of the Consul that is mirrored: its token's rights, its clock,
// and a catalog that is old.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/cli/doctor.h"
#include "tests/integration/doctor_fixture.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DoctorConsulTest : public DoctorTest {
 protected:
  void SetUp() override {
    DoctorTest::SetUp();
    if (IsSkipped()) return;
    const auto binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul";
    ConsulProcessOptions options;
    options.config =
        "acl { enabled = true default_policy = \"deny\" tokens { master = "
        "\"aaaaaaaa-0000-4000-8000-000000000001\" agent = "
        "\"aaaaaaaa-0000-4000-8000-000000000001\" } }\n";
    consul_.emplace(*binary, options);
    consul_->api().set_token(kManagement);
    ASSERT_TRUE(WaitUntil([this] {
      return consul_->api().Count("/v1/catalog/nodes").value_or(0) > 0 &&
             consul_->api().Count("/v1/catalog/services").value_or(0) > 0;
    })) << consul_->process().output();
  }

  // A token with rules.
  std::string MakeToken(const std::string& rules) {
    static int count = 0;
    const std::string name = absl::StrCat("p", ++count);
    EXPECT_EQ(consul_->api().Put(
                  "/v1/acl/policy",
                  absl::StrCat("{\"Name\":\"", name,
                               "\",\"Rules\":", JsonQuoted(rules), "}")),
              200);
    const ConsulReply made = consul_->api().Call(
        "PUT", "/v1/acl/token",
        absl::StrCat("{\"Policies\":[{\"Name\":\"", name, "\"}]}"));
    const size_t at = made.body.find("\"SecretID\": \"");
    EXPECT_NE(at, std::string::npos) << made.body;
    return made.body.substr(at + 13, 36);
  }
  std::string With(const std::string& token) const {
    return Write(absl::StrCat("consul { address = \"", consul_->HttpUrl(),
                              "\" token = \"", token, "\" }\n"));
  }

  static constexpr char kManagement[] = "aaaaaaaa-0000-4000-8000-000000000001";
  std::optional<ConsulProcess> consul_;
};

TEST_F(DoctorConsulTest, ItsRightsAndWhetherItIsThere) {
  config_ = With(kManagement);
  EXPECT_THAT(
      Lines(Doctor(), "consul"),
      AllOf(HasSubstr("answers and has a leader"), HasSubstr("shows 1 nodes"),
            Not(HasSubstr("fail")), Not(HasSubstr("warn"))));
  config_ =
      With(MakeToken("node_prefix \"\" { policy = \"read\" } "
                     "service_prefix \"\" { policy = \"read\" } "
                     "query_prefix \"\" { policy = \"read\" }"));
  EXPECT_THAT(Lines(Doctor(), "consul"),
              Not(AnyOf(HasSubstr("fail"), HasSubstr("warn"))));
  config_ = With(MakeToken("key_prefix \"\" { policy = \"read\" }"));
  const Finished without = Doctor();
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(Lines(without, "consul"),
              AllOf(HasSubstr("rights are missing"), HasSubstr("node_prefix")));
  config_ =
      With(MakeToken("node_prefix \"\" { policy = \"read\" } "
                     "service \"consul\" { policy = \"read\" }"));
  EXPECT_THAT(Lines(Doctor(), "consul"),
              AllOf(HasSubstr("warn"), HasSubstr("not read every service")));
  config_ = With("bbbbbbbb-0000-4000-8000-000000000002");
  EXPECT_THAT(Lines(Doctor(), "consul"), HasSubstr("ACL not found"));
  consul_->Kill();
  EXPECT_THAT(Lines(Doctor(), "consul"),
              AllOf(StartsWith("fail"), HasSubstr("connection refused")));
}

TEST_F(DoctorConsulTest, AClockThatIsNotConsuls) {
  ConsulOptions options;
  options.addresses = {{consul_->HttpUrl(), ""}};
  options.token = kManagement;
  const auto clock = [&options](int64_t now_s) {
    for (const Finding& finding : ExamineConsul(options, now_s)) {
      if (absl::StrContains(finding.what, "time") ||
          absl::StrContains(finding.what, "clock")) {
        return finding.what;
      }
    }
    return std::string("nothing");
  };
  const int64_t now_s = time(nullptr);
  EXPECT_THAT(clock(now_s), HasSubstr("has the same time"));
  EXPECT_THAT(clock(now_s + 3600), HasSubstr("s before that of"));
  EXPECT_THAT(clock(now_s - 3600), HasSubstr("s behind that of"));
}

TEST_F(DoctorConsulTest, ACatalogThatIsOld) {
  Start(absl::StrCat("consul { address = \"", consul_->HttpUrl(),
                     "\" token = \"", kManagement,
                     "\" stale_after = \"1s\" wait = \"5s\" }\n"));
  ASSERT_TRUE(WaitUntil([this] {
    return absl::StrContains(Lines(Doctor(), "catalog"), "ok ");
  })) << Doctor().output;
  consul_->Kill();
  ASSERT_TRUE(WaitUntil([this] {
    return absl::StrContains(Lines(Doctor(), "catalog"), "fail");
  })) << Doctor().output;
  EXPECT_THAT(Lines(Doctor(), "catalog"), HasSubstr("is stale"));
}

}  // namespace
}  // namespace dnsd::testing
