// MetricsText writes Prometheus' text format, version 0.0.4, and the JSON of
// Consul's /v1/agent/metrics.
//
//   MetricsText text;
//   text.Family("dnsd_dns_queries_total", MetricType::kCounter, "Queries.");
//   text.Sample({{"proto", "udp"}}, 12);
//
// Threads: a plain value.
// Rules:   what `promtool check metrics` wants is checked by DNSD_CHECK, for
//          names come from our code: valid names, a help text, counters that
//          end in _total, a family written once. Label values may be anything
//          and are escaped.
#ifndef DNSD_DNSD_HTTP_METRICS_TEXT_H_
#define DNSD_DNSD_HTTP_METRICS_TEXT_H_

#include <concepts>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd {

enum class MetricType : uint8_t { kCounter, kGauge };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class MetricsText {
 public:
  // Begins a family; the samples that follow are its.
  void Family(absl::string_view name, MetricType type, absl::string_view help);

  template <std::integral Number>
  void Sample(const MetricLabels& labels, Number value) {
    Append(labels, absl::StrCat(value));
  }
  // Infinities and NaN are written as Prometheus reads them.
  void Sample(const MetricLabels& labels, double value);

  // A family with one sample without labels.
  template <typename Number>
  void Single(absl::string_view name, MetricType type, absl::string_view help,
              Number value) {
    Family(name, type, help);
    Sample({}, value);
  }

  [[nodiscard]] std::string Take();

  // {"Timestamp","Gauges","Points","Counters","Samples"}. Consul's counters are
  // of the last ten seconds; ours are one sample, the sum since the start.
  [[nodiscard]] std::string Json(int64_t unix_seconds) const;

 private:
  void Append(const MetricLabels& labels, absl::string_view value);
  void AppendJson(const MetricLabels& labels, absl::string_view value);

  std::string text_;
  std::string gauges_;    // rows of JSON with commas between
  std::string counters_;  // the same
  std::string family_;
  MetricType type_ = MetricType::kGauge;
  std::set<std::string> families_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_METRICS_TEXT_H_
