// MetricsText writes Prometheus' text format, version 0.0.4, and the JSON of
// Consul's /v1/agent/metrics.
//
//   MetricsText text;
//   text.Family("dnsd_dns_queries_total", MetricType::kCounter, "Queries.");
//   text.Sample({{"proto", "udp"}}, 12);
//
// A name with dots is one of Consul's ("consul.dns.domain_query"): the JSON has
// it so, and Prometheus gets what Consul's makes of it.
//
// Threads: a plain value.
// Rules:   what `promtool check metrics` wants is checked by DNSD_CHECK, for
//          names come from our code: valid names, a help text, counters that
//          end in _total, a family written once. Label values may be anything
//          and are escaped.
#ifndef DNSD_DNSD_HTTP_METRICS_TEXT_H_
#define DNSD_DNSD_HTTP_METRICS_TEXT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "dnsd/duration_histogram.h"

namespace dnsd {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram, kSummary };

// As many digits as it takes to read the same number back, 24 characters at
// most. Infinities and NaN are "+Inf", "-Inf" and "NaN".
[[nodiscard]] std::string NumberText(double value);

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class MetricsText {
 public:
  // Begins a family; the samples that follow are its.
  void Family(absl::string_view name, MetricType type, absl::string_view help);

  template <std::integral Number>
  void Sample(const MetricLabels& labels, Number value) {
    Append(labels, absl::StrCat(value));
    AppendJson(labels, absl::StrCat(value));
  }
  // Infinities and NaN are written as Prometheus reads them.
  void Sample(const MetricLabels& labels, double value);

  // Of a kHistogram: its buckets from the `first`-th on, those before it
  // counted in that one. In seconds.
  void Durations(const MetricLabels& labels, const DurationTotals& durations,
                 size_t first = 0);
  // Of a kSummary, without quantiles.
  void Summary(const MetricLabels& labels, uint64_t count, double sum);

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
  void Append(const MetricLabels& labels, absl::string_view value,
              absl::string_view suffix = "");
  void AppendJson(const MetricLabels& labels, absl::string_view value);
  void AppendJsonSample(const MetricLabels& labels, uint64_t count, double sum);

  std::string text_;
  std::string gauges_;    // rows of JSON with commas between
  std::string counters_;  // the same
  std::string samples_;   // the same
  std::string family_;
  std::string json_name_;
  MetricType type_ = MetricType::kGauge;
  std::set<std::string> families_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_METRICS_TEXT_H_
