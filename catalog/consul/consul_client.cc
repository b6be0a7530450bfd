#include "catalog/consul/consul_client.h"

#include <sys/random.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/log.h"

namespace dnsd {
namespace {

// Consul adds up to a sixteenth to a wait; more than this beyond it, and it is
// not coming.
constexpr int64_t kWaitMarginMs = 10'000;

unsigned RandomSeed() {
  unsigned seed = 1;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) return 1;
  return seed;
}

uint64_t NumberOf(const HttpHead& head, absl::string_view name) {
  const std::string* text = head.Find(name);
  uint64_t number = 0;
  if (text == nullptr || !absl::SimpleAtoi(*text, &number)) return 0;
  return number;
}

// What Consul says in an error, fit for a line of ours.
std::string FirstLine(absl::string_view body) {
  constexpr size_t kBytesMax = 200;
  absl::string_view line = body.substr(0, body.find('\n')).substr(0, kBytesMax);
  return std::string(absl::StripAsciiWhitespace(line));
}

ConsulReply ReplyOf(HttpFetched fetched) {
  ConsulReply reply;
  reply.status = fetched.status;
  reply.is_http2 = fetched.is_http2;
  reply.is_empty = fetched.is_empty_reply;
  if (!fetched.status.ok()) return reply;
  reply.http_status = fetched.head.status;
  reply.index = NumberOf(fetched.head, "x-consul-index");
  reply.last_contact_ms =
      static_cast<int64_t>(NumberOf(fetched.head, "x-consul-lastcontact"));
  const std::string* leader = fetched.head.Find("x-consul-knownleader");
  reply.has_leader = leader == nullptr || *leader != "false";
  reply.body = std::move(fetched.body);
  if (reply.http_status != 200) {
    reply.status = absl::UnavailableError(absl::StrCat(
        "status ", reply.http_status, ": ", FirstLine(reply.body)));
  }
  return reply;
}

bool IsOnThisHost(const ConsulAddress& address) {
  if (!address.unix_socket.empty()) return true;
  const size_t scheme = address.url.find("://");
  if (scheme == std::string::npos) return false;
  const absl::string_view rest =
      absl::string_view(address.url).substr(scheme + 3);
  return absl::StartsWith(rest, "127.") || absl::StartsWith(rest, "[::1]") ||
         absl::StartsWith(rest, "localhost:") || rest == "localhost";
}

HttpFetcherOptions FetcherOptions(const ConsulOptions& options,
                                  size_t connections_max) {
  HttpFetcherOptions fetcher;
  fetcher.connections_max = connections_max;
  fetcher.tls = options.tls;
  return fetcher;
}

// Of all connections, those for requests that do not block.
size_t CallsMax(const ConsulOptions& options) {
  return options.connections_max >= 20 ? 6 : 3;
}

}  // namespace

size_t PollsMax(const ConsulOptions& options) {
  const size_t calls_max = CallsMax(options);
  return options.connections_max > calls_max
             ? options.connections_max - calls_max
             : 1;
}

ConsulClient::ConsulClient(EventLoop* loop, const ConsulOptions& options)
    : options_(options),
      calls_(loop, FetcherOptions(options, CallsMax(options))),
      polls_(loop, FetcherOptions(options, PollsMax(options))),
      token_(options.token),
      random_(RandomSeed()) {
  ReadTokenFile();
}

const ConsulAddress& ConsulClient::address() const {
  return options_.addresses[address_];
}

void ConsulClient::NextAddress() {
  address_ = (address_ + 1) % options_.addresses.size();
}

int64_t ConsulClient::Jitter(int64_t ms) {
  std::uniform_int_distribution<int64_t> spread(ms - ms / 8, ms + ms / 8);
  return spread(random_);
}

// Small, local and rare, so it may be read here.
void ConsulClient::ReadTokenFile() {
  if (options_.token_file.empty()) return;
  std::ifstream file(options_.token_file);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    LogWarn("consul", "Cannot read the token file",
            {{"file", options_.token_file}});
    return;
  }
  // As for Consul's own commands, the file wins unless it is empty.
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (!token.empty()) token_ = std::string(token);
}

std::string ConsulClient::UrlOf(const ConsulGet& get, int64_t wait_ms) const {
  std::string url = absl::StrCat(address().url, get.path);
  const char* separator = "?";
  const auto add = [&](const std::string& parameter) {
    absl::StrAppend(&url, separator, parameter);
    separator = "&";
  };
  if (options_.stale && get.can_be_stale) add("stale=");
  if (!get.datacenter.empty()) {
    add(absl::StrCat("dc=", EscapeSegment(get.datacenter)));
  }
  if (!get.parameters.empty()) add(get.parameters);
  if (!get.filter.empty()) {
    add(absl::StrCat("filter=", EscapeSegment(get.filter)));
  }
  if (get.index != 0) {
    add(absl::StrCat("index=", get.index));
    add(absl::StrCat("wait=", wait_ms, "ms"));
  }
  return url;
}

ConsulClient::Id ConsulClient::Get(const ConsulGet& get, Done done) {
  const int64_t wait_ms = get.index == 0 ? 0 : Jitter(get.wait_ms);
  HttpFetch fetch;
  fetch.url = UrlOf(get, wait_ms);
  fetch.unix_socket = address().unix_socket;
  fetch.total_ms =
      get.index == 0 ? get.total_ms : wait_ms + wait_ms / 16 + kWaitMarginMs;
  fetch.body_bytes_max = kConsulAnswerBytesMax;
  // Compression trades Consul's time for a network's: everything of 30,000
  // instances takes it 0.3 s, and 0.9 s when it compresses them.
  fetch.decode = !IsOnThisHost(address());
  if (!token_.empty()) fetch.headers.emplace_back("X-Consul-Token", token_);
  ++traffic_.requests;
  // The lowest bit of our ids says whose they are.
  const bool blocks = get.index != 0;
  HttpFetcher& fetcher = blocks ? polls_ : calls_;
  const HttpFetcher::Id id = fetcher.Fetch(
      std::move(fetch), [this, done = std::move(done)](HttpFetched fetched) {
        traffic_.bytes += fetched.wire_bytes;
        if (fetched.connected) ++traffic_.connects;
        ConsulReply reply = ReplyOf(std::move(fetched));
        if (!reply.status.ok()) ++traffic_.errors;
        // The token may have been exchanged.
        if (reply.http_status == 403) ReadTokenFile();
        done(std::move(reply));
      });
  return id << 1 | static_cast<Id>(blocks);
}

void ConsulClient::Cancel(Id id) {
  HttpFetcher& fetcher = (id & 1) != 0 ? polls_ : calls_;
  fetcher.Cancel(id >> 1);
}

std::string EscapeSegment(absl::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
        c == '_' || c == '.' || c == '~') {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

}  // namespace dnsd
