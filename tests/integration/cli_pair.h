// CliPair runs the real `consul` and `dnsd` with the same words, against the
// same server, and says where what they print differs.
//
// Threads: one owner.
// Safety:  the server is one of this machine, and the environment of both is
//          empty but for what is said here.
#ifndef DNSD_TESTS_INTEGRATION_CLI_PAIR_H_
#define DNSD_TESTS_INTEGRATION_CLI_PAIR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct CliResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// What must be the same beside the exit code.
enum class CliSame : uint8_t {
  kAll,
  kErrorLine,    // standard output, and the first line of standard error: what
                 // follows is help, or the parsers' own
  kSortedLines,  // both, but standard output in any order of its lines
  kNoDigits,     // both, but for digits: counters move
  kExit,         // nothing more: help, and texts of libraries
};

struct CliCase {
  std::vector<std::string> args;
  CliSame same = CliSame::kAll;
  std::vector<std::string> environment = {};  // "NAME=value"
};

class CliPair {
 public:
  // `address` is that of the server, as in CONSUL_HTTP_ADDR.
  CliPair(std::string consul, std::string dnsd, std::string address);

  [[nodiscard]] CliResult Consul(const CliCase& c) { return Run(consul_, c); }
  [[nodiscard]] CliResult Dnsd(const CliCase& c) { return Run(dnsd_, c); }
  // "", or what differs.
  [[nodiscard]] std::string Difference(const CliCase& c);
  // The words before a binary that give it the same environment.
  [[nodiscard]] std::vector<std::string> Environment(const CliCase& c) const;
  [[nodiscard]] const std::string& dnsd() const { return dnsd_; }

 private:
  CliResult Run(const std::string& binary, const CliCase& c);

  std::string consul_;
  std::string dnsd_;
  std::string address_;
  TempDir dir_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CLI_PAIR_H_
