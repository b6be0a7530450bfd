// dnsd with compat = "rfc" against the real Consul, both with the same catalog
// and asked the same questions: everything is equal but the rows of the table
// "Two behaviours" in zones/README.md, and each of those makes a difference.
//
// Skipped without a Consul binary, as consul_diff_test is.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/consul_pair.h"
#include "tests/integration/consul_rfc_comparison.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_rfc.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// The rows that a test must see. Every row is in one of these lists.
constexpr std::array kNameRows = {RfcRow::kEmptyNonTerminal,
                                  RfcRow::kUnderscore,
                                  RfcRow::kNamelessService,
                                  RfcRow::kShortSrvName,
                                  RfcRow::kSoaNsBelowApex,
                                  RfcRow::kSoaAlone,
                                  RfcRow::kAnyAtApex,
                                  RfcRow::kNsName,
                                  RfcRow::kNegativeSoa,
                                  RfcRow::kNegativeTtl,
                                  RfcRow::kSoaSerial,
                                  RfcRow::kAltSoa,
                                  RfcRow::kServiceTxt,
                                  RfcRow::kCnameBesideAddress,
                                  RfcRow::kChain,
                                  RfcRow::kAdditionalOnce,
                                  RfcRow::kAddrFamily,
                                  RfcRow::kPtrType,
                                  RfcRow::kShortReverse,
                                  RfcRow::kForeignArpa,
                                  RfcRow::kUdpPlain,
                                  RfcRow::kUdpEdns,
                                  RfcRow::kTc,
                                  RfcRow::kOptOfTrimmed,
                                  RfcRow::kOptOfRefused,
                                  RfcRow::kOptSize,
                                  RfcRow::kTransfer,
                                  RfcRow::kAddrSpelling};
constexpr std::array kTtlRows = {RfcRow::kPtrTtl};
constexpr std::array kLimitRows = {RfcRow::kChainLimit};
constexpr std::array kHeaderRows = {RfcRow::kDo,     RfcRow::kBadVers,
                                    RfcRow::kClass,  RfcRow::kNotify,
                                    RfcRow::kOpcode, RfcRow::kOpcodeRd};
constexpr std::array kPacketRows = {RfcRow::kBytesLeft};
constexpr std::array kMirrorRows = {RfcRow::kNodeCname};
// Consul 1.8.7 gives no service a virtual address.
constexpr std::array kUnseenRows = {RfcRow::kVirtualType};

PairSetup RfcSetup() {
  PairSetup setup;
  setup.compat = "rfc";
  setup.sets_udp_answer_limit = false;
  // Which Consul has not: clients_test has them.
  setup.dnsd_dns_config = "cookies = \"off\"";
  return setup;
}

class ConsulRfcDiffTest : public ::testing::Test {
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
    for (const auto& [row, count] : comparison_->rows()) {
      std::printf("  %s: %d\n", RfcRowName(row), count);
    }
    for (const std::string& failure : comparison_->failures()) {
      ADD_FAILURE() << failure;
    }
  }

  // `config` is what the setup's text says.
  void Start(const PairSetup& setup, const RfcConfig& config) {
    pair_.emplace(*binary_);
    const std::string error = pair_->Start(setup);
    ASSERT_EQ(error, "");
    const std::optional<RfcCatalog> catalog = pair_->ReadCatalog();
    ASSERT_TRUE(catalog.has_value());
    RfcConfig rfc_config = config;
    rfc_config.release = pair_->config();
    comparison_.emplace(pair_->consul().dns(), pair_->dnsd().dns(), rfc_config,
                        *catalog);
  }

  void ExpectRows(std::span<const RfcRow> rows) const {
    RfcCounts counts = comparison_->rows();
    for (const RfcRow row : rows) {
      EXPECT_GT(counts[row], 0) << "never seen: " << RfcRowName(row);
    }
    for (const RfcRow row : kUnseenRows) {
      EXPECT_EQ(counts[row], 0) << "seen: " << RfcRowName(row);
    }
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
          question.sampled =
              setup.a_record_limit > 0 && question.type != kTypeSrv;
          if (edns_size != 0) question.options.edns = EdnsOfSize(edns_size);
          comparison_->Ask(question);
        }
      }
    }
  }

  std::optional<std::string> binary_;
  std::optional<ConsulPair> pair_;
  std::optional<RfcComparison> comparison_;
};

const std::vector<std::string> kAllTypes = {"A",  "AAAA",  "SRV",  "TXT", "ANY",
                                            "MX", "CNAME", "SOA",  "NS",  "PTR",
                                            "DS", "HTTPS", "AXFR", "IXFR"};

const std::vector<std::string> kUsualTypes = {"A",  "AAAA", "SRV", "TXT", "ANY",
                                              "MX", "SOA",  "NS",  "PTR"};

TEST_F(ConsulRfcDiffTest, EveryNameAndType) {
  const PairSetup setup = RfcSetup();
  ASSERT_NO_FATAL_FAILURE(Start(setup, {}));
  AskAll(setup, kAllTypes, {0, 512, 4096}, /*mixed_case=*/false);
  AskAll(setup, kAllTypes, {1232}, /*mixed_case=*/true);
  // SRV answers that share targets with chains behind them. Which of their
  // records compat = "consul" keeps is not settled, so only we are asked.
  AskNames({"fan.service.consul."}, setup, kAllTypes, {0, 512, 1232},
           /*mixed_case=*/false);
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
  ExpectRows(kNameRows);
}

TEST_F(ConsulRfcDiffTest, TtlsTruncationAndAnswerLimit) {
  PairSetup setup = RfcSetup();
  setup.config.enable_truncate = true;
  setup.config.udp_answer_limit = 8;
  setup.sets_udp_answer_limit = true;
  setup.dns_config = R"(
    node_ttl = "7s"
    service_ttl { "*" = "5s" "web" = "11s" "web*" = "12s" "al*" = "13s"
                  "alias2" = "14s" "MiXed" = "15s" "mixed" = "16s" }
    soa { min_ttl = 60 refresh = 1800 retry = 300 expire = 43200 })";
  RfcConfig config;
  config.node_ttl = 7;
  config.min_ttl = 60;
  config.udp_answer_limit = 8;
  ASSERT_NO_FATAL_FAILURE(Start(setup, config));
  AskAll(setup, kUsualTypes, {0, 512, 1232}, /*mixed_case=*/false);
  ExpectRows(kTtlRows);
}

TEST_F(ConsulRfcDiffTest, OnlyPassingARecordLimitAndNoCompression) {
  PairSetup setup = RfcSetup();
  setup.config.udp_answer_limit = 2;
  setup.sets_udp_answer_limit = true;
  setup.config.node_text_count = 0;
  setup.config.compress = false;
  setup.a_record_limit = 5;
  setup.dns_config = "only_passing = true";
  setup.dnsd_dns_config = "edns_udp_size = 700";
  RfcConfig config;
  config.udp_answer_limit = 2;
  config.edns_udp_size = 700;
  config.has_a_record_limit = true;
  ASSERT_NO_FATAL_FAILURE(Start(setup, config));
  AskAll(setup, kUsualTypes, {0, 1232, 4096}, /*mixed_case=*/false);
  ExpectRows(kLimitRows);
}

TEST_F(ConsulRfcDiffTest, NodeThatWarnsInTheDomainThatIsTheOtherOne) {
  PairSetup setup = RfcSetup();
  setup.config.domain = "test.";
  setup.config.alt_domain = "consul.";
  setup.node_status = "warning";
  ASSERT_NO_FATAL_FAILURE(Start(setup, {}));
  AskAll(setup, kUsualTypes, {0, 4096}, /*mixed_case=*/false);
  AskAll(setup, {"A", "SRV", "NS", "SOA"}, {0}, /*mixed_case=*/true);
}

TEST_F(ConsulRfcDiffTest, FlagsOpcodesClassesAndEdns) {
  ASSERT_NO_FATAL_FAILURE(Start(RfcSetup(), {}));
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
  ExpectRows(kHeaderRows);
}

TEST_F(ConsulRfcDiffTest, MalformedPackets) {
  ASSERT_NO_FATAL_FAILURE(Start(RfcSetup(), {}));
  for (const OddPacket& odd : OddPackets()) {
    RfcComparison::Raw raw = RfcComparison::Raw::kSame;
    if (odd.broken) raw = RfcComparison::Raw::kMalformed;
    if (odd.bytes_left) raw = RfcComparison::Raw::kBytesLeft;
    comparison_->SendRaw(odd.what, odd.packet, raw);
  }
  ExpectRows(kPacketRows);
}

// The serial of Consul's SOA is a clock; ours moves with the catalog only.
TEST_F(ConsulRfcDiffTest, SerialStandsStillWhileTheCatalogDoes) {
  ASSERT_NO_FATAL_FAILURE(Start(RfcSetup(), {}));
  const auto serial = [](const DnsServer& server) {
    const DnsReply reply = AskTcp(server, {"consul.", "SOA", 0, true});
    const std::vector<std::string> data = Data(reply.answer, "SOA");
    return data.empty() ? reply.error : data[0];
  };
  const std::string ours = serial(pair_->dnsd().dns());
  const std::string theirs = serial(pair_->consul().dns());
  ASSERT_FALSE(ours.empty());
  const auto clock_moved = [&] {
    return serial(pair_->consul().dns()) != theirs;
  };
  ASSERT_TRUE(WaitUntil(clock_moved));
  EXPECT_EQ(serial(pair_->dnsd().dns()), ours);
  comparison_->Ask(MakeDiffQuestion("consul.", "SOA"));
}

// What only Consul's HTTP API can make, mirrored by dnsd.
TEST_F(ConsulRfcDiffTest, MirrorOfWhatTheHttpApiMakes) {
  PairSetup setup = RfcSetup();
  setup.source = PairSetup::Source::kMirror;
  setup.http_shapes = true;
  setup.dns_config = R"(
    node_ttl = "7s"
    service_ttl { "*" = "5s" "legacy" = "11s" })";
  RfcConfig config;
  config.node_ttl = 7;
  ASSERT_NO_FATAL_FAILURE(Start(setup, config));
  const std::vector<std::string> names = pair_->ShapeNames();
  AskNames(names, setup, kAllTypes, {0, 4096}, /*mixed_case=*/false);
  AskNames(names, setup, kUsualTypes, {1232}, /*mixed_case=*/true);
  AskAll(setup, kUsualTypes, {0}, /*mixed_case=*/false);
  ExpectRows(kMirrorRows);
}

TEST(ConsulRfcRows, EachIsExpectedSomewhere) {
  std::set<RfcRow> rows;
  for (const std::span<const RfcRow> list :
       std::vector<std::span<const RfcRow>>{kNameRows, kTtlRows, kLimitRows,
                                            kHeaderRows, kPacketRows,
                                            kMirrorRows, kUnseenRows}) {
    rows.insert(list.begin(), list.end());
  }
  EXPECT_EQ(rows.size(), static_cast<size_t>(RfcRow::kCount));
}

}  // namespace
}  // namespace dnsd::testing
