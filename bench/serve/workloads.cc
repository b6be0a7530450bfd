#include "bench/serve/workloads.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/tcp_load.h"
#include "bench/udp_load.h"

namespace dnsd::testing {
namespace {

// For what is on its way at the end of a slice. A server that loses some would
// hold up all others by more.
constexpr std::chrono::milliseconds kSlicePatience{200};

Workload Udp(std::string name, std::string title, const QuestionMix& mix) {
  Workload workload;
  workload.name = std::move(name);
  workload.title = std::move(title);
  workload.mix = mix;
  return workload;
}

// Questions and answers of one size, so that the kernel can join them.
Workload FewClients(std::string name, std::string title, size_t sockets,
                    bool segments) {
  Workload workload =
      Udp(std::move(name), std::move(title), QuestionMix::OnlyA());
  workload.sockets = sockets;
  workload.in_flight = 128 / sockets;
  workload.segments = segments;
  workload.has_few_clients = true;
  return workload;
}

Workload Tcp(size_t connections, size_t in_flight) {
  Workload workload;
  workload.name = absl::StrCat("tcp-", connections, "x", in_flight);
  workload.title = absl::StrCat(connections, " TCP connections, ", in_flight,
                                " questions on their way on each; the mix");
  workload.mix = QuestionMix::All();
  workload.transport = Workload::Transport::kTcp;
  workload.sockets = connections;
  workload.in_flight = in_flight;
  return workload;
}

Workload TcpConnect() {
  Workload workload = Tcp(16, 1);
  workload.name = "tcp-connect";
  workload.title = "a TCP connection for each question, 16 at a time; the mix";
  workload.questions_of_connection = 1;
  return workload;
}

Workload Changing(double per_second) {
  Workload workload = Udp("udp-change",
                          absl::StrCat("UDP, the mix, while ", per_second,
                                       " instances a second change"),
                          QuestionMix::All());
  workload.changes_per_second = per_second;
  return workload;
}

Workload Open(int per_second) {
  Workload workload =
      Udp(absl::StrCat("open-", per_second / 1000, "k"),
          absl::StrCat("UDP, the mix, ", per_second,
                       " questions a second on a fixed schedule"),
          QuestionMix::All());
  workload.per_second = per_second;
  return workload;
}

}  // namespace

std::vector<Workload> AllWorkloads() {
  return {
      Udp("udp", "UDP, the mix, 4 sockets with 32 on their way each",
          QuestionMix::All()),
      Udp("udp-edns", "the same with EDNS", QuestionMix::All().WithEdns()),
      Udp("udp-srv", "the same, SRV only", QuestionMix::OnlySrv()),
      Changing(100),
      FewClients("udp-1", "UDP, A only, one socket with 128 on their way", 1,
                 /*segments=*/false),
      FewClients("gso-1", "the same, the client with UDP_SEGMENT and UDP_GRO",
                 1, /*segments=*/true),
      FewClients("gso-4", "the same from 4 sockets with 32 each", 4,
                 /*segments=*/true),
      Tcp(8, 16),
      Tcp(8, 64),
      Tcp(100, 1),
      TcpConnect(),
      Open(10'000),
      Open(50'000),
      Open(100'000),
  };
}

// The load has a core of its own and never sleeps on it: waking it would cost
// the server, and the server would wait for it to wake.
LoadResult RunWorkload(const Workload& workload, uint16_t port,
                       std::chrono::milliseconds time,
                       NextQuestion next_question, IsRightAnswer is_right) {
  if (workload.transport == Workload::Transport::kTcp) {
    TcpLoadOptions load;
    load.port = port;
    load.connections = workload.sockets;
    load.in_flight = workload.in_flight;
    load.spins = true;
    load.questions_of_connection = workload.questions_of_connection;
    load.time_max = time;
    load.patience = kSlicePatience;
    load.next_question = std::move(next_question);
    load.is_right = std::move(is_right);
    return TcpLoad(std::move(load)).Run();
  }
  UdpLoadOptions load;
  load.port = port;
  load.sockets = workload.sockets;
  load.in_flight = workload.in_flight;
  load.per_second = workload.per_second;
  load.segments = workload.segments;
  load.spins = true;
  load.time_max = time;
  load.patience = kSlicePatience;
  load.next_question = std::move(next_question);
  load.is_right = std::move(is_right);
  return UdpLoad(std::move(load)).Run();
}

}  // namespace dnsd::testing
