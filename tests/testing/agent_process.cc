#include "tests/testing/agent_process.h"

#include <signal.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd::testing {
namespace {

std::vector<std::string> AgentCommand(const std::vector<std::string>& args,
                                      std::vector<std::string> command) {
  command.insert(command.end(),
                 {DnsdBinary(), "agent", "-dns-port", "0", "-http-port", "0"});
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

// In "... Started DNS server: address=127.0.0.1:5353 network=udp": what stands
// behind address= in the first line that has `start` and ends with `end`.
std::string FindAddress(const std::string& log, absl::string_view start,
                        absl::string_view end) {
  size_t line_start = 0;
  while (line_start < log.size()) {
    size_t line_end = log.find('\n', line_start);
    if (line_end == std::string::npos) break;
    const std::string line = log.substr(line_start, line_end - line_start);
    line_start = line_end + 1;
    constexpr absl::string_view kKey = "address=";
    const size_t key = line.find(kKey.data(), 0, kKey.size());
    if (key == std::string::npos ||
        line.find(start.data(), 0, start.size()) == std::string::npos ||
        !absl::EndsWith(line, end)) {
      continue;
    }
    const size_t from = key + kKey.size();
    return line.substr(from, line.find(' ', from) - from);
  }
  return "";
}

uint16_t PortOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    return 0;
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

std::string DnsdBinary() {
  const char* variable = std::getenv("DNSD_BINARY");
  return variable != nullptr ? variable : DNSD_BINARY_PATH;
}

Finished RunDnsd(std::vector<std::string> args) {
  args.insert(args.begin(), DnsdBinary());
  return RunToEnd(args);
}

AgentProcess::AgentProcess(const std::vector<std::string>& args,
                           const std::vector<std::string>& prefix)
    : process_(AgentCommand(args, prefix)) {}

bool AgentProcess::WaitUntilServing() {
  // The last line of a start; the addresses stand above it.
  if (!process_.WaitForOutput("agent running")) return false;
  const std::string log = process_.output();
  dns_.port = PortOf(FindAddress(log, "Started DNS server:", "network=udp"));
  http_port_ = PortOf(FindAddress(log, "Starting server:", "protocol=http"));
  https_port_ = PortOf(FindAddress(log, "Starting server:", "protocol=https"));
  return dns_.port != 0 && http_port_ != 0 &&
         PortOf(FindAddress(log, "Started DNS server:", "network=tcp")) ==
             dns_.port;
}

std::string AgentProcess::HttpAddress() const {
  return absl::StrCat("127.0.0.1:", http_port_);
}

Finished AgentProcess::Reload() const {
  return RunDnsd({"reload", "-http-addr=" + HttpAddress()});
}

std::optional<int> AgentProcess::Stop() {
  process_.Signal(SIGTERM);
  return process_.Wait();
}

}  // namespace dnsd::testing
