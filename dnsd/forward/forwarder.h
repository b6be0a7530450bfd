// Forwarder asks upstream resolvers for other people's names, and lets clients
// wait meanwhile.
//
// A question that several clients ask is asked once. An upstream that is slow
// is joined by a second one, and the first good answer is everybody's. Where
// none answers, what the cache still has is (RFC 8767), else SERVFAIL.
//
// Loops: an upstream that does not answer may have sent our question back to
// us, by way of others. It is then asked for a name that nobody else can know;
// if that comes here, to whichever worker, there is a loop. What came back
// before has joined the question that is being asked, and ends by its timeout.
//
// Threads:   one worker's.
// Ownership: owns its sockets and copies of the queries that wait. UDP sockets
//            of clients stay open until Close(); a connection that ends says so
//            by Drop().
// Errors:    clients see SERVFAIL or REFUSED; the counters say why.
// Limits:    ForwardOptions. Never blocks. What the cache answers allocates
//            nothing.
// Units:     milliseconds of the loop's clock.
#ifndef DNSD_DNSD_FORWARD_FORWARDER_H_
#define DNSD_DNSD_FORWARD_FORWARDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "catalog/base/event_loop.h"
#include "dnsd/forward/dot_client.h"
#include "dnsd/forward/forward_cache.h"
#include "dnsd/forward/forward_options.h"
#include "dnsd/forward/forward_stats.h"
#include "dnsd/forward/secret_random.h"
#include "dnsd/forward/upstream.h"
#include "dnsd/forward/upstream_answer.h"
#include "dnsd/forward/upstream_exchange.h"
#include "dnsd/way_back.h"
#include "zones/cookie.h"
#include "zones/policy.h"
#include "zones/random.h"
#include "zones/responder.h"
#include "zones/suffix_table.h"

namespace dnsd {

struct ForwardResult {
  bool is_waiting = false;  // else the answer is `size` bytes in `out`
  size_t size = 0;          // 0: send nothing
};

// Two labels that nobody can guess, for ForwardOptions::loop_labels.
[[nodiscard]] std::string MakeLoopLabels();

class Forwarder {
 public:
  // Sends an answer back. The message lies behind two bytes of `frame`, for
  // the length that TCP wants.
  // Not called from inside Ask().
  using Deliver = std::function<void(const WayBack& to, uint8_t* frame,
                                     size_t message_size)>;

  Forwarder(EventLoop* loop, ForwardOptions options, ForwardStats* stats,
            Deliver deliver, OnForwardLoop on_loop = nullptr);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Of a query to which Respond() has just said kForward. Who does not ask for
  // recursion gets what is in the cache, and nothing else; Consul does not
  // look at RD, nor does its mode.
  [[nodiscard]] ForwardResult Ask(std::span<const uint8_t> packet,
                                  Transport transport, const ReturnPath& path,
                                  const ZonePolicy& policy, uint8_t* out);

  // Of a name that our own data leads to: what the cache has, which is asked
  // for again in time. `stale_too`: past its time as well, though others could
  // be asked.
  [[nodiscard]] ForwardCache::Hit Recall(const ForwardKey& key, bool stale_too);
  // Has it asked for; whoever may do so is asked elsewhere. False: there is no
  // room. Else OnResolved()'s is called when it has ended, not from in here;
  // nullptr: nobody answered, though Recall() may have something stale.
  [[nodiscard]] bool Resolve(const ForwardQuestion& question);
  using Resolved =
      std::function<void(const ForwardQuestion&, const UpstreamAnswer*)>;
  void OnResolved(Resolved resolved) { resolved_ = std::move(resolved); }

  // Goes on by other rules and limits. What is being asked is asked to the end
  // as it was begun; upstreams that stay are known as before. Answers to names
  // that others are asked for from now on are forgotten.
  void Configure(ForwardOptions options);

  // Forgets the queries of a connection that is over.
  void Drop(const TcpConnection* connection);

  // Answers who waits with SERVFAIL and asks nothing any more.
  void Close();

  // In the order of the rules.
  [[nodiscard]] const Upstream& upstream(size_t index) const {
    return upstreams_[index]->state;
  }
  [[nodiscard]] size_t upstream_count() const { return upstreams_.size(); }
  [[nodiscard]] size_t waiting_count() const { return waiting_count_; }
  [[nodiscard]] ForwardCache& cache() { return cache_; }
  // What the cache's times are of.
  [[nodiscard]] uint32_t now_s() const {
    return static_cast<uint32_t>(now_ms() / 1000);
  }

 private:
  // A client that waits.
  struct Waiter {
    std::string packet;
    Transport transport;
    WayBack way;
    bool is_gone = false;

    [[nodiscard]] std::span<const uint8_t> bytes() const {
      return {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()};
    }
  };

  // A question of our own, for what its coming to an end says.
  struct Probe {
    std::unique_ptr<UpstreamExchange> exchange;
    uint64_t started_ms = 0;
  };
  // An upstream of all the rules that name it.
  struct Known {
    explicit Known(Upstream upstream) : state(std::move(upstream)) {}

    Upstream state;
    std::unique_ptr<DotClient> dot;  // where it is asked over TLS
    bool is_used = false;      // by a rule: others only end what they began
    uint64_t timeout_ms = 0;   // the longest of its rules
    size_t running_count = 0;  // exchanges of flights
    Probe health;              // whether it is back
    Probe loop;
    uint64_t next_loop_ms = 0;  // not to be looked at before
  };
  struct Rule {
    ForwardRule settings;
    std::vector<std::shared_ptr<Known>> upstreams;  // as settings'
  };
  using Rules = SuffixTable<std::shared_ptr<const Rule>>;

  // An exchange for a flight.
  struct Running {
    std::unique_ptr<UpstreamExchange> exchange;
    Known* upstream = nullptr;  // the rule's
    uint64_t started_ms = 0;
    uint64_t deadline_ms = 0;
    bool lost_case = false;  // asked over TCP because of that
  };
  // A question that is being asked.
  struct Flight {
    ForwardQuestion question;
    std::shared_ptr<const Rule> rule;
    std::vector<Waiter> waiters;  // empty: only the cache waits
    bool is_wanted = false;       // by Resolve()
    bool is_guess = false;        // its answer is not kept
    std::vector<Known*> order;    // the rule's upstreams
    size_t next = 0;              // in `order`
    std::vector<Running> running;
    uint64_t hedge_ms = 0;  // when to ask a second upstream; 0: not
    uint64_t deadline_ms = 0;
    uint64_t due_ms = 0;  // its key in due_
  };

  [[nodiscard]] uint64_t now_ms() const { return uv_now(loop_->uv()); }
  [[nodiscard]] bool MayAsk(const SocketAddress& client) const;
  // nullptr: no rule is about the name, or it says no.
  [[nodiscard]] std::shared_ptr<const Rule> RuleOf(
      std::span<const uint8_t> name) const;
  [[nodiscard]] static bool AllDown(const Rule* rule);
  [[nodiscard]] ForwardResult Wait(const Query& query,
                                   std::shared_ptr<const Rule> rule,
                                   Transport transport, const ReturnPath& path,
                                   uint8_t* out);
  [[nodiscard]] ForwardResult Refuse(const Query& query, uint8_t rcode,
                                     uint8_t* out) const;
  void Refresh(const ForwardKey& key);
  void GiveCookie(const SocketAddress& client, uint8_t reply[kCookieBytes],
                  Query* query) const;

  [[nodiscard]] Flight* TakeOff(ForwardQuestion question,
                                std::shared_ptr<const Rule> rule);
  [[nodiscard]] std::vector<Known*> Order(const Rule& rule);
  [[nodiscard]] uint64_t HedgeDelay(const Flight& flight,
                                    const Known* upstream) const;
  [[nodiscard]] bool HasRoom(const Known& upstream) const;
  [[nodiscard]] bool Advance(Flight* flight);
  [[nodiscard]] static bool WaitsWithEdns(const Flight& flight,
                                          const Known* upstream);
  [[nodiscard]] static UpstreamExchange::Mode ModeOf(const Known& known);
  [[nodiscard]] static bool Start(UpstreamExchange* exchange, Known* known,
                                  const ForwardQuestion& question,
                                  const UpstreamExchange::Mode& mode,
                                  UpstreamExchange::Done done);
  [[nodiscard]] bool Begin(Flight* flight, Running running,
                           const UpstreamExchange::Mode& mode);
  void OnEnd(Flight* flight, const UpstreamExchange* exchange, ExchangeEnd end);
  [[nodiscard]] bool Again(Flight* flight, const Running& ended,
                           ExchangeEnd end, UpstreamExchange::Mode mode);
  void OnDue(Flight* flight);
  void Leave(Known* upstream);
  void Finish(Flight* flight, const UpstreamAnswer* answer);
  void Answer(Flight* flight, const UpstreamAnswer* answer, bool is_stale);
  void Bury(std::unique_ptr<UpstreamExchange> exchange);
  void BuryProbes(Known* known);

  void SetRules(std::vector<ForwardRule> rules);
  [[nodiscard]] std::shared_ptr<Known> MakeKnown(
      const UpstreamAddress& address);
  void BuryUnused();
  [[nodiscard]] static std::span<const UpstreamAddress> AskedFor(
      const Rules& rules, std::span<const uint8_t> name);

  [[nodiscard]] bool IsProbing(const Known& known, Probe* probe);
  void StartProbe(Known* known, Probe* probe, ForwardQuestion question,
                  UpstreamExchange::Done done);
  void ProbeHealth(Known* known);
  void ProbeForLoop(Known* known, const std::string& zone);
  [[nodiscard]] bool IsFromLoop(std::span<const uint8_t> name) const;
  void NoteLoop(std::span<const uint8_t> name, const SocketAddress& from);
  void OnTimer();
  void Schedule(Flight* flight);
  void ArmTimer();

  EventLoop* loop_;
  ForwardOptions options_;
  ForwardStats* stats_;
  Deliver deliver_;
  Resolved resolved_;
  OnForwardLoop on_loop_;
  SecretRandom secrets_;
  Random random_;
  ForwardCache cache_;
  bool closed_ = false;
  uint16_t udp_size_max_ = 1232;  // of our answers
  CookiePolicy cookies_;

  Rules rules_;
  std::vector<std::shared_ptr<Known>> upstreams_;  // of all rules, each once
  // In no rule any more. One ends with the last question that is under way
  // there, but not while a callback of its connection may be on the stack.
  std::vector<std::shared_ptr<Known>> unused_;
  absl::flat_hash_map<ForwardQuestion, std::unique_ptr<Flight>> flights_;
  std::set<std::pair<uint64_t, Flight*>> due_;  // each flight once
  size_t waiting_count_ = 0;
  size_t running_count_ = 0;
  std::vector<Waiter>* answering_ = nullptr;  // who Answer() is busy with
  std::unique_ptr<uint8_t[]> room_;           // for a frame

  // What has ended, until no callback of it can be on the stack.
  std::vector<std::unique_ptr<UpstreamExchange>> ended_;
  PrepareHook bury_;
  Timer timer_;
  uint64_t timer_at_ms_ = 0;  // 0: not running
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARDER_H_
