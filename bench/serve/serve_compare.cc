#include "bench/serve/serve_compare.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace dnsd::testing {
namespace {

using Verdict = ServeChange::Verdict;

Verdict VerdictOf(const Spread& before, const Spread& after,
                  bool more_is_better) {
  if (after.low > before.high) {
    return more_is_better ? Verdict::kBetter : Verdict::kWorse;
  }
  if (after.high < before.low) {
    return more_is_better ? Verdict::kWorse : Verdict::kBetter;
  }
  return Verdict::kSame;
}

const char* TextOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:
      return "within the quartiles";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
  }
  return "";
}

const ServeSummary* FindRow(const std::vector<ServeTable>& tables,
                            const std::string& workload,
                            const std::string& server) {
  for (const ServeTable& table : tables) {
    if (table.workload != workload) continue;
    for (const ServeSummary& row : table.rows) {
      if (row.server == server) return &row;
    }
  }
  return nullptr;
}

std::string ChangeText(const Spread& before, const Spread& after,
                       Verdict verdict) {
  return absl::StrFormat(
      "%.3f (%.3f to %.3f) | %.3f (%.3f to %.3f) | %.3f, %s", before.median,
      before.low, before.high, after.median, after.low, after.high,
      before.median > 0 ? after.median / before.median : 0, TextOf(verdict));
}

}  // namespace

std::vector<ServeChange> ChangesOf(const std::vector<ServeTable>& old_tables,
                                   const std::vector<ServeTable>& new_tables) {
  std::vector<ServeChange> changes;
  for (const ServeTable& table : new_tables) {
    for (size_t i = 1; i < table.rows.size(); ++i) {
      const ServeSummary& after = table.rows[i];
      const ServeSummary* before =
          FindRow(old_tables, table.workload, after.server);
      if (before == nullptr) continue;
      ServeChange& change = changes.emplace_back();
      change.workload = table.workload;
      change.server = after.server;
      change.old_rate = before->rate_ratio;
      change.new_rate = after.rate_ratio;
      change.old_cpu = before->cpu_ratio;
      change.new_cpu = after.cpu_ratio;
      change.rate = VerdictOf(change.old_rate, change.new_rate, true);
      change.cpu = VerdictOf(change.old_cpu, change.new_cpu, false);
    }
  }
  return changes;
}

std::string ChangesText(const std::vector<ServeChange>& changes) {
  std::string text =
      "| workload | server | rate to echo, old | new | new to old | CPU to "
      "echo, old | new | new to old |\n|---|---|---|---|---|---|---|---|\n";
  for (const ServeChange& change : changes) {
    absl::StrAppendFormat(
        &text, "| %s | %s | %s | %s |\n", change.workload, change.server,
        ChangeText(change.old_rate, change.new_rate, change.rate),
        ChangeText(change.old_cpu, change.new_cpu, change.cpu));
  }
  return text;
}

}  // namespace dnsd::testing
