#include "bench/serve/serve_plot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace dnsd::testing {
namespace {

constexpr int kBarHeight = 14;
constexpr int kRowHeight = 18;
constexpr int kTitleHeight = 30;
constexpr int kLabelWidth = 130;
constexpr int kPlotWidth = 520;
constexpr int kNumberWidth = 230;
constexpr int kMargin = 10;

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string Text(int x, int y, const char* style, absl::string_view text) {
  return absl::StrFormat("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x,
                         y, style, Escaped(text));
}

// dnsd stands out, yardsticks stand back.
const char* StyleOf(const std::string& server) {
  if (server.rfind("dnsd", 0) == 0) return "ours";
  return server.rfind("echo", 0) == 0 ? "echo" : "other";
}

int XOf(double ratio, double ratio_max) {
  return kMargin + kLabelWidth +
         static_cast<int>(std::lround(ratio / ratio_max * kPlotWidth));
}

std::string Bar(const ServeSummary& row, double ratio_max, int y) {
  const int left = XOf(0, ratio_max);
  const int middle = y + kBarHeight / 2;
  std::string text = Text(kMargin, y + kBarHeight - 2, "label", row.server);
  absl::StrAppendFormat(
      &text,
      "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n",
      left, y, XOf(row.rate_ratio.median, ratio_max) - left, kBarHeight,
      StyleOf(row.server));
  absl::StrAppendFormat(
      &text,
      "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"spread\"/>\n",
      XOf(row.rate_ratio.low, ratio_max), middle,
      XOf(row.rate_ratio.high, ratio_max), middle);
  return text + Text(kMargin + kLabelWidth + kPlotWidth + kMargin,
                     y + kBarHeight - 2, "label",
                     absl::StrFormat("%.3f: %.0f a second, %.2f us",
                                     row.rate_ratio.median,
                                     row.per_second.median, row.cpu_us.median));
}

std::string PlotOf(const ServeTable& table, int* y) {
  double ratio_max = 1;
  for (const ServeSummary& row : table.rows) {
    ratio_max = std::max(ratio_max, row.rate_ratio.high);
  }
  std::string text = Text(kMargin, *y + kTitleHeight - 10, "title",
                          absl::StrCat(table.workload, ": ", table.title));
  *y += kTitleHeight;
  const int top = *y;
  for (const ServeSummary& row : table.rows) {
    text += Bar(row, ratio_max, *y);
    *y += kRowHeight;
  }
  const int yardstick = XOf(1, ratio_max);
  absl::StrAppendFormat(
      &text, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"one\"/>\n",
      yardstick, top - 4, yardstick, *y);
  return text;
}

}  // namespace

std::string PlotText(const std::vector<ServeTable>& tables) {
  int y = kMargin;
  std::string body =
      Text(kMargin, y + 12, "label",
           "Rate to the echo's of the same round, with quartiles; CPU time of "
           "the server for each answer");
  y += 12;
  for (const ServeTable& table : tables) body += PlotOf(table, &y);
  const int width = 3 * kMargin + kLabelWidth + kPlotWidth + kNumberWidth;
  const int height = y + kMargin;
  return absl::StrFormat(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
             "height=\"%d\" viewBox=\"0 0 %d %d\">\n",
             width, height, width, height) +
         "<style>text{font:12px sans-serif;fill:#222}"
         ".title{font-weight:bold;font-size:13px}"
         ".ours{fill:#2b6cb0}.echo{fill:#bbbbbb}.other{fill:#c08a52}"
         ".spread{stroke:#000;stroke-width:2}"
         ".one{stroke:#666;stroke-dasharray:3 3}</style>\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" +
         body + "</svg>\n";
}

}  // namespace dnsd::testing
