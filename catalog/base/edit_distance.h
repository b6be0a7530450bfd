// EditDistance() counts the edits that make one word the other: letters that
// are inserted, lost, replaced, or swapped with their neighbour.
//
// Threads: any; a pure function.
// Cost:    2 * limit + 1 comparisons for each letter, and none of the rest of a
//          word that cannot come within the limit any more.
#ifndef DNSD_CATALOG_BASE_EDIT_DISTANCE_H_
#define DNSD_CATALOG_BASE_EDIT_DISTANCE_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace dnsd {

// `limit` + 1: there are more than `limit`.
[[nodiscard]] size_t EditDistance(absl::string_view a, absl::string_view b,
                                  size_t limit);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_EDIT_DISTANCE_H_
