#include "dnsd/serve/parked_queries.h"

#include <string.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "dnsd/forward/external_answers.h"
#include "dnsd/forward/forwarder.h"
#include "dnsd/forward/upstream_answer.h"
#include "dnsd/serve/deliver.h"
#include "zones/responder.h"

namespace dnsd {
namespace {

uint64_t TickMs(const ParkedLimits& limits) {
  return std::max(std::min(limits.wait_ms, limits.repeat_ms) / 4,
                  kParkedTickMsMin);
}

absl::string_view BytesOf(const SocketAddress& address) {
  return {reinterpret_cast<const char*>(&address), address.size()};
}

std::string Copy(std::span<const uint8_t> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// What `asked` is about, for the sync thread.
AskedName NameOf(const AskedKey& asked) {
  AskedName name{};
  name.datacenter = asked.datacenter;
  if (asked.kind == AskedKey::kQuery) {
    name.kind = AskedName::kQuery;
    name.size = asked.name_size;
    memcpy(name.name, asked.name, asked.name_size);
  } else {
    name.kind = AskedName::kDatacenter;
  }
  return name;
}

// The same as a key.
std::string KeyOf(const AskedName& name) {
  std::string key{static_cast<char>(name.kind),
                  static_cast<char>(name.datacenter)};
  return key.append(reinterpret_cast<const char*>(name.name), name.size);
}

}  // namespace

struct ParkedQueries::Query {
  Query(const ReturnPath& path, std::span<const uint8_t> bytes)
      : packet(Copy(bytes)), way(path) {}

  std::string packet;
  WayBack way;

  uint64_t since_ms = 0;

  // Of the catalog.
  AskedName asked{};
  uint64_t reported_ms = 0;
  // Of others, when there is a name.
  ForwardQuestion external;
  ExternalAnswers::Told told;
  int lookups = 0;
  bool gives_up = false;  // is answered without what is not known
  // Makes each try pick the same of several CNAMEs.
  uint64_t seed = 0;

  [[nodiscard]] bool is_external() const { return !external.name.empty(); }

  [[nodiscard]] std::span<const uint8_t> bytes() const {
    return {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()};
  }
};

size_t ParkedQueries::UdpHash::operator()(const Query* query) const {
  return absl::HashOf(query->way.fd, BytesOf(query->way.client),
                      query->way.control, query->packet);
}

bool ParkedQueries::UdpEqual::operator()(const Query* a, const Query* b) const {
  return a->way.fd == b->way.fd &&
         BytesOf(a->way.client) == BytesOf(b->way.client) &&
         a->way.control == b->way.control && a->packet == b->packet;
}

ParkedQueries::ParkedQueries(EventLoop* loop, ServeContext* context,
                             const ParkedLimits& limits,
                             std::function<void()> wake)
    : loop_(loop),
      context_(context),
      limits_(limits),
      wake_(std::move(wake)),
      cursor_(queries_.end()),
      tick_(loop, [this] { OnTick(); }),
      poke_(loop, [this] { AskAgain(UINT64_MAX); }) {}

ParkedQueries::~ParkedQueries() = default;

ParkResult ParkedQueries::Park(const ReturnPath& path,
                               std::span<const uint8_t> packet,
                               const View& view) {
  Query query(path, packet);
  if (path.connection == nullptr && udp_.contains(&query)) {
    return ParkResult::kAlready;
  }
  return Keep(std::move(query), view);
}

ParkResult ParkedQueries::Keep(Query query, const View& view) {
  if (closed_ || queries_.size() >= limits_.queries_max ||
      query.packet.size() > kUdpQueryBytesMax) {
    context_->stats->parked_refused.Add();
    return ParkResult::kRefused;
  }
  query.since_ms = uv_now(loop_->uv());
  query.seed = context_->respond.random.Next();
  const bool is_external = context_->respond.asked.kind == AskedKey::kExternal;
  if (!is_external) query.asked = NameOf(context_->respond.asked);
  if (queries_.empty()) tick_.Start(TickMs(limits_), TickMs(limits_));
  queries_.push_back(std::move(query));
  Query* last = &queries_.back();
  if (last->way.connection == nullptr) udp_.insert(last);
  context_->stats->parked.Add();
  // Whoever publishes exchanges the view, then reads the count; here it is the
  // other way round. In the one order of these four (seq_cst) either the count
  // is seen there, or the view here.
  count_.store(queries_.size(), std::memory_order_seq_cst);
  if (context_->view->Read(context_->reader) != &view) poke_.Send();
  if (is_external) {
    LookUp(last);
    return ParkResult::kParked;
  }
  std::set<std::string> reported;
  Report(last, &reported);
  if (!reported.empty() && wake_) wake_();
  return ParkResult::kParked;
}

// Has the name asked for that RespondContext::asked names.
void ParkedQueries::LookUp(Query* query) {
  query->external = ExternalQuestion(context_->respond.asked);
  query->reported_ms = uv_now(loop_->uv());
  if (++query->lookups <= kExternalLookupsMax &&
      context_->external->Lookup(query->external)) {
    return;
  }
  query->gives_up = true;
  poke_.Send();  // its answer must not come from in here
}

// Tells the sync thread what the query waits for, unless it was told in this
// turn. A full ring is no matter: it is told again.
void ParkedQueries::Report(Query* query, std::set<std::string>* reported) {
  query->reported_ms = uv_now(loop_->uv());
  if (context_->asked == nullptr) return;
  if (!reported->insert(KeyOf(query->asked)).second) return;
  context_->asked->Push(query->asked);
}

void ParkedQueries::OnTick() {
  const View& view = context_->BeginBatch();
  const uint64_t now_ms = uv_now(loop_->uv());
  while (!queries_.empty() &&
         now_ms - queries_.front().since_ms >= limits_.wait_ms) {
    FinishFirst(view);
  }
  if (now_ms >= limits_.repeat_ms) AskAgain(now_ms - limits_.repeat_ms + 1);
}

Response ParkedQueries::RespondTo(const Query& query, const View& view) {
  RespondContext* respond = &context_->respond;
  const Transport transport =
      query.way.connection == nullptr ? Transport::kUdp : Transport::kTcp;
  const Random before = std::exchange(respond->random, Random(query.seed));
  context_->SetClient(query.way.client);
  if (context_->external != nullptr) {
    context_->external->Begin(&query.told, query.gives_up);
  }
  const Response response =
      Respond(query.bytes(), transport, view, respond, room());
  if (context_->external != nullptr) context_->external->Begin(nullptr, false);
  respond->random = before;
  return response;
}

// Asks a query again. False: it goes on waiting, for what the context's `asked`
// says. Else it was answered, or waits elsewhere.
bool ParkedQueries::AskOne(Queries::iterator query, const View& view) {
  const Response response = RespondTo(*query, view);
  if (response.outcome == Outcome::kPending) return false;
  context_->stats->parked_answered.Add();
  size_t size = response.size;
  if (response.outcome == Outcome::kForward) {
    // An address that the catalog does not know, now that it is there.
    const Transport transport =
        query->way.connection == nullptr ? Transport::kUdp : Transport::kTcp;
    const ForwardResult asked = context_->forwarder->Ask(
        query->bytes(), transport, query->way.path(), view.policy, room());
    if (asked.is_waiting) {
      Take(query);
      return true;
    }
    size = asked.size;
  }
  Finish(query, size);
  return true;
}

// Asks again what was reported before that time. Those that still wait for
// what they waited for stay silent when it is not time to repeat it.
void ParkedQueries::AskAgain(uint64_t reported_before_ms) {
  const View& view = context_->BeginBatch();
  const uint64_t now_ms = uv_now(loop_->uv());
  std::set<std::string> reported;
  for (cursor_ = queries_.begin(); cursor_ != queries_.end();) {
    const auto query = cursor_++;
    if (query->reported_ms >= reported_before_ms) continue;
    if (AskOne(query, view)) continue;
    if (context_->respond.asked.kind == AskedKey::kExternal) {
      // Of the same name OnResolved() tells.
      if (ExternalQuestion(context_->respond.asked) != query->external) {
        LookUp(&*query);
      }
      continue;
    }
    query->external = {};
    const AskedName asked = NameOf(context_->respond.asked);
    if (KeyOf(asked) != KeyOf(query->asked) ||
        now_ms - query->reported_ms >= limits_.repeat_ms) {
      query->asked = asked;
      Report(&*query, &reported);
    }
  }
  if (!reported.empty() && wake_) wake_();
}

void ParkedQueries::OnResolved(const ForwardQuestion& question,
                               const UpstreamAnswer* answer) {
  const View& view = context_->BeginBatch();
  for (cursor_ = queries_.begin(); cursor_ != queries_.end();) {
    const auto query = cursor_++;
    if (query->external != question) continue;
    std::optional<UpstreamAnswer> told;
    if (answer != nullptr) told = *answer;
    query->told.emplace_back(question, std::move(told));
    if (AskOne(query, view)) continue;
    if (context_->respond.asked.kind == AskedKey::kExternal) {
      LookUp(&*query);
    } else {
      poke_.Send();  // the catalog has changed: AskAgain() sees to it
    }
  }
}

// Ends the longest-waiting query with what can be said now.
void ParkedQueries::FinishFirst(const View& view) {
  context_->stats->parked_expired.Add();
  const auto query = queries_.begin();
  if (query->is_external()) {
    query->gives_up = true;
    const Response response = RespondTo(*query, view);
    if (response.outcome < Outcome::kForward) {
      return Finish(query, response.size);
    }
  }
  context_->SetClient(query->way.client);
  Finish(query,
         ServfailResponse(query->bytes(), view, context_->respond, room()));
}

// The first `size` bytes of room() are the query's answer.
void ParkedQueries::Finish(Queries::iterator query, size_t size) {
  // Taken out first: delivering may end the connection, and that comes back
  // here to drop its other queries.
  const Queries done = Take(query);
  DeliverAnswer(done.front().way, room_.get(), size, context_);
}

// Takes a query out of the table.
ParkedQueries::Queries ParkedQueries::Take(Queries::iterator query) {
  if (query == cursor_) ++cursor_;
  if (query->way.connection == nullptr) udp_.erase(&*query);
  Queries taken;
  taken.splice(taken.end(), queries_, query);
  count_.store(queries_.size(), std::memory_order_seq_cst);
  if (queries_.empty()) tick_.Stop();
  return taken;
}

void ParkedQueries::Drop(const TcpConnection* connection) {
  for (auto next = queries_.begin(); next != queries_.end();) {
    const auto query = next++;
    if (query->way.connection == connection) {
      context_->stats->parked_dropped.Add();
      Take(query);
    }
  }
}

void ParkedQueries::Close() {
  closed_ = true;
  if (queries_.empty()) return;
  const View& view = context_->BeginBatch();
  while (!queries_.empty()) FinishFirst(view);
}

// Where Respond() writes: behind the length of a frame.
uint8_t* ParkedQueries::room() {
  if (room_ == nullptr) {
    room_ = std::make_unique<uint8_t[]>(kLengthBytes + kResponseBytesMax);
  }
  return room_.get() + kLengthBytes;
}

}  // namespace dnsd
