#include "dnsd/querylog/query_log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/log_control.h"
#include "catalog/base/thread.h"
#include "dnsd/counter.h"
#include "dnsd/querylog/dnstap_message.h"
#include "dnsd/querylog/dnstap_socket.h"
#include "dnsd/querylog/query_line.h"
#include "dnsd/querylog/sample_view.h"
#include "zones/name.h"

namespace dnsd {
namespace {

// How often the rings are looked at: so that a busy worker's is not full
// before; and rarely where only top names are counted.
constexpr uint64_t kPollMs = 10;
constexpr uint64_t kPollTopMs = 100;

// Lines gathered before they are written.
constexpr size_t kLinesBytes = 64u << 10;

// Records of one ring before the next has its turn, and other tasks theirs.
constexpr size_t kRecordsPerTurn = 4096;

// Names that Top() can tell, and how old they may be.
constexpr size_t kTopShown = 100;
constexpr uint64_t kTopMs = 1000;

}  // namespace

struct QueryLog::Impl {
  explicit Impl(QueryLogOptions query_log_options)
      : options(std::move(query_log_options)),
        poll(&loop, [this] { (void)TakeAll(); }),
        publish_top(&loop, [this] { PublishTop(); }) {
    Apply();
  }

  void Apply();
  void Configure(QueryLogOptions now);
  bool TakeAll();
  void Take(const SampleView& sample);
  void WriteLines();
  void WriteToAgentLog();
  void PublishTop();
  void Finish();

  QueryLogOptions options;
  EventLoop loop;
  Timer poll;
  Timer publish_top;
  std::vector<std::unique_ptr<SampleRing>> rings;
  std::unique_ptr<LogFile> file;  // nullptr: lines go to the agent's log
  bool is_file_well = true;
  DnstapCounts tap_counts;
  std::optional<DnstapSocket> tap;
  TopNames top;
  std::string lines_text;
  uint64_t line_count = 0;  // in lines_text

  Counter lines;
  Counter lines_dropped;

  mutable std::mutex mutex;      // Top() is asked by other threads
  std::vector<TopName> top_now;  // guarded by it
  std::thread thread;
};

// Starts what the options say.
void QueryLog::Impl::Apply() {
  const bool logs = options.rule(SampleUse::kLog).every != 0;
  const bool taps = options.rule(SampleUse::kTap).every != 0;
  const bool counts = options.rule(SampleUse::kTop).every != 0;
  tap.reset();
  if (taps) tap.emplace(options.dnstap.socket, &tap_counts);
  const uint64_t poll_ms = logs || taps ? kPollMs : kPollTopMs;
  if (logs || taps || counts) {
    poll.Start(poll_ms, poll_ms);
  } else {
    poll.Stop();
  }
  if (counts) {
    publish_top.Start(kTopMs, kTopMs);
  } else {
    publish_top.Stop();
    top = {};
    PublishTop();
  }
}

void QueryLog::Impl::Configure(QueryLogOptions now) {
  if (now == options) return;
  (void)TakeAll();
  if (now.rule(SampleUse::kLog).every == 0 || now.file.path.empty()) {
    file.reset();
  } else if (file == nullptr || !(now.file == options.file)) {
    absl::StatusOr<std::unique_ptr<LogFile>> opened = LogFile::Open(now.file);
    if (opened.ok()) {
      file = *std::move(opened);
    } else {
      LogError("querylog", opened.status().message());
      // The next reload tries again.
      now.file = file == nullptr ? LogFileOptions() : options.file;
    }
  }
  options = std::move(now);
  Apply();
}

// Whether there may be more.
bool QueryLog::Impl::TakeAll() {
  bool is_cut = false;
  for (const auto& ring : rings) {
    for (size_t i = 0;; ++i) {
      const std::span<const uint8_t> record = ring->Front();
      if (record.empty()) break;
      is_cut = is_cut || i == kRecordsPerTurn;
      if (i == kRecordsPerTurn) break;
      const std::optional<SampleView> sample = SampleView::Read(record);
      DNSD_CHECK(sample.has_value());
      Take(*sample);
      ring->Pop();
    }
  }
  WriteLines();
  if (tap) tap->Flush();
  return is_cut;
}

// What was taken under other rules may be of no use any more.
void QueryLog::Impl::Take(const SampleView& sample) {
  const auto wants = [&](SampleUse use) {
    return sample.head.wants(use) && options.rule(use).every != 0;
  };
  if (wants(SampleUse::kLog)) {
    absl::StrAppend(&lines_text, QueryLine(sample, LogsJson()), "\n");
    ++line_count;
    if (lines_text.size() >= kLinesBytes) WriteLines();
  }
  if (wants(SampleUse::kTop)) {
    const std::string name = sample.Name(/*lower_case=*/true);
    if (!name.empty()) top.Add(name, options.rule(SampleUse::kTop).every);
  }
  if (!wants(SampleUse::kTap)) return;
  const auto send = [&](DnstapKind kind) {
    tap->Write(DnstapMessage(options.dnstap, kind, sample));
  };
  if (options.dnstap.queries && !sample.query.empty()) send(DnstapKind::kQuery);
  if (options.dnstap.responses) send(DnstapKind::kResponse);
}

void QueryLog::Impl::WriteLines() {
  if (lines_text.empty()) return;
  if (file == nullptr) {
    WriteToAgentLog();
  } else if (file->Write(lines_text)) {
    lines.Add(line_count);
    is_file_well = true;
  } else {
    lines_dropped.Add(line_count);
    if (std::exchange(is_file_well, false)) {
      LogError("querylog", "Cannot write query log file",
               {{"file", file->path()}});
    }
  }
  lines_text.clear();
  line_count = 0;
}

// Whoever logs waits while these lines are written: so not more of them than
// the reader of standard output takes at once.
void QueryLog::Impl::WriteToAgentLog() {
  const absl::string_view all = lines_text;
  for (absl::string_view rest = all; !rest.empty();) {
    absl::string_view part = rest.substr(0, PIPE_BUF);
    const size_t end =
        (part.size() < rest.size() ? part.rfind('\n') : part.size() - 1);
    part = rest.substr(
        0, end == absl::string_view::npos ? rest.find('\n') + 1 : end + 1);
    rest.remove_prefix(part.size());
    const auto count =
        static_cast<uint64_t>(std::count(part.begin(), part.end(), '\n'));
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) == 0) {
      lines_dropped.Add(count);
    } else {
      LogLines(part);
      lines.Add(count);
    }
  }
}

void QueryLog::Impl::PublishTop() {
  std::vector<TopName> now = top.Top(kTopShown);
  for (TopName& name : now) name.name = NameToText(WireBytes(name.name));
  std::lock_guard<std::mutex> lock(mutex);
  top_now = std::move(now);
}

void QueryLog::Impl::Finish() {
  // Workers have ended: what rings hold is all.
  while (TakeAll()) continue;
  tap.reset();
  loop.Stop();
}

absl::StatusOr<std::unique_ptr<QueryLog>> QueryLog::Open(
    const QueryLogOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  if (options.rule(SampleUse::kLog).every != 0 && !options.file.path.empty()) {
    absl::StatusOr<std::unique_ptr<LogFile>> file = LogFile::Open(options.file);
    if (!file.ok()) return file.status();
    impl->file = *std::move(file);
  }
  return std::unique_ptr<QueryLog>(new QueryLog(std::move(impl)));
}

QueryLog::QueryLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

QueryLog::~QueryLog() { Stop(); }

SampleRing* QueryLog::AddRing() {
  DNSD_CHECK(!impl_->thread.joinable());
  impl_->rings.push_back(std::make_unique<SampleRing>());
  return impl_->rings.back().get();
}

void QueryLog::Start() {
  impl_->thread = StartThread([impl = impl_.get()] {
    pthread_setname_np(pthread_self(), "dnsd-qlog");
    impl->loop.Run();
  });
}

void QueryLog::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->loop.Post([impl = impl_.get()] { impl->Finish(); });
  impl_->thread.join();
}

void QueryLog::Configure(const QueryLogOptions& options) {
  impl_->loop.Post([impl = impl_.get(), options] { impl->Configure(options); });
}

std::vector<TopName> QueryLog::Top(size_t count_max) const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  const size_t count = std::min(count_max, impl_->top_now.size());
  return {impl_->top_now.begin(),
          impl_->top_now.begin() + static_cast<ptrdiff_t>(count)};
}

QueryLogCounts QueryLog::counts() const {
  QueryLogCounts counts;
  for (const auto& ring : impl_->rings) counts.ring_dropped += ring->dropped();
  counts.lines = impl_->lines.value();
  counts.lines_dropped = impl_->lines_dropped.value();
  counts.frames = impl_->tap_counts.sent.value();
  counts.frames_dropped = impl_->tap_counts.dropped.value();
  return counts;
}

}  // namespace dnsd
