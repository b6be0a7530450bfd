// Names that are not the catalog's: zones from files, and other people's.
#include "absl/strings/str_join.h"
#include "dnsd/explain/explain_run.h"
#include "zones/zone_lookup.h"

namespace dnsd {
namespace {

// Whether the name is the zone or below it; both lower case, wire form.
bool IsIn(const Name& name, const std::string& zone) {
  if (zone.size() > name.size) return false;
  const size_t at = name.size - zone.size();
  const std::string all(name.lower, name.lower + name.size);
  if (all.compare(at, std::string::npos, zone) != 0) return false;
  for (size_t i = 0; i <= name.label_count; ++i) {
    if (name.label[i] == at) return true;
  }
  return false;
}

const ExplainForward* RuleFor(const ExplainRun& run) {
  const ExplainForward* best = nullptr;
  for (const ExplainForward& rule : run.context.forward) {
    if (!IsIn(run.name, rule.zone)) continue;
    if (best == nullptr || rule.zone.size() > best->zone.size()) best = &rule;
  }
  return best;
}

std::string RuleName(const ExplainForward& rule) {
  return rule.zone.size() == 1 ? "recursors (or the rule for \".\")"
                               : absl::StrCat("the rule of `forward` for ",
                                              NameToText(WireBytes(rule.zone)));
}

const char* FoundText(const ZoneResult& found) {
  switch (found.kind) {
    case ZoneAnswer::kAnswer:
      return found.wildcard ? "A wildcard of the zone covers the name."
                            : "The zone has the name with this type.";
    case ZoneAnswer::kCname:
      return "The zone has a CNAME for the name, which is followed.";
    case ZoneAnswer::kNodata:
      return "The zone has the name, but no records of this type.";
    case ZoneAnswer::kNxdomain:
      return "The zone does not have the name, and no wildcard covers it.";
    case ZoneAnswer::kDelegation:
      return "The zone delegates the name to the name servers in AUTHORITY.";
  }
  return "";
}

}  // namespace

void ExplainZone(const ZoneData& zone, ExplainRun* run) {
  run->out.source = "zone";
  run->out.kind = "zone";
  run->out.zone = NameToText(WireBytes(zone.apex));
  run->Step("The name is in the zone ", run->out.zone, " from a file (serial ",
            zone.serial, ").");
  run->Step(FoundText(
      LookupZone(zone, run->name.lower, run->name.size, run->question.type)));
}

void ExplainForwarded(ExplainRun* run) {
  const bool is_ours = run->context.view.FindDomain(run->name) != nullptr;
  run->out.source = "forward";
  run->out.kind = "other";
  const ExplainForward* const rule = RuleFor(*run);
  if (is_ours) {
    run->Step(
        "The name is below our domain, but the catalog does not have it, "
        "and `fallthrough` lets others be asked.");
  } else {
    run->Step("The name is in no domain and no zone of ours.");
  }
  if (rule == nullptr) {
    run->Step("No rule says whom to ask: REFUSED.");
    run->out.source = "refused";
    run->out.rcode = "REFUSED";
    return;
  }
  run->out.zone = NameToText(WireBytes(rule->zone));
  if (rule->to.empty()) {
    run->out.source = "refused";
    run->out.rcode = "REFUSED";
    run->Step(
        "REFUSED by ", RuleName(*rule),
        rule->is_refused ? ", which says `refuse`." : ", which names nobody.");
    return;
  }
  run->Step("It is asked of ", absl::StrJoin(rule->to, ", "), " (",
            rule->strategy, ") by ", RuleName(*rule),
            ". This explanation asks nobody.");
  run->Step("Only clients of dns_config.recursion_allow",
            run->policy().compat == Compat::kRfc
                ? " that want recursion (RD) are answered; others get REFUSED."
                : " are answered; others get REFUSED.");
}

void ExplainRefused(ExplainRun* run) {
  run->out.source = "refused";
  run->out.kind = "other";
  const ZonePolicy& policy = run->policy();
  run->Step("The name is not below ", policy.domain,
            policy.alt_domain.empty() ? "" : " or ", policy.alt_domain,
            " and in no zone from a file.");
  if (!policy.recursion_available) {
    run->Step(
        "There are no `recursors` and no rules of `forward`, so names of "
        "others are REFUSED. Set recursors to have them answered.");
  } else {
    run->Step(
        "No rule of `forward` is about it and there are no `recursors`: "
        "REFUSED.");
  }
}

}  // namespace dnsd
