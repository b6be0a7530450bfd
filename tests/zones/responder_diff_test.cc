// Random catalogs x random questions: what Respond() says must be something
// the reference allows, in both behaviours.
//
// Replay a failure with --seed=N (printed). Each round has its own catalog
// and policy; a failure prints the round, which with the seed is enough.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/state.h"
#include "gtest/gtest.h"
#include "tests/testing/catalog_generator.h"
#include "tests/testing/reference_responder.h"
#include "tests/testing/response_check.h"
#include "tests/testing/seeds.h"
#include "zones/responder.h"
#include "zones/view_builder.h"

namespace dnsd::testing {
namespace {

constexpr int kFailuresMax = 12;  // enough to see a pattern

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string PolicyText(const ZonePolicy& policy) {
  return absl::StrCat(
      "alt=", policy.alt_domain, " node=", policy.node_name,
      " node_ttl=", policy.node_ttl, " only_passing=", policy.only_passing,
      " truncate=", policy.enable_truncate,
      " nocompress=", policy.disable_compression,
      " udp_limit=", policy.udp_answer_limit.value_or(-1),
      " a_limit=", policy.a_record_limit,
      " txt=", policy.enable_additional_node_meta_txt,
      " wan=", policy.translate_wan_addrs, " edns=", policy.edns_udp_size);
}

class ResponderDiff {
 public:
  explicit ResponderDiff(Compat compat) : compat_(compat) {}

  // One catalog, one policy, many questions.
  void Round(uint64_t seed, int big_count, int query_count) {
    Random random(seed);
    GeneratedCatalog catalog = GenerateCatalog(big_count, &random);
    ZonePolicy policy = GeneratePolicy(compat_, &random);
    State state;
    Dirty dirty;
    ChangeBatch batch;
    batch.changes = catalog.changes;
    ASSERT_TRUE(state.Apply(batch, &dirty).ok());
    std::unique_ptr<const View> view = BuildView(state, policy, {}, 7);
    ASSERT_NE(view, nullptr);
    for (int i = 0; i < query_count && failures_ < kFailuresMax; ++i) {
      GeneratedQuery query = GenerateQuery(catalog, policy, &random);
      Ask(state, policy, *view, query, random.Next(),
          absl::StrCat("round ", seed, " ", query.text, "\n",
                       PolicyText(policy), "\n"));
    }
  }

  [[nodiscard]] int failures() const { return failures_; }

 private:
  void Ask(const State& state, const ZonePolicy& policy, const View& view,
           const GeneratedQuery& query, uint64_t seed,
           const std::string& where) {
    RespondContext context;
    context.random = Random(seed);
    context.unix_time = 1700000000;
    Response response = Respond(Bytes(query.packet), query.transport, view,
                                &context, out_.data());
    std::span<const uint8_t> bytes(out_.data(), response.size);
    ReferenceAnswer answer =
        AskReference(state, policy, Bytes(query.packet), query.transport);
    std::string error = CheckResponse(policy, answer, bytes);
    if (error.empty()) return;
    ++failures_;
    Message message;
    std::string parse = ParseMessage(bytes, &message);
    ADD_FAILURE() << where << error << "\n" << parse << MessageText(message);
  }

  Compat compat_;
  int failures_ = 0;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

void RunRounds(Compat compat) {
  uint64_t seed = TestSeed();
  ResponderDiff diff(compat);
  int rounds = Scaled(60);
  constexpr int kBigCounts[] = {60, 12, 300, 30};
  for (int i = 0; i < rounds && diff.failures() < kFailuresMax; ++i) {
    diff.Round(seed + static_cast<uint64_t>(i), kBigCounts[i % 4], 400);
  }
  EXPECT_EQ(diff.failures(), 0);
}

TEST(ResponderDiff, AnswersLikeConsul) { RunRounds(Compat::kConsul); }

TEST(ResponderDiff, AnswersByRfc) { RunRounds(Compat::kRfc); }

}  // namespace
}  // namespace dnsd::testing
