#include "bench/forward_report.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/spread.h"
#include "tests/testing/consul_api.h"

namespace dnsd::testing {
namespace {

using Figure = double ForwardSlice::*;

Spread SpreadOfSlices(const ForwardRow& row, Figure figure) {
  std::vector<double> values;
  for (const ForwardSlice& slice : row.slices) values.push_back(slice.*figure);
  return SpreadOf(values);
}

// Of the two rows' slices of one round, round by round.
Spread Compare(const ForwardRow& row, const ForwardRow& other, Figure figure,
               const std::function<double(double, double)>& compare) {
  std::vector<double> values;
  for (size_t i = 0; i < row.slices.size() && i < other.slices.size(); ++i) {
    values.push_back(compare(row.slices[i].*figure, other.slices[i].*figure));
  }
  return SpreadOf(values);
}

size_t Sum(const ForwardRow& row, size_t ForwardSlice::*figure) {
  size_t sum = 0;
  for (const ForwardSlice& slice : row.slices) sum += slice.*figure;
  return sum;
}

const ForwardRow& RowOf(const ForwardTable& table, const std::string& server) {
  for (const ForwardRow& row : table.rows) {
    if (row.server == server) return row;
  }
  return table.rows.front();
}

double UserShare(const ForwardRow& row) {
  const double ticks = row.user_ticks + row.system_ticks;
  return ticks > 0 ? row.user_ticks / ticks : 0;
}

double Ratio(double mine, double other) { return other > 0 ? mine / other : 0; }

Spread AddedUs(const ForwardTable& table, const ForwardRow& row,
               Figure figure) {
  return Compare(row, table.rows.front(), figure, std::minus<>());
}

Spread CpuRatio(const ForwardTable& table, const ForwardRow& row) {
  return Compare(row, RowOf(table, "dnsd"), &ForwardSlice::cpu_us, Ratio);
}

std::string DelayLine(const ForwardTable& table, const ForwardRow& row) {
  const Spread median = AddedUs(table, row, &ForwardSlice::delay_us_median);
  const Spread p99 = AddedUs(table, row, &ForwardSlice::delay_us_p99);
  return absl::StrFormat(
      "| %s | %.1f | %.1f | %.1f (%.1f to %.1f) | %.1f (%.1f to %.1f) | %.2f "
      "| %d / %d |\n",
      row.server, SpreadOfSlices(row, &ForwardSlice::delay_us_median).median,
      SpreadOfSlices(row, &ForwardSlice::delay_us_p99).median, median.median,
      median.low, median.high, p99.median, p99.low, p99.high,
      SpreadOfSlices(row, &ForwardSlice::upstream_queries).median,
      Sum(row, &ForwardSlice::lost), Sum(row, &ForwardSlice::wrong));
}

std::string CostLine(const ForwardTable& table, const ForwardRow& row) {
  const double cpu_us = SpreadOfSlices(row, &ForwardSlice::cpu_us).median;
  const Spread ratio = CpuRatio(table, row);
  return absl::StrFormat(
      "| %s | %.0f | %.2f | %.2f + %.2f | %.2f (%.2f to %.2f) | %.2f | %.2f | "
      "%d / %d |\n",
      row.server, SpreadOfSlices(row, &ForwardSlice::per_second).median, cpu_us,
      cpu_us * UserShare(row), cpu_us * (1 - UserShare(row)), ratio.median,
      ratio.low, ratio.high, SpreadOfSlices(row, &ForwardSlice::busy).median,
      SpreadOfSlices(row, &ForwardSlice::upstream_queries).median,
      Sum(row, &ForwardSlice::lost), Sum(row, &ForwardSlice::wrong));
}

std::string JsonSpread(const std::string& key, const Spread& spread) {
  return absl::StrFormat("\"%s\":{\"q25\":%.4f,\"median\":%.4f,\"q75\":%.4f}",
                         key, spread.low, spread.median, spread.high);
}

std::string JsonRow(const ForwardTable& table, const ForwardRow& row) {
  std::vector<std::string> members = {
      absl::StrCat("\"server\":", JsonQuoted(row.server)),
      absl::StrCat("\"rounds\":", row.slices.size()),
      absl::StrCat("\"right\":", Sum(row, &ForwardSlice::right)),
      absl::StrCat("\"wrong\":", Sum(row, &ForwardSlice::wrong)),
      absl::StrCat("\"lost\":", Sum(row, &ForwardSlice::lost)),
      absl::StrFormat("\"user_share\":%.4f", UserShare(row)),
      JsonSpread("cpu_us_to_dnsd", CpuRatio(table, row)),
  };
  const std::pair<const char*, Figure> figures[] = {
      {"per_second", &ForwardSlice::per_second},
      {"cpu_us", &ForwardSlice::cpu_us},
      {"busy", &ForwardSlice::busy},
      {"upstream_queries", &ForwardSlice::upstream_queries},
      {"delay_us_median", &ForwardSlice::delay_us_median},
      {"delay_us_p99", &ForwardSlice::delay_us_p99},
  };
  for (const auto& [key, figure] : figures) {
    members.push_back(JsonSpread(key, SpreadOfSlices(row, figure)));
  }
  if (table.is_delay) {
    members.push_back(
        JsonSpread("added_us_median",
                   AddedUs(table, row, &ForwardSlice::delay_us_median)));
    members.push_back(JsonSpread(
        "added_us_p99", AddedUs(table, row, &ForwardSlice::delay_us_p99)));
  }
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

}  // namespace

std::string TableText(const ForwardTable& table) {
  std::string text =
      table.is_delay
          ? absl::StrCat(
                "| ", table.name,
                ", us | median | p99 | added median (quartiles) | "
                "added p99 (quartiles) | asked upstream | lost / wrong "
                "|\n|---|---|---|---|---|---|---|\n")
          : absl::StrCat("| ", table.name,
                         " | a second | CPU us | user + system | CPU to dnsd's "
                         "(quartiles) | core busy | asked upstream | lost / "
                         "wrong |\n|---|---|---|---|---|---|---|---|\n");
  for (const ForwardRow& row : table.rows) {
    text += table.is_delay ? DelayLine(table, row) : CostLine(table, row);
  }
  return text;
}

std::string JsonText(const std::vector<ForwardTable>& tables) {
  std::vector<std::string> members;
  for (const ForwardTable& table : tables) {
    std::vector<std::string> rows;
    for (const ForwardRow& row : table.rows) {
      rows.push_back(JsonRow(table, row));
    }
    members.push_back(absl::StrCat(JsonQuoted(table.name), ":[\n",
                                   absl::StrJoin(rows, ",\n"), "]"));
  }
  return absl::StrCat("{", absl::StrJoin(members, ",\n"), "}\n");
}

}  // namespace dnsd::testing
