#include "dnsd/http/blocking.h"

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "dnsd/http/body_stream.h"
#include "dnsd/http/gzip.h"

namespace dnsd {
namespace {

// An answer that may go to many.
struct Rendered {
  HttpResponse head;
  std::shared_ptr<const std::string> body;
};

Rendered Render(const BlockingQueryText& query, uint64_t index) {
  Rendered rendered;
  rendered.head = query.render(index);
  std::string body = std::exchange(rendered.head.body, {});
  if (query.gzip && body.size() >= kGzipBytesMin) {
    body = Gzip(body);
    rendered.head.headers.emplace_back("Content-Encoding", "gzip");
  }
  rendered.body = std::make_shared<const std::string>(std::move(body));
  return rendered;
}

uint64_t IndexOf(const State& state, const BlockingQueryText& query) {
  if (query.index) return query.index();
  uint64_t index = 0;
  for (const WatchKey& key : query.keys) {
    index = std::max(index, state.changes().Of(key));
  }
  return index;
}

}  // namespace

struct Blocking::Impl : std::enable_shared_from_this<Impl> {
  using Id = uint64_t;

  // Those that ask the same.
  struct Query {
    BlockingQueryText asked;
    absl::flat_hash_set<Id> members;
  };
  struct Parked {
    Query* query = nullptr;
    uint64_t index = 0;
    uint64_t deadline_ms = 0;
    bool ready = false;
    HttpReply reply;
  };

  Impl(EventLoop* on_loop, const State* of_state, uint64_t seed)
      : loop(on_loop),
        state(of_state),
        random(seed),
        timer(on_loop, [this] { OnTimer(); }) {}

  Query* Known(BlockingQueryText query);
  void Park(BlockingQueryText query, uint64_t index, int64_t wait_ms,
            const HttpReply& reply);
  void Wake(const Watched& watched);
  void OnTimer();
  void Arm();
  void MakeReady(Id id, Parked* parked);
  // Answers some of the ready ones now and, if there are more, on the next
  // turn.
  void Drain();
  void AnswerReady(Id id);
  void Forget(Id id);
  // Takes a request out of everything and returns it.
  Parked Take(Id id);
  void DropQuery(Query* query);
  [[nodiscard]] uint64_t NowMs() const { return uv_now(loop->uv()); }

  EventLoop* loop;
  const State* state;
  std::minstd_rand random;
  Timer timer;
  uint64_t armed_ms = 0;  // 0: the timer does not run
  Id last_id = 0;
  absl::flat_hash_map<Id, Parked> parked;
  // By the text that the query owns.
  absl::flat_hash_map<absl::string_view, std::unique_ptr<Query>> queries;
  absl::flat_hash_map<WatchKey, absl::flat_hash_set<Query*>> by_key;
  absl::btree_set<std::pair<uint64_t, Id>> deadlines;
  std::deque<Id> ready;
  bool drain_is_posted = false;
  // Answers of the ready ones, by text: of this state, and no later one.
  absl::flat_hash_map<std::string, Rendered> rendered;
  uint64_t rendered_at = 0;  // State::index()
  std::vector<std::function<void(const Watched&)>> listeners;
  BlockingCounts counts;
};

Blocking::Impl::Query* Blocking::Impl::Known(BlockingQueryText query) {
  const auto it = queries.find(query.text);
  if (it != queries.end()) return it->second.get();
  auto known = std::make_unique<Query>();
  Query* const raw = known.get();
  raw->asked = std::move(query);
  for (const WatchKey& key : raw->asked.keys) by_key[key].insert(raw);
  queries.emplace(raw->asked.text, std::move(known));
  return raw;
}

void Blocking::Impl::Park(BlockingQueryText query, uint64_t index,
                          int64_t wait_ms, const HttpReply& reply) {
  Query* const known = Known(std::move(query));
  const Id id = ++last_id;
  known->members.insert(id);
  const auto wait = static_cast<uint64_t>(wait_ms);
  // Consul spreads those that began together.
  const uint64_t more =
      std::uniform_int_distribution<uint64_t>(0, wait / 16)(random);
  const uint64_t deadline_ms = NowMs() + wait + more;
  parked[id] = {known, index, deadline_ms, false, reply};
  reply.Waits();
  deadlines.emplace(deadline_ms, id);
  Arm();
  // At once, if the client has left already.
  reply.OnClosed([weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->Forget(id);
  });
}

void Blocking::Impl::Wake(const Watched& watched) {
  rendered.clear();
  for (const auto& listener : listeners) listener(watched);
  for (const WatchKey& key : watched) {
    const auto waiting = by_key.find(key);
    if (waiting == by_key.end()) continue;
    for (const Query* query : waiting->second) {
      const uint64_t index = IndexOf(*state, query->asked);
      for (const Id id : query->members) {
        Parked& request = parked.at(id);
        if (request.ready || request.index >= index) continue;
        ++counts.woken;
        MakeReady(id, &request);
      }
    }
  }
  Drain();
}

void Blocking::Impl::MakeReady(Id id, Parked* request) {
  request->ready = true;
  ready.push_back(id);
}

void Blocking::Impl::Arm() {
  if (deadlines.empty()) {
    timer.Stop();
    armed_ms = 0;
    return;
  }
  const uint64_t first_ms = deadlines.begin()->first;
  if (armed_ms != 0 && armed_ms <= first_ms) return;  // it looks again then
  const uint64_t now_ms = NowMs();
  armed_ms = std::max<uint64_t>(first_ms, 1);
  timer.Start(first_ms > now_ms ? first_ms - now_ms : 0);
}

void Blocking::Impl::OnTimer() {
  armed_ms = 0;
  const uint64_t now_ms = NowMs();
  while (!deadlines.empty() && deadlines.begin()->first <= now_ms) {
    const Id id = deadlines.begin()->second;
    deadlines.erase(deadlines.begin());
    Parked& request = parked.at(id);
    if (request.ready) continue;
    ++counts.timed_out;
    MakeReady(id, &request);
  }
  Arm();
  Drain();
}

void Blocking::Impl::Drain() {
  if (rendered_at != state->index()) rendered.clear();
  rendered_at = state->index();
  for (size_t i = 0; i < kAnswersPerTurn && !ready.empty(); ++i) {
    const Id id = ready.front();
    ready.pop_front();
    AnswerReady(id);
  }
  if (ready.empty()) {
    rendered.clear();
    return;
  }
  if (drain_is_posted) return;
  drain_is_posted = true;
  loop->Post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->drain_is_posted = false;
    self->Drain();
  });
}

void Blocking::Impl::AnswerReady(Id id) {
  const auto it = parked.find(id);
  if (it == parked.end()) return;  // it left meanwhile
  const BlockingQueryText& asked = it->second.query->asked;
  auto answer = rendered.find(asked.text);
  if (answer == rendered.end()) {
    ++counts.renders;
    answer = rendered.emplace(asked.text, Render(asked, IndexOf(*state, asked)))
                 .first;
  }
  // A copy: what the answer leads to may change the table.
  const Rendered copy = answer->second;
  const Parked request = Take(id);
  SendShared(copy.head, copy.body, request.reply);
}

Blocking::Impl::Parked Blocking::Impl::Take(Id id) {
  const auto it = parked.find(id);
  Parked request = std::move(it->second);
  parked.erase(it);
  deadlines.erase({request.deadline_ms, id});
  request.query->members.erase(id);
  if (request.query->members.empty()) DropQuery(request.query);
  return request;
}

void Blocking::Impl::DropQuery(Query* query) {
  for (const WatchKey& key : query->asked.keys) {
    const auto it = by_key.find(key);
    if (it == by_key.end()) continue;  // it stood there twice
    it->second.erase(query);
    if (it->second.empty()) by_key.erase(it);
  }
  // The query dies last: its text is the key.
  const auto dying = queries.extract(query->asked.text);
}

void Blocking::Impl::Forget(Id id) {
  if (!parked.contains(id)) return;
  ++counts.left;
  // Its Reply goes last: it may be the last of its connection.
  const Parked request = Take(id);
}

Blocking::Blocking(EventLoop* loop, const State* state, uint64_t seed)
    : impl_(std::make_shared<Impl>(loop, state, seed)) {}

Blocking::~Blocking() {
  // Replies answer when they go, and tell nobody here any more.
  const auto parked = std::exchange(impl_->parked, {});
  impl_.reset();
}

void Blocking::Answer(BlockingQueryText query, uint64_t index, int64_t wait_ms,
                      const HttpReply& reply) {
  const uint64_t now = IndexOf(*impl_->state, query);
  if (index != 0 && now <= index) {
    impl_->Park(std::move(query), index, wait_ms, reply);
    return;
  }
  ++impl_->counts.renders;
  Rendered rendered = Render(query, now);
  SendShared(std::move(rendered.head), std::move(rendered.body), reply);
}

void Blocking::Wake(const Watched& watched) { impl_->Wake(watched); }

void Blocking::OnWake(std::function<void(const Watched&)> listener) {
  impl_->listeners.push_back(std::move(listener));
}

BlockingCounts Blocking::counts() const {
  BlockingCounts counts = impl_->counts;
  counts.parked = impl_->parked.size();
  counts.queries = impl_->queries.size();
  return counts;
}

}  // namespace dnsd
