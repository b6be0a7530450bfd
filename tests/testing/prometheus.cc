#include "tests/testing/prometheus.h"

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <regex>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {

std::optional<std::string> PrometheusBinary() {
  const char* variable = std::getenv("DNSD_PROMETHEUS");
  const std::string binary =
      variable != nullptr ? variable : "build/prometheus/usr/bin/prometheus";
  if (!std::filesystem::exists(binary)) return std::nullopt;
  return binary;
}

Finished RunPromtool(const std::string& args, const std::string& input) {
  const std::optional<std::string> prometheus = PrometheusBinary();
  if (!prometheus) return {-1, "no Prometheus"};
  const TempDir dir;
  const std::string tool =
      std::filesystem::path(*prometheus).parent_path() / "promtool";
  return RunToEnd({"sh", "-c",
                   absl::StrCat("'", tool, "' ", args, " < '",
                                dir.Write("input", input), "'")});
}

PrometheusServer::PrometheusServer(const std::string& config)
    : address_(absl::StrCat("127.0.0.1:", PickConsulPorts("127.0.0.1").http)),
      process_({*PrometheusBinary(),
                "--config.file=" + dir_.Write("prometheus.yml", config),
                "--storage.tsdb.path=" + dir_.Path("tsdb"),
                "--web.listen-address=" + address_}) {}

std::map<std::string, MetricFamily> FamiliesOf(const std::string& text) {
  std::map<std::string, MetricFamily> families;
  std::istringstream lines(text);
  std::string line;
  std::string name;
  while (std::getline(lines, line)) {
    if (absl::StartsWith(line, "# HELP ")) {
      const size_t end = line.find(' ', 7);
      name = line.substr(7, end - 7);
      families[name].help = line.substr(end + 1);
    } else if (absl::StartsWith(line, "# TYPE ")) {
      families[name].type = line.substr(line.rfind(' ') + 1);
    } else {
      static const std::regex kLabel(R"(([a-z_]+)=")");
      for (std::sregex_iterator label(line.begin(), line.end(), kLabel), end;
           label != end; ++label) {
        if ((*label)[1] != "le") families[name].labels.insert((*label)[1]);
      }
    }
  }
  return families;
}

std::set<std::string> NamesIn(
    const std::string& expression,
    const std::map<std::string, MetricFamily>& families) {
  std::set<std::string> names;
  static const std::regex kName(R"(\b(dnsd|coredns|consul|process)_[a-z_]+)");
  for (std::sregex_iterator at(expression.begin(), expression.end(), kName),
       end;
       at != end; ++at) {
    std::string name = at->str();
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      const std::string family(absl::StripSuffix(name, suffix));
      if (families.contains(family)) name = family;
    }
    names.insert(name);
  }
  return names;
}

}  // namespace dnsd::testing
