#include "dnsd/cli/columns.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

constexpr size_t kColumnGap = 2;
constexpr size_t kPairGap = 6;

// Code points; continuation bytes are not counted.
size_t Width(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
      }));
}

void AppendPadded(absl::string_view cell, size_t width, std::string* out) {
  out->append(cell.data(), cell.size());
  out->append(width - std::min(width, Width(cell)), ' ');
}

}  // namespace

std::string FormatColumns(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] =
          std::max(widths[i], Width(absl::StripAsciiWhitespace(row[i])));
    }
  }
  std::string text;
  for (const TableRow& row : rows) {
    if (&row != &rows.front()) text += '\n';
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      AppendPadded(absl::StripAsciiWhitespace(row[i]),
                   last ? 0 : widths[i] + kColumnGap, &text);
    }
  }
  return text;
}

std::string FormatPairs(const std::vector<TableRow>& rows) {
  size_t width = 0;
  for (const TableRow& row : rows) width = std::max(width, Width(row[0]));
  std::string text;
  for (const TableRow& row : rows) {
    AppendPadded(row[0], width + kPairGap, &text);
    text += row[1] + "\n";
  }
  absl::StripTrailingAsciiWhitespace(&text);
  return text;
}

}  // namespace dnsd
