// AgentProcess is a running `dnsd agent`, the real binary, on ports of the
// kernel's choice.
//
// The binary is the one of this build, or the one that DNSD_BINARY names.
//
// Threads:   one owner.
// Ownership: the agent is killed and reaped at the end if it still runs.
// Errors:    WaitUntilServing() is false when the agent ended or said nothing
//            in time; process().output() has its reasons.
#ifndef DNSD_TESTS_TESTING_AGENT_PROCESS_H_
#define DNSD_TESTS_TESTING_AGENT_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"

namespace dnsd::testing {

// Path of the binary under test.
[[nodiscard]] std::string DnsdBinary();

// `dnsd ARGS...`, run to its end.
[[nodiscard]] Finished RunDnsd(std::vector<std::string> args);

class AgentProcess {
 public:
  // `dnsd agent -dns-port 0 -http-port 0 ARGS...`; a flag in `args` beats
  // those two. `prefix` comes before the command: what runs it elsewhere.
  explicit AgentProcess(const std::vector<std::string>& args,
                        const std::vector<std::string>& prefix = {});

  // Waits until the log says that the agent runs, and reads the addresses of
  // DNS and HTTP from it.
  [[nodiscard]] bool WaitUntilServing();
  // Valid after WaitUntilServing().
  [[nodiscard]] const DnsServer& dns() const { return dns_; }
  [[nodiscard]] uint16_t http_port() const { return http_port_; }
  // 0: HTTPS is off.
  [[nodiscard]] uint16_t https_port() const { return https_port_; }
  // "127.0.0.1:8500", for -http-addr.
  [[nodiscard]] std::string HttpAddress() const;

  // `dnsd reload`, asked of this agent. When it says 0, the answers are new.
  [[nodiscard]] Finished Reload() const;
  // SIGTERM, and the exit code.
  [[nodiscard]] std::optional<int> Stop();
  [[nodiscard]] Process& process() { return process_; }

 private:
  Process process_;
  DnsServer dns_;
  uint16_t http_port_ = 0;
  uint16_t https_port_ = 0;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_AGENT_PROCESS_H_
