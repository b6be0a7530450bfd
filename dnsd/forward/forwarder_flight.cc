// The way of one question from upstream to upstream.
#include <algorithm>
#include <utility>

#include "dnsd/forward/forwarder.h"

namespace dnsd {
namespace {

// One query in so many goes first to another than the fastest upstream, whose
// speed would else never be learned again.
constexpr uint32_t kExploreOneIn = 32;

}  // namespace

// The upstreams in the order in which a question goes to them.
std::vector<Forwarder::Known*> Forwarder::Order(const Rule& rule) {
  std::vector<Known*> order;
  for (const auto& known : rule.upstreams) order.push_back(known.get());
  const auto count = static_cast<uint32_t>(order.size());
  switch (rule.settings.strategy) {
    case ForwardStrategy::kSequential:
      break;
    case ForwardStrategy::kRandom:
      for (uint32_t i = count; i > 1; --i) {
        std::swap(order[i - 1], order[random_.Below(i)]);
      }
      break;
    case ForwardStrategy::kFastest:
      std::stable_sort(order.begin(), order.end(),
                       [](const Known* a, const Known* b) {
                         return a->state.rtt_eighths() < b->state.rtt_eighths();
                       });
      if (count > 1 && random_.Below(kExploreOneIn) == 0) {
        std::swap(order[0], order[random_.Below(count)]);
      }
      break;
  }
  std::stable_partition(order.begin(), order.end(), [](const Known* known) {
    return !known->state.is_down();
  });
  // A packet may get lost: the only one is asked twice.
  if (count == 1) order.push_back(order[0]);
  return order;
}

uint64_t Forwarder::HedgeDelay(const Flight& flight,
                               const Known* upstream) const {
  const uint64_t latest = flight.rule->settings.timeout_ms / 2;
  const bool is_repeat = flight.next < flight.order.size() &&
                         flight.order[flight.next] == upstream;
  if (is_repeat) return latest;
  return std::min(latest, std::max(kForwardHedgeRtts * upstream->state.rtt_ms(),
                                   options_.hedge_ms_min));
}

// One that is dead does not take the sockets that the others need.
bool Forwarder::HasRoom(const Known& upstream) const {
  const size_t most =
      upstreams_.size() == 1 ? options_.sockets_max : options_.sockets_max / 2;
  return running_count_ < options_.sockets_max && upstream.running_count < most;
}

void Forwarder::Leave(Known* upstream) {
  --running_count_;
  --upstream->running_count;
}

// Asks the next upstream that can be reached. False: there is none, and nobody
// is being asked.
bool Forwarder::Advance(Flight* flight) {
  flight->hedge_ms = 0;
  while (flight->next < flight->order.size() &&
         running_count_ < options_.sockets_max) {
    Known* upstream = flight->order[flight->next++];
    if (!HasRoom(*upstream)) continue;
    const uint64_t now = now_ms();
    Running running;
    running.upstream = upstream;
    running.started_ms = now;
    running.deadline_ms =
        std::min(now + flight->rule->settings.timeout_ms, flight->deadline_ms);
    const Upstream& state = upstream->state;
    UpstreamExchange::Mode mode = ModeOf(*upstream);
    const bool is_repeat =
        std::any_of(flight->running.begin(), flight->running.end(),
                    [&](const Running& r) { return r.upstream == upstream; });
    mode.edns = state.wants_edns(now, is_repeat);
    mode.mixed_case = state.keeps_case(now);
    if (!Begin(flight, std::move(running), mode)) continue;
    if (flight->next < flight->order.size()) {
      flight->hedge_ms = now + HedgeDelay(*flight, upstream);
    }
    return true;
  }
  return !flight->running.empty();
}

bool Forwarder::WaitsWithEdns(const Flight& flight, const Known* upstream) {
  return std::any_of(flight.running.begin(), flight.running.end(),
                     [upstream](const Running& running) {
                       return running.upstream == upstream &&
                              running.exchange->mode().edns;
                     });
}

UpstreamExchange::Mode Forwarder::ModeOf(const Known& known) {
  UpstreamExchange::Mode mode;
  if (known.dot != nullptr) mode.over = UpstreamTransport::kTls;
  return mode;
}

bool Forwarder::Start(UpstreamExchange* exchange, Known* known,
                      const ForwardQuestion& question,
                      const UpstreamExchange::Mode& mode,
                      UpstreamExchange::Done done) {
  if (known->dot != nullptr) {
    return exchange->StartTls(known->dot.get(), question, mode,
                              std::move(done));
  }
  return exchange->Start(known->state.address().socket, question, mode,
                         std::move(done));
}

bool Forwarder::Begin(Flight* flight, Running running,
                      const UpstreamExchange::Mode& mode) {
  running.exchange =
      std::make_unique<UpstreamExchange>(loop_, stats_, &secrets_);
  UpstreamExchange* exchange = running.exchange.get();
  UpstreamCounts& counts = running.upstream->state.counts();
  ++counts.sent;
  if (!Start(exchange, running.upstream, flight->question, mode,
             [this, flight, exchange](ExchangeEnd end) {
               OnEnd(flight, exchange, end);
             })) {
    stats_->upstream_failures.Add();
    ++counts.failures;
    running.upstream->state.Failed(now_ms());
    return false;
  }
  ++running_count_;
  ++running.upstream->running_count;
  flight->running.push_back(std::move(running));
  return true;
}

// From the callback of an exchange.
void Forwarder::OnEnd(Flight* flight, const UpstreamExchange* exchange,
                      ExchangeEnd end) {
  const auto found = std::find_if(
      flight->running.begin(), flight->running.end(),
      [&](const Running& r) { return r.exchange.get() == exchange; });
  Running ended = std::move(*found);
  flight->running.erase(found);
  Leave(ended.upstream);
  UpstreamExchange* last = ended.exchange.get();
  Upstream& state = ended.upstream->state;
  const uint64_t now = now_ms();
  const UpstreamTransport over = last->mode().over;
  const bool is_tcp = over == UpstreamTransport::kTcp;
  if (end == ExchangeEnd::kUnreachable) {
    // Who answers over UDP is not down for want of TCP.
    if (!is_tcp) state.Failed(now);
  } else if (end != ExchangeEnd::kForged) {
    state.Answered(is_tcp ? state.rtt_ms() : now - ended.started_ms);
    state.counts().delay.Add((now - ended.started_ms) * 1'000'000);
  }
  Bury(std::move(ended.exchange));
  if (end == ExchangeEnd::kAnswer) {
    if (ended.lost_case) state.LostCase(now);
    if (last->mode().mixed_case && over == UpstreamTransport::kUdp) {
      state.KeptCase();
    }
    if (last->mode().edns) {
      state.AnsweredEdns();
    } else if (over == UpstreamTransport::kUdp &&
               state.LostEdns(now, WaitsWithEdns(*flight, ended.upstream))) {
      stats_->no_edns.Add();
    }
    // Without DO on a guess: for who waits, not for the cache.
    flight->is_guess = !last->mode().edns && flight->question.dnssec_ok &&
                       state.wants_edns(now, false);
    return Finish(flight, &last->answer());
  }
  const UpstreamExchange::Mode mode = last->mode();
  if (!Again(flight, ended, end, mode)) {
    stats_->upstream_failures.Add();
    ++state.counts().failures;
    if (!Advance(flight)) return Finish(flight, nullptr);
  }
  Schedule(flight);
}

// Asks the same upstream in another way, within the same time, where that may
// help.
bool Forwarder::Again(Flight* flight, const Running& ended, ExchangeEnd end,
                      UpstreamExchange::Mode mode) {
  Running next;
  next.upstream = ended.upstream;
  next.started_ms = now_ms();
  next.deadline_ms = ended.deadline_ms;
  next.lost_case = ended.lost_case;
  switch (end) {
    case ExchangeEnd::kTruncated:
    case ExchangeEnd::kForged:
      if (mode.over != UpstreamTransport::kUdp) return false;
      mode.over = UpstreamTransport::kTcp;
      break;
    case ExchangeEnd::kWrongCase:
      mode.over = UpstreamTransport::kTcp;
      next.lost_case = true;
      break;
    case ExchangeEnd::kNoEdns:
      stats_->no_edns.Add();
      next.upstream->state.KnowsNoEdns(now_ms());
      mode.edns = false;
      break;
    case ExchangeEnd::kUnreachable:
      // It changes letters and has no TCP: without mixing, then.
      if (mode.over != UpstreamTransport::kTcp || !ended.lost_case) {
        return false;
      }
      mode.over = UpstreamTransport::kUdp;
      mode.mixed_case = false;
      break;
    default:
      return false;
  }
  return Begin(flight, std::move(next), mode);
}

// Its time has come: for a second upstream, for the next one, or for the end.
void Forwarder::OnDue(Flight* flight) {
  const uint64_t now = now_ms();
  bool was_late = false;
  for (size_t i = 0; i < flight->running.size();) {
    if (now < flight->running[i].deadline_ms) {
      ++i;
      continue;
    }
    Running late = std::move(flight->running[i]);
    flight->running.erase(flight->running.begin() + static_cast<ptrdiff_t>(i));
    Leave(late.upstream);
    was_late = true;
    stats_->timeouts.Add();
    ++late.upstream->state.counts().timeouts;
    late.upstream->state.Failed(now);
    Bury(std::move(late.exchange));
    ProbeForLoop(late.upstream, flight->rule->settings.zone);
  }
  if (now >= flight->deadline_ms) return Finish(flight, nullptr);
  if (flight->hedge_ms != 0 && now >= flight->hedge_ms) {
    stats_->hedged.Add();
    static_cast<void>(Advance(flight));
    flight->hedge_ms = 0;  // two at a time
    was_late = false;
  }
  if ((was_late || flight->running.empty()) && !Advance(flight)) {
    return Finish(flight, nullptr);
  }
  Schedule(flight);
}

}  // namespace dnsd
