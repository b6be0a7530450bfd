// How long a change in a real Consul takes to show in the answers of a dnsd
// that mirrors it, and what that costs Consul. A program of its own, not a
// micro benchmark: it starts both, fills the catalog and prints one table.
//
//   mirror_delay [--services=N] [--changes=N] [--cold-changes=N]
//                [--idle-seconds=N] [--consul=PATH]
//
// dnsd is the one of this build or DNSD_BINARY; Consul is --consul=PATH,
// DNSD_CONSUL or build/consul/usr/bin/consul. Exit code 2: something was not
// seen in time, or could not be started.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/mirror_catalog.h"
#include "bench/mirror_options.h"
#include "bench/mirror_watcher.h"
#include "catalog/base/json_read.h"
#include "catalog/base/value.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Services that are asked all the time, and the pause between two changes: a
// service changes twice a second at most.
constexpr size_t kHot = 20;
constexpr milliseconds kPause{25};
constexpr milliseconds kSeenMax{30'000};
constexpr double kLateMs = 100;
constexpr milliseconds kRestartQuiet{35'000};  // longer than a back-off
constexpr milliseconds kRestartMax{150'000};
// Until what was asked for has its watch, and what happened before is over.
constexpr milliseconds kSettle{8'000};

struct Cost {
  uint64_t requests = 0;
  uint64_t bytes = 0;
  double dnsd_cpu_ms = 0;
  double consul_cpu_ms = 0;

  Cost operator-(const Cost& other) const {
    return {requests - other.requests, bytes - other.bytes,
            dnsd_cpu_ms - other.dnsd_cpu_ms,
            consul_cpu_ms - other.consul_cpu_ms};
  }
};

// A change, the name that shows it, and how many addresses that has then.
struct Change {
  std::function<bool()> commit;
  std::string name;
  int expected;
};
using MakeChange = std::function<Change(size_t i, size_t service)>;

struct Kind {
  std::string name;
  MakeChange make;
  // Undoes what `make` did before, not measured; may be empty.
  std::function<void(size_t service)> undo;
};

class MirrorDelay {
 public:
  explicit MirrorDelay(const MirrorDelayOptions& options) : options_(options) {}

  // False: something was not seen in time.
  bool Run();

 private:
  bool StartConsul();
  bool StartDnsd(const char* what);
  [[nodiscard]] Cost Now();
  [[nodiscard]] uint64_t Publications();
  [[nodiscard]] std::string Stat(const std::string& section,
                                 const std::string& key);
  std::vector<Kind> Kinds();
  ConsulInstance Fourth(size_t service);
  void MeasureHot(const Kind& kind);
  void MeasureCold(const Kind& kind, size_t changes);
  void MeasureConsul(const Kind& kind);
  void Heal();
  void MeasureIdle();
  void Print(const std::string& what, std::vector<double> delays_ms,
             const Cost& cost, double seconds);
  [[nodiscard]] std::optional<double> Wait(Watcher* watcher,
                                           const Change& change);

  const MirrorDelayOptions options_;
  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> dnsd_api_;
  DnsServer dns_;
  size_t next_cold_ = 0;
  std::set<size_t> sick_;  // services with a critical instance
  int missed_ = 0;
};

bool MirrorDelay::StartConsul() {
  ConsulProcessOptions options;
  options.node_name = "server";
  options.config = "log_level = \"err\" dns_config { udp_answer_limit = 100 }";
  consul_.emplace(options_.consul, options);
  if (!consul_->WaitForLeader()) return false;
  const auto from = Clock::now();
  if (!FillCatalog(options_.services, consul_->HttpUrl())) return false;
  std::printf("filled in %.0f ms: %zu services, %zu instances with a check\n",
              MsSince(from), options_.services, options_.services * kInstances);
  return true;
}

bool MirrorDelay::StartDnsd(const char* what) {
  dns_.port = PickConsulPorts(dns_.ip).dns;
  const auto from = Clock::now();
  dnsd_.emplace(std::vector<std::string>{
      "-dns-port", absl::StrCat(dns_.port), "-consul-http-addr",
      consul_->HttpUrl(), "-data-dir", dir_.Path("data")});
  const std::string name =
      ServiceName(options_.services - 1) + ".service.consul.";
  Watcher watcher(dns_);
  const bool seen = WaitUntil(
      [&] {
        return watcher.Count(name, milliseconds(50)) ==
               static_cast<int>(kInstances);
      },
      kSeenMax);
  if (!seen || !dnsd_->WaitUntilServing()) {
    std::fprintf(stderr, "dnsd: %s\n", dnsd_->process().output().c_str());
    return false;
  }
  std::printf("start-up, %s: %.0f ms until the first right answer\n", what,
              MsSince(from));
  dnsd_api_.emplace("http://" + dnsd_->HttpAddress());
  return true;
}

std::string MirrorDelay::Stat(const std::string& section,
                              const std::string& key) {
  const auto self = ParseJson(dnsd_api_->Get("/v1/agent/self"));
  if (!self.ok()) return "";
  const Value* value =
      MemberOf(MemberOf(MemberOf(&*self, "Stats"), section), key);
  return value == nullptr ? "" : value->text;
}

Cost MirrorDelay::Now() {
  Cost cost;
  if (!absl::SimpleAtoi(Stat("consul", "requests"), &cost.requests) ||
      !absl::SimpleAtoi(Stat("consul", "bytes"), &cost.bytes)) {
    std::fprintf(stderr, "dnsd does not say what it asked of Consul\n");
    ++missed_;
  }
  cost.dnsd_cpu_ms = CpuMs(dnsd_->process().pid());
  cost.consul_cpu_ms = CpuMs(consul_->process().pid());
  return cost;
}

uint64_t MirrorDelay::Publications() {
  const std::string text = dnsd_api_->Get("/metrics");
  constexpr absl::string_view kName = "\ndnsd_publications_total ";
  const size_t at = text.find(kName.data(), 0, kName.size());
  uint64_t number = 0;
  if (at == std::string::npos) return 0;
  const size_t from = at + kName.size();
  return absl::SimpleAtoi(text.substr(from, text.find('\n', from) - from),
                          &number)
             ? number
             : 0;
}

ConsulInstance MirrorDelay::Fourth(size_t service) {
  ConsulInstance fourth = MakeInstance(options_.services, service, 0);
  fourth.id = fourth.name + "-fourth";
  fourth.address =
      absl::StrCat("10.200.", service / 250, ".", 1 + service % 250);
  return fourth;
}

std::vector<Kind> MirrorDelay::Kinds() {
  const int all = kInstances;
  ConsulApi* const api = &consul_->api();
  const auto name_of = [](size_t service) {
    return ServiceName(service) + ".service.consul.";
  };
  // Sick and well in turns: whoever stops leaves what is sick to Heal().
  const auto flip = [=, this](size_t, size_t service) {
    const bool sick = sick_.insert(service).second;
    if (!sick) sick_.erase(service);
    return Change{[=, this] {
                    return api->SetStatus(
                        MakeInstance(options_.services, service, 0),
                        sick ? "critical" : "passing");
                  },
                  name_of(service), sick ? all - 1 : all};
  };
  const auto come = [=, this](size_t, size_t service) {
    return Change{[=, this] { return api->Register(Fourth(service)); },
                  name_of(service), all + 1};
  };
  const auto go = [=, this](size_t, size_t service) {
    return Change{[=, this] {
                    const ConsulInstance fourth = Fourth(service);
                    return api->DeregisterService(fourth.node, fourth.id);
                  },
                  name_of(service), all};
  };
  const auto tag = [=, this](size_t i, size_t service) {
    const std::string word = absl::StrCat("tag", i);
    return Change{[=, this] {
                    ConsulInstance one =
                        MakeInstance(options_.services, service, 1);
                    one.tags.push_back(word);
                    return api->Register(one);
                  },
                  absl::StrCat(word, ".", name_of(service)), 1};
  };
  return {
      {"health flip", flip, nullptr},
      {"registration", come,
       [=](size_t service) { static_cast<void>(go(0, service).commit()); }},
      {"deregistration", go,
       [=](size_t service) { static_cast<void>(come(0, service).commit()); }},
      {"tag change", tag, nullptr}};
}

// From now, which is when Consul has said 200.
std::optional<double> MirrorDelay::Wait(Watcher* watcher,
                                        const Change& change) {
  const auto committed = Clock::now();
  while (MsSince(committed) < static_cast<double>(kSeenMax.count())) {
    if (watcher->Count(change.name) == change.expected) {
      return MsSince(committed);
    }
  }
  std::fprintf(stderr, "not seen: %s\n", change.name.c_str());
  ++missed_;
  return std::nullopt;
}

void MirrorDelay::MeasureHot(const Kind& kind) {
  Watcher watcher(dns_);
  const size_t services = std::min(kHot, options_.services);
  for (size_t i = 0; i < services; ++i) {
    if (kind.undo != nullptr) kind.undo(i);
    static_cast<void>(watcher.Count(ServiceName(i) + ".service.consul."));
  }
  std::this_thread::sleep_for(kSettle);
  const Cost before = Now();
  const auto from = Clock::now();
  std::vector<double> delays;
  for (size_t i = 0; i < options_.changes; ++i) {
    const size_t service = i % services;
    // What is undone is seen before it is done again, and not counted.
    if (kind.undo != nullptr && i >= services) {
      kind.undo(service);
      Change undone = kind.make(i, service);
      undone.expected = kind.name == "registration"
                            ? static_cast<int>(kInstances)
                            : static_cast<int>(kInstances) + 1;
      static_cast<void>(Wait(&watcher, undone));
    }
    const Change change = kind.make(i, service);
    if (!change.commit()) ++missed_;
    const std::optional<double> delay = Wait(&watcher, change);
    if (delay) delays.push_back(*delay);
    std::this_thread::sleep_for(kPause);
  }
  Cost cost = Now() - before;
  // Undoing is a change too.
  if (kind.undo != nullptr && options_.changes > services) {
    const double all = static_cast<double>(2 * options_.changes - services);
    const double part = static_cast<double>(options_.changes) / all;
    cost.requests =
        static_cast<uint64_t>(static_cast<double>(cost.requests) * part);
    cost.bytes = static_cast<uint64_t>(static_cast<double>(cost.bytes) * part);
    cost.dnsd_cpu_ms *= part;
    cost.consul_cpu_ms *= part;
    Print(kind.name + ", asked", delays, cost, MsSince(from) / 1'000 * part);
    return;
  }
  Print(kind.name + ", asked", delays, cost, MsSince(from) / 1'000);
}

// Of services that nobody has asked for, for asking is promotion: a view that
// is published tells that it is time to ask.
void MirrorDelay::MeasureCold(const Kind& kind, size_t changes) {
  Watcher watcher(dns_);
  const size_t first = next_cold_;
  if (kind.undo != nullptr) {
    for (size_t i = 0; i < changes; ++i) kind.undo(first + i);
  }
  next_cold_ += changes;
  std::this_thread::sleep_for(kSettle);
  const Cost before = Now();
  const auto from = Clock::now();
  std::vector<double> delays;
  for (size_t i = 0; i < changes; ++i) {
    const Change change = kind.make(i % kHot, first + i);
    uint64_t published = Publications();
    if (!change.commit()) ++missed_;
    const auto committed = Clock::now();
    bool seen = false;
    while (!seen &&
           MsSince(committed) < static_cast<double>(kSeenMax.count())) {
      std::this_thread::sleep_for(kPause);
      const uint64_t now = Publications();
      if (now == published) continue;
      published = now;
      const double delay = MsSince(committed);
      seen = watcher.Count(change.name) == change.expected;
      if (seen) delays.push_back(delay);
    }
    if (!seen) {
      std::fprintf(stderr, "not seen: %s\n", change.name.c_str());
      ++missed_;
    }
  }
  Print(kind.name + ", never asked", delays, Now() - before,
        MsSince(from) / 1'000);
}

// Both are asked in turns, so that what keeps Consul itself from answering
// shows in both, and what is dnsd's own in one.
void MirrorDelay::MeasureConsul(const Kind& kind) {
  Watcher consul(consul_->dns());
  Watcher dnsd(dns_);
  std::vector<double> consul_ms;
  std::vector<double> dnsd_ms;
  size_t unanswered = 0;
  size_t dnsd_late = 0;
  for (size_t i = 0; i < options_.changes; ++i) {
    const size_t service = i % std::min(kHot, options_.services);
    if (kind.undo != nullptr) kind.undo(service);
    const Change change = kind.make(i, service);
    if (!change.commit()) ++missed_;
    const auto committed = Clock::now();
    double seen_by[2] = {-1, -1};
    Watcher* const watchers[2] = {&consul, &dnsd};
    while ((seen_by[0] < 0 || seen_by[1] < 0) &&
           MsSince(committed) < static_cast<double>(kSeenMax.count())) {
      for (size_t who = 0; who < 2; ++who) {
        if (seen_by[who] >= 0) continue;
        const int count = watchers[who]->Count(change.name);
        if (count == change.expected) seen_by[who] = MsSince(committed);
        if (count < 0) ++unanswered;
      }
    }
    if (seen_by[0] < 0 || seen_by[1] < 0) ++missed_;
    consul_ms.push_back(seen_by[0]);
    dnsd_ms.push_back(seen_by[1]);
    if (seen_by[1] > seen_by[0] + kLateMs) ++dnsd_late;
  }
  std::sort(consul_ms.begin(), consul_ms.end());
  std::sort(dnsd_ms.begin(), dnsd_ms.end());
  std::printf("%-30s %6zu %s\n", (kind.name + ", Consul's DNS").c_str(),
              consul_ms.size(), Row(consul_ms).c_str());
  std::printf("%-30s %6zu %s   %zu of them %.0f ms later, %zu not answered\n",
              (kind.name + ", dnsd's beside it").c_str(), dnsd_ms.size(),
              Row(dnsd_ms).c_str(), dnsd_late, kLateMs, unanswered);
  std::fflush(stdout);
}

void MirrorDelay::Print(const std::string& what, std::vector<double> delays_ms,
                        const Cost& cost, double seconds) {
  std::sort(delays_ms.begin(), delays_ms.end());
  const double count =
      std::max<double>(1, static_cast<double>(delays_ms.size()));
  std::printf("%-30s %6zu %s %9.1f %10.0f %9.2f %9.2f   in %.0f s\n",
              what.c_str(), delays_ms.size(), Row(delays_ms).c_str(),
              static_cast<double>(cost.requests) / count,
              static_cast<double>(cost.bytes) / count, cost.dnsd_cpu_ms / count,
              cost.consul_cpu_ms / count, seconds);
  std::fflush(stdout);
}

void MirrorDelay::Heal() {
  for (const size_t service : std::exchange(sick_, {})) {
    if (!consul_->api().SetStatus(MakeInstance(options_.services, service, 0),
                                  "passing")) {
      ++missed_;
    }
  }
}

void MirrorDelay::MeasureIdle() {
  std::this_thread::sleep_for(kSettle);
  const Cost before = Now();
  std::this_thread::sleep_for(std::chrono::seconds(options_.idle_seconds));
  const Cost cost = Now() - before;
  const double minutes = static_cast<double>(options_.idle_seconds) / 60;
  std::printf(
      "idle: %.0f requests and %.0f bytes a minute; CPU ms a minute: dnsd "
      "%.0f, "
      "Consul %.0f\n",
      static_cast<double>(cost.requests) / minutes,
      static_cast<double>(cost.bytes) / minutes, cost.dnsd_cpu_ms / minutes,
      cost.consul_cpu_ms / minutes);
}

bool MirrorDelay::Run() {
  if (!StartConsul() || !StartDnsd("nothing kept")) return false;
  // What it keeps is written at its end.
  if (dnsd_->Stop() != 0 || !StartDnsd("kept on disk")) return false;
  // Consul counts the connections of a client that has gone for as long as
  // what it asked for waits, and takes 200 of a client.
  const auto started = Clock::now();
  auto since = started;
  std::string errors;
  const bool settled = WaitUntil(
      [&] {
        std::this_thread::sleep_for(milliseconds(100));
        const auto now = Clock::now();
        const std::string errors_now = Stat("consul", "request_errors");
        if (errors_now != errors || Stat("mirror_dc1", "phase") != "watching") {
          since = now;
        }
        errors = errors_now;
        return now - since > kRestartQuiet;
      },
      kRestartMax);
  if (!settled) return false;
  std::printf(
      "all watches %.0f ms after the start, %s requests refused\n",
      std::chrono::duration<double, std::milli>(since - started).count(),
      errors.c_str());
  std::printf("watches %s, services without %s, load %s ms\n",
              Stat("mirror_dc1", "watches").c_str(),
              Stat("mirror_dc1", "services_without_watch").c_str(),
              Stat("mirror_dc1", "load_ms").c_str());
  MeasureIdle();
  std::printf("%-30s %6s %9s %9s %9s %9s %9s %10s %9s %9s\n",
              "delay after Consul's 200, ms", "n", "median", "p90", "p99",
              "max", "requests", "bytes", "dnsd CPU", "Consul's");
  const std::vector<Kind> kinds = Kinds();
  const bool has_cold = Stat("mirror_dc1", "services_without_watch") != "0";
  if (has_cold) {
    next_cold_ = kHot;
    for (const Kind& kind : kinds) {
      const size_t changes = kind.name == "health flip"
                                 ? 5 * options_.cold_changes
                                 : options_.cold_changes;
      MeasureCold(kind, changes);
      Heal();
    }
  }
  for (const Kind& kind : kinds) {
    MeasureHot(kind);
    Heal();
  }
  for (const Kind& kind : kinds) {
    // What is undone would have to be seen first.
    if (kind.undo == nullptr) MeasureConsul(kind);
    Heal();
  }
  std::printf("sweeps %s, loads %s, losses %s, request errors %s\n",
              Stat("mirror_dc1", "sweeps").c_str(),
              Stat("mirror_dc1", "loads").c_str(),
              Stat("mirror_dc1", "losses").c_str(),
              Stat("consul", "request_errors").c_str());
  return missed_ == 0;
}

int Main(const std::vector<std::string>& arguments) {
  const std::optional<MirrorDelayOptions> options = ReadOptions(arguments);
  return options && MirrorDelay(*options).Run() ? 0 : 2;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  return dnsd::testing::Main(std::vector<std::string>(argv + 1, argv + argc));
}
