// Median and quartiles over rounds: how everything that drifts is told.
//
// Threads: values.
#ifndef DNSD_BENCH_SPREAD_H_
#define DNSD_BENCH_SPREAD_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace dnsd::testing {

struct Spread {
  double low = 0;
  double median = 0;
  double high = 0;
};

// Of sorted values; `q` of 0.5 is the median. 0 without values.
template <typename Number>
[[nodiscard]] double SortedQuantile(const std::vector<Number>& sorted,
                                    double q) {
  if (sorted.empty()) return 0;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(static_cast<double>(sorted[below]),
                   static_cast<double>(sorted[above]),
                   at - static_cast<double>(below));
}

[[nodiscard]] inline double Quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return SortedQuantile(values, q);
}

[[nodiscard]] inline Spread SpreadOf(std::vector<double> values) {
  std::ranges::sort(values);
  return {SortedQuantile(values, 0.25), SortedQuantile(values, 0.5),
          SortedQuantile(values, 0.75)};
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SPREAD_H_
