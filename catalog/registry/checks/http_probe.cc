#include "catalog/registry/checks/http_probe.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/checks/http_url.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 ||
         status == 308;
}

bool HasHeader(const CheckDefinition& check, absl::string_view name) {
  for (const auto& [key, values] : check.header) {
    if (absl::EqualsIgnoreCase(key, name) && !values.empty() &&
        !values[0].empty()) {
      return true;
    }
  }
  return false;
}

// Line ends would smuggle in more headers.
bool IsPlain(absl::string_view text) {
  return text.find_first_of(absl::string_view("\r\n\0", 3)) == text.npos;
}

size_t OutputBytesMax(const CheckDefinition& check) {
  return static_cast<size_t>(std::max(check.output_max_size, 1));
}

}  // namespace

HttpProbe::HttpProbe(ProbeTools* tools, const CheckDefinition& check,
                     ProbeDone done)
    : tools_(tools),
      check_(check),
      done_(std::move(done)),
      method_(check.method.empty() ? "GET" : check.method),
      url_(check.http),
      body_(OutputBytesMax(check)) {
  Start();
}

HttpProbe::~HttpProbe() { tools_->http.Remove(easy_.get()); }

void HttpProbe::Start() {
  ++request_count_;
  status_ = 0;
  status_text_.clear();
  location_.clear();
  has_head_ = false;
  curl_error_[0] = '\0';
  easy_.reset(curl_easy_init());
  CURL* const easy = easy_.get();
  DNSD_CHECK(easy != nullptr);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_error_.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeadLine);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  // Abandoning one that still resolves its host's name would wait otherwise.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  // The runner's timeout comes first.
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 3'600'000L);
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  SetMethod();
  SetTls();
  SetHeaders();
  tools_->http.Add(easy, [this](CURLcode code) { OnEnd(code); });
}

void HttpProbe::SetMethod() {
  CURL* const easy = easy_.get();
  if (method_ == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = has_body_ && !check_.body.empty();
  if (has_body || method_ == "PUT" || method_ == "POST" || method_ == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     has_body ? check_.body.data() : "");
    curl_easy_setopt(
        easy, CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(has_body ? check_.body.size() : 0));
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method_.c_str());
}

void HttpProbe::AddHeader(const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
  DNSD_CHECK(longer != nullptr);
  (void)headers_.release();  // the head of the list is `longer` now
  headers_.reset(longer);
}

void HttpProbe::SetHeaders() {
  headers_.reset();
  const bool is_first = request_count_ == 1;
  const bool is_same_host = UrlHostPort(url_) == UrlHostPort(check_.http);
  bool has_host = false;
  for (const auto& [name, values] : check_.header) {
    const bool is_host = absl::EqualsIgnoreCase(name, "host");
    // The framing is libcurl's.
    if (absl::EqualsIgnoreCase(name, "content-length") ||
        absl::EqualsIgnoreCase(name, "transfer-encoding") ||
        absl::EqualsIgnoreCase(name, "connection")) {
      continue;
    }
    // What belongs to one host does not go to another one.
    if (!is_first && !is_same_host &&
        (is_host || absl::EqualsIgnoreCase(name, "authorization") ||
         absl::EqualsIgnoreCase(name, "www-authenticate") ||
         absl::EqualsIgnoreCase(name, "cookie"))) {
      continue;
    }
    for (const std::string& value : values) {
      if (!IsPlain(name) || !IsPlain(value) || (is_host && has_host)) continue;
      has_host |= is_host && !value.empty();
      AddHeader(value.empty() ? absl::StrCat(name, ";")
                              : absl::StrCat(name, ": ", value));
    }
  }
  // A name for TLS alone is libcurl's host; the server shall not see that.
  if (!has_host && connect_to_ != nullptr) {
    AddHeader(absl::StrCat("Host: ", UrlHostPort(url_)));
  }
  if (!HasHeader(check_, "User-Agent")) {
    AddHeader(absl::StrCat("User-Agent: ", tools_->settings.user_agent));
  }
  if (!HasHeader(check_, "Accept")) {
    AddHeader("Accept: text/plain, text/*, */*");
  }
  if (!referer_.empty()) AddHeader(absl::StrCat("Referer: ", referer_));
  if (!HasHeader(check_, "Accept-Encoding") && method_ != "HEAD") {
    curl_easy_setopt(easy_.get(), CURLOPT_ACCEPT_ENCODING, "gzip");
  }
  AddHeader("Connection: close");
  // What libcurl would add by itself.
  if (!HasHeader(check_, "Content-Type")) AddHeader("Content-Type:");
  AddHeader("Expect:");
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

// Certificates are checked by our own callback, which knows Go's words.
void HttpProbe::SetTls() {
  CURL* const easy = easy_.get();
  connect_to_.reset();
  if (!absl::StartsWithIgnoreCase(url_, "https:")) return;
  peer_ = {
      .name = UrlHost(url_), .verify = !check_.tls_skip_verify, .error = ""};
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, OnTls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  if (check_.tls_server_name.empty()) return;
  peer_.name = check_.tls_server_name;
  // libcurl's SNI is the URL's host: it gets the name there, and is told
  // where to connect to.
  const std::string renamed = UrlWithHost(url_, check_.tls_server_name);
  curl_easy_setopt(easy, CURLOPT_URL, renamed.c_str());
  connect_to_.reset(curl_slist_append(
      nullptr, absl::StrCat("::", UrlConnectTo(url_)).c_str()));
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
}

CURLcode HttpProbe::OnTls(CURL*, void* context, void* user) {
  auto* self = static_cast<HttpProbe*>(user);
  ConfigureTls(static_cast<SSL_CTX*>(context), self->tools_->settings.tls,
               &self->peer_);
  return CURLE_OK;
}

size_t HttpProbe::OnHeadLine(char* data, size_t size, size_t count,
                             void* user) {
  const size_t bytes = size * count;
  static_cast<HttpProbe*>(user)->TakeHeadLine({data, bytes});
  return bytes;
}

void HttpProbe::TakeHeadLine(absl::string_view line) {
  if (has_head_) return;  // trailers
  const absl::string_view text = absl::StripTrailingAsciiWhitespace(line);
  if (absl::StartsWith(text, "HTTP/")) {
    const size_t blank = text.find(' ');
    status_text_ =
        blank == text.npos ? "" : std::string(text.substr(blank + 1));
    status_ = 0;
    (void)absl::SimpleAtoi(absl::string_view(status_text_).substr(0, 3),
                           &status_);
    location_.clear();
  } else if (text.empty()) {
    has_head_ = status_ >= 200;
  } else if (absl::StartsWithIgnoreCase(text, "location:") &&
             location_.empty()) {
    location_ = std::string(absl::StripAsciiWhitespace(text.substr(9)));
  }
}

size_t HttpProbe::OnBody(char* data, size_t size, size_t count, void* user) {
  auto* self = static_cast<HttpProbe*>(user);
  const size_t bytes = size * count;
  if (self->FollowsRedirect()) return bytes;
  self->body_.Append({data, bytes});
  self->is_cut_off_ = self->body_.total_bytes() > kCheckBodyBytesMax;
  // Anything else than `bytes` ends the transfer.
  return self->is_cut_off_ ? 0 : bytes;
}

void HttpProbe::OnEnd(CURLcode code) {
  // What broke behind the head changes nothing: the status counts.
  if (!has_head_) {
    done_(Error(ErrorText(code)));
    return;
  }
  if (FollowsRedirect()) {
    Redirect();
  } else {
    done_(Result());
  }
}

bool HttpProbe::FollowsRedirect() const {
  if (!IsRedirect(status_) || check_.disable_redirects) return false;
  // Without a place to go to, these two are answers.
  return !location_.empty() || (status_ != 307 && status_ != 308);
}

void HttpProbe::Redirect() {
  const bool keeps_method = status_ == 307 || status_ == 308;
  if (location_.empty()) {
    done_(Error(absl::StrCat(status_, " response missing Location header")));
    return;
  }
  char* resolved = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &resolved);
  std::string next = resolved == nullptr ? location_ : resolved;
  if (connect_to_ != nullptr) next = UrlResolved(url_, location_);
  if (request_count_ == kCheckRequestsMax) {
    url_ = location_;
    done_(Error("stopped after 10 redirects"));
    return;
  }
  referer_ = absl::StartsWithIgnoreCase(url_, "https:") &&
                     absl::StartsWithIgnoreCase(next, "http:")
                 ? ""
                 : UrlWithoutUser(url_);
  url_ = next;
  if (!keeps_method) {
    if (method_ != "GET" && method_ != "HEAD") method_ = "GET";
    has_body_ = false;
  }
  if (!absl::StartsWithIgnoreCase(url_, "http://") &&
      !absl::StartsWithIgnoreCase(url_, "https://")) {
    done_(Error(absl::StrCat("unsupported protocol scheme ",
                             GoQuoted(url_.substr(0, url_.find(':'))))));
    return;
  }
  Start();
}

ProbeResult HttpProbe::Result() const {
  return {.status = status_ >= 200 && status_ <= 299 ? HealthStatus::kPassing
                    : status_ == 429                 ? HealthStatus::kWarning
                                                     : HealthStatus::kCritical,
          .output = absl::StrCat(
              "HTTP ", check_.method.empty() ? "GET" : check_.method, " ",
              check_.http, ": ", status_text_, " Output: ", body_.Tail())};
}

ProbeResult HttpProbe::Error(absl::string_view why) const {
  const std::string& method = check_.method.empty() ? "GET" : check_.method;
  return {.status = HealthStatus::kCritical,
          .output = absl::StrCat(method.substr(0, 1),
                                 absl::AsciiStrToLower(method.substr(1)), " ",
                                 GoQuoted(url_), ": ", why)};
}

std::string HttpProbe::ErrorText(CURLcode code) const {
  CURL* const easy = easy_.get();
  long error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
  if (!peer_.error.empty()) return peer_.error;
  const std::string detail =
      curl_error_[0] != '\0' ? curl_error_.data() : curl_easy_strerror(code);
  const auto ip_port = [&](CURLINFO ip_info, CURLINFO port_info) {
    char* ip = nullptr;
    long port = 0;
    curl_easy_getinfo(easy, ip_info, &ip);
    curl_easy_getinfo(easy, port_info, &port);
    return JoinHostPort(ip == nullptr ? "" : ip, absl::StrCat(port));
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::StrCat("dial tcp: lookup ", UrlHost(url_), ": no such host");
    case CURLE_COULDNT_CONNECT:
      if (error == 0) return detail;
      return absl::StrCat(
          "dial tcp ",
          IsIpAddress(UrlHost(url_))
              ? UrlConnectTo(url_)
              : ip_port(CURLINFO_PRIMARY_IP, CURLINFO_PRIMARY_PORT),
          ": connect: ", GoErrno(static_cast<int>(error)));
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
      return "EOF";
    case CURLE_RECV_ERROR:
      if (error == 0) return detail;
      return absl::StrCat("read tcp ",
                          ip_port(CURLINFO_LOCAL_IP, CURLINFO_LOCAL_PORT), "->",
                          ip_port(CURLINFO_PRIMARY_IP, CURLINFO_PRIMARY_PORT),
                          ": read: ", GoErrno(static_cast<int>(error)));
    case CURLE_SSL_CONNECT_ERROR:
      if (absl::StrContains(detail, "wrong version number") ||
          absl::StrContains(detail, "http request")) {
        return "tls: first record does not look like a TLS handshake";
      }
      return absl::StrCat("tls: ", detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (absl::StrContains(detail, "HTTP/0.9")) {
        return "net/http: HTTP/1.x transport connection broken: malformed "
               "HTTP response";
      }
      return detail;
    default:
      return detail;
  }
}

ProbeResult HttpProbe::TimeOut() {
  if (has_head_ && !FollowsRedirect()) return Result();
  return Error(
      "context deadline exceeded (Client.Timeout exceeded while awaiting "
      "headers)");
}

}  // namespace dnsd
