// Blocking holds the requests that wait for a change: Consul's blocking
// queries.
//
//   Answer() -- newer than what the client has --> answered at once
//       |
//     parked --- Wake(): a key of it moved --+--> ready --> answered
//       |                                    |
//       +------- its time is over -----------+
//
// Promise:   a request is answered when one of its keys has an index above the
//            one it came with, and not before its time else. Wake() compares
//            indexes: a key that is named without having moved wakes nobody.
// Sharing:   requests with one text are one query. However many of them a
//            change wakes, the body is made (and compressed) once.
// Cost:      a parked request is some 200 bytes here, beside its connection; a
//            query is some 500 more. Wake() costs what is waiting for the keys
//            it names. One timer for all.
// Turns:     at most kAnswersPerTurn of them are answered in one turn of the
//            loop; what changed meanwhile is in the answers of the next.
// Threads:   the loop's thread only.
// Ownership: borrows loop and state. Whoever is still parked at the end is
//            answered 500.
// Limits:    HttpLimits::connections_max bounds the parked requests. A body is
//            made in one go, see catalog_api.h for what that takes.
#ifndef DNSD_DNSD_HTTP_BLOCKING_H_
#define DNSD_DNSD_HTTP_BLOCKING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "catalog/base/event_loop.h"
#include "catalog/state.h"
#include "catalog/watch_key.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"

namespace dnsd {

// What is asked, without since when and for how long.
struct BlockingQueryText {
  std::string text;            // QueryOptions::text
  std::vector<WatchKey> keys;  // what the answer depends on
  // The index of the answer; empty: the keys' largest.
  std::function<uint64_t()> index;
  // The answer, status and headers and body, with `index` as its index.
  std::function<HttpResponse(uint64_t index)> render;
  bool gzip = false;
};

struct BlockingCounts {
  size_t parked = 0;
  size_t queries = 0;      // different ones among them
  uint64_t renders = 0;    // bodies made, since the start
  uint64_t woken = 0;      // answered because of a change
  uint64_t timed_out = 0;  // because their time was over
  uint64_t left = 0;       // clients that did not wait
};

class Blocking {
 public:
  static constexpr size_t kAnswersPerTurn = 256;

  using Watched = absl::flat_hash_set<WatchKey>;

  // `seed` is that of the time a request waits longer than it asked for.
  Blocking(EventLoop* loop, const State* state, uint64_t seed);
  ~Blocking();
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  // Answers at once when `index` is 0 or the query's index is above it, else
  // when that is so, or after `wait_ms` and up to a sixteenth more.
  void Answer(BlockingQueryText query, uint64_t index, int64_t wait_ms,
              const HttpReply& reply);

  // After a publication, with Dirty::watched.
  void Wake(const Watched& watched);

  // Is called by each Wake() before anybody is answered.
  void OnWake(std::function<void(const Watched&)> listener);

  [[nodiscard]] BlockingCounts counts() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // callbacks hold it weakly
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BLOCKING_H_
