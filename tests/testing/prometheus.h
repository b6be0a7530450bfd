// Prometheus as tests use it: Debian's binaries, which `./dev test` fetches,
// and what stands in a text of metrics.
//
// Threads: any.
#ifndef DNSD_TESTS_TESTING_PROMETHEUS_H_
#define DNSD_TESTS_TESTING_PROMETHEUS_H_

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// The binary that DNSD_PROMETHEUS names, or build/prometheus/usr/bin/prometheus
// of the source tree; nothing when there is none.
[[nodiscard]] std::optional<std::string> PrometheusBinary();

// `promtool ARGS...` beside that binary, with `input` on its standard input.
[[nodiscard]] Finished RunPromtool(const std::string& args,
                                   const std::string& input = "");

// A Prometheus with that configuration, on a port of 127.0.0.1.
class PrometheusServer {
 public:
  // Needs PrometheusBinary().
  explicit PrometheusServer(const std::string& config);

  // False: it does not answer, and output() may say why.
  [[nodiscard]] bool WaitUntilReady() {
    return process_.WaitForOutput("ready to receive web requests");
  }
  [[nodiscard]] std::string url() const { return "http://" + address_; }
  [[nodiscard]] std::string output() const { return process_.output(); }

 private:
  TempDir dir_;
  std::string address_;
  Process process_;
};

struct MetricFamily {
  std::string type;
  std::string help;
  std::set<std::string> labels;  // of its samples, without "le"
};
// By name.
[[nodiscard]] std::map<std::string, MetricFamily> FamiliesOf(
    const std::string& text);

// The names of metrics that an expression asks for, as families: without
// _bucket, _sum and _count where `families` has the name without.
[[nodiscard]] std::set<std::string> NamesIn(
    const std::string& expression,
    const std::map<std::string, MetricFamily>& families);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_PROMETHEUS_H_
