// QueryLog tells of queries: lines of a query log, dnstap frames, and what is
// asked for most. Workers put samples into rings; a thread of its own takes
// them out, so that neither a slow disk nor a slow reader holds up an answer.
//
// Threads:   AddRing() before Start(); Configure(), Top() and counts(): any;
//            Stop(), which the destructor calls, on the thread that started.
// Ownership: owns the rings, which workers use: they are to end before it.
// Errors:    Open() says which file cannot be written. Whatever cannot be told
//            later is dropped and counted.
// Limits:    a SampleRing for each worker; kTopNamesPlaces names.
#ifndef DNSD_DNSD_QUERYLOG_QUERY_LOG_H_
#define DNSD_DNSD_QUERYLOG_QUERY_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "dnsd/querylog/query_log_options.h"
#include "dnsd/querylog/top_names.h"
#include "dnsd/serve/sample_ring.h"

namespace dnsd {

struct QueryLogCounts {
  uint64_t ring_dropped = 0;  // samples: a ring was full
  uint64_t lines = 0;
  uint64_t lines_dropped = 0;
  uint64_t frames = 0;          // the reader's socket has them
  uint64_t frames_dropped = 0;  // nobody took them
};

class QueryLog {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<QueryLog>> Open(
      const QueryLogOptions& options);
  ~QueryLog();
  QueryLog(const QueryLog&) = delete;
  QueryLog& operator=(const QueryLog&) = delete;

  // A ring for one more worker.
  [[nodiscard]] SampleRing* AddRing();
  void Start();
  // Takes what the rings still have, then ends the thread.
  void Stop();

  // From soon on. A file that cannot be opened is logged, and the one before
  // goes on; a change of `file` alone begins a new one.
  void Configure(const QueryLogOptions& options);

  // Since the start, the most asked for first; as of at most a second ago.
  // Names as in master files, lower case; counts are estimates, for samples
  // are counted.
  [[nodiscard]] std::vector<TopName> Top(size_t count_max) const;
  [[nodiscard]] QueryLogCounts counts() const;

 private:
  struct Impl;
  explicit QueryLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_QUERY_LOG_H_
