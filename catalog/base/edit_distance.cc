#include "catalog/base/edit_distance.h"

#include <algorithm>
#include <array>
#include <vector>

namespace dnsd {

size_t EditDistance(absl::string_view a, absl::string_view b, size_t limit) {
  const size_t far = limit + 1;
  const size_t longer = std::max(a.size(), b.size());
  if (longer - std::min(a.size(), b.size()) > limit) return far;
  // By i modulo 3.
  std::array<std::vector<size_t>, 3> rows;
  for (auto& row : rows) row.assign(b.size() + 1, far);
  for (size_t j = 0; j <= std::min(b.size(), limit); ++j) rows[0][j] = j;
  size_t best_before = 0;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::vector<size_t>& row = rows[i % 3];
    const std::vector<size_t>& above = rows[(i + 2) % 3];
    const std::vector<size_t>& above_that = rows[(i + 1) % 3];
    std::fill(row.begin(), row.end(), far);
    row[0] = std::min(i, far);
    size_t best = row[0];
    const size_t first = i > limit ? i - limit : 1;
    for (size_t j = first; j <= std::min(b.size(), i + limit); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] =
          std::min({above[j - 1] + change, above[j] + 1, row[j - 1] + 1, far});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], above_that[j - 2] + 1);
      }
      best = std::min(best, row[j]);
    }
    // A swap of letters looks back two rows.
    if (best > limit && best_before > limit) return far;
    best_before = best;
  }
  return std::min(rows[a.size() % 3][b.size()], far);
}

}  // namespace dnsd
