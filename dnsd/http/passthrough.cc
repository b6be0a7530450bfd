#include "dnsd/http/passthrough.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "catalog/base/check.h"
#include "dnsd/http/hop_headers.h"

namespace dnsd {
namespace {

constexpr absl::string_view kLoopHeader = "x-dnsd-passthrough";
constexpr absl::string_view kForwardedHeader = "x-forwarded-for";

constexpr absl::string_view kTooMany =
    "Your IP is issuing too many concurrent connections, please rate limit "
    "your calls";

std::string RandomId() {
  std::array<char, 16> bytes{};
  DNSD_CHECK(getrandom(bytes.data(), bytes.size(), 0) ==
             static_cast<ssize_t>(bytes.size()));
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

void AnswerText(int status, std::string text, const HttpReply& reply) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text);
  reply(std::move(response));
}

// Path and query as received. The absolute form has a server in front, which
// is us; and a '#', which no client may send, would be lost in a URL.
std::string OriginForm(absl::string_view target) {
  if (!absl::StartsWith(target, "/")) {
    const size_t scheme_end = target.find("://");
    const size_t path = scheme_end == target.npos
                            ? target.npos
                            : target.find('/', scheme_end + 3);
    target = path == target.npos ? "/" : target.substr(path);
  }
  return absl::StrReplaceAll(target, {{"#", "%23"}});
}

// "a, b": what is there, and one more at its end.
std::string Appended(const HttpHeaders& headers, absl::string_view name,
                     absl::string_view value) {
  const std::string there = JoinedHeader(headers, name);
  return absl::StrCat(there, there.empty() ? "" : ", ", value);
}

bool ListHas(absl::string_view list, absl::string_view value) {
  const std::vector<absl::string_view> parts = absl::StrSplit(list, ',');
  return std::any_of(parts.begin(), parts.end(), [&](absl::string_view part) {
    return absl::StripAsciiWhitespace(part) == value;
  });
}

HttpResponse HeadFor(const HttpHead& head) {
  HttpResponse response;
  response.status = head.status;
  response.headers_are_whole = true;
  for (auto& [name, value] : EndToEndHeaders(head.headers)) {
    response.headers.emplace_back(GoHeaderName(name), value);
  }
  return response;
}

}  // namespace

struct Passthrough::Impl : std::enable_shared_from_this<Impl> {
  // One request with Consul. Held by `open` until Consul's answer or the
  // client is gone, whichever is first.
  struct Exchange {
    HttpFetcher::Id fetch_id = 0;
    HttpReply reply;
    bool begun = false;  // the client has the head
  };
  using Key = uint64_t;

  Impl(HttpFetcher* http_fetcher, std::function<PassthroughTarget()> get_target,
       PassthroughOptions the_options)
      : fetcher(http_fetcher),
        target(std::move(get_target)),
        options(the_options) {}

  [[nodiscard]] HttpFetch FetchFor(const HttpRequest& request) const;
  void Start(const HttpRequest& request, HttpReply reply);
  [[nodiscard]] HttpFetcher::Stream StreamOf(Key key);
  std::shared_ptr<Exchange> Find(Key key) const;

  void OnHead(Key key, const HttpHead& head);
  bool OnBody(Key key, absl::string_view bytes);
  void OnDone(Key key, const absl::Status& status);
  void OnDrained(Key key);
  void OnClosed(Key key);

  HttpFetcher* const fetcher;
  const std::function<PassthroughTarget()> target;
  const PassthroughOptions options;
  const std::string id = RandomId();
  Key last_key = 0;
  std::unordered_map<Key, std::shared_ptr<Exchange>> open;
  PassthroughCounts counts;
};

HttpFetch Passthrough::Impl::FetchFor(const HttpRequest& request) const {
  HttpFetch fetch;
  const PassthroughTarget consul = target();
  fetch.method = request.method;
  fetch.url = absl::StrCat(consul.url, OriginForm(request.target));
  fetch.unix_socket = consul.unix_socket;
  // The connection names the host; 100 is answered when a body is asked for,
  // which we have done.
  for (auto& [name, value] : EndToEndHeaders(request.headers)) {
    if (name == "host" || name == "expect" || name == "content-length" ||
        name == kLoopHeader || name == kForwardedHeader) {
      continue;
    }
    fetch.headers.emplace_back(GoHeaderName(name), std::move(value));
  }
  fetch.headers.emplace_back(
      GoHeaderName(kForwardedHeader),
      Appended(request.headers, kForwardedHeader, request.client_ip));
  fetch.headers.emplace_back(GoHeaderName(kLoopHeader),
                             Appended(request.headers, kLoopHeader, id));
  fetch.body = request.body;
  fetch.connect_ms = options.connect_ms;
  fetch.total_ms = 0;  // blocking queries, logs: as long as the client stays
  fetch.body_bytes_max = std::numeric_limits<size_t>::max();
  fetch.decode = false;
  return fetch;
}

void Passthrough::Impl::Start(const HttpRequest& request, HttpReply reply) {
  if (ListHas(JoinedHeader(request.headers, kLoopHeader), id)) {
    ++counts.loops;
    AnswerText(508,
               "dnsd: this request has been here before: the Consul address "
               "leads back to this dnsd",
               reply);
    return;
  }
  if (open.size() >= options.requests_max) {
    ++counts.refused;
    AnswerText(429, std::string(kTooMany), reply);
    return;
  }
  ++counts.requests;
  reply.Waits();  // those that are with Consul have a limit of their own
  const Key key = ++last_key;
  auto exchange = std::make_shared<Exchange>();
  exchange->reply = reply;
  exchange->fetch_id = fetcher->Open(FetchFor(request), StreamOf(key));
  open.emplace(key, std::move(exchange));
  const std::weak_ptr<Impl> weak = weak_from_this();
  reply.OnDrained([weak, key] {
    if (const auto self = weak.lock()) self->OnDrained(key);
  });
  reply.OnClosed([weak, key] {
    if (const auto self = weak.lock()) self->OnClosed(key);
  });
}

// The fetcher may outlive us, but what we cancelled calls nothing.
HttpFetcher::Stream Passthrough::Impl::StreamOf(Key key) {
  return {
      .on_head = [this, key](const HttpHead& head) { OnHead(key, head); },
      .on_body = [this,
                  key](absl::string_view bytes) { return OnBody(key, bytes); },
      .on_done = [this,
                  key](const absl::Status& status) { OnDone(key, status); }};
}

std::shared_ptr<Passthrough::Impl::Exchange> Passthrough::Impl::Find(
    Key key) const {
  const auto found = open.find(key);
  return found == open.end() ? nullptr : found->second;
}

void Passthrough::Impl::OnHead(Key key, const HttpHead& head) {
  const auto exchange = Find(key);
  if (!exchange) return;
  exchange->begun = true;
  exchange->reply.Begin(HeadFor(head));
}

bool Passthrough::Impl::OnBody(Key key, absl::string_view bytes) {
  const auto exchange = Find(key);
  if (!exchange) return true;  // cancelled in this very turn
  counts.body_bytes += bytes.size();
  return exchange->reply.Write(bytes);
}

void Passthrough::Impl::OnDone(Key key, const absl::Status& status) {
  const auto exchange = Find(key);
  if (!exchange) return;
  open.erase(key);
  if (status.ok()) {
    exchange->reply.End();
  } else if (exchange->begun) {
    ++counts.cut;
    exchange->reply.Abort();
  } else {
    ++counts.unreachable;
    AnswerText(
        500, absl::StrCat("dnsd: Consul is not reachable: ", status.message()),
        exchange->reply);
  }
}

void Passthrough::Impl::OnDrained(Key key) {
  if (const auto exchange = Find(key)) fetcher->Resume(exchange->fetch_id);
}

void Passthrough::Impl::OnClosed(Key key) {
  const auto exchange = Find(key);
  if (!exchange) return;
  open.erase(key);
  ++counts.left;
  fetcher->Cancel(exchange->fetch_id);
}

Passthrough::Passthrough(HttpFetcher* fetcher,
                         std::function<PassthroughTarget()> target,
                         PassthroughOptions options)
    : impl_(std::make_shared<Impl>(fetcher, std::move(target), options)) {}

Passthrough::~Passthrough() {
  for (const auto& [key, exchange] : std::exchange(impl_->open, {})) {
    impl_->fetcher->Cancel(exchange->fetch_id);
  }
}

void Passthrough::Handle(const HttpRequest& request, HttpReply reply) {
  impl_->Start(request, std::move(reply));
}

PassthroughCounts Passthrough::counts() const {
  PassthroughCounts counts = impl_->counts;
  counts.active = impl_->open.size();
  return counts;
}

}  // namespace dnsd
