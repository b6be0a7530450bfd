#include "dnsd/explain_link.h"

#include <ctime>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/types.h"
#include "dnsd/acl/acl.h"
#include "dnsd/http/query_api.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/random_key.h"
#include "zones/name.h"

namespace dnsd {
namespace {

// Rows of one name: a few variants in each worker.
constexpr size_t kCacheRowsMax = 1000;

const char* StrategyText(ForwardStrategy strategy) {
  switch (strategy) {
    case ForwardStrategy::kFastest:
      return "the fastest that is up";
    case ForwardStrategy::kSequential:
      return "in this order";
    case ForwardStrategy::kRandom:
      return "one at random";
  }
  return "";
}

std::string UpstreamText(const UpstreamConfig& upstream) {
  return absl::StrCat(upstream.tls ? "tls://" : "",
                      EndpointText(upstream.endpoint),
                      upstream.tls_name.empty() ? "" : "#", upstream.tls_name);
}

std::vector<ExplainForward> RulesOf(const Config& config) {
  std::vector<ExplainForward> rules;
  for (const ForwardRuleConfig& written : config.forward) {
    ExplainForward rule;
    if (!NameToWire(written.zone, &rule.zone)) continue;
    for (const UpstreamConfig& to : written.to) {
      rule.to.push_back(UpstreamText(to));
    }
    rule.strategy = StrategyText(written.strategy);
    rule.is_refused = written.to.empty();
    rule.is_fallthrough = written.is_fallthrough;
    rules.push_back(std::move(rule));
  }
  return rules;
}

// Outputs of checks are under the ACLs of a mirrored Consul where its token is
// needed to see them; without ACLs of our own, anybody would.
bool ShowsOutputs(const Config& config) {
  const bool is_guarded =
      !config.consul.token.empty() || !config.consul.token_file.empty();
  return !is_guarded || config.acl->enabled();
}

}  // namespace

Explanation ExplainLink::Ask(const ExplainQuestion& question,
                             const Authorizer& reader) const {
  const Config& config = *parts_.config;
  ExplainContext context{parts_.sync->state(),
                         *parts_.publisher->view().current()};
  if (config.consul.addresses.empty()) context.rights = DnsRights(config.acl);
  context.reader = config.acl->enabled() ? &reader : nullptr;
  if (config.acl->enabled()) {
    context.may_read_query = [&reader](const PreparedQuery& query) {
      return MayReadQuery(reader, query);
    };
  }
  context.forward = RulesOf(config);
  context.unix_time = static_cast<uint32_t>(std::time(nullptr));
  context.seed = RandomSeed();
  context.shows_outputs = ShowsOutputs(config);
  return dnsd::Explain(context, question);
}

void ExplainLink::Explain(const ExplainQuestion& question,
                          std::shared_ptr<const Authorizer> reader,
                          Done done) const {
  // Then the state is what is served.
  parts_.sync->WhenPublished([this, question, reader = std::move(reader),
                              done = std::move(done)]() mutable {
    Explanation explanation = Ask(question, *reader);
    const AskedKey& asked = explanation.asked;
    if (explanation.source == "pending" &&
        asked.kind == AskedKey::kDatacenter && parts_.load) {
      parts_.load(explanation.datacenter);
    } else if (explanation.source == "pending" &&
               asked.kind == AskedKey::kQuery &&
               parts_.publisher->AskQuery(asked.datacenter,
                                          {asked.name, asked.name_size})) {
      parts_.sync->PublishNow();
      explanation = Ask(question, *reader);
    }
    AddCached(question, std::move(explanation), std::move(done));
  });
}

void ExplainLink::AddCached(const ExplainQuestion& question,
                            Explanation explanation, Done done) const {
  if (explanation.source != "forward") return done(explanation);
  const uint16_t type = question.type;
  parts_.forward->Dump(
      {AsciiLower(question.name), false}, kCacheRowsMax,
      [type, explanation = std::move(explanation),
       done = std::move(done)](const CacheDump& dump) mutable {
        size_t count = 0;
        for (const CacheRow& row : dump.rows) {
          if (row.qtype != type) continue;
          ++count;
          explanation.steps.push_back(absl::StrCat(
              "The cache of worker ", row.worker, " has an answer, ",
              row.rcode == kNxDomain ? "NXDOMAIN" : "NOERROR",
              row.ttl_left_s == 0
                  ? ", that is stale: it is served while nobody answers."
                  : absl::StrCat(", for ", row.ttl_left_s, " s more.")));
        }
        if (count == 0) explanation.steps.push_back("No cache has it.");
        done(explanation);
      });
}

}  // namespace dnsd
