#include "dnsd/cli/top_screen.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dnsd/cli/printable.h"

namespace dnsd {
namespace {

using Row = std::pair<std::string, double>;

// Types and rcodes shown beside each other; the rest is one row.
constexpr size_t kTableRows = 8;
constexpr size_t kForwardersShown = 5;

// The largest first.
std::vector<Row> Sorted(const NamedCounts& counts) {
  std::vector<Row> rows(counts.begin(), counts.end());
  std::erase_if(rows, [](const Row& row) { return row.second <= 0; });
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.second > b.second;
  });
  return rows;
}

std::vector<Row> Largest(const NamedCounts& counts, size_t count_max) {
  std::vector<Row> rows = Sorted(counts);
  if (rows.size() <= count_max) return rows;
  Row others("others", 0);
  for (size_t i = count_max - 1; i < rows.size(); ++i) {
    others.second += rows[i].second;
  }
  rows.resize(count_max - 1);
  rows.push_back(std::move(others));
  return rows;
}

std::string RateText(double rate) {
  return rate > 0 && rate < 10 ? absl::StrFormat("%.1f", rate)
                               : absl::StrFormat("%.0f", rate);
}

std::string WholeText(double number) { return absl::StrFormat("%.0f", number); }

std::string PercentText(double part, double all) {
  return all > 0 ? absl::StrFormat("%.0f%%", 100 * part / all) : "-";
}

std::string BytesText(double bytes) {
  if (bytes < 1024) return absl::StrFormat("%.0f B", bytes);
  if (bytes < 1024 * 1024) return absl::StrFormat("%.1f KiB", bytes / 1024);
  return absl::StrFormat("%.1f MiB", bytes / (1024 * 1024));
}

std::string AgeText(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  const int64_t days = whole / 86'400;
  const std::string clock = absl::StrFormat("%02d:%02d:%02d", whole / 3600 % 24,
                                            whole / 60 % 60, whole % 60);
  return days > 0 ? absl::StrCat(days, "d ", clock) : clock;
}

class Screen {
 public:
  Screen(const TopStats& stats, double seconds, const TopScreenSize& size)
      : stats_(stats), seconds_(std::max(seconds, 1e-3)), size_(size) {}

  std::vector<std::string> Take() {
    Head();
    Rates();
    TypesAndRcodes();
    Forwarding();
    Names();
    if (size_.rows > 0 && lines_.size() > size_.rows) lines_.resize(size_.rows);
    for (std::string& line : lines_) {
      if (line.size() > size_.columns) line.resize(size_.columns);
    }
    return std::move(lines_);
  }

 private:
  void Add(std::string line) { lines_.push_back(std::move(line)); }
  [[nodiscard]] std::string Rate(double count) const {
    return RateText(count / seconds_);
  }

  void Head() {
    Add(absl::StrCat("dnsd ", Printable(stats_.version), "  ",
                     Printable(stats_.node), " (", Printable(stats_.datacenter),
                     ")  up ", AgeText(stats_.uptime_s), "  ",
                     WholeText(stats_.workers),
                     stats_.workers == 1 ? " worker" : " workers"));
    std::string source = absl::StrCat("source ", Printable(stats_.source_kind));
    if (!stats_.source_address.empty()) {
      absl::StrAppend(&source, " ", Printable(stats_.source_address));
    }
    absl::StrAppend(&source, " ", Printable(stats_.source_state), ", age ",
                    TimeText(stats_.source_age_s));
    Add(source);
    Add(absl::StrCat("catalog ", WholeText(stats_.nodes), " nodes, ",
                     WholeText(stats_.instances), " instances, ",
                     WholeText(stats_.names), " names, ",
                     Rate(stats_.publications), " publications/s"));
    Add("");
  }

  void Rates() {
    std::string line = absl::StrCat(Rate(stats_.queries), " queries/s");
    for (const auto& [proto, count] : Sorted(stats_.by_proto)) {
      absl::StrAppend(&line, "  ", Printable(proto), " ", Rate(count));
    }
    double answers = 0;
    for (const double count : stats_.latency_counts) answers += count;
    absl::StrAppend(&line, "  latency");
    for (const auto& [name, part] :
         {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}}) {
      const std::optional<double> time = LatencyQuantile(stats_, part);
      absl::StrAppend(&line, " ", name, " ", time ? TimeText(*time) : "-");
    }
    if (answers > 0) {
      absl::StrAppend(&line, " mean ",
                      TimeText(stats_.latency_sum_s / answers));
    }
    Add(line);
    Add("");
  }

  // One cell of the table with two sides.
  [[nodiscard]] std::string Cell(const std::vector<Row>& rows,
                                 size_t index) const {
    if (index >= rows.size()) return absl::StrFormat("%32s", "");
    const auto& [name, count] = rows[index];
    return absl::StrFormat("%-14s%10s%6s  ", Printable(name), Rate(count),
                           PercentText(count, stats_.queries));
  }

  void TypesAndRcodes() {
    const std::vector<Row> types = Largest(stats_.by_type, kTableRows);
    const std::vector<Row> rcodes = Largest(stats_.by_rcode, kTableRows);
    if (types.empty() && rcodes.empty()) return;
    Add(absl::StrFormat("%-14s%10s%6s  %-14s%10s%6s", "TYPE", "/s", "", "RCODE",
                        "/s", ""));
    for (size_t i = 0; i < std::max(types.size(), rcodes.size()); ++i) {
      Add(absl::StrCat(Cell(types, i), Cell(rcodes, i)));
    }
    Add("");
  }

  void Forwarding() {
    if (stats_.cache) {
      const TopStats::Cache& cache = *stats_.cache;
      Add(absl::StrCat(
          "cache ", WholeText(cache.entries), " entries, ",
          BytesText(cache.bytes), "  hits ", Rate(cache.hits), "/s (",
          PercentText(cache.hits, cache.hits + cache.misses), ")  misses ",
          Rate(cache.misses), "/s  stale ", Rate(cache.stale), "/s"));
      Add("");
    }
    if (stats_.forwarders.empty()) return;
    Add(absl::StrFormat("%-32s%-6s%10s%9s%11s%11s", "FORWARDER", "", "RTT",
                        "/s", "timeouts/s", "failures/s"));
    size_t shown = 0;
    for (const TopStats::Forwarder& forwarder : stats_.forwarders) {
      if (++shown > kForwardersShown) {
        Add(absl::StrCat("and ", stats_.forwarders.size() - kForwardersShown,
                         " more"));
        break;
      }
      Add(absl::StrFormat(
          "%-32s%-6s%10s%9s%11s%11s", Printable(forwarder.address),
          forwarder.is_up ? "up" : "DOWN", TimeText(forwarder.rtt_ms / 1000),
          Rate(forwarder.sent), Rate(forwarder.timeouts),
          Rate(forwarder.failures)));
    }
    Add("");
  }

  void Names() {
    const std::vector<Row> names = Sorted(stats_.top_names);
    if (names.empty()) return;
    const size_t width = size_.columns > 40 ? size_.columns - 20 : size_t{20};
    Add(absl::StrFormat("%-*s%12s%6s", static_cast<int>(width), "NAME", "/s",
                        ""));
    for (const auto& [name, count] : names) {
      std::string text = Printable(name);
      if (text.size() >= width) text.resize(width - 1);
      Add(absl::StrFormat("%-*s%12s%6s", static_cast<int>(width), text,
                          Rate(count), PercentText(count, stats_.queries)));
    }
  }

  const TopStats& stats_;
  const double seconds_;
  const TopScreenSize size_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string TimeText(double seconds) {
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.1f ms", seconds * 1e3);
  if (seconds < 100) return absl::StrFormat("%.1f s", seconds);
  return AgeText(seconds);
}

std::vector<std::string> TopScreen(const TopStats& stats, double seconds,
                                   const TopScreenSize& size) {
  return Screen(stats, seconds, size).Take();
}

}  // namespace dnsd
