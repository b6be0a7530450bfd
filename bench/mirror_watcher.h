// The instruments of mirror_delay: a client that asks one server as fast as it
// answers, and the processor time of a process.
//
// Threads: one owner.
#ifndef DNSD_BENCH_MIRROR_WATCHER_H_
#define DNSD_BENCH_MIRROR_WATCHER_H_

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"
#include "tests/testing/dns_client.h"

namespace dnsd::testing {

// Asks one server as fast as it answers.
class Watcher {
 public:
  explicit Watcher(const DnsServer& server) : server_(server) {}

  // The number of addresses of a name, or -1.
  int Count(const std::string& name, std::chrono::milliseconds timeout =
                                         std::chrono::milliseconds(500)) {
    const Bytes query = MakeQuery({name, "A", 1232, true}, ++id_);
    if (!socket_) socket_.emplace(DnsSocket::Udp(server_));
    if (!socket_->Send(query)) return -1;
    const DnsReply reply = socket_->Receive(timeout);
    if (!reply.error.empty() || reply.id != id_) {
      // What is late may come still: not to the next one.
      socket_.reset();
      return -1;
    }
    return static_cast<int>(Data(reply.answer, "A").size());
  }

 private:
  DnsServer server_;
  std::optional<DnsSocket> socket_;
  uint16_t id_ = 0;
};

// Milliseconds until now.
[[nodiscard]] inline double MsSince(
    std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now() - from)
      .count();
}

// User and system time so far.
inline double CpuMs(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  // The name in brackets may have blanks.
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
  double ticks = 0;
  for (const size_t i : {size_t{11}, size_t{12}}) {  // utime, stime
    double part = 0;
    if (i < fields.size() && absl::SimpleAtod(fields[i], &part)) ticks += part;
  }
  return ticks * 1'000 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Median, p90, p99 and the greatest of some times in ms, in columns.
[[nodiscard]] inline std::string Row(const std::vector<double>& sorted) {
  if (sorted.empty()) return "none";
  const auto at = [&](double part) {
    const auto i =
        static_cast<size_t>(part * static_cast<double>(sorted.size()));
    return sorted[std::min(i, sorted.size() - 1)];
  };
  char line[128];
  std::snprintf(line, sizeof(line), "%9.2f %9.2f %9.2f %9.2f", at(0.5), at(0.9),
                at(0.99), sorted.back());
  return line;
}

// A member of a JSON object; nullptr: there is none, or no object.
[[nodiscard]] inline const Value* MemberOf(const Value* object,
                                           absl::string_view key) {
  if (object == nullptr) return nullptr;
  for (const Member& member : object->members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_MIRROR_WATCHER_H_
