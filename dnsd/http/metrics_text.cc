#include "dnsd/http/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "catalog/base/check.h"
#include "catalog/base/json_write.h"

namespace dnsd {
namespace {

bool ValidName(absl::string_view name, bool colons) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0])))
    return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(byte) && c != '_' && !(colons && c == ':')) {
      return false;
    }
  }
  return true;
}

void AppendEscaped(absl::string_view text, bool quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\n') {
      absl::StrAppend(out, "\\n");
    } else {
      if (c == '\\' || (quotes && c == '"')) out->push_back('\\');
      out->push_back(c);
    }
  }
}

using JsonNumbers = std::vector<std::pair<const char*, std::string>>;

// Of what was not kept one by one: the mean is all that is known of each.
JsonNumbers CounterNumbers(absl::string_view count, absl::string_view sum,
                           absl::string_view mean) {
  return {{"Count", std::string(count)},
          {"Rate", "0"},
          {"Sum", std::string(sum)},
          {"Min", std::string(mean)},
          {"Max", std::string(mean)},
          {"Mean", std::string(mean)},
          {"Stddev", "0"}};
}

void AppendRow(absl::string_view name, const JsonNumbers& numbers,
               const MetricLabels& labels, std::string* rows) {
  if (!rows->empty()) rows->push_back(',');
  JsonWriter json(rows);
  json.BeginObject();
  json.Key("Name");
  json.String(name);
  for (const auto& [key, number] : numbers) {
    json.Key(key);
    json.Raw(number);
  }
  json.Key("Labels");
  json.BeginObject();
  for (const auto& [label, text] : labels) {
    json.Key(label);
    json.String(text);
  }
  json.EndObject();
  json.EndObject();
}

}  // namespace

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;
  char* const last = digits.data() + digits.size();
  // "0.0005" and not "5e-04", as Go writes it: bounds are compared as text.
  const double size = std::fabs(value);
  const bool is_plain = size >= 1e-4 && size < 1e15;
  const auto end = is_plain ? std::to_chars(digits.data(), last, value,
                                            std::chars_format::fixed)
                            : std::to_chars(digits.data(), last, value);
  DNSD_CHECK(end.ec == std::errc());
  return {digits.data(), static_cast<size_t>(end.ptr - digits.data())};
}

void MetricsText::Family(absl::string_view name, MetricType type,
                         absl::string_view help) {
  static constexpr const char* kTypes[] = {"counter", "gauge", "histogram",
                                           "summary"};
  json_name_ = std::string(name);
  family_ = absl::StrReplaceAll(name, {{".", "_"}});
  type_ = type;
  DNSD_CHECK(ValidName(family_, /*colons=*/true) && !help.empty());
  DNSD_CHECK(absl::EndsWith(name, "_total") == (type == MetricType::kCounter));
  DNSD_CHECK(families_.insert(family_).second);
  absl::StrAppend(&text_, "# HELP ", family_, " ");
  AppendEscaped(help, /*quotes=*/false, &text_);
  absl::StrAppend(&text_, "\n# TYPE ", family_, " ",
                  kTypes[static_cast<size_t>(type)], "\n");
}

void MetricsText::Sample(const MetricLabels& labels, double value) {
  Append(labels, NumberText(value));
  AppendJson(labels, NumberText(value));
}

void MetricsText::Append(const MetricLabels& labels, absl::string_view value,
                         absl::string_view suffix) {
  DNSD_CHECK(!family_.empty());
  absl::StrAppend(&text_, family_, suffix);
  char separator = '{';
  for (const auto& [name, text] : labels) {
    DNSD_CHECK(ValidName(name, /*colons=*/false));
    text_.push_back(separator);
    separator = ',';
    absl::StrAppend(&text_, name, "=\"");
    AppendEscaped(text, /*quotes=*/true, &text_);
    text_.push_back('"');
  }
  if (!labels.empty()) text_.push_back('}');
  absl::StrAppend(&text_, " ", value, "\n");
}

void MetricsText::Durations(const MetricLabels& labels,
                            const DurationTotals& durations, size_t first) {
  DNSD_CHECK(type_ == MetricType::kHistogram);
  MetricLabels with_bound = labels;
  with_bound.emplace_back("le", "");
  uint64_t count = 0;
  for (size_t i = 0; i < durations.counts.size(); ++i) {
    count += durations.counts[i];
    if (i < first) continue;
    with_bound.back().second =
        i < kDurationBoundCount ? NumberText(DurationBound(i)) : "+Inf";
    Append(with_bound, absl::StrCat(count), "_bucket");
  }
  const double sum = static_cast<double>(durations.sum_ns) * 1e-9;
  Append(labels, NumberText(sum), "_sum");
  Append(labels, absl::StrCat(count), "_count");
  AppendJsonSample(labels, count, sum);
}

void MetricsText::Summary(const MetricLabels& labels, uint64_t count,
                          double sum) {
  DNSD_CHECK(type_ == MetricType::kSummary);
  Append(labels, NumberText(sum), "_sum");
  Append(labels, absl::StrCat(count), "_count");
  AppendJsonSample(labels, count, sum);
}

void MetricsText::AppendJson(const MetricLabels& labels,
                             absl::string_view value) {
  DNSD_CHECK(type_ <= MetricType::kGauge);
  // JSON has no NaN and no infinities.
  if (value.find_first_not_of("0123456789.+-e") != value.npos) return;
  if (type_ == MetricType::kCounter) {
    return AppendRow(json_name_, CounterNumbers("1", value, value), labels,
                     &counters_);
  }
  AppendRow(json_name_, {{"Value", std::string(value)}}, labels, &gauges_);
}

void MetricsText::AppendJsonSample(const MetricLabels& labels, uint64_t count,
                                   double sum) {
  const double mean = count == 0 ? 0 : sum / static_cast<double>(count);
  AppendRow(
      json_name_,
      CounterNumbers(absl::StrCat(count), NumberText(sum), NumberText(mean)),
      labels, &samples_);
}

std::string MetricsText::Json(int64_t unix_seconds) const {
  const absl::Time time = absl::FromUnixSeconds(unix_seconds);
  return absl::StrCat("{\"Timestamp\":\"",
                      absl::FormatTime("%Y-%m-%d %H:%M:%S +0000 UTC", time,
                                       absl::UTCTimeZone()),
                      "\",\"Gauges\":[", gauges_,
                      "],\"Points\":[],\"Counters\":[", counters_,
                      "],\"Samples\":[", samples_, "]}");
}

std::string MetricsText::Take() {
  family_.clear();
  families_.clear();
  gauges_.clear();
  counters_.clear();
  samples_.clear();
  return std::exchange(text_, std::string());
}

}  // namespace dnsd
