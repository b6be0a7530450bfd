// Tables of text, as Consul's commands print them.
//
// Threads: any; no shared state.
// Widths:  in code points, as Go pads; a byte that is no UTF-8 counts as one.
#ifndef DNSD_DNSD_CLI_COLUMNS_H_
#define DNSD_DNSD_CLI_COLUMNS_H_

#include <string>
#include <vector>

namespace dnsd {

using TableRow = std::vector<std::string>;

// Columns with two blanks between them; the last of a row is not padded.
// Blanks around a cell are dropped. No line end after the last row.
[[nodiscard]] std::string FormatColumns(const std::vector<TableRow>& rows);

// Two columns, the first padded to its longest cell and six blanks in every
// row, also where the second is empty; white space at the end of all dropped.
[[nodiscard]] std::string FormatPairs(const std::vector<TableRow>& rows);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_COLUMNS_H_
