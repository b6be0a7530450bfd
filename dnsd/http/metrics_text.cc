#include "dnsd/http/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "catalog/base/check.h"

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
}

std::string MetricsText::Take() {
  family_.clear();
  families_.clear();
  return std::exchange(text_, std::string());
}

}  // namespace dnsd
