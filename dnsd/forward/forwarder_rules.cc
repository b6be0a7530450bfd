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
                       const SocketAddress& address) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const std::shared_ptr<Known>& known) {
                                      return known->state.address() == address;
                                    });
    return found == all.end() ? nullptr : *found;
  };
  for (ForwardRule& settings : rules) {
    auto rule = std::make_shared<Rule>();
    for (const SocketAddress& address : settings.upstreams) {
      std::shared_ptr<Known> known = find(upstreams_, address);
      if (known == nullptr) {
        known = find(before, address);
        if (known == nullptr) {
          known = std::make_shared<Known>(
              Upstream(address, options_.probe_ms_min, options_.probe_ms_max));
        }
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
    if (!known->is_used) BuryProbes(known.get());
  }
}

std::span<const SocketAddress> Forwarder::AskedFor(
    const Rules& rules, std::span<const uint8_t> name) {
  const std::shared_ptr<const Rule>* rule = rules.Find(name);
  if (rule == nullptr) return {};
  return (*rule)->settings.upstreams;
}

void Forwarder::Configure(ForwardOptions options) {
  const bool same_rules = options.rules == options_.rules;
  if (options.loop_labels.empty()) options.loop_labels = options_.loop_labels;
  options_ = std::move(options);
  cache_.SetLimits(options_.cache, now_s());
  if (same_rules) return;
  const Rules before = rules_;
  SetRules(options_.rules);
  static_cast<void>(cache_.EraseIf([&](const ForwardQuestion& question) {
    const std::span<const uint8_t> name = WireBytes(question.name);
    return !std::ranges::equal(AskedFor(before, name), AskedFor(rules_, name));
  }));
  ArmTimer();
}

}  // namespace dnsd
