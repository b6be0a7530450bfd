// Random catalogs, rights and questions: the instances that an explanation
// calls included are exactly those whose records the responder's answer has.
//
// Replay a failure with --seed=N (printed).
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/state.h"
#include "dnsd/explain/explain.h"
#include "gtest/gtest.h"
#include "tests/testing/catalog_generator.h"
#include "tests/testing/seeds.h"
#include "tests/zones/view_dump.h"
#include "zones/name.h"
#include "zones/record.h"

namespace dnsd {
namespace {

using testing::GenerateCatalog;
using testing::GeneratedCatalog;
using testing::GeneratedQuery;
using testing::GeneratePolicy;
using testing::GenerateQuery;
using testing::Scaled;
using testing::TestSeed;
using testing::ViewLine;

constexpr int kFailuresMax = 12;

// Hides some nodes and services, by their names.
class SomeRights : public CatalogRights {
 public:
  explicit SomeRights(Random* random)
      : node_(random->Below(12)), service_(random->Below(24)) {}

  [[nodiscard]] bool MayReadNode(absl::string_view name) const override {
    return name.size() % 12 != node_;
  }
  [[nodiscard]] bool MayReadService(absl::string_view name) const override {
    return name.size() % 24 != service_;
  }

 private:
  uint32_t node_;
  uint32_t service_;
};

// The question of a packet; false for what there is no explanation of.
bool ReadQuestion(const GeneratedQuery& query, ExplainQuestion* question) {
  const std::span<const uint8_t> packet = WireBytes(query.packet);
  if (packet.size() < kHeaderBytes) return false;
  Name name;
  const size_t size = ParseName(packet.subspan(kHeaderBytes), &name);
  if (size == 0 || kHeaderBytes + size + 4 > packet.size()) return false;
  question->name = query.packet.substr(kHeaderBytes, size);
  question->type = Load16(packet.data() + kHeaderBytes + size);
  question->transport = query.transport;
  return question->type != kTypeAxfr && question->type != kTypeIxfr;
}

// What the answer says of its own name: addresses, or targets with ports whose
// addresses ADDITIONAL has.
std::set<std::string> Answered(const Explanation& found,
                               const ExplainQuestion& question) {
  std::set<std::string> places;
  for (const ExplainedRecord& record : found.answer) {
    // What a CNAME leads to has the spelling of its target.
    if (record.owner != question.name) continue;
    if (record.type_number == kTypeA || record.type_number == kTypeAaaa) {
      places.insert(record.rdata);
    } else if (record.type_number == kTypeCname) {
      places.insert(AsciiLower(record.rdata));
    } else if (record.type_number == kTypeSrv) {
      places.insert(absl::StrCat(AsciiLower(record.rdata.substr(6)), "#",
                                 record.rdata.substr(4, 2)));
    }
  }
  return places;
}

// The same of the instances. The target of an SRV record may be the node or the
// address: both would do, and `answered` decides.
std::set<std::string> Included(const Explanation& found,
                               const ExplainQuestion& question,
                               const std::string& domain,
                               const std::set<std::string>& answered) {
  std::set<std::string> places;
  for (const ExplainedInstance& instance : found.instances) {
    if (!instance.included) continue;
    const ParsedAddress address = ParseAddress(instance.address);
    if (question.type != kTypeSrv) {
      const bool is_name = address.kind == ParsedAddress::Kind::kName;
      places.insert(is_name ? AsciiLower(address.bytes) : address.bytes);
      continue;
    }
    std::string port(2, '\0');
    Store16(reinterpret_cast<uint8_t*>(port.data()), instance.port);
    std::string node;
    EXPECT_TRUE(LabelsToWire(AsciiLower(instance.node), &node));
    const std::string dc = Label(instance.datacenter) + domain + "#" + port;
    const std::string by_node = node + Label("node") + dc;
    const std::string by_address = address.is_ip()
                                       ? HexLabel(address) + Label("addr") + dc
                                       : AsciiLower(address.bytes) + "#" + port;
    const bool has_node = answered.contains(by_node);
    if (has_node) places.insert(by_node);
    if (!has_node || answered.contains(by_address)) places.insert(by_address);
  }
  return places;
}

class Rounds {
 public:
  explicit Rounds(Compat compat) : compat_(compat) {}

  void Round(uint64_t seed, int query_count) {
    Random random(seed);
    const GeneratedCatalog catalog = GenerateCatalog(20, &random);
    const ZonePolicy policy = GeneratePolicy(compat_, &random);
    State state;
    Dirty dirty;
    ChangeBatch batch;
    batch.changes = catalog.changes;
    ASSERT_TRUE(state.Apply(batch, &dirty).ok());
    ViewLine line;
    line.builder().SetPolicy(policy);
    AskerRights rights;
    if (random.Below(2) == 0) {
      rights.asker = std::make_shared<const SomeRights>(&random);
    }
    line.builder().SetRights(rights);
    const View& view = line.Publish(state, dirty);
    const SomeRights reader(&random);
    for (int i = 0; i < query_count && failures_ < kFailuresMax; ++i) {
      const GeneratedQuery query = GenerateQuery(catalog, policy, &random);
      ExplainQuestion question;
      if (!ReadQuestion(query, &question)) continue;
      question.edns_bytes = random.Below(3) == 0 ? 0 : 1232;
      ExplainContext context{state, view, rights};
      context.seed = random.Next();
      context.unix_time = 1'700'000'000;
      where_ = absl::StrCat("round ", seed, " ", query.text);
      Compare(context, question);
      context.reader = &reader;
      CompareReader(context, question);
    }
  }

  [[nodiscard]] int failures() const { return failures_; }
  [[nodiscard]] int included() const { return included_; }
  [[nodiscard]] int left_out() const { return left_out_; }

 private:
  void Fail(const Explanation& found, const std::string& what) {
    ++failures_;
    std::string text;
    for (const ExplainedInstance& instance : found.instances) {
      absl::StrAppend(&text, "  ", instance.included ? "+ " : "- ",
                      instance.node, " ", instance.service_id, " ",
                      instance.address, ":", instance.port, " ",
                      instance.reason, "\n");
    }
    for (const ExplainedRecord& record : found.answer) {
      absl::StrAppend(&text, "  ", record.name, " ", record.type, " ",
                      record.data, "\n");
    }
    ADD_FAILURE() << where_ << ": " << what << "\n"
                  << found.name << " " << found.type << " " << found.rcode
                  << "\n"
                  << text << absl::StrJoin(found.steps, "\n");
  }

  void Compare(const ExplainContext& context, const ExplainQuestion& question) {
    const Explanation found = Explain(context, question);
    if (found.steps.empty()) Fail(found, "it says nothing");
    const bool lists = found.kind == "service" || found.kind == "connect" ||
                       found.kind == "ingress" || found.kind == "query";
    // SOA and NS of the domain, as Consul answers them for every name.
    if (!lists || question.type == kTypeSoa || question.type == kTypeNs) return;
    std::string domain;
    for (const Domain& one : context.view.domains) {
      if (absl::EndsWith(AsciiLower(question.name), one.wire)) {
        domain = one.wire;
        break;
      }
    }
    const std::set<std::string> answered = Answered(found, question);
    if (answered != Included(found, question, domain, answered)) {
      return Fail(found, "other instances than answers");
    }
    const bool is_cut = question.transport == Transport::kUdp ||
                        context.view.policy.a_record_limit > 0;
    for (const ExplainedInstance& instance : found.instances) {
      (instance.included ? included_ : left_out_)++;
      if (instance.included != instance.reason.empty()) {
        return Fail(found, "a reason for what is there, or none");
      }
      const bool is_limit =
          absl::StrContains(instance.reason, "the answer is full") ||
          absl::StrContains(instance.reason, "_limit");
      if (is_limit && !is_cut) return Fail(found, "no limit was in the way");
    }
  }

  // The answer is the same; what the reader may not see is not listed.
  void CompareReader(const ExplainContext& context,
                     const ExplainQuestion& question) {
    const Explanation found = Explain(context, question);
    for (const ExplainedInstance& instance : found.instances) {
      if (!context.reader->MayReadNode(instance.node)) {
        return Fail(found, "a node that may not be read");
      }
    }
    for (const std::string& name : found.suggestions) {
      const std::string label = name.substr(0, name.find(".node."));
      if (absl::StrContains(name, ".node.") &&
          !context.reader->MayReadNode(label) &&
          !absl::StrContains(question.name, label)) {
        return Fail(found, "suggests " + name);
      }
    }
  }

  Compat compat_;
  std::string where_;
  int failures_ = 0;
  int included_ = 0;
  int left_out_ = 0;
};

void RunRounds(Compat compat) {
  const uint64_t seed = TestSeed();
  Rounds rounds(compat);
  const int count = Scaled(60);
  for (int i = 0; i < count && rounds.failures() < kFailuresMax; ++i) {
    rounds.Round(seed + static_cast<uint64_t>(i), 300);
  }
  EXPECT_EQ(rounds.failures(), 0);
  // Both have been looked at.
  EXPECT_GT(rounds.included(), count);
  EXPECT_GT(rounds.left_out(), count);
}

TEST(ExplainProperty, IncludedInstancesAreTheAnswerLikeConsul) {
  RunRounds(Compat::kConsul);
}
TEST(ExplainProperty, IncludedInstancesAreTheAnswerByRfc) {
  RunRounds(Compat::kRfc);
}

}  // namespace
}  // namespace dnsd
