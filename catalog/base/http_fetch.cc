#include "catalog/base/http_fetch.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/http_fetch_multi.h"
#include "catalog/base/http_fetch_transfer.h"

namespace dnsd {
namespace {

// Transfers that start in one turn of the loop.
constexpr int kStartsOfTurnMax = 32;

// Nobody gets a connection where this happened just now.
bool IsConnectionError(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
      return true;
    default:
      return false;
  }
}

int64_t NowMs() { return static_cast<int64_t>(uv_hrtime() / 1'000'000); }

}  // namespace

const std::string* HttpHead::Find(absl::string_view name) const {
  for (const auto& header : headers) {
    if (header.first == name) return &header.second;
  }
  return nullptr;
}

// The user's callbacks run in Deliver() and nowhere else: libcurl is not
// running then, so that they may start and cancel what they like.
struct HttpFetcher::Impl {
  // Where HTTP/2 may be spoken, libcurl gets one transfer at a time until that
  // has its connection: it would make a connection for each, once the ones it
  // has are full, not knowing how many have a place on the one being made.
  struct Origin {
    Id opener = 0;          // the one that libcurl has; 0: none
    bool is_http1 = false;  // as far as is known: nobody has to wait
    std::set<Id> waiting;   // in the order of their ids
  };

  // Held by `requests` until it ended or was cancelled, and by Deliver() as
  // long as one of its callbacks runs.
  struct Request {
    Request(Id id, HttpFetch fetch, bool is_stream, const TlsClientOptions& tls,
            std::function<void(HttpTransfer*)> on_news)
        : transfer(id, std::move(fetch), is_stream, tls, std::move(on_news)),
          streamed(is_stream) {}

    HttpTransfer transfer;
    const bool streamed;
    Origin* origin = nullptr;  // nullptr: without TLS
    std::function<void(HttpFetched)> done;
    Stream stream;
    int64_t deadline_ms = 0;  // 0: none
    bool added = false;       // to the CurlMulti
    bool has_news = false;
    bool head_told = false;
    bool cancelled = false;
  };

  Impl(EventLoop* loop, HttpFetcherOptions fetcher_options)
      : options(std::move(fetcher_options)),
        multi(
            loop,
            {.connections_max = options.connections_max,
             .streams_max = options.streams_max},
            {.on_end = [this](CURL* easy, CURLcode code) { OnEnd(easy, code); },
             .after = [this] { Deliver(); }}),
        deadline(loop, [this] { OnDeadline(); }) {}

  ~Impl() {
    for (const auto& [id, request] : requests) Unhook(request.get());
  }

  Id Start(HttpFetch fetch, bool streamed,
           const std::function<void(Request*)>& set_callbacks);
  void Cancel(Id id);
  void Add(Request* request);

  void OnEnd(CURL* easy, CURLcode code);
  void OnNews(Id id);
  void Unhook(Request* request);
  void Learn(Request* request);
  void StartWaiting(Origin* origin);
  void Deliver();
  void DeliverStream(const std::shared_ptr<Request>& request);
  void DeliverEnd(const std::shared_ptr<Request>& request);

  void ArmDeadline();
  void OnDeadline();

  const HttpFetcherOptions options;
  Id last_id = 0;
  absl::flat_hash_map<Id, std::shared_ptr<Request>> requests;
  // As many as the configuration has addresses: none ever goes.
  std::map<std::string, Origin> origins;
  std::vector<Id> news;
  std::set<std::pair<int64_t, Id>> deadlines;
  CurlMulti multi;
  Timer deadline;  // the first of `deadlines`
};

HttpFetcher::Id HttpFetcher::Impl::Start(
    HttpFetch fetch, bool streamed,
    const std::function<void(Request*)>& set_callbacks) {
  const Id id = ++last_id;
  auto request = std::make_shared<Request>(
      id, std::move(fetch), streamed, options.tls,
      [this](HttpTransfer* transfer) { OnNews(transfer->id()); });
  set_callbacks(request.get());
  requests.emplace(id, request);
  HttpTransfer& transfer = request->transfer;
  if (!transfer.status().ok()) {
    transfer.End(CURLE_OK);
    OnNews(id);
    return id;
  }
  if (transfer.total_ms() > 0) {
    request->deadline_ms = NowMs() + transfer.total_ms();
    deadlines.emplace(request->deadline_ms, id);
    ArmDeadline();
  }
  if (!transfer.is_https()) {
    Add(request.get());
    return id;
  }
  request->origin = &origins[transfer.Origin()];
  request->origin->waiting.insert(id);
  multi.Wake();
  return id;
}

void HttpFetcher::Impl::Add(Request* request) {
  HttpTransfer& transfer = request->transfer;
  const CURLcode code = multi.Add(transfer.easy());
  request->added = code == CURLE_OK;
  if (request->added) return;
  transfer.End(code);
  Unhook(request);
  OnNews(transfer.id());
}

void HttpFetcher::Impl::Cancel(Id id) {
  const auto found = requests.find(id);
  if (found == requests.end()) return;
  // It may be the caller's own callback that this drops: Deliver() holds on.
  const std::shared_ptr<Request> request = found->second;
  requests.erase(found);
  request->cancelled = true;
  Unhook(request.get());
}

void HttpFetcher::Impl::OnEnd(CURL* easy, CURLcode code) {
  HttpTransfer* const transfer = HttpTransfer::Of(easy);
  const auto found = requests.find(transfer->id());
  if (found == requests.end()) return;
  Request* const request = found->second.get();
  transfer->End(code);
  if (request->origin != nullptr && !transfer->started() &&
      IsConnectionError(code)) {
    for (const Id id : std::exchange(request->origin->waiting, {})) {
      Request* const other = requests.find(id)->second.get();
      other->transfer.EndLike(*transfer, code);
      Unhook(other);
      OnNews(id);
    }
  }
  Unhook(request);
  OnNews(transfer->id());
}

void HttpFetcher::Impl::OnNews(Id id) {
  const auto found = requests.find(id);
  if (found == requests.end() || found->second->has_news) return;
  found->second->has_news = true;
  news.push_back(id);
  multi.Wake();
}

// Away from libcurl and the clock.
void HttpFetcher::Impl::Unhook(Request* request) {
  if (std::exchange(request->added, false)) {
    multi.Remove(request->transfer.easy());
  }
  if (Origin* const origin = request->origin; origin != nullptr) {
    origin->waiting.erase(request->transfer.id());
    if (origin->opener == request->transfer.id()) {
      origin->opener = 0;
      multi.Wake();
    }
  }
  if (request->deadline_ms != 0) {
    deadlines.erase({request->deadline_ms, request->transfer.id()});
    request->deadline_ms = 0;
  }
}

void HttpFetcher::Impl::Learn(Request* request) {
  Origin* const origin = request->origin;
  if (origin == nullptr) return;
  const HttpTransfer& transfer = request->transfer;
  if (transfer.has_head()) origin->is_http1 = !transfer.is_http2();
  if (transfer.started() && origin->opener == transfer.id()) {
    origin->opener = 0;
  }
}

void HttpFetcher::Impl::StartWaiting(Origin* origin) {
  for (int i = 0; i < kStartsOfTurnMax; ++i) {
    if (origin->waiting.empty() || origin->opener != 0) return;
    const Id id = *origin->waiting.begin();
    origin->waiting.erase(origin->waiting.begin());
    Request* const request = requests.find(id)->second.get();
    if (!origin->is_http1) origin->opener = id;
    Add(request);
    multi.Push();
    Learn(request);
  }
  multi.Wake();
}

void HttpFetcher::Impl::Deliver() {
  // News of what the callbacks do is for the next time.
  for (const Id id : std::exchange(news, {})) {
    const auto found = requests.find(id);
    if (found == requests.end()) continue;
    const std::shared_ptr<Request> request = found->second;
    request->has_news = false;
    Learn(request.get());
    if (request->streamed) {
      DeliverStream(request);
    } else if (request->transfer.ended()) {
      DeliverEnd(request);
    }
  }
  for (auto& [name, origin] : origins) StartWaiting(&origin);
}

void HttpFetcher::Impl::DeliverStream(const std::shared_ptr<Request>& request) {
  HttpTransfer& transfer = request->transfer;
  if (transfer.has_head() && !request->head_told) {
    request->head_told = true;
    request->stream.on_head(transfer.head());
    if (request->cancelled) return;
  }
  if (!transfer.held() && transfer.has_pending()) {
    const std::string chunk = transfer.TakePending();
    const bool more = request->stream.on_body(chunk);
    if (request->cancelled) return;
    if (!more) transfer.Hold();
  }
  if (!transfer.held() && !transfer.LetGo()) Unhook(request.get());
  if (!transfer.ended()) return;
  // Bytes that wait for a user who wants no more now keep the good end back.
  // A bad end is told at once: who waits for ever would never hear of it.
  if (transfer.has_pending() && transfer.status().ok()) return;
  if (transfer.has_pending() && !transfer.held()) return;
  DeliverEnd(request);
}

void HttpFetcher::Impl::DeliverEnd(const std::shared_ptr<Request>& request) {
  requests.erase(request->transfer.id());
  HttpFetched fetched = request->transfer.TakeFetched();
  if (request->streamed) {
    request->stream.on_done(fetched.status);
  } else {
    request->done(std::move(fetched));
  }
}

void HttpFetcher::Impl::ArmDeadline() {
  if (deadlines.empty()) {
    deadline.Stop();
    return;
  }
  // The loop's own clock may be behind, and fire too soon: never in 0 ms.
  const int64_t left_ms = deadlines.begin()->first - NowMs();
  deadline.Start(static_cast<uint64_t>(std::max<int64_t>(left_ms, 1)));
}

void HttpFetcher::Impl::OnDeadline() {
  const int64_t now_ms = NowMs();
  while (!deadlines.empty() && deadlines.begin()->first <= now_ms) {
    const auto found = requests.find(deadlines.begin()->second);
    Request* const request = found->second.get();
    HttpTransfer& transfer = request->transfer;
    transfer.EndBy(absl::StatusCode::kDeadlineExceeded,
                   absl::StrCat(transfer.has_head() ? "not all of the answer"
                                                    : "no answer",
                                " within ", transfer.total_ms(), " ms"));
    Unhook(request);
    OnNews(transfer.id());
  }
  ArmDeadline();
}

HttpFetcher::HttpFetcher(EventLoop* loop, HttpFetcherOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

HttpFetcher::~HttpFetcher() = default;

HttpFetcher::Id HttpFetcher::Fetch(HttpFetch fetch,
                                   std::function<void(HttpFetched)> done) {
  return impl_->Start(
      std::move(fetch), /*streamed=*/false,
      [&](Impl::Request* request) { request->done = std::move(done); });
}

HttpFetcher::Id HttpFetcher::Open(HttpFetch fetch, Stream stream) {
  return impl_->Start(
      std::move(fetch), /*streamed=*/true,
      [&](Impl::Request* request) { request->stream = std::move(stream); });
}

void HttpFetcher::Resume(Id id) {
  const auto found = impl_->requests.find(id);
  if (found == impl_->requests.end() || !found->second->streamed) return;
  found->second->transfer.Release();
  impl_->OnNews(id);
}

void HttpFetcher::Cancel(Id id) { impl_->Cancel(id); }

void HttpFetcher::DropIdleConnections() {
  std::vector<CURL*> paused;
  for (const auto& [id, request] : impl_->requests) {
    HttpTransfer& transfer = request->transfer;
    if (transfer.curl_paused()) paused.push_back(transfer.easy());
  }
  impl_->multi.DropIdle(paused);
}

size_t HttpFetcher::active_count() const { return impl_->requests.size(); }

}  // namespace dnsd
