// How long a dnsd that was killed takes to answer again from what it keeps:
// registers a catalog, kills the agent, starts it and asks for the last service
// until it is there. It prints a line a round.
//
//   cold_start [--instances=N] [--rounds=N] [--keep=DIR]
//
// With --keep, what is registered stays in DIR, and a run that finds something
// there registers nothing: N must be what it was then.
//
// dnsd is the one of this build or DNSD_BINARY. The file is in TMPDIR, and in
// the page cache: what a disk would add is not measured.
// Exit code 2: something failed.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/preload.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process_usage.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{2};

struct Options {
  size_t instances = 1'000'000;
  size_t rounds = 5;
  std::string keep;  // empty: a directory of its own, which goes with it
};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class ColdStart {
 public:
  explicit ColdStart(const Options& options)
      : options_(options),
        data_dir_(options.keep.empty() ? dir_.Path("data") : options.keep) {}

  bool Run() {
    if (!std::filesystem::exists(data_dir_) && !Fill()) return false;
    for (size_t round = 0; round < options_.rounds; ++round) {
      if (!Round()) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::unique_ptr<AgentProcess> Start() const {
    auto agent = std::make_unique<AgentProcess>(std::vector<std::string>{
        "-data-dir", data_dir_, "-bind", "127.0.0.1", "-workers", "1"});
    if (agent->WaitUntilServing()) return agent;
    std::fprintf(stderr, "%s\n", agent->process().output().c_str());
    return nullptr;
  }

  [[nodiscard]] static double ResidentMb(AgentProcess& agent) {
    return static_cast<double>(ResidentBytes(agent.process().pid())) / 1e6;
  }

  bool Fill() {
    const std::unique_ptr<AgentProcess> agent = Start();
    if (agent == nullptr) return false;
    const double empty_mb = ResidentMb(*agent);
    const Clock::time_point start = Clock::now();
    const absl::Status filled = Preload(options_.instances, agent->http_port());
    if (!filled.ok()) {
      std::fprintf(stderr, "%s\n", std::string(filled.message()).c_str());
      return false;
    }
    std::printf("%zu registered in %.1f s; MB resident: %.0f, and %.0f empty\n",
                options_.instances, SecondsSince(start), ResidentMb(*agent),
                empty_mb);
    agent->process().Signal(SIGKILL);
    (void)agent->process().Wait();
    return true;
  }

  bool Round() const {
    const Clock::time_point start = Clock::now();
    const std::unique_ptr<AgentProcess> agent = Start();
    if (agent == nullptr) return false;
    const double serving = SecondsSince(start);
    DnsSocket dns = DnsSocket::Udp(agent->dns());
    const Bytes query = MakeQuery(
        {absl::StrCat("pre", (options_.instances - 1) / kPreloadedPerService,
                      ".service.consul"),
         "A"},
        1);
    while (!dns.Send(query) || dns.Receive().answer.empty()) {
      if (Clock::now() - start > kPatience) {
        std::fprintf(stderr, "no answer within two minutes\n");
        return false;
      }
    }
    std::printf("ports open after %.2f s, answered after %.2f s; %.0f MB\n",
                serving, SecondsSince(start), ResidentMb(*agent));
    agent->process().Signal(SIGKILL);
    (void)agent->process().Wait();
    return true;
  }

  const Options options_;
  TempDir dir_;
  const std::string data_dir_;
};

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  dnsd::testing::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::pair<std::string, std::string> given =
        absl::StrSplit(argv[i], absl::MaxSplits('=', 1));
    const auto& [name, value] = given;
    size_t* const number = name == "--instances" ? &options.instances
                           : name == "--rounds"  ? &options.rounds
                                                 : nullptr;
    if (name == "--keep" && !value.empty()) {
      options.keep = value;
    } else if (number == nullptr || !absl::SimpleAtoi(value, number) ||
               *number == 0) {
      std::fprintf(stderr, "cold_start: unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  return dnsd::testing::ColdStart(options).Run() ? 0 : 2;
}
