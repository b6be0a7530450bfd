#include "dnsd/http/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
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

}  // namespace

void MetricsText::Family(absl::string_view name, MetricType type,
                         absl::string_view help) {
  DNSD_CHECK(ValidName(name, /*colons=*/true) && !help.empty());
  DNSD_CHECK(absl::EndsWith(name, "_total") == (type == MetricType::kCounter));
  family_ = std::string(name);
  type_ = type;
  DNSD_CHECK(families_.insert(family_).second);
  absl::StrAppend(&text_, "# HELP ", name, " ");
  AppendEscaped(help, /*quotes=*/false, &text_);
  absl::StrAppend(&text_, "\n# TYPE ", name,
                  type == MetricType::kCounter ? " counter\n" : " gauge\n");
}

void MetricsText::Sample(const MetricLabels& labels, double value) {
  if (std::isnan(value)) {
    Append(labels, "NaN");
  } else if (std::isinf(value)) {
    Append(labels, value > 0 ? "+Inf" : "-Inf");
  } else {
    // As many digits as it takes to read the same number back; the longest
    // is 24 characters.
    std::array<char, 32> digits;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value);
    DNSD_CHECK(end.ec == std::errc());
    Append(labels,
           {digits.data(), static_cast<size_t>(end.ptr - digits.data())});
  }
}

void MetricsText::Append(const MetricLabels& labels, absl::string_view value) {
  DNSD_CHECK(!family_.empty());
  absl::StrAppend(&text_, family_);
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
  AppendJson(labels, value);
}

void MetricsText::AppendJson(const MetricLabels& labels,
                             absl::string_view value) {
  // JSON has no NaN and no infinities.
  if (value.find_first_not_of("0123456789.+-e") != value.npos) return;
  std::string* const rows =
      type_ == MetricType::kCounter ? &counters_ : &gauges_;
  if (!rows->empty()) rows->push_back(',');
  JsonWriter json(rows);
  json.BeginObject();
  json.Key("Name");
  json.String(family_);
  if (type_ == MetricType::kGauge) {
    json.Key("Value");
    json.Raw(value);
  } else {
    for (const auto& [key, number] :
         std::initializer_list<std::pair<absl::string_view, absl::string_view>>{
             {"Count", "1"},
             {"Rate", "0"},
             {"Sum", value},
             {"Min", value},
             {"Max", value},
             {"Mean", value},
             {"Stddev", "0"}}) {
      json.Key(key);
      json.Raw(number);
    }
  }
  json.Key("Labels");
  json.BeginObject();
  for (const auto& [name, text] : labels) {
    json.Key(name);
    json.String(text);
  }
  json.EndObject();
  json.EndObject();
}

std::string MetricsText::Json(int64_t unix_seconds) const {
  const absl::Time time = absl::FromUnixSeconds(unix_seconds);
  return absl::StrCat("{\"Timestamp\":\"",
                      absl::FormatTime("%Y-%m-%d %H:%M:%S +0000 UTC", time,
                                       absl::UTCTimeZone()),
                      "\",\"Gauges\":[", gauges_,
                      "],\"Points\":[],\"Counters\":[", counters_,
                      "],\"Samples\":[]}");
}

std::string MetricsText::Take() {
  family_.clear();
  families_.clear();
  gauges_.clear();
  counters_.clear();
  return std::exchange(text_, std::string());
}

}  // namespace dnsd
