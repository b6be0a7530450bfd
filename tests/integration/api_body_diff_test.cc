// The bodies of tests/testdata/api_bodies put to a real Consul: it says what is
// recorded there, and our decoders say the same.
#include <optional>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tests/catalog/registry/body_cases.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {
namespace {

// Consul names the protocols in the order of a Go map.
std::string InOrder(const std::string& text) {
  return absl::StrReplaceAll(text, {{"[http2 http]", "[http http2]"}});
}

TEST(ApiBodyDiff, ConsulSaysTheSame) {
  const std::optional<std::string> binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no consul";
  ConsulProcess consul(*binary, ConsulProcessOptions{});
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  ASSERT_EQ(consul.api().Put("/v1/agent/check/register",
                             R"({"Name":"ttl","TTL":"1h"})"),
            200);
  size_t compared = 0;
  for (const BodyCase& one : BodyCases()) {
    const BodyRequest request = RequestOf(one.kind);
    const ConsulReply theirs =
        consul.api().Call(request.method, request.path, one.body);
    const DecoderAnswer ours = AskDecoder(one.kind, one.body);
    EXPECT_EQ(ours.status, theirs.status) << one.kind << " " << one.body;
    if (theirs.status != 200) {
      EXPECT_EQ(ours.text, InOrder(theirs.body)) << one.kind << " " << one.body;
    }
    ++compared;
  }
  EXPECT_GT(compared, 250u);
}

}  // namespace
}  // namespace dnsd::testing
