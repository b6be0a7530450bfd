// UdpLoad asks one server over some UDP sockets, and looks at every answer.
//
// Closed loop: a fixed number of questions is on its way; how many a second a
// server takes. Open loop (`per_second`): a question leaves at each time of a
// fixed schedule whatever has come back, and its delay counts from that time,
// also when the load or the server is late: nothing is left out.
//
// Threads: one owner; it works in the calling thread, which sleeps while
//          nothing has come unless it `spins`.
// Errors:  what cannot be sent is lost, and counted so.
// Limits:  a run ends after its time and its patience for what is on its way,
//          or after its questions, whichever is first. What has not come by
//          then is lost; what comes later is nobody's. Open loop: UdpAsker's
//          slots on each socket.
#ifndef DNSD_BENCH_UDP_LOAD_H_
#define DNSD_BENCH_UDP_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/load_result.h"
#include "bench/udp_asker.h"

namespace dnsd::testing {

struct UdpLoadOptions {
  uint16_t port = 0;      // of 127.0.0.1
  size_t sockets = 4;     // with a port of their own each
  size_t in_flight = 32;  // of each socket; closed loop
  double per_second = 0;  // above 0: open loop
  bool segments = false;  // UDP_SEGMENT and UDP_GRO
  bool spins = false;     // the thread never sleeps, and nobody wakes it
  std::chrono::milliseconds time_max{400};
  std::chrono::milliseconds patience{1'000};
  size_t questions_max = 1u << 30;
  NextQuestion next_question;
  IsRightAnswer is_right;
};

class UdpLoad {
 public:
  explicit UdpLoad(UdpLoadOptions options);

  // Once.
  [[nodiscard]] LoadResult Run();

 private:
  using Clock = UdpAsker::Clock;

  void RunClosed();
  void RunOpen();
  [[nodiscard]] size_t Waiting() const;
  [[nodiscard]] bool MayAsk() const;
  // Sleeps until something has come, or `until`. False: the latter.
  [[nodiscard]] bool Wait(Clock::time_point until);
  void Drain(UdpAsker* asker);
  void Fill(UdpAsker* asker);
  // Sends what is due at `now`.
  void SendDue(Clock::time_point now);

  UdpLoadOptions options_;
  std::vector<std::unique_ptr<UdpAsker>> askers_;
  Clock::time_point start_;
  Clock::time_point end_;   // nothing is asked from then on
  Clock::time_point last_;  // when the last answer came
  size_t asked_ = 0;
  LoadResult result_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_UDP_LOAD_H_
