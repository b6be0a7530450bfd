// What forwarding costs, beside the forwarders of others: unbound, dnsdist,
// BIND and a Consul 1.8.7, interleaved in one run, all with the same upstream.
//
//   forward_cost [--quick] [--rounds=N] [--slice-ms=N] [--only=NAME,...]
//                [--also=DNSD] [--upstream-delay-us=N] [--json=PATH]
//
// Three tables: names that are cached and names that are not, as many as a
// server takes, with its CPU time for each; and the delay of names that are
// not, one question at a time, beside asking the upstream itself. Each server
// is measured for a slice, round by round, in an order that turns.
//
// A yardstick stands first in each: what the kernel alone costs. Consul keeps
// no answers: what is a hit for others it forwards.
//
// Needs two cores: servers run on the first, this program and the upstream on
// the second. Whom `./dev` did not fetch is left out. dnsd is the one of this
// build or DNSD_BINARY; --also is another beside it, for before and after.
// Exit code 2: something failed, or a server gave a wrong answer.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/cost_arguments.h"
#include "bench/forward_report.h"
#include "bench/forward_servers.h"
#include "bench/process_cpu.h"
#include "bench/spread.h"
#include "bench/udp_load.h"
#include "tests/testing/dns_client.h"

namespace dnsd::testing {
namespace {

constexpr uint32_t kPopularNames = 1000;

// Questions on their way at once: enough to keep any server busy, and less
// than the receive buffer of any.
constexpr size_t kSockets = 4;
constexpr size_t kInFlight = 32;

struct Options : CostRounds {
  Options() { slice_ms = 400; }

  ForwardServersOptions servers;
};

// --- questions and answers ---

// "h0000000.bench.example. A", RD set, no EDNS.
constexpr std::array<uint8_t, 40> kQuestion = {
    0,   0,   1,   0,   0,   1,   0,   0, 0,   0,   0,   0,   8,   'h',
    '0', '0', '0', '0', '0', '0', '0', 5, 'b', 'e', 'n', 'c', 'h', 7,
    'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0,   1,   0,   1};
constexpr size_t kHeaderBytes = 12;
constexpr size_t kDigitsEnd = 21;

size_t WriteQuestion(char kind, uint32_t number, uint8_t* message) {
  std::memcpy(message, kQuestion.data(), kQuestion.size());
  message[kHeaderBytes + 1] = static_cast<uint8_t>(kind);
  for (size_t i = kDigitsEnd; number != 0; number /= 10) {
    message[--i] = static_cast<uint8_t>('0' + number % 10);
  }
  return kQuestion.size();
}

// NOERROR with the question that was asked, in its letters, and one A record of
// 10.0.0.0/8.
bool IsRight(std::span<const uint8_t> question,
             std::span<const uint8_t> answer) {
  size_t at = question.size();
  if (answer.size() < at + 16 || (answer[2] & 0x82) != 0x80 ||  // QR, no TC
      (answer[3] & 0x0f) != 0 || answer[6] != 0 || answer[7] != 1 ||
      !std::ranges::equal(question.subspan(kHeaderBytes),
                          answer.subspan(kHeaderBytes, at - kHeaderBytes))) {
    return false;
  }
  // The owner: a pointer, or the whole name again.
  if (answer[at] >= 0xc0) {
    at += 2;
  } else {
    at += question.size() - kHeaderBytes - 4;
  }
  constexpr std::array<uint8_t, 4> kTypeAndClass = {0, 1, 0, 1};
  return answer.size() >= at + 14 &&
         std::ranges::equal(answer.subspan(at, 4), kTypeAndClass) &&
         answer[at + 9] == 4 && answer[at + 10] == 10;
}

// --- measuring ---

class ForwardCost {
 public:
  explicit ForwardCost(Options options)
      : options_(std::move(options)), servers_(options_.servers) {}

  // False: it cannot be said.
  bool Run() {
    if (!servers_.Start()) return false;
    const std::vector<ForwardServer>& all = servers_.servers();
    std::vector<ForwardServer> hits;
    std::vector<ForwardServer> misses;
    for (const ForwardServer& server : all) {
      if (server.answers) hits.push_back(server);
      if (server.forwards) misses.push_back(server);
    }
    std::vector<ForwardServer> delays = misses;
    delays.insert(delays.begin(), {"upstream", servers_.upstream_port()});
    std::vector<ForwardTable> tables = {
        Measure("cache hits", hits,
                [this](const ForwardServer& server) {
                  Warm(server);
                  return Load(server, kSockets, kInFlight,
                              [this] { return Popular(); });
                }),
        Measure("forwarded misses", misses,
                [this](const ForwardServer& server) {
                  return Load(server, kSockets, kInFlight,
                              [this] { return Unique(); });
                }),
        Measure("delay of misses", delays,
                [this](const ForwardServer& server) {
                  return Load(server, 1, 1, [this] { return Unique(); });
                }),
    };
    tables.back().is_delay = true;
    for (const ForwardTable& table : tables) {
      std::printf("%s\n", TableText(table).c_str());
    }
    if (!options_.json.empty()) {
      std::ofstream(options_.json) << JsonText(tables);
    }
    return !failed_ && !was_wrong_;
  }

 private:
  struct Name {
    char kind;
    uint32_t number;
  };

  [[nodiscard]] Name Popular() {
    return {'h', static_cast<uint32_t>(random_() % kPopularNames)};
  }
  // Nobody was asked for it before.
  [[nodiscard]] Name Unique() { return {'m', next_unique_++}; }

  // How many questions the upstream has been asked.
  [[nodiscard]] uint32_t UpstreamCount() {
    DnsServer upstream;
    upstream.port = servers_.upstream_port();
    const std::vector<std::string> data =
        Data(AskUdp(upstream, {"count.example."}).answer, "A");
    const std::vector<std::string> bytes =
        absl::StrSplit(data.empty() ? "" : data[0], '.');
    uint32_t count = 0;
    for (const std::string& byte : bytes) {
      uint32_t number = 0;
      if (bytes.size() != 4 || !absl::SimpleAtoi(byte, &number)) failed_ = true;
      count = count << 8 | number;
    }
    return count;
  }

  // What UdpLoad counts; `next` names the questions.
  template <typename Next>
  LoadResult Ask(const ForwardServer& server, size_t sockets, size_t in_flight,
                 size_t questions_max, Next next) {
    UdpLoadOptions load;
    load.port = server.port;
    load.sockets = sockets;
    load.in_flight = in_flight;
    load.time_max = std::chrono::milliseconds(options_.slice_ms);
    load.questions_max = questions_max;
    load.next_question = [&](uint8_t* message) {
      const Name name = next();
      return WriteQuestion(name.kind, name.number, message);
    };
    load.is_right = IsRight;
    return UdpLoad(std::move(load)).Run();
  }

  // Every popular name once.
  void Warm(const ForwardServer& server) {
    uint32_t number = 0;
    static_cast<void>(Ask(server, 1, kInFlight, kPopularNames, [&] {
      return Name{'h', number++};
    }));
  }

  struct Measured {
    ForwardSlice slice;
    ProcessCpu used;
  };

  template <typename Next>
  Measured Load(const ForwardServer& server, size_t sockets, size_t in_flight,
                Next next) {
    const uint32_t asked_before = UpstreamCount();
    const ProcessCpu before = CpuOf(server.pid);
    const LoadResult result = Ask(server, sockets, in_flight, SIZE_MAX, next);
    const ProcessCpu after = CpuOf(server.pid);
    const uint32_t asked = UpstreamCount() - asked_before - 1;
    Measured measured;
    measured.used = {after.seconds - before.seconds,
                     after.user_ticks - before.user_ticks,
                     after.system_ticks - before.system_ticks};
    ForwardSlice& slice = measured.slice;
    slice.right = result.right;
    slice.wrong = result.wrong;
    slice.lost = result.lost;
    slice.per_second = result.per_second();
    if (result.right == 0) {
      std::fprintf(stderr, "%s does not answer\n", server.name.c_str());
      failed_ = true;
      return measured;
    }
    const auto right = static_cast<double>(result.right);
    slice.cpu_us = measured.used.seconds * 1e6 / right;
    slice.busy = measured.used.seconds / result.seconds;
    slice.upstream_queries = asked / right;
    const std::vector<double> delays(result.delays_ns.begin(),
                                     result.delays_ns.end());
    slice.delay_us_median = Quantile(delays, 0.5) / 1000;
    slice.delay_us_p99 = Quantile(delays, 0.99) / 1000;
    return measured;
  }

  template <typename MeasureOne>
  ForwardTable Measure(const std::string& name,
                       const std::vector<ForwardServer>& servers,
                       MeasureOne measure_one) {
    ForwardTable table;
    table.name = name;
    for (const ForwardServer& server : servers) {
      table.rows.emplace_back().server = server.name;
    }
    for (size_t round = 0; round < options_.rounds; ++round) {
      for (size_t i = 0; i < servers.size(); ++i) {
        const size_t index = (round + i) % servers.size();
        const Measured measured = measure_one(servers[index]);
        ForwardRow& row = table.rows[index];
        row.slices.push_back(measured.slice);
        row.user_ticks += measured.used.user_ticks;
        row.system_ticks += measured.used.system_ticks;
        was_wrong_ = was_wrong_ || measured.slice.wrong > 0;
      }
    }
    return table;
  }

  Options options_;
  ForwardServers servers_;
  std::minstd_rand random_{1};
  uint32_t next_unique_ = 0;
  bool failed_ = false;
  bool was_wrong_ = false;
};

bool ReadArgument(const std::string& argument, Options* options) {
  constexpr absl::string_view kDelay = "--upstream-delay-us=";
  if (argument == "--quick") {
    options->rounds = 5;
    options->slice_ms = 200;
    return true;
  }
  if (absl::StartsWith(argument, kDelay)) {
    return absl::SimpleAtoi(argument.substr(kDelay.size()),
                            &options->servers.upstream_delay_us);
  }
  return ReadCostArgument(argument, options, &options->servers);
}

int Main(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (!ReadArgument(argument, &options)) {
      std::fprintf(stderr, "forward_cost: unknown: %s\n", argument.c_str());
      return 2;
    }
  }
  if (!options.servers.TakeCores("forward_cost")) return 2;
  return ForwardCost(options).Run() ? 0 : 2;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  return dnsd::testing::Main({argv + 1, argv + argc});
}
