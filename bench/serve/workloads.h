// The workloads of the serving benchmark: what is asked, over what, and how
// much at a time.
//
// Threads: values.
#ifndef DNSD_BENCH_SERVE_WORKLOADS_H_
#define DNSD_BENCH_SERVE_WORKLOADS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load_result.h"
#include "bench/serve/questions.h"

namespace dnsd::testing {

struct Workload {
  enum class Transport : uint8_t { kUdp, kTcp };

  std::string name;   // "udp"
  std::string title;  // for people
  QuestionMix mix;
  Transport transport = Transport::kUdp;
  size_t sockets = 4;
  size_t in_flight = 32;  // of each socket
  double per_second = 0;  // UDP; above 0: open loop
  bool segments = false;  // UDP: the client uses UDP_SEGMENT and UDP_GRO
  size_t questions_of_connection = 0;  // TCP; 0: no limit
  // Above 0: the catalog changes so often, of servers that let it.
  double changes_per_second = 0;
  // Yardsticks that join datagrams are measured, too.
  bool has_few_clients = false;
};

[[nodiscard]] std::vector<Workload> AllWorkloads();

// Asks 127.0.0.1:`port` for `time`.
[[nodiscard]] LoadResult RunWorkload(const Workload& workload, uint16_t port,
                                     std::chrono::milliseconds time,
                                     NextQuestion next_question,
                                     IsRightAnswer is_right);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_WORKLOADS_H_
