// ParkedQueries holds the queries of a worker that wait (Outcome::kPending):
// for the catalog, until a newer view knows more, or for a name outside our
// zones that ours lead to, until others were asked.
//
// Threads:   one worker's, except Poke() and count(): any.
// Ownership: owns copies of the queries. UDP sockets stay open until Close();
//            a connection that ends says so by Drop().
// Errors:    who has waited for too long gets SERVFAIL, or, for a name of
//            others, what is known without it; who finds the table full gets
//            SERVFAIL from the caller.
// Limits:    ParkedLimits; queries of at most kUdpQueryBytesMax. Allocates.
// Units:     milliseconds of the loop's clock.
#ifndef DNSD_DNSD_SERVE_PARKED_QUERIES_H_
#define DNSD_DNSD_SERVE_PARKED_QUERIES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "catalog/base/event_loop.h"
#include "dnsd/limits.h"
#include "dnsd/serve/asked_names.h"
#include "dnsd/serve/serve_context.h"
#include "dnsd/way_back.h"

namespace dnsd {

class TcpConnection;
struct ForwardQuestion;
struct UpstreamAnswer;

// dnsd/limits.h, in a form that tests can shorten.
struct ParkedLimits {
  size_t queries_max = kParkedQueriesMax;
  uint64_t wait_ms = kParkedMs;
  uint64_t repeat_ms = kParkedRepeatMs;
};

enum class ParkResult : uint8_t {
  kParked,
  kAlready,  // the client has sent it before: one answer will do
  kRefused,  // the table is full
};

class ParkedQueries {
 public:
  // `wake` is called on the worker's thread when the sync thread has to look
  // at the context's AskedNames; may be empty.
  ParkedQueries(EventLoop* loop, ServeContext* context,
                const ParkedLimits& limits, std::function<void()> wake);
  ~ParkedQueries();
  ParkedQueries(const ParkedQueries&) = delete;
  ParkedQueries& operator=(const ParkedQueries&) = delete;

  // Keeps a query to which Respond() has just said kPending, by `view`.
  // Over TCP the answer will come by TcpConnection::Deliver().
  ParkResult Park(const ReturnPath& path, std::span<const uint8_t> packet,
                  const View& view);

  // What became of a name that ours lead to; nullptr: nobody answered.
  void OnResolved(const ForwardQuestion& question,
                  const UpstreamAnswer* answer);

  // Forgets the queries of a connection that is over.
  void Drop(const TcpConnection* connection);

  // Answers what is there with SERVFAIL and takes nothing any more.
  void Close();

  // There is a newer view. Whoever publishes looks at count() after that, and
  // may leave this out if it is 0.
  void Poke() { poke_.Send(); }
  [[nodiscard]] size_t count() const {
    // seq_cst: see Keep().
    return count_.load(std::memory_order_seq_cst);
  }

 private:
  struct Query;
  using Queries = std::list<Query>;
  struct UdpHash {
    size_t operator()(const Query* query) const;
  };
  struct UdpEqual {
    bool operator()(const Query* a, const Query* b) const;
  };

  ParkResult Keep(Query query, const View& view);
  void OnTick();
  void AskAgain(uint64_t reported_before_ms);
  [[nodiscard]] Response RespondTo(const Query& query, const View& view);
  [[nodiscard]] bool AskOne(Queries::iterator query, const View& view);
  void LookUp(Query* query);
  void Report(Query* query, std::set<std::string>* reported);
  void FinishFirst(const View& view);
  void Finish(Queries::iterator query, size_t size);
  Queries Take(Queries::iterator query);
  [[nodiscard]] uint8_t* room();

  EventLoop* loop_;
  ServeContext* context_;
  ParkedLimits limits_;
  std::function<void()> wake_;
  bool closed_ = false;

  Queries queries_;           // the longest-waiting one first
  Queries::iterator cursor_;  // the next that AskAgain() will look at
  absl::flat_hash_set<const Query*, UdpHash, UdpEqual> udp_;
  std::atomic<size_t> count_{0};
  std::unique_ptr<uint8_t[]> room_;  // for a frame; made when first needed

  Timer tick_;  // runs while there are queries
  Signal poke_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_PARKED_QUERIES_H_
