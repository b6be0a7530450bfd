// What many changes a second do to answers: one thread answers from the
// published view without a pause, as a worker does, while another applies and
// publishes changes on a fixed schedule. No sockets and no HTTP, so that the
// two meet only where dnsd's threads do. In turns with no changes.
//
//   change_load [--services=N] [--rate=N] [--rounds=N] [--seconds=N]
//
// Services have ten instances. Each round has --seconds with changes and a
// quarter of that without. It prints CPU time for each answer of both, how far
// behind its schedule the writer was, how many replaced objects waited for the
// reader, and the memory before and after.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "bench/bench_data.h"
#include "bench/changing_view.h"
#include "bench/process_cpu.h"
#include "bench/spread.h"
#include "catalog/sync.h"
#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAskedNames = 1 << 15;
constexpr size_t kBatch = 32;

struct Options {
  size_t services = 100'000;
  size_t rate = 10'000;
  size_t rounds = 6;
  size_t seconds = 10;
};

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

double ResidentMb() {
  const std::string statm = ReadFile("/proc/self/statm");
  const std::vector<std::string> fields = absl::StrSplit(statm, ' ');
  size_t pages = 0;
  static_cast<void>(absl::SimpleAtoi(fields[1], &pages));
  return static_cast<double>(pages) * 4096 / 1e6;
}

// A worker without sockets: reads the view for each batch and answers it.
class Answering {
 public:
  Answering(size_t services, bench::ChangingView* view)
      : view_(view), reader_(view->reader()) {
    Random random(1);
    for (size_t i = 0; i < kAskedNames; ++i) {
      const size_t service = random.Below(static_cast<uint32_t>(services));
      packets_.push_back(
          bench::MakeQuery({bench::ServiceName(service) + ".service.consul.",
                            i % 5 == 0 ? kTypeSrv : kTypeA, 1232}));
    }
  }

  // CPU nanoseconds an answer, until `ends`.
  double Run(int core, const std::atomic<bool>& ends) {
    PinTo(core);
    const double start = ThreadSeconds();
    size_t answers = 0;
    while (!ends.load(std::memory_order_relaxed)) {
      const View& view = *view_->published().Read(reader_);
      for (size_t i = 0; i < kBatch; ++i) {
        const std::string& packet = packets_[answers++ % kAskedNames];
        const Response response = Respond(
            {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
            Transport::kUdp, view, &context_, out_.data());
        DNSD_CHECK(response.outcome == Outcome::kAnswered);
      }
      reader_.Offline();
    }
    return (ThreadSeconds() - start) * 1e9 / static_cast<double>(answers);
  }

 private:
  bench::ChangingView* view_;
  Qsbr::Reader reader_;
  std::vector<std::string> packets_;
  RespondContext context_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

struct Changed {
  size_t count = 0;
  size_t publications = 0;
  size_t waiting_max = 0;
  std::vector<double> late_ms;
};

// For so long, as the sync thread does it: what comes within
// kPublishIntervalMs shares a publication.
void Change(const Options& options, bench::ChangingView* view,
            Changed* changed) {
  const auto start = Clock::now();
  const size_t count = options.rate * options.seconds;
  const std::chrono::nanoseconds step(1'000'000'000 / options.rate);
  constexpr std::chrono::milliseconds kInterval(
      CatalogSync::kPublishIntervalMs);
  for (size_t i = 0; i < count;) {
    const auto first_due = start + i * step;
    std::this_thread::sleep_until(first_due + kInterval);
    const auto due = static_cast<size_t>((Clock::now() - first_due) / step) + 1;
    const size_t taken = std::min(due, count - i);
    view->ChangePorts(taken);
    i += taken;
    const std::chrono::duration<double, std::milli> late =
        Clock::now() - first_due;
    changed->late_ms.push_back(late.count());
    changed->waiting_max = std::max(changed->waiting_max, view->waiting());
    changed->count += taken;
    ++changed->publications;
  }
}

void Run(const Options& options, const std::vector<int>& cores) {
  PinTo(cores[1]);
  bench::ChangingView view(options.services);
  Answering answering(options.services, &view);
  std::vector<double> quiet_ns;
  std::vector<double> changing_ns;
  std::vector<double> ratios;
  Changed changed;
  const double before_mb = ResidentMb();
  for (size_t round = 0; round < options.rounds; ++round) {
    const auto measure = [&](auto meanwhile) {
      std::atomic<bool> ends = false;
      double ns = 0;
      std::thread worker([&] { ns = answering.Run(cores[0], ends); });
      meanwhile();
      ends = true;
      worker.join();
      return ns;
    };
    quiet_ns.push_back(measure([&] {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(options.seconds * 250));
    }));
    changing_ns.push_back(measure([&] { Change(options, &view, &changed); }));
    ratios.push_back(changing_ns.back() / quiet_ns.back());
  }
  const Spread ratio = SpreadOf(ratios);
  std::printf(
      "%zu instances, %zu changes at %zu a second, %zu publications\n"
      "CPU ns an answer: %.0f without, %.0f with; ratio %.3f (%.3f to %.3f)\n"
      "the first of a publication is out so long after it was due, ms: "
      "%.3f median, %.2f 99 %%, %.1f at most\n"
      "replaced objects waiting at most: %zu\n"
      "memory, MB: %.0f before, %.0f after\n",
      options.services * 10, changed.count, options.rate, changed.publications,
      Quantile(quiet_ns, 0.5), Quantile(changing_ns, 0.5), ratio.median,
      ratio.low, ratio.high, Quantile(changed.late_ms, 0.5),
      Quantile(changed.late_ms, 0.99), Quantile(changed.late_ms, 1),
      changed.waiting_max, before_mb, ResidentMb());
}

bool ReadOption(const std::string& argument, Options* options) {
  const std::vector<std::string> parts =
      absl::StrSplit(argument, absl::MaxSplits('=', 1));
  if (parts.size() != 2) return false;
  size_t* const number = parts[0] == "--services"  ? &options->services
                         : parts[0] == "--rate"    ? &options->rate
                         : parts[0] == "--rounds"  ? &options->rounds
                         : parts[0] == "--seconds" ? &options->seconds
                                                   : nullptr;
  return number != nullptr && absl::SimpleAtoi(parts[1], number) && *number > 0;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  dnsd::testing::Options options;
  for (int i = 1; i < argc; ++i) {
    if (!dnsd::testing::ReadOption(argv[i], &options)) {
      std::fprintf(stderr, "change_load: unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  const std::vector<int> cores = dnsd::testing::AllowedCores();
  if (cores.size() < 2) {
    std::fprintf(stderr, "change_load: it needs two cores\n");
    return 2;
  }
  dnsd::testing::Run(options, cores);
  return 0;
}
