#include "bench/serve/serve_report.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dnsd::testing {
namespace {

template <typename Number>
Spread SpreadOfSlices(const ServeRow& row, Number ServeSlice::*figure) {
  std::vector<double> values;
  for (const ServeSlice& slice : row.slices) {
    values.push_back(static_cast<double>(slice.*figure));
  }
  return SpreadOf(std::move(values));
}

// Round by round.
Spread RatioOf(const ServeRow& row, const ServeRow& yardstick,
               double ServeSlice::*figure) {
  std::vector<double> values;
  const size_t rounds = std::min(row.slices.size(), yardstick.slices.size());
  for (size_t i = 0; i < rounds; ++i) {
    const double other = yardstick.slices[i].*figure;
    if (other > 0) values.push_back(row.slices[i].*figure / other);
  }
  return SpreadOf(std::move(values));
}

std::string RatioText(const Spread& ratio) {
  return absl::StrFormat("%.3f (%.3f to %.3f)", ratio.median, ratio.low,
                         ratio.high);
}

}  // namespace

ServeSlice SliceOf(LoadResult result, double cpu_seconds) {
  ServeSlice slice;
  slice.right = result.right;
  slice.wrong = result.wrong;
  slice.lost = result.lost;
  slice.reconnects = result.reconnects;
  if (result.right == 0) return slice;
  const auto right = static_cast<double>(result.right);
  slice.per_second = result.per_second();
  slice.cpu_us = cpu_seconds * 1e6 / right;
  slice.busy = result.seconds > 0 ? cpu_seconds / result.seconds : 0;
  slice.answer_bytes = static_cast<double>(result.right_bytes) / right;
  std::ranges::sort(result.delays_ns);
  slice.delay_us_50 = SortedQuantile(result.delays_ns, 0.5) / 1000;
  slice.delay_us_99 = SortedQuantile(result.delays_ns, 0.99) / 1000;
  slice.delay_us_999 = SortedQuantile(result.delays_ns, 0.999) / 1000;
  return slice;
}

std::vector<ServeSummary> Summed(const std::vector<ServeRow>& rows) {
  std::vector<ServeSummary> summaries;
  for (const ServeRow& row : rows) {
    ServeSummary& sum = summaries.emplace_back();
    sum.server = row.server;
    sum.rounds = row.slices.size();
    for (const ServeSlice& slice : row.slices) {
      sum.right += slice.right;
      sum.wrong += slice.wrong;
      sum.lost += slice.lost;
      sum.reconnects += slice.reconnects;
    }
    const double ticks = row.user_ticks + row.system_ticks;
    sum.user_share = ticks > 0 ? row.user_ticks / ticks : 0;
    sum.per_second = SpreadOfSlices(row, &ServeSlice::per_second);
    sum.cpu_us = SpreadOfSlices(row, &ServeSlice::cpu_us);
    sum.busy = SpreadOfSlices(row, &ServeSlice::busy);
    sum.delay_us_50 = SpreadOfSlices(row, &ServeSlice::delay_us_50);
    sum.delay_us_99 = SpreadOfSlices(row, &ServeSlice::delay_us_99);
    sum.delay_us_999 = SpreadOfSlices(row, &ServeSlice::delay_us_999);
    sum.answer_bytes = SpreadOfSlices(row, &ServeSlice::answer_bytes);
    sum.rate_ratio = RatioOf(row, rows.front(), &ServeSlice::per_second);
    sum.cpu_ratio = RatioOf(row, rows.front(), &ServeSlice::cpu_us);
  }
  return summaries;
}

std::string TableText(const ServeTable& table) {
  std::string text = absl::StrCat(
      "**", table.workload, "**: ", table.title,
      "\n\n| server | a second | to echo (quartiles) | CPU us | user + system "
      "| CPU to echo (quartiles) | busy | delay us, 50 / 99 / 99.9 % | bytes | "
      "lost / wrong |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const ServeSummary& row : table.rows) {
    const double cpu_us = row.cpu_us.median;
    absl::StrAppend(
        &text,
        absl::StrFormat(
            "| %s | %.0f | %s | %.3f | %.2f + %.2f | %s | %.2f | "
            "%.0f / %.0f / %.0f | %.0f | %d / %d |\n",
            row.server, row.per_second.median, RatioText(row.rate_ratio),
            cpu_us, cpu_us * row.user_share, cpu_us * (1 - row.user_share),
            RatioText(row.cpu_ratio), row.busy.median, row.delay_us_50.median,
            row.delay_us_99.median, row.delay_us_999.median,
            row.answer_bytes.median, row.lost, row.wrong));
  }
  return text;
}

}  // namespace dnsd::testing
