// TcpLoad asks one server over some TCP connections, a fixed number of
// questions on its way on each, and looks at every answer. Each time it writes
// all that it may ask with one system call.
//
// Threads: one owner; it works in the calling thread, which sleeps while
//          nothing has come unless it `spins`.
// Errors:  a connection that the server ends is made again, and what was on its
//          way is asked again: it counts in `reconnects`, and its delay from
//          the first time.
// Limits:  a run ends after its time and its patience for what is on its way;
//          what has not come by then is lost. 16,384 questions a connection at
//          a time.
#ifndef DNSD_BENCH_TCP_LOAD_H_
#define DNSD_BENCH_TCP_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/load_result.h"

namespace dnsd::testing {

struct TcpLoadOptions {
  uint16_t port = 0;  // of 127.0.0.1
  size_t connections = 8;
  size_t in_flight = 16;               // of each connection
  size_t questions_of_connection = 0;  // then it is ended; 0: no limit
  bool spins = false;
  std::chrono::milliseconds time_max{400};
  std::chrono::milliseconds patience{1'000};
  NextQuestion next_question;
  IsRightAnswer is_right;
};

class TcpLoad {
 public:
  explicit TcpLoad(TcpLoadOptions options);
  ~TcpLoad();
  TcpLoad(const TcpLoad&) = delete;
  TcpLoad& operator=(const TcpLoad&) = delete;

  // Once.
  [[nodiscard]] LoadResult Run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection;

  void Connect(Connection* connection);
  void Reconnect(Connection* connection);
  void Fill(Connection* connection);
  void Ask(Connection* connection, size_t slot);
  void Flush(Connection* connection);
  void Read(Connection* connection);
  void Take(Connection* connection, std::span<const uint8_t> answer,
            Clock::time_point now);
  [[nodiscard]] size_t Waiting() const;

  TcpLoadOptions options_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<uint8_t> input_;
  Clock::time_point end_;
  Clock::time_point last_;
  size_t next_source_ = 0;
  LoadResult result_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_TCP_LOAD_H_
