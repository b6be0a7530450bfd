// How long a registration takes until it is acknowledged and until DNS answers
// it, and how many a second there are, for dnsd and a real Consul, both with
// durable storage and with -dev: interleaved, in one run. It prints one table.
//
//   register_delay [--changes=N] [--slices=N] [--seconds=N] [--preload=N]
//                  [--consul=PATH]
//
// dnsd is the one of this build or DNSD_BINARY; Consul is --consul=PATH,
// DNSD_CONSUL or build/consul/usr/bin/consul.
// --preload: instances in dnsd's catalogs before it begins, ten a service.
// Exit code 2: something failed, or was not in DNS when it was acknowledged.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/preload.h"
#include "bench/register_load.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  size_t changes = 200;  // measured one by one, in a slice
  size_t slices = 3;
  size_t seconds = 3;  // of bulk, in a slice
  size_t preload = 0;
  std::string consul;
  std::string only;  // of the contenders
};

// One server under test, and what was measured of it.
struct Contender {
  std::string name;
  bool is_consul;
  std::string url;
  uint16_t http_port = 0;
  DnsServer dns;
  std::vector<double> acknowledged_ms = {};
  std::vector<double> answered_ms = {};
  std::vector<double> per_second = {};
  std::vector<double> bulk_ms = {};
};

double MsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(at + 0.5)];
}

// False: an acknowledged registration was not in DNS.
bool MeasureOneByOne(size_t changes, const std::string& prefix,
                     Contender* contender) {
  ConsulApi api(contender->url);
  DnsSocket dns = DnsSocket::Udp(contender->dns);
  for (size_t i = 0; i < changes; ++i) {
    const std::string name = absl::StrCat(prefix, i);
    const std::string body = absl::StrCat(
        R"({"Name":")", name, R"(","Port":8080,"Address":"10.9.8.7"})");
    const Bytes query = MakeQuery({absl::StrCat(name, ".service.consul"), "A"},
                                  static_cast<uint16_t>(i + 1));
    const Clock::time_point start = Clock::now();
    if (api.Put("/v1/agent/service/register", body) != 200) return false;
    contender->acknowledged_ms.push_back(MsSince(start));
    // Consul acknowledges what its catalog gets a moment later.
    for (;;) {
      if (!dns.Send(query)) return false;
      const DnsReply reply = dns.Receive();
      if (!reply.answer.empty()) break;
      if (!contender->is_consul || MsSince(start) > 10'000) {
        std::fprintf(stderr, "%s is not in DNS: %s %s\n", name.c_str(),
                     reply.rcode.c_str(), reply.error.c_str());
        return false;
      }
    }
    contender->answered_ms.push_back(MsSince(start));
  }
  return true;
}

bool MeasureBulk(size_t seconds, const std::string& prefix,
                 Contender* contender) {
  RegisterLoadOptions options;
  options.port = contender->http_port;
  options.time_max = std::chrono::seconds(seconds);
  options.path = "/v1/catalog/register";
  options.body = [&](size_t i) { return CatalogBody(prefix, i, i / 10); };
  const absl::StatusOr<RegisterLoadResult> result = RunRegisterLoad(options);
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", contender->name.c_str(),
                 std::string(result.status().message()).c_str());
    return false;
  }
  contender->per_second.push_back(result->per_second());
  contender->bulk_ms.insert(contender->bulk_ms.end(), result->delays_ms.begin(),
                            result->delays_ms.end());
  return true;
}

void Print(const std::vector<Contender>& contenders) {
  std::printf("%-12s %30s %30s %12s %20s\n", "", "acknowledged ms (50/90/99 %)",
              "in DNS ms (50/90/99 %)", "a second", "bulk ms (50/99 %)");
  for (const Contender& c : contenders) {
    auto three = [](const std::vector<double>& v) {
      char text[64];
      std::snprintf(text, sizeof(text), "%.2f / %.2f / %.2f", Quantile(v, 0.5),
                    Quantile(v, 0.9), Quantile(v, 0.99));
      return std::string(text);
    };
    std::printf("%-12s %30s %30s %12.0f %11.2f / %.2f\n", c.name.c_str(),
                three(c.acknowledged_ms).c_str(), three(c.answered_ms).c_str(),
                Quantile(c.per_second, 0.5), Quantile(c.bulk_ms, 0.5),
                Quantile(c.bulk_ms, 0.99));
  }
}

class RegisterDelay {
 public:
  explicit RegisterDelay(Options options) : options_(std::move(options)) {}

  bool Run() {
    if (!Start()) return false;
    for (Contender& c : contenders_) {
      if (c.is_consul || options_.preload == 0) continue;
      const absl::Status filled = Preload(options_.preload, c.http_port);
      if (!filled.ok()) {
        std::fprintf(stderr, "%s: %s\n", c.name.c_str(),
                     std::string(filled.message()).c_str());
        return false;
      }
    }
    for (size_t slice = 0; slice < options_.slices; ++slice) {
      for (Contender& c : contenders_) {
        const std::string prefix = absl::StrCat("s", slice);
        if (!MeasureOneByOne(options_.changes, absl::StrCat(prefix, "one"),
                             &c) ||
            !MeasureBulk(options_.seconds, absl::StrCat(prefix, "bulk"), &c)) {
          return false;
        }
      }
    }
    Print(contenders_);
    return true;
  }

 private:
  [[nodiscard]] bool IsLeftOut(const std::string& name) const {
    return !options_.only.empty() && options_.only != name;
  }

  bool AddDnsd(const std::string& name, std::vector<std::string> args) {
    if (IsLeftOut(name)) return true;
    agents_.push_back(std::make_unique<AgentProcess>(std::move(args)));
    AgentProcess& agent = *agents_.back();
    if (!agent.WaitUntilServing()) {
      std::fprintf(stderr, "%s\n", agent.process().output().c_str());
      return false;
    }
    contenders_.push_back({name, false,
                           absl::StrCat("http://", agent.HttpAddress()),
                           agent.http_port(), agent.dns()});
    return true;
  }

  bool AddConsul(const std::string& name, const std::string& binary,
                 bool keeps_data) {
    if (IsLeftOut(name)) return true;
    ConsulProcessOptions options;
    options.keeps_data = keeps_data;
    consuls_.push_back(std::make_unique<ConsulProcess>(binary, options));
    ConsulProcess& consul = *consuls_.back();
    if (!consul.WaitForLeader()) {
      std::fprintf(stderr, "%s\n", consul.process().output().c_str());
      return false;
    }
    contenders_.push_back(
        {name, true, consul.HttpUrl(), consul.ports().http, consul.dns()});
    return true;
  }

  bool Start() {
    if (!AddDnsd("dnsd", {"-data-dir", dir_.Path("dnsd"), "-bind", "127.0.0.1",
                          "-workers", "1"}) ||
        !AddDnsd("dnsd -dev", {"-dev", "-workers", "1"})) {
      return false;
    }
    const std::string binary =
        options_.consul.empty() ? ConsulBinary().value_or("") : options_.consul;
    if (binary.empty()) return true;  // without its rows
    return AddConsul("Consul", binary, /*keeps_data=*/true) &&
           AddConsul("Consul -dev", binary, /*keeps_data=*/false);
  }

  Options options_;
  TempDir dir_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::vector<std::unique_ptr<ConsulProcess>> consuls_;
  std::vector<Contender> contenders_;
};

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  dnsd::testing::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::vector<std::string> parts =
        absl::StrSplit(argv[i], absl::MaxSplits('=', 1));
    const std::string value = parts.size() > 1 ? parts[1] : "";
    bool is_known = true;
    if (parts[0] == "--changes") {
      is_known = absl::SimpleAtoi(value, &options.changes);
    } else if (parts[0] == "--slices") {
      is_known = absl::SimpleAtoi(value, &options.slices);
    } else if (parts[0] == "--seconds") {
      is_known = absl::SimpleAtoi(value, &options.seconds);
    } else if (parts[0] == "--preload") {
      is_known = absl::SimpleAtoi(value, &options.preload);
    } else if (parts[0] == "--consul") {
      options.consul = value;
    } else if (parts[0] == "--only") {
      options.only = value;
    } else {
      is_known = false;
    }
    if (!is_known) {
      std::fprintf(stderr, "register_delay: unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  return dnsd::testing::RegisterDelay(options).Run() ? 0 : 2;
}
