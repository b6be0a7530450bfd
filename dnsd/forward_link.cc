#include "dnsd/forward_link.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/log.h"
#include "dnsd/forward/forwarder.h"
#include "dnsd/forward/reply_records.h"
#include "dnsd/serve/listen_socket.h"
#include "zones/name.h"

namespace dnsd {
namespace {

// A worker that has not told its figures by then keeps its last ones.
constexpr uint64_t kFiguresMs = 250;

uint64_t MillisecondsOf(std::chrono::nanoseconds time) {
  return static_cast<uint64_t>(std::max<int64_t>(
      1, std::chrono::ceil<std::chrono::milliseconds>(time).count()));
}

bool IsMeant(const ForwardQuestion& question, const CacheNames& names) {
  if (names.name.empty()) return true;
  return names.below
             ? IsAtOrBelow(WireBytes(question.name), WireBytes(names.name))
             : question.name == names.name;
}

// On a worker's thread.
CacheDump DumpOf(Forwarder* forwarder, size_t worker, const CacheNames& names,
                 size_t limit) {
  const ForwardCache& cache = forwarder->cache();
  CacheDump dump;
  dump.entries = cache.stats().entries;
  dump.bytes = cache.stats().bytes;
  cache.ForEach(
      [&](const ForwardCache::Row& row) {
        const ForwardQuestion& question = row.question;
        if (!IsMeant(question, names)) return true;
        dump.is_cut = dump.rows.size() == limit;
        if (dump.is_cut) return false;
        dump.rows.push_back({question.name, question.qtype, question.qclass,
                             row.answer.rcode, question.dnssec_ok,
                             question.checking_disabled, row.left_s, row.bytes,
                             worker});
        return true;
      },
      forwarder->now_s());
  return dump;
}

void Join(CacheDump from, size_t limit, CacheDump* to) {
  to->entries += from.entries;
  to->bytes += from.bytes;
  const size_t room = limit - to->rows.size();
  to->is_cut = to->is_cut || from.is_cut || from.rows.size() > room;
  if (from.rows.size() > room) from.rows.resize(room);
  std::move(from.rows.begin(), from.rows.end(), std::back_inserter(to->rows));
}

// Asks every worker, and joins what they say on the sync thread.
template <typename Part, typename Ask, typename Add>
void Gather(EventLoop* sync, const std::vector<Worker*>& workers, Ask ask,
            Add add, std::function<void(Part)> done) {
  if (workers.empty()) return done(Part());
  struct State {
    Part sum{};
    size_t awaited = 0;
  };
  const auto state = std::make_shared<State>();
  state->awaited = workers.size();
  for (size_t i = 0; i < workers.size(); ++i) {
    workers[i]->WithForwarder([=](Forwarder* forwarder) {
      sync->Post([=, part = ask(forwarder, i)] {
        add(part, &state->sum);
        if (--state->awaited == 0) done(std::move(state->sum));
      });
    });
  }
}

}  // namespace

ForwardLink::ForwardLink(EventLoop* sync)
    : sync_(sync),
      loop_labels_(MakeLoopLabels()),
      figures_due_(std::make_unique<Timer>(sync, [this] { TellFigures(); })) {}

absl::StatusOr<ForwardOptions> ForwardLink::OptionsOf(const Config& config) {
  ForwardOptions options;
  for (const ForwardRuleConfig& written : config.forward) {
    ForwardRule rule;
    DNSD_CHECK(NameToWire(written.zone, &rule.zone));
    for (const UpstreamConfig& to : written.to) {
      const absl::StatusOr<SocketAddress> address =
          ToSocketAddress(to.endpoint);
      if (!address.ok()) return address.status();
      rule.upstreams.push_back(to.tls ? UpstreamAddress(*address, to.tls_name)
                                      : UpstreamAddress(*address));
    }
    rule.strategy = written.strategy;
    rule.timeout_ms = MillisecondsOf(written.timeout);
    options.rules.push_back(std::move(rule));
  }
  is_used_ = !options.rules.empty();
  options.allow = config.recursion_allow;
  options.cache = config.forward_cache;
  options.loop_labels = loop_labels_;
  options.trust = config.recursor_trust;
  options.on_tls_failure = [this](const UpstreamAddress& upstream,
                                  const std::string& reason) {
    sync_->Post([this, upstream, reason] { WarnOfTls(upstream, reason); });
  };
  return options;
}

OnForwardLoop ForwardLink::LoopHandler() {
  return [this](const std::string& zone, const SocketAddress& from) {
    sync_->Post([this, zone, from] { WarnOfLoop(zone, from); });
  };
}

// Once for each zone until the rules are others; dnsd_forward_loops_total goes
// on counting.
void ForwardLink::WarnOfLoop(const std::string& zone,
                             const SocketAddress& from) {
  if (!looping_zones_.insert(zone).second) return;
  LogWarn("agent",
          "Forwarding goes round in a circle: a query of ours came back, and "
          "names of this zone are not answered",
          {{"zone", NameToText(WireBytes(zone))}, {"from", IpText(from)}});
}

// Each worker tells the same, so what was just said is not said again.
void ForwardLink::WarnOfTls(const UpstreamAddress& upstream,
                            const std::string& reason) {
  const uint64_t now = uv_now(sync_->uv());
  const std::string name = UpstreamText(upstream);
  Warning& last = tls_warnings_[name];
  if (last.reason == reason && now - last.at_ms < kForwardTlsTellMs) return;
  last = {reason, now};
  LogWarn("agent", "There is no TLS to a recursor: it is not asked",
          {{"recursor", name}, {"reason", reason}});
}

void ForwardLink::Configure(const ForwardOptions& options) {
  looping_zones_.clear();
  tls_warnings_.clear();
  for (Worker* worker : workers_) {
    worker->WithForwarder(
        [options](Forwarder* forwarder) { forwarder->Configure(options); });
  }
}

void ForwardLink::Figures(std::function<void(const ForwardFigures&)> done) {
  if (!is_used_ || workers_.empty()) return done({});
  figures_wanted_.push_back(std::move(done));
  if (figures_wanted_.size() > 1) return;
  figures_.resize(workers_.size());
  figures_awaited_ = workers_.size();
  figures_due_->Start(kFiguresMs);
  const uint64_t round = ++figures_round_;
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->WithForwarder([this, i, round](Forwarder* forwarder) {
      sync_->Post([this, i, round, part = FiguresOf(forwarder)] {
        figures_[i] = part;
        if (round != figures_round_ || figures_awaited_ == 0) return;
        if (--figures_awaited_ == 0) TellFigures();
      });
    });
  }
}

void ForwardLink::TellFigures() {
  figures_due_->Stop();
  figures_awaited_ = 0;
  ForwardFigures sum;
  for (const ForwardFigures& part : figures_) AddTo(part, &sum);
  for (const auto& done : std::exchange(figures_wanted_, {})) done(sum);
}

void ForwardLink::Stop() {
  figures_due_.reset();
  figures_awaited_ = 0;
  figures_wanted_.clear();
}

void ForwardLink::Dump(const CacheNames& names, size_t limit,
                       std::function<void(CacheDump)> done) {
  Gather<CacheDump>(
      sync_, workers_,
      [names, limit](Forwarder* forwarder, size_t worker) {
        return DumpOf(forwarder, worker, names, limit);
      },
      [limit](const CacheDump& part, CacheDump* sum) {
        Join(part, limit, sum);
      },
      std::move(done));
}

void ForwardLink::Flush(const CacheNames& names,
                        std::function<void(size_t)> done) {
  Gather<size_t>(
      sync_, workers_,
      [names](Forwarder* forwarder, size_t) {
        return forwarder->cache().EraseIf([&](const ForwardQuestion& question) {
          return IsMeant(question, names);
        });
      },
      [](size_t part, size_t* sum) { *sum += part; }, std::move(done));
}

}  // namespace dnsd
