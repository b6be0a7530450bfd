#include "dnsd/forward/forwarder.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>

#include "zones/query.h"

namespace dnsd {
namespace {

bool IsSameWay(const WayBack& kept, const ReturnPath& path) {
  return kept.fd == path.fd && kept.client == path.client;
}

}  // namespace

Forwarder::Forwarder(EventLoop* loop, ForwardOptions options,
                     ForwardStats* stats, Deliver deliver,
                     OnForwardLoop on_loop)
    : loop_(loop),
      options_(std::move(options)),
      stats_(stats),
      deliver_(std::move(deliver)),
      on_loop_(std::move(on_loop)),
      random_(secrets_.Next64()),
      cache_(options_.cache, secrets_.Next64()),
      room_(std::make_unique<uint8_t[]>(kLengthBytes + kResponseBytesMax)),
      bury_(loop,
            [this] {
              if (!ended_.empty()) ended_.clear();
              if (!unused_.empty()) BuryUnused();
            }),
      timer_(loop, [this] { OnTimer(); }) {
  if (options_.loop_labels.empty()) options_.loop_labels = MakeLoopLabels();
  SetRules(options_.rules);
}

Forwarder::~Forwarder() = default;

bool Forwarder::MayAsk(const SocketAddress& client) const {
  return AnyContains(options_.allow, client);
}

std::shared_ptr<const Forwarder::Rule> Forwarder::RuleOf(
    std::span<const uint8_t> name) const {
  const std::shared_ptr<const Rule>* rule = rules_.Find(name);
  return rule == nullptr || (*rule)->upstreams.empty() ? nullptr : *rule;
}

bool Forwarder::AllDown(const Rule* rule) {
  return rule != nullptr &&
         std::all_of(rule->upstreams.begin(), rule->upstreams.end(),
                     [](const std::shared_ptr<Known>& known) {
                       return known->state.is_down();
                     });
}

ForwardResult Forwarder::Refuse(const Query& query, uint8_t rcode,
                                uint8_t* out) const {
  ClientAnswerOptions options;
  options.udp_size_max = udp_size_max_;
  return {false, WriteFailure(query, rcode, options, out)};
}

// Respond() has judged the client's; what is left is to answer it, or it would
// take the answer for a forged one (RFC 7873 5.3).
void Forwarder::GiveCookie(const SocketAddress& client,
                           uint8_t reply[kCookieBytes], Query* query) const {
  if (query->cookie_at == 0) return;
  static_cast<void>(TakeCookie(cookies_, client.ip_bytes(),
                               static_cast<uint32_t>(std::time(nullptr)), reply,
                               query));
}

ForwardResult Forwarder::Ask(std::span<const uint8_t> packet,
                             Transport transport, const ReturnPath& path,
                             const ZonePolicy& policy, uint8_t* out) {
  udp_size_max_ = policy.edns_udp_size;
  cookies_ = policy.cookies;
  Query query;
  if (ParseQuery(packet, &query) != ParseResult::kOk || !query.has_question) {
    return {};
  }
  uint8_t cookie[kCookieBytes];
  GiveCookie(path.client, cookie, &query);
  stats_->queries.Add();
  if (!MayAsk(path.client)) {
    stats_->refused.Add();
    return Refuse(query, kRefused, out);
  }
  const ForwardKey key(query);
  const ForwardCache::Hit hit = cache_.Find(key, now_s());
  std::shared_ptr<const Rule> rule;
  if (hit.answer == nullptr || hit.is_stale) rule = RuleOf(key.name);
  if (hit.answer != nullptr && (!hit.is_stale || AllDown(rule.get()))) {
    ClientAnswerOptions options;
    options.udp_size_max = udp_size_max_;
    options.age_s = hit.age_s;
    options.is_stale = hit.is_stale;
    (hit.is_stale ? stats_->stale : stats_->cache_hits).Add();
    const size_t size =
        WriteForClient(*hit.answer, query, transport, options, &random_, out);
    if (hit.is_due || hit.is_stale) Refresh(key);
    return {false, size};
  }
  const bool is_loop = IsFromLoop(key.name);
  if (is_loop) NoteLoop(key.name, path.client);
  if (is_loop || rule == nullptr ||
      (policy.compat == Compat::kRfc && (query.flags & kFlagRd) == 0)) {
    stats_->refused.Add();
    return Refuse(query, kRefused, out);
  }
  return Wait(query, std::move(rule), transport, path, out);
}

// Lets the client wait for the answer.
ForwardResult Forwarder::Wait(const Query& query,
                              std::shared_ptr<const Rule> rule,
                              Transport transport, const ReturnPath& path,
                              uint8_t* out) {
  ForwardQuestion question = ForwardKey(query).Kept();
  const std::string packet(reinterpret_cast<const char*>(query.packet),
                           query.packet_size);
  const auto found = flights_.find(question);
  Flight* flight = found == flights_.end() ? nullptr : found->second.get();
  if (flight != nullptr && path.connection == nullptr) {
    for (const Waiter& waiter : flight->waiters) {
      // Sent again by a client that grew impatient: one answer will do.
      if (waiter.packet == packet && IsSameWay(waiter.way, path)) {
        return {true, 0};
      }
    }
  }
  if (closed_ || waiting_count_ >= options_.waiting_max ||
      packet.size() > kUdpQueryBytesMax ||
      (flight != nullptr &&
       flight->waiters.size() >= options_.waiting_per_question_max)) {
    stats_->table_full.Add();
    return Refuse(query, kServFail, out);
  }
  if (flight != nullptr) {
    stats_->coalesced.Add();
  } else {
    flight = TakeOff(std::move(question), std::move(rule));
    if (flight == nullptr) {
      stats_->table_full.Add();
      return Refuse(query, kServFail, out);
    }
  }
  flight->waiters.push_back({packet, transport, WayBack(path)});
  ++waiting_count_;
  return {true, 0};
}

// Asks again, for the cache only.
void Forwarder::Refresh(const ForwardKey& key) {
  ForwardQuestion question = key.Kept();
  if (closed_ || flights_.contains(question)) return;
  std::shared_ptr<const Rule> rule = RuleOf(key.name);
  if (rule == nullptr) return;
  static_cast<void>(TakeOff(std::move(question), std::move(rule)));
}

ForwardCache::Hit Forwarder::Recall(const ForwardKey& key, bool stale_too) {
  const ForwardCache::Hit hit = cache_.Find(key, now_s());
  if (hit.answer == nullptr) return {};
  if (hit.is_due || hit.is_stale) Refresh(key);
  if (hit.is_stale && !stale_too && !AllDown(RuleOf(key.name).get())) return {};
  return hit;
}

bool Forwarder::Resolve(const ForwardQuestion& question) {
  if (closed_) return false;
  const auto found = flights_.find(question);
  Flight* flight = nullptr;
  if (found != flights_.end()) {
    flight = found->second.get();
  } else if (std::shared_ptr<const Rule> rule =
                 RuleOf(WireBytes(question.name))) {
    flight = TakeOff(question, std::move(rule));
  }
  if (flight == nullptr) return false;
  stats_->external.Add();
  flight->is_wanted = true;
  return true;
}

// Begins to ask. nullptr: nobody of the rule has room for another socket.
Forwarder::Flight* Forwarder::TakeOff(ForwardQuestion question,
                                      std::shared_ptr<const Rule> rule) {
  if (std::none_of(rule->upstreams.begin(), rule->upstreams.end(),
                   [this](const auto& known) { return HasRoom(*known); })) {
    return nullptr;
  }
  auto made = std::make_unique<Flight>();
  Flight* flight = made.get();
  flight->question = question;
  flight->order = Order(*rule);
  flight->deadline_ms =
      now_ms() + std::min(options_.total_ms,
                          rule->upstreams.size() * rule->settings.timeout_ms);
  flight->rule = std::move(rule);
  flights_.emplace(std::move(question), std::move(made));
  // Clients are not answered from in here: if nobody can be asked, the timer
  // says so.
  if (!Advance(flight)) flight->deadline_ms = now_ms();
  Schedule(flight);
  return flight;
}

// The question is over. `answer`: nullptr when nobody knew one.
void Forwarder::Finish(Flight* flight, const UpstreamAnswer* answer) {
  const auto found = flights_.find(flight->question);
  const std::unique_ptr<Flight> last = std::move(found->second);
  flights_.erase(found);
  due_.erase({flight->due_ms, flight});
  const uint64_t now = now_ms();
  for (Running& running : flight->running) {
    Leave(running.upstream);
    // Overtaken, having had more time than it usually takes.
    if (answer != nullptr &&
        now - running.started_ms >= HedgeDelay(*flight, running.upstream)) {
      running.upstream->state.Failed(now);
    }
    Bury(std::move(running.exchange));
  }
  flight->running.clear();
  ArmTimer();
  if (answer != nullptr) {
    // Unless others are asked for it meanwhile.
    if (!flight->is_guess &&
        std::ranges::equal(AskedFor(rules_, WireBytes(flight->question.name)),
                           flight->rule->settings.upstreams)) {
      cache_.Store(flight->question, *answer, now_s());
    }
    return Answer(flight, answer, false);
  }
  // What is past its time is better than nothing (RFC 8767 section 5).
  std::optional<UpstreamAnswer> stale;
  if (!flight->waiters.empty()) {
    const ForwardCache::Hit hit = cache_.Find(flight->question, now_s());
    if (hit.answer != nullptr) stale = *hit.answer;
  }
  Answer(flight, stale ? &*stale : nullptr, true);
}

void Forwarder::Answer(Flight* flight, const UpstreamAnswer* answer,
                       bool is_stale) {
  // Delivering may end a connection, and that comes back to Drop().
  answering_ = &flight->waiters;
  for (Waiter& waiter : flight->waiters) {
    --waiting_count_;
    if (waiter.is_gone) continue;
    waiter.is_gone = true;
    Query query;
    if (ParseQuery(waiter.bytes(), &query) != ParseResult::kOk) continue;
    uint8_t cookie[kCookieBytes];
    GiveCookie(waiter.way.client, cookie, &query);
    uint8_t* out = room_.get() + kLengthBytes;
    ClientAnswerOptions options;
    options.udp_size_max = udp_size_max_;
    options.is_stale = is_stale;
    size_t size = 0;
    if (answer != nullptr) {
      if (is_stale) stats_->stale.Add();
      size = WriteForClient(*answer, query, waiter.transport, options, &random_,
                            out);
    } else {
      stats_->failed.Add();
      size = WriteFailure(query, kServFail, options, out);
    }
    deliver_(waiter.way, room_.get(), size);
  }
  answering_ = nullptr;
  if (flight->is_wanted && resolved_) {
    resolved_(flight->question, is_stale ? nullptr : answer);
  }
}

void Forwarder::Drop(const TcpConnection* connection) {
  const auto is_its = [&](const Waiter& waiter) {
    return waiter.way.connection == connection;
  };
  for (auto& [question, flight] : flights_) {
    waiting_count_ -= std::erase_if(flight->waiters, is_its);
  }
  if (answering_ == nullptr) return;
  for (Waiter& waiter : *answering_) {
    if (is_its(waiter)) waiter.is_gone = true;
  }
}

void Forwarder::Close() {
  closed_ = true;
  while (!flights_.empty()) Finish(flights_.begin()->second.get(), nullptr);
  for (const std::shared_ptr<Known>& known : upstreams_) {
    BuryProbes(known.get());
  }
  timer_.Stop();
  timer_at_ms_ = 0;
}

void Forwarder::Bury(std::unique_ptr<UpstreamExchange> exchange) {
  exchange->Stop();
  ended_.push_back(std::move(exchange));
}

void Forwarder::BuryProbes(Known* known) {
  for (Probe* probe : {&known->health, &known->loop}) {
    if (probe->exchange != nullptr) Bury(std::move(probe->exchange));
  }
}

void Forwarder::OnTimer() {
  timer_at_ms_ = 0;
  const uint64_t now = now_ms();
  while (!due_.empty() && due_.begin()->first <= now) {
    OnDue(due_.begin()->second);
  }
  if (!closed_) {
    for (const std::shared_ptr<Known>& known : upstreams_) {
      ProbeHealth(known.get());
      static_cast<void>(IsProbing(*known, &known->loop));
    }
  }
  ArmTimer();
}

// When to look at the flight next.
void Forwarder::Schedule(Flight* flight) {
  uint64_t due_ms = flight->deadline_ms;
  if (flight->hedge_ms != 0) due_ms = std::min(due_ms, flight->hedge_ms);
  for (const Running& running : flight->running) {
    due_ms = std::min(due_ms, running.deadline_ms);
  }
  due_.erase({flight->due_ms, flight});
  flight->due_ms = due_ms;
  due_.emplace(due_ms, flight);
  ArmTimer();
}

// One timer, for whatever comes first. It is left to run too early rather than
// set again for every question.
void Forwarder::ArmTimer() {
  uint64_t at_ms = due_.empty() ? UINT64_MAX : due_.begin()->first;
  for (const std::shared_ptr<Known>& known : upstreams_) {
    for (const Probe* probe : {&known->health, &known->loop}) {
      if (probe->exchange == nullptr) continue;
      at_ms = std::min(at_ms, probe->started_ms + known->timeout_ms);
    }
    if (known->health.exchange == nullptr &&
        known->state.next_probe_ms() != 0) {
      at_ms = std::min(at_ms, known->state.next_probe_ms());
    }
  }
  if (at_ms == UINT64_MAX || closed_) return;
  if (timer_at_ms_ != 0 && timer_at_ms_ <= at_ms) return;
  timer_at_ms_ = std::max<uint64_t>(at_ms, 1);
  const uint64_t now = now_ms();
  timer_.Start(at_ms > now ? at_ms - now : 0);
}

}  // namespace dnsd
