// Replies that are late and overtake one another, to the real binary: every
// question gets its own answer, a slow recursor is joined by another, and what
// comes after that goes nowhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/lying_server.h"
#include "tests/testing/seeds.h"
#include "tests/testing/udp_proxy.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr uint16_t kQuestions = 200;

std::string AddressOf(uint16_t number) {
  return absl::StrCat("198.51.100.", number);
}

// Of "n7.example." the address 198.51.100.7.
void SayNumbered(const Asked& asked) {
  uint32_t number = 0;
  const std::string& name = asked.name();
  static_cast<void>(
      absl::SimpleAtoi(name.substr(1, name.find('.') - 1), &number));
  asked.Say(AddressReply(asked, AddressOf(static_cast<uint16_t>(number))));
}

class ForwardDelayTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& args) {
    dnsd_.emplace(args);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }
  // All at once, by one client.
  void ExpectAnswers() const {
    DnsSocket client = DnsSocket::Udp(dnsd_->dns());
    std::set<uint16_t> left;
    for (uint16_t i = 0; i < kQuestions; ++i) {
      ASSERT_TRUE(client.Send(
          MakeQuery({absl::StrCat("n", i, ".example."), "A", 1232}, i)));
      left.insert(i);
    }
    while (!left.empty()) {
      const DnsReply reply = client.Receive();
      ASSERT_EQ(reply.error, "") << left.size();
      EXPECT_EQ(reply.question, absl::StrCat("n", reply.id, ".example. IN A"));
      EXPECT_THAT(Data(reply.answer, "A"), ElementsAre(AddressOf(reply.id)));
      EXPECT_EQ(left.erase(reply.id), 1u) << reply.question;
    }
  }
  [[nodiscard]] uint64_t Count(const std::string& name) const {
    return ConsulApi("http://" + dnsd_->HttpAddress())
        .Metric(absl::StrCat("dnsd_forward_", name, "_total"))
        .value_or(UINT64_MAX);
  }

  LyingServer server_{SayNumbered};
  std::optional<AgentProcess> dnsd_;
};

TEST_F(ForwardDelayTest, RepliesThatOvertakeOneAnotherFindTheirQuestion) {
  UdpProxy proxy(server_.port(), {milliseconds(0), milliseconds(300)},
                 TestSeed());
  ASSERT_NO_FATAL_FAILURE(Start({"-dev", "-recursor", proxy.Address(), "-hcl",
                                 "dns_config { recursor_timeout = \"5s\" }"}));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswers());
  EXPECT_GT(proxy.overtaken(), 0);
  EXPECT_EQ(Count("wrong_replies"), 0u);
  EXPECT_EQ(Count("failed"), 0u);
}

// The first recursor's replies come when the second's have long been passed on.
TEST_F(ForwardDelayTest, ASlowRecursorIsJoinedByAnotherAndThenIgnored) {
  UdpProxy slow(server_.port(), {milliseconds(700), milliseconds(900)},
                TestSeed());
  UdpProxy quick(server_.port(), {milliseconds(0), milliseconds(50)},
                 TestSeed());
  ASSERT_NO_FATAL_FAILURE(
      Start({"-dev", "-workers", "1", "-recursor", slow.Address(), "-recursor",
             quick.Address(), "-hcl",
             "dns_config { recursor_strategy = \"sequential\" "
             "recursor_timeout = \"5s\" }"}));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswers());
  // Until it counts as down, which three questions may do.
  EXPECT_GE(Count("hedged"), 3u);
  EXPECT_TRUE(WaitUntil([&] { return slow.passed() >= 3; }));
  ASSERT_NO_FATAL_FAILURE(ExpectAnswers());
  EXPECT_EQ(Count("cache_hits"), kQuestions);
  EXPECT_EQ(Count("wrong_replies"), 0u);
  EXPECT_EQ(Count("failed"), 0u);
}

}  // namespace
}  // namespace dnsd::testing
