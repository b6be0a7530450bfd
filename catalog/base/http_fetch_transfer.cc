#include "catalog/base/http_fetch_transfer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd {
namespace {

// What simdjson may read behind the end of a document.
constexpr size_t kBodySlackBytes = 64;

// Reserved at once when the server says how long its answer is. It may lie.
constexpr uint64_t kTrustedLengthMax = 4u << 20;

// A server that vanished without a word is noticed after about two minutes:
// nine probes (Linux's default) behind the first.
constexpr long kKeepAliveIdleSeconds = 30;
constexpr long kKeepAliveIntervalSeconds = 10;

// A replaced CA file counts for new connections after this. Without a cache,
// each connection parses the system's whole list again, for tens of
// milliseconds.
constexpr long kCaCacheSeconds = 300;

// RFC 9110 5.6.2.
bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

bool IsHeaderValue(absl::string_view text) {
  return text.find_first_of(absl::string_view("\r\n\0", 3)) == text.npos;
}

bool IsUrl(absl::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) || c == ' ';
  });
}

// Queries and user names may hold secrets.
std::string PublicUrl(absl::string_view url) {
  const absl::string_view rest = url.substr(0, url.find_first_of("?#"));
  size_t host = rest.find("://");
  host = host == rest.npos ? 0 : host + 3;
  const absl::string_view authority =
      rest.substr(host, std::min(rest.find('/', host), rest.size()) - host);
  const size_t at = authority.rfind('@');
  if (at == authority.npos) return std::string(rest);
  return absl::StrCat(rest.substr(0, host), rest.substr(host + at + 1));
}

// Room for `more` bytes and the slack, and for as much again as there is.
void Grow(std::string* body, size_t more) {
  const size_t wanted = body->size() + more + kBodySlackBytes;
  if (body->capacity() >= wanted) return;
  body->reserve(std::max(wanted, 2 * body->capacity()));
}

absl::StatusCode StatusCodeOf(CURLcode code) {
  return code == CURLE_OPERATION_TIMEDOUT ? absl::StatusCode::kDeadlineExceeded
                                          : absl::StatusCode::kUnavailable;
}

bool Has(const HttpHeaders& headers, absl::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, name);
  });
}

}  // namespace

HttpTransfer::HttpTransfer(HttpFetcher::Id id, HttpFetch fetch, bool streamed,
                           const TlsClientOptions& tls,
                           std::function<void(HttpTransfer*)> on_news)
    : id_(id),
      fetch_(std::move(fetch)),
      streamed_(streamed),
      on_news_(std::move(on_news)),
      easy_(curl_easy_init()) {
  CURL* const easy = easy_.get();
  DNSD_CHECK(easy != nullptr);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_error_.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeadLine);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, OnStart);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  if (!IsUrl(fetch_.url)) {
    Fail(absl::StatusCode::kUnavailable, "the URL has blanks in it");
    return;
  }
  if (!SetHeaders()) return;
  curl_easy_setopt(easy, CURLOPT_URL, fetch_.url.c_str());
  SetMethod();
  SetConnection();
  SetTls(tls);
}

HttpTransfer* HttpTransfer::Of(CURL* easy) {
  void* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  return static_cast<HttpTransfer*>(transfer);
}

bool HttpTransfer::is_https() const {
  return absl::StartsWithIgnoreCase(fetch_.url, "https:");
}

std::string HttpTransfer::Origin() const {
  const size_t scheme = fetch_.url.find("://");
  const size_t host = scheme == fetch_.url.npos ? 0 : scheme + 3;
  return absl::StrCat(
      fetch_.unix_socket, " ",
      fetch_.url.substr(0, fetch_.url.find_first_of("/?#", host)));
}

bool HttpTransfer::SetHeaders() {
  for (const auto& [name, value] : fetch_.headers) {
    if (!IsToken(name) || !IsHeaderValue(value)) {
      Fail(absl::StatusCode::kUnavailable,
           absl::StrCat("a header that cannot be sent, of the name \"",
                        absl::CHexEscape(name), "\""));
      return false;
    }
    // The framing is libcurl's.
    if (absl::EqualsIgnoreCase(name, "content-length") ||
        absl::EqualsIgnoreCase(name, "transfer-encoding") ||
        (fetch_.decode && absl::EqualsIgnoreCase(name, "accept-encoding"))) {
      continue;
    }
    // With a colon, libcurl takes an empty value for a wish to have none.
    AddHeader(value.empty() ? absl::StrCat(name, ";")
                            : absl::StrCat(name, ": ", value));
  }
  // What libcurl would add by itself.
  for (const char* name : {"Accept", "Content-Type", "Expect"}) {
    if (!Has(fetch_.headers, name)) AddHeader(absl::StrCat(name, ":"));
  }
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  if (fetch_.decode) {
    curl_easy_setopt(easy_.get(), CURLOPT_ACCEPT_ENCODING, "gzip");
  } else {
    curl_easy_setopt(easy_.get(), CURLOPT_HTTP_CONTENT_DECODING, 0L);
  }
  return true;
}

void HttpTransfer::AddHeader(const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
  DNSD_CHECK(longer != nullptr);
  (void)headers_.release();  // the head of the list is `longer` now
  headers_.reset(longer);
}

void HttpTransfer::SetMethod() {
  CURL* const easy = easy_.get();
  const std::string& method = fetch_.method;
  if (!IsToken(method)) {
    Fail(absl::StatusCode::kUnavailable, "a method that cannot be sent");
    return;
  }
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  // A PUT or POST says how long its body is, even when it has none.
  if (!fetch_.body.empty() || method == "PUT" || method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(fetch_.body.size()));
  } else if (method == "GET") {
    return;
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void HttpTransfer::SetConnection() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Rather a place on a connection that is being made than one more.
  if (is_https()) curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  if (!fetch_.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                     fetch_.unix_socket.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(fetch_.connect_ms));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  // Cancelling a transfer that still resolves its host's name would wait for
  // the resolver's thread otherwise.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

void HttpTransfer::SetTls(const TlsClientOptions& tls) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                   static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  if (!tls.ca_file.empty() || !tls.ca_path.empty()) {
    // Who names one means it alone: not the system's beside it.
    const char* const none = nullptr;
    curl_easy_setopt(easy, CURLOPT_CAINFO,
                     tls.ca_file.empty() ? none : tls.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH,
                     tls.ca_path.empty() ? none : tls.ca_path.c_str());
  }
  if (!tls.cert_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.cert_file.c_str());
  }
  if (!tls.key_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  }
}

int HttpTransfer::OnStart(void* user, char*, char*, int, int) {
  auto* self = static_cast<HttpTransfer*>(user);
  self->started_ = true;
  self->on_news_(self);
  return CURL_PREREQFUNC_OK;
}

size_t HttpTransfer::OnHeadLine(char* data, size_t size, size_t count,
                                void* user) {
  const size_t bytes = size * count;
  auto* self = static_cast<HttpTransfer*>(user);
  // A count that is not `bytes` ends the transfer.
  if (self->ended_ || !self->TakeHeadLine({data, bytes})) return 0;
  return bytes;
}

bool HttpTransfer::TakeHeadLine(absl::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kFetchHeadBytesMax) {
    Fail(
        absl::StatusCode::kResourceExhausted,
        absl::StrCat("the head is longer than ", kFetchHeadBytesMax, " bytes"));
    return false;
  }
  if (has_head_) return true;  // trailers
  const absl::string_view text = absl::StripAsciiWhitespace(line);
  HttpHead& head = fetched_.head;
  if (absl::StartsWith(line, "HTTP/")) {
    // Of an interim answer, or of the one behind it.
    head = HttpHead();
    const size_t blank = text.find(' ');
    if (blank == text.npos ||
        !absl::SimpleAtoi(text.substr(blank + 1, 3), &head.status)) {
      Fail(absl::StatusCode::kUnavailable, "a status line without a status");
      return false;
    }
    return true;
  }
  if (text.empty()) {
    has_head_ = head.status >= 200;
    if (has_head_) on_news_(this);
    return true;
  }
  if (absl::ascii_isspace(static_cast<unsigned char>(line[0]))) {
    // RFC 9112 5.2: a line folded in the old way continues the last.
    if (!head.headers.empty()) {
      absl::StrAppend(&head.headers.back().second, " ", text);
    }
    return true;
  }
  const size_t colon = text.find(':');
  if (colon == text.npos) return true;
  head.headers.emplace_back(
      absl::AsciiStrToLower(
          absl::StripTrailingAsciiWhitespace(text.substr(0, colon))),
      std::string(absl::StripLeadingAsciiWhitespace(text.substr(colon + 1))));
  return true;
}

size_t HttpTransfer::OnBody(char* data, size_t size, size_t count, void* user) {
  const size_t bytes = size * count;
  auto* self = static_cast<HttpTransfer*>(user);
  if (self->ended_) return 0;
  if (!self->has_head_) {
    self->Fail(absl::StatusCode::kUnavailable, "a body without a head");
    return 0;
  }
  if (self->streamed_ &&
      (self->held_ || self->pending_.size() >= kFetchPendingBytesMax)) {
    // libcurl keeps these bytes and delivers them again.
    self->curl_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (bytes > self->fetch_.body_bytes_max - self->body_bytes_) {
    self->Fail(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the body is longer than ",
                            self->fetch_.body_bytes_max, " bytes"));
    return 0;
  }
  self->body_bytes_ += bytes;
  self->AppendBody({data, bytes});
  return bytes;
}

void HttpTransfer::AppendBody(absl::string_view bytes) {
  if (streamed_) {
    pending_.append(bytes.data(), bytes.size());
    on_news_(this);
    return;
  }
  std::string& body = fetched_.body;
  uint64_t length = 0;
  if (body.empty() && fetched_.head.Find("content-length") != nullptr &&
      absl::SimpleAtoi(*fetched_.head.Find("content-length"), &length)) {
    Grow(&body, std::min(length, kTrustedLengthMax));
  }
  Grow(&body, bytes.size());
  body.append(bytes.data(), bytes.size());
}

std::string HttpTransfer::TakePending() {
  return std::exchange(pending_, std::string());
}

bool HttpTransfer::LetGo() {
  if (!curl_paused_ || ended_) return true;
  curl_paused_ = false;
  const CURLcode code = curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  if (code == CURLE_OK) return true;
  End(code);
  return false;
}

void HttpTransfer::End(CURLcode code) {
  // libcurl does not count interim answers.
  fetched_.is_empty_reply = code == CURLE_GOT_NOTHING && head_bytes_ == 0;
  if (code != CURLE_OK) {
    Fail(StatusCodeOf(code), Detail(code));
  } else if (!has_head_) {
    Fail(absl::StatusCode::kUnavailable, "no head in the answer");
  }
  ended_ = true;
  CURL* const easy = easy_.get();
  curl_off_t wire_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &wire_bytes);
  fetched_.wire_bytes = static_cast<uint64_t>(wire_bytes);
  long connects = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  fetched_.connected = connects > 0;
  fetched_.is_http2 = is_http2();
}

void HttpTransfer::EndLike(const HttpTransfer& other, CURLcode code) {
  Fail(StatusCodeOf(code), other.Detail(code));
  End(code);
}

absl::string_view HttpTransfer::Detail(CURLcode code) const {
  return curl_error_[0] != '\0' ? curl_error_.data() : curl_easy_strerror(code);
}

bool HttpTransfer::is_http2() const {
  long version = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_VERSION, &version);
  return version == CURL_HTTP_VERSION_2_0;
}

void HttpTransfer::EndBy(absl::StatusCode why, absl::string_view detail) {
  Fail(why, detail);
  End(CURLE_OK);
}

HttpFetched HttpTransfer::TakeFetched() {
  Grow(&fetched_.body, 0);
  return std::move(fetched_);
}

// The first reason stays: libcurl only knows that a callback refused.
void HttpTransfer::Fail(absl::StatusCode why, absl::string_view detail) {
  if (!fetched_.status.ok()) return;
  fetched_.status = absl::Status(
      why, absl::StrCat(absl::CHexEscape(PublicUrl(fetch_.url)), ": ",
                        absl::StripTrailingAsciiWhitespace(detail)));
}

}  // namespace dnsd
