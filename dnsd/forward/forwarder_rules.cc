// Whom a forwarder asks: rules, and what replaces them.
#include <algorithm>
#include <utility>

#include "dnsd/forward/forwarder.h"
#include "zones/name.h"

namespace dnsd {

// What was known of an upstream stays known.
void Forwarder::SetRules(std::vector<ForwardRule> rules) {
  const std::vector<std::shared_ptr<Known>> before = std::move(upstreams_);
  upstreams_.clear();
  rules_ = Rules();
  for (const std::shared_ptr<Known>& known : before) {
    known->is_used = false;
    known->timeout_ms = 0;
  }
  const auto find = [](const std::vector<std::shared_ptr<Known>>& all,
                       const UpstreamAddress& address) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const std::shared_ptr<Known>& known) {
                                      return known->state.address() == address;
                                    });
    return found == all.end() ? nullptr : *found;
  };
  for (ForwardRule& settings : rules) {
    auto rule = std::make_shared<Rule>();
    for (const UpstreamAddress& address : settings.upstreams) {
      std::shared_ptr<Known> known = find(upstreams_, address);
      if (known == nullptr) {
        known = find(before, address);
        if (known == nullptr) known = MakeKnown(address);
        upstreams_.push_back(known);
      }
      known->is_used = true;
      known->timeout_ms = std::max(known->timeout_ms, settings.timeout_ms);
      rule->upstreams.push_back(std::move(known));
    }
    rule->settings = std::move(settings);
    const std::string zone = rule->settings.zone;
    rules_.Add(zone, std::move(rule));
  }
  for (const std::shared_ptr<Known>& known : before) {
    if (known->is_used) continue;
    BuryProbes(known.get());
    unused_.push_back(known);
  }
}

std::shared_ptr<Forwarder::Known> Forwarder::MakeKnown(
    const UpstreamAddress& address) {
  auto known = std::make_shared<Known>(
      Upstream(address, options_.probe_ms_min, options_.probe_ms_max));
  if (address.tls) {
    known->dot = std::make_unique<DotClient>(
        loop_, stats_,
        DotClient::Options{address, options_.trust, options_.dot,
                           options_.on_tls_failure});
  }
  return known;
}

void Forwarder::BuryUnused() {
  std::erase_if(unused_, [](const std::shared_ptr<Known>& known) {
    return known.use_count() == 1;
  });
}

std::span<const UpstreamAddress> Forwarder::AskedFor(
    const Rules& rules, std::span<const uint8_t> name) {
  const std::shared_ptr<const Rule>* rule = rules.Find(name);
  if (rule == nullptr) return {};
  return (*rule)->settings.upstreams;
}

void Forwarder::Configure(ForwardOptions options) {
  const bool same_rules = options.rules == options_.rules;
  const bool same_trust =
      options.trust == nullptr ||
      (options_.trust != nullptr && *options.trust == *options_.trust);
  if (options.loop_labels.empty()) options.loop_labels = options_.loop_labels;
  options_ = std::move(options);
  cache_.SetLimits(options_.cache, now_s());
  if (!same_rules) {
    const Rules before = rules_;
    SetRules(options_.rules);
    static_cast<void>(cache_.EraseIf([&](const ForwardQuestion& question) {
      const std::span<const uint8_t> name = WireBytes(question.name);
      return !std::ranges::equal(AskedFor(before, name),
                                 AskedFor(rules_, name));
    }));
    ArmTimer();
  }
  if (same_trust) return;
  for (const std::shared_ptr<Known>& known : upstreams_) {
    if (known->dot != nullptr) known->dot->SetTrust(options_.trust);
  }
}

}  // namespace dnsd
