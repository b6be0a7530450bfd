// dnsd with compat = "consul" against the real Consul 1.8.7, both started from
// the same configuration directory and asked the same questions: see
// consul_comparison.h for what must agree.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/consul_comparison.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/temp_dir.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr char kData[] = "tests/testdata/consul_diff/";
constexpr char kNodeId[] = "4d7a4a4a-1111-4222-8333-000000000001";
constexpr char kNodeCheck[] = "node-check";

// What both servers read besides the catalog.
struct PairSetup {
  ReleaseConfig config;
  std::string dns_config;  // more of it than `config` says
  std::string more;        // top-level keys
  std::string node_status = "passing";
  int a_record_limit = 0;
  bool compress = true;
};

std::string PairSetupText(const PairSetup& setup) {
  const ReleaseConfig& config = setup.config;
  const auto yes = [](bool value) { return value ? "true" : "false"; };
  return absl::StrCat(
      "node_id = \"", kNodeId, "\"\ndomain = \"", config.domain,
      "\"\nalt_domain = \"", config.alt_domain, "\"\n", setup.more,
      "\ndns_config {\n  enable_truncate = ", yes(config.enable_truncate),
      "\n  udp_answer_limit = ", config.udp_answer_limit,
      "\n  disable_compression = ", yes(!config.compress),
      "\n  enable_additional_node_meta_txt = ", yes(config.node_text_count > 0),
      "\n  a_record_limit = ", setup.a_record_limit, "\n", setup.dns_config,
      "\n}\ncheck { id = \"", kNodeCheck,
      "\" name = \"of the node\" ttl = ", "\"87600h\" status = \"",
      setup.node_status, "\" }\n");
}

// Services of many instances, all alike, so that trimming does not depend on
// which of them come first.
std::string ManyInstances() {
  std::string text = "services = [\n";
  const auto add = [&](const char* name, int i, const std::string& address) {
    absl::StrAppend(&text, "{ name = \"", name, "\" id = \"", name, "-", i,
                    "\" port = ", 2000 + i, " address = \"", address,
                    "\" tags = [\"", i % 2 == 0 ? "even" : "odd", "\"] },\n");
  };
  for (int i = 0; i < 60; ++i) {
    if (i < 12) add("twelve", i, absl::StrCat("10.12.0.", 10 + i));
    add("sixty", i, absl::StrCat("10.60.0.", 10 + i));
    add("sixtyv6", i, absl::StrCat("2001:db8:60::", 10 + i));
    add("crowd", i, "");
  }
  for (const auto& [name, target] :
       {std::pair{"tomany", "sixty"}, std::pair{"tomany2", "tomany"},
        std::pair{"tomany3", "tomany2"}}) {
    absl::StrAppend(&text, "{ name = \"", name, "\" address = \"", target,
                    ".service.consul\" },\n");
  }
  return text + "]\n";
}

std::vector<std::string> ReadNames() {
  std::vector<std::string> names;
  std::ifstream file(std::string(kData) + "names.txt");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != '#') names.push_back(line);
  }
  return names;
}

std::string MixedCase(const std::string& name) {
  std::string mixed = name;
  for (size_t i = 0; i < mixed.size(); i += 2) {
    mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  }
  return mixed;
}

// Names behind which there are more records than a chain may have.
bool HasLongChain(const std::string& name) {
  return name.starts_with("tomany") || name.starts_with("alias3.") ||
         name.starts_with("alias4.");
}

// The address lists that a_record_limit cuts are random choices.
bool IsSampled(const PairSetup& setup, const std::string& name, uint16_t type) {
  return HasLongChain(name) || (setup.a_record_limit > 0 && type != kTypeSrv);
}

DiffQuestion Ask(const std::string& name, const std::string& type) {
  DiffQuestion question;
  question.name = name;
  question.type = TypeFromText(type);
  return question;
}

EdnsOptions Edns(uint16_t udp_size) {
  EdnsOptions edns;
  edns.udp_size = udp_size;
  return edns;
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

  // Starts both servers.
  void Start(const PairSetup& setup) {
    dir_.Write("both/many.hcl", ManyInstances());
    dir_.Write("both/setup.hcl", PairSetupText(setup));
    const std::vector<std::string> both = {"-config-dir",
                                           std::string(kData) + "catalog",
                                           "-config-dir", dir_.Path("both")};
    consul_.emplace(*binary_, both);
    // A Consul server is an instance of the service "consul" by itself.
    const std::string own = dir_.Write(
        "dnsd.hcl", absl::StrCat("dns_config { compat = \"consul\" }\n",
                                 "services { name = \"consul\" port = ",
                                 consul_->server_port(), " }\n"));
    std::vector<std::string> args = both;
    args.insert(args.end(), {"-config-file", own});
    dnsd_.emplace(args);
    ASSERT_TRUE(consul_->WaitUntilSynced(kNodeCheck))
        << consul_->process().output();
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    ReleaseConfig config = setup.config;
    config.node_id = kNodeId;
    comparison_.emplace(consul_->dns(), dnsd_->dns(), config);
  }

  // Every name, for these types and EDNS sizes (0: none).
  void AskAll(const PairSetup& setup, const std::vector<std::string>& types,
              const std::vector<uint16_t>& edns_sizes, bool mixed_case) {
    for (const std::string& name : ReadNames()) {
      for (const std::string& type : types) {
        for (const uint16_t edns_size : edns_sizes) {
          DiffQuestion question =
              Ask(mixed_case ? MixedCase(name) : name, type);
          question.sampled = IsSampled(setup, name, question.type);
          if (edns_size != 0) question.options.edns = Edns(edns_size);
          comparison_->Ask(question);
        }
      }
    }
  }

  std::optional<std::string> binary_;
  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
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
            Ask(absl::StrCat(name, ".service.consul."), type);
        question.options.edns = Edns(size);
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
  std::vector<QueryOptions> variants(20);
  size_t i = 0;
  variants[i++].rd = false;
  variants[i++].cd = true;
  variants[i++].ad = true;
  for (const uint8_t opcode : std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 15}) {
    variants[i++].opcode = opcode;
  }
  for (const uint16_t qclass : std::vector<uint16_t>{3, 4, 254, 255})
    variants[i++].qclass = qclass;
  for (const uint16_t size : std::vector<uint16_t>{0, 100, 65535})
    variants[i++].edns = Edns(size);
  variants[i].edns = Edns(1232);
  variants[i++].edns->version = 1;
  variants[i].edns = Edns(1232);
  variants[i++].edns->dnssec_ok = true;
  variants[i].edns = Edns(1232);
  variants[i].edns->options =
      EcsOption("10.1.2.0", 24, 0) + EdnsOption(10, "01234567");
  ASSERT_EQ(i + 1, variants.size());
  for (const char* name :
       {"web.service.consul.", "sixty.service.consul.", "none.service.consul.",
        "six.service.consul.", "node-1.node.consul.", "nope.query.consul.",
        "7f000001.addr.consul.", "consul.", "1.0.0.127.in-addr.arpa.",
        "99.0.0.10.in-addr.arpa.", "www.example.com.", "version.bind."}) {
    for (const char* type : {"A", "SRV", "TXT", "SOA", "NS", "AXFR"}) {
      for (const QueryOptions& options : variants) {
        DiffQuestion question = Ask(name, type);
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
  const std::string good =
      BuildQuery("web.service.consul.", kTypeA, QueryOptions());
  // Counts and flags of the header, one byte changed.
  const auto with = [&](size_t at, char value) {
    std::string packet = good;
    packet[at] = value;
    return packet;
  };
  comparison_->SendRaw("a response", with(2, '\x81'));
  comparison_->SendRaw("no question", with(5, 0));
  comparison_->SendRaw("two questions", with(5, 2));
  comparison_->SendBroken("an answer that is not there", with(7, 1));
  comparison_->SendRaw("two answers", with(7, 2));
  comparison_->SendRaw("two authorities", with(9, 2));
  comparison_->SendBroken("an additional that is not there", with(11, 1));
  comparison_->SendRaw("three additionals", with(11, 3));
  comparison_->SendBroken("a header", good.substr(0, 12));
  comparison_->SendRaw("less than a header", good.substr(0, 11));
  comparison_->SendRaw("nothing", "");
  comparison_->SendRaw("half a name", good.substr(0, 16));
  comparison_->SendBroken("no class", good.substr(0, good.size() - 2));
  comparison_->SendRaw("bytes left over", good + "left over");
  comparison_->SendRaw("a label that points to itself",
                       good.substr(0, 12) + "\xc0\x0c" + good.substr(32));
  comparison_->SendRaw("a label type that is not",
                       with(12, static_cast<char>(0x80)));
}

}  // namespace
}  // namespace dnsd::testing
