// dnsd with compat = "consul" against the real Consul 1.8.7, both started from
// the same configuration directory and asked the same questions: see
// consul_comparison.h for what must agree.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/consul_comparison.h"
#include "tests/integration/consul_pair.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/rr_text.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// Names behind which there are more records than a chain may have.
bool HasLongChain(const std::string& name) {
  return name.starts_with("tomany") || name.starts_with("alias3.") ||
         name.starts_with("alias4.");
}

// The address lists that a_record_limit cuts are random choices.
bool IsSampled(const PairSetup& setup, const std::string& name, uint16_t type) {
  return HasLongChain(name) || (setup.a_record_limit > 0 && type != kTypeSrv);
}

class ConsulDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    binary_ = ConsulBinary();
    if (!binary_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  }

  // What was found is the verdict of every test here.
  void TearDown() override {
    if (!comparison_) return;
    std::printf("%d questions\n", comparison_->asked());
    EXPECT_GT(comparison_->asked(), 0);
    for (const std::string& failure : comparison_->failures()) {
      ADD_FAILURE() << failure;
    }
  }

  void Start(const PairSetup& setup) {
    pair_.emplace(*binary_);
    const std::string error = pair_->Start(setup);
    ASSERT_EQ(error, "");
    comparison_.emplace(pair_->consul().dns(), pair_->dnsd().dns(),
                        pair_->config());
  }

  void AskAll(const PairSetup& setup, const std::vector<std::string>& types,
              const std::vector<uint16_t>& edns_sizes, bool mixed_case) {
    AskNames(PairNames(), setup, types, edns_sizes, mixed_case);
  }

  // Every name, for these types and EDNS sizes (0: none).
  void AskNames(const std::vector<std::string>& names, const PairSetup& setup,
                const std::vector<std::string>& types,
                const std::vector<uint16_t>& edns_sizes, bool mixed_case) {
    for (const std::string& name : names) {
      for (const std::string& type : types) {
        for (const uint16_t edns_size : edns_sizes) {
          DiffQuestion question =
              MakeDiffQuestion(mixed_case ? MixedCase(name) : name, type);
          question.sampled = IsSampled(setup, name, question.type);
          if (edns_size != 0) question.options.edns = EdnsOfSize(edns_size);
          comparison_->Ask(question);
        }
      }
    }
  }

  std::optional<std::string> binary_;
  std::optional<ConsulPair> pair_;
  std::optional<Comparison> comparison_;
};

const std::vector<std::string> kAllTypes = {"A",  "AAAA",  "SRV",  "TXT", "ANY",
                                            "MX", "CNAME", "SOA",  "NS",  "PTR",
                                            "DS", "HTTPS", "AXFR", "IXFR"};
const std::vector<std::string> kUsualTypes = {"A",  "AAAA", "SRV", "TXT", "ANY",
                                              "MX", "SOA",  "NS",  "PTR"};

// Every row of the table of differences must show, or it is not one.
TEST_F(ConsulDiffTest, EveryNameAndType) {
  const PairSetup setup;
  ASSERT_NO_FATAL_FAILURE(Start(setup));
  AskAll(setup, kAllTypes, {0, 512, 4096}, /*mixed_case=*/false);
  AskAll(setup, kAllTypes, {1232}, /*mixed_case=*/true);
  // Sizes one by one: some of them are the ones where a byte decides.
  for (const char* name : {"sixty", "sixtyv6", "crowd", "web"}) {
    for (const char* type : {"A", "AAAA", "SRV", "ANY"}) {
      for (uint16_t size = 505; size < 605; ++size) {
        DiffQuestion question =
            MakeDiffQuestion(absl::StrCat(name, ".service.consul."), type);
        question.options.edns = EdnsOfSize(size);
        comparison_->Ask(question);
      }
    }
  }
  RowCounts rows = comparison_->rows();
  for (int i = 0; i < static_cast<int>(ReleaseRow::kCount); ++i) {
    const auto row = static_cast<ReleaseRow>(i);
    std::printf("  %s: %d\n", RowName(row), rows[row]);
    EXPECT_GT(rows[row], 0) << "never seen: " << RowName(row);
  }
}

TEST_F(ConsulDiffTest, TtlsTruncationAndAnswerLimit) {
  PairSetup setup;
  setup.config.enable_truncate = true;
  setup.config.udp_answer_limit = 8;
  setup.dns_config = R"(
    node_ttl = "7s"
    service_ttl { "*" = "5s" "web" = "11s" "web*" = "12s" "al*" = "13s"
                  "alias2" = "14s" "MiXed" = "15s" "mixed" = "16s" }
    soa { min_ttl = 60 refresh = 1800 retry = 300 expire = 43200 })";
  ASSERT_NO_FATAL_FAILURE(Start(setup));
  AskAll(setup, kUsualTypes, {0, 512, 1232}, /*mixed_case=*/false);
}

TEST_F(ConsulDiffTest, OnlyPassingARecordLimitAndNoCompression) {
  PairSetup setup;
  setup.config.udp_answer_limit = 2;
  setup.config.node_text_count = 0;
  setup.config.compress = false;
  setup.config.enable_truncate = true;
  setup.a_record_limit = 5;
  setup.dns_config = "only_passing = true";
  ASSERT_NO_FATAL_FAILURE(Start(setup));
  AskAll(setup, kUsualTypes, {0, 1232, 4096}, /*mixed_case=*/false);
}

// The weights of a warning are used when the node warns.
TEST_F(ConsulDiffTest, NodeThatWarnsInTheDomainThatIsTheOtherOne) {
  PairSetup setup;
  setup.config.domain = "test.";
  setup.config.alt_domain = "consul.";
  setup.node_status = "warning";
  ASSERT_NO_FATAL_FAILURE(Start(setup));
  AskAll(setup, kUsualTypes, {0, 4096}, /*mixed_case=*/false);
  AskAll(setup, {"A", "SRV", "NS", "SOA"}, {0}, /*mixed_case=*/true);
}

TEST_F(ConsulDiffTest, FlagsOpcodesClassesAndEdns) {
  ASSERT_NO_FATAL_FAILURE(Start({}));
  for (const char* name :
       {"web.service.consul.", "sixty.service.consul.", "none.service.consul.",
        "six.service.consul.", "node-1.node.consul.", "nope.query.consul.",
        "7f000001.addr.consul.", "consul.", "1.0.0.127.in-addr.arpa.",
        "99.0.0.10.in-addr.arpa.", "www.example.com.", "version.bind."}) {
    for (const char* type : {"A", "SRV", "TXT", "SOA", "NS", "AXFR"}) {
      for (const QueryOptions& options : HeaderVariants()) {
        DiffQuestion question = MakeDiffQuestion(name, type);
        question.options = options;
        comparison_->Ask(question);
      }
    }
  }
}

// Consul's library makes do with a message that ends before its counts do; we
// give a packet that may be forged no answer worth the name.
TEST_F(ConsulDiffTest, MalformedPackets) {
  ASSERT_NO_FATAL_FAILURE(Start({}));
  for (const OddPacket& odd : OddPackets()) {
    if (odd.broken) {
      comparison_->SendBroken(odd.what, odd.packet);
    } else {
      comparison_->SendRaw(odd.what, odd.packet);
    }
  }
}

// What only Consul's HTTP API can make, mirrored by dnsd.
TEST_F(ConsulDiffTest, MirrorOfWhatTheHttpApiMakes) {
  PairSetup setup;
  setup.source = PairSetup::Source::kMirror;
  setup.http_shapes = true;
  setup.dns_config = R"(
    node_ttl = "7s"
    service_ttl { "*" = "5s" "legacy" = "11s" })";
  ASSERT_NO_FATAL_FAILURE(Start(setup));
  const std::vector<std::string> names = pair_->ShapeNames();
  AskNames(names, setup, kAllTypes, {0, 4096}, /*mixed_case=*/false);
  AskNames(names, setup, kUsualTypes, {1232}, /*mixed_case=*/true);
  AskAll(setup, kUsualTypes, {0}, /*mixed_case=*/false);
}

}  // namespace
}  // namespace dnsd::testing
