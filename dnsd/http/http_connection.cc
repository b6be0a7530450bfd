#include "dnsd/http/http_connection.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "dnsd/http/gzip.h"
#include "dnsd/http/http_response.h"
#include "dnsd/http/url.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

// The client's own limit is said as Consul says that of connections.
HttpResponse NoRoom(HttpInFlight::Room room) {
  const bool of_client = room == HttpInFlight::Room::kClientHasTooMany;
  HttpResponse response;
  response.status = of_client ? 429 : 503;
  response.headers.emplace_back("Retry-After", "1");
  response.body =
      of_client
          ? "Your IP has too many requests in flight, please rate limit your "
            "calls"
          : "Too many requests are in flight, please try again later";
  return response;
}

}  // namespace

// What llhttp calls; `data` is the connection. An error is -1, with the status
// to answer in rejected_status_.
struct HttpConnection::Callbacks {
  static HttpConnection* Self(llhttp_t* parser) {
    return static_cast<HttpConnection*>(parser->data);
  }

  static int OnBegin(llhttp_t* parser) {
    HttpConnection* self = Self(parser);
    self->SetPhase(Phase::kHead);
    self->head_only_ = false;  // unknown yet: a refusal has its body
    return 0;
  }

  static int OnTarget(llhttp_t* parser, const char* at, size_t size) {
    Self(parser)->request_.target.append(at, size);
    return 0;
  }

  static int OnName(llhttp_t* parser, const char* at, size_t size) {
    HttpConnection* self = Self(parser);
    if (self->phase_ != Phase::kHead) return 0;  // a trailer
    // A name may come in pieces; a value, even an empty one, ends it.
    if (!self->in_name_) {
      if (self->request_.headers.size() >= kHttpHeadersMax) {
        self->rejected_status_ = 431;
        return -1;
      }
      self->request_.headers.emplace_back();
      self->in_name_ = true;
    }
    std::string& name = self->request_.headers.back().first;
    name.append(at, size);
    return 0;
  }

  static int OnNameComplete(llhttp_t* parser) {
    HttpConnection* self = Self(parser);
    if (self->phase_ != Phase::kHead) return 0;
    self->in_name_ = false;
    std::string& name = self->request_.headers.back().first;
    // llhttp lets ": value" pass and, not in its strict mode, "name : value",
    // which RFC 9112 5.1 wants refused: proxies disagree on what it means.
    if (name.empty() || absl::StrContains(name, ' ')) return -1;
    absl::AsciiStrToLower(&name);
    return 0;
  }

  static int OnValue(llhttp_t* parser, const char* at, size_t size) {
    HttpConnection* self = Self(parser);
    if (self->phase_ != Phase::kHead) return 0;
    self->request_.headers.back().second.append(at, size);
    return 0;
  }

  static int OnHeadComplete(llhttp_t* parser) {
    // We never upgrade: the request is answered as if it had not asked.
    parser->upgrade = 0;
    Self(parser)->head_done_ = true;
    return HPE_PAUSED;
  }

  static int OnBody(llhttp_t* parser, const char* at, size_t size) {
    HttpConnection* self = Self(parser);
    if (self->request_.body.size() + size > self->limits_->body_bytes_max) {
      self->rejected_status_ = 413;
      return -1;
    }
    self->request_.body.append(at, size);
    return 0;
  }

  static int OnComplete(llhttp_t* parser) {
    HttpConnection* self = Self(parser);
    self->keep_alive_ = llhttp_should_keep_alive(parser) != 0;
    self->takes_gzip_ = TakesGzip(self->request_);
    self->message_done_ = true;
    return HPE_PAUSED;
  }

  static llhttp_settings_t Settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_message_begin = OnBegin;
    settings.on_url = OnTarget;
    settings.on_header_field = OnName;
    settings.on_header_field_complete = OnNameComplete;
    settings.on_header_value = OnValue;
    settings.on_headers_complete = OnHeadComplete;
    settings.on_body = OnBody;
    settings.on_message_complete = OnComplete;
    return settings;
  }
};

HttpConnection::HttpConnection(Private, const HttpLimits* limits,
                               const HttpServer::Handler* handler,
                               std::function<void()> wake,
                               std::string client_ip, HttpInFlight* in_flight)
    : limits_(limits),
      handler_(handler),
      wake_(std::move(wake)),
      client_ip_(std::move(client_ip)),
      in_flight_(in_flight) {
  static const llhttp_settings_t kSettings = Callbacks::Settings();
  llhttp_init(&parser_, HTTP_REQUEST, &kSettings);
  parser_.data = this;
}

std::shared_ptr<HttpConnection> HttpConnection::Create(
    const HttpLimits* limits, const HttpServer::Handler* handler,
    std::function<void()> wake, std::string client_ip,
    HttpInFlight* in_flight) {
  return std::make_shared<HttpConnection>(Private(), limits, handler,
                                          std::move(wake), std::move(client_ip),
                                          in_flight);
}

bool HttpConnection::blocked() const {
  return with_handler() || unsent_bytes_ > kHttpUnsentBytesMax;
}

bool HttpConnection::wants_input() const {
  return !finished_ && !received_end_ &&
         (!blocked() || pending_.size() < kHttpPipelinedBytesMax);
}

void HttpConnection::SetPhase(Phase phase) {
  phase_ = phase;
  ++step_;
}

void HttpConnection::Receive(absl::string_view bytes) {
  if (finished_) return;
  if (blocked()) {
    pending_.append(bytes.data(), bytes.size());
    return;
  }
  DNSD_CHECK(!parsing_ && pending_.empty());
  parsing_ = true;
  const size_t used = Parse(bytes);
  parsing_ = false;
  if (finished_) return;
  pending_.assign(bytes.data() + used, bytes.size() - used);
  if (received_end_ && !blocked()) finished_ = true;
}

void HttpConnection::ReceiveEnd() {
  received_end_ = true;
  if (!blocked()) finished_ = true;
}

void HttpConnection::Sent(size_t bytes) {
  DNSD_CHECK(bytes <= unsent_bytes_);
  const bool was_blocked = blocked();
  unsent_bytes_ -= bytes;
  if (tell_drained_ && unsent_bytes_ <= kHttpUnsentBytesMax) {
    tell_drained_ = false;
    // A copy, because it may end the answer, and itself.
    const std::function<void()> on_drained = on_drained_;
    if (on_drained) on_drained();
  }
  if (was_blocked) Resume();
}

void HttpConnection::Resume() {
  if (finished_ || blocked()) return;
  const std::string pending = std::exchange(pending_, std::string());
  Receive(pending);
}

size_t HttpConnection::Parse(absl::string_view bytes) {
  size_t used = 0;
  // Each turn uses bytes up or passes a pause, of which a request has two.
  bool at_pause = false;
  while (!finished_ && !blocked() && (used < bytes.size() || at_pause)) {
    absl::string_view rest = bytes.substr(used);
    // A head is fed no further than it may go.
    if (phase_ == Phase::kIdle || phase_ == Phase::kHead) {
      rest = rest.substr(0, limits_->head_bytes_max - head_bytes_);
    }
    const char* const begin = rest.empty() ? "" : rest.data();
    const llhttp_errno_t error = llhttp_execute(&parser_, begin, rest.size());
    size_t consumed = rest.size();
    if (error == HPE_PAUSED) {
      consumed = static_cast<size_t>(llhttp_get_error_pos(&parser_) - begin);
      DNSD_CHECK(consumed <= rest.size());
    }
    used += consumed;
    at_pause = false;
    if (error == HPE_OK) {
      CountBytes(consumed);
    } else if (error == HPE_PAUSED) {
      llhttp_resume(&parser_);
      at_pause = head_done_;
      CountBytes(consumed);
      if (finished_) break;
      if (std::exchange(head_done_, false)) AfterHead();
      if (std::exchange(message_done_, false)) Dispatch();
    } else if (rejected_status_ != 0) {
      Reject(rejected_status_, StatusText(rejected_status_));
    } else {
      const char* const reason = llhttp_get_error_reason(&parser_);
      Reject(400, absl::StrCat("Bad Request: ",
                               reason == nullptr ? "malformed" : reason));
    }
  }
  return used;
}

void HttpConnection::CountBytes(size_t consumed) {
  if (phase_ == Phase::kBody) {
    body_raw_bytes_ += consumed;
    const size_t body_bytes = request_.body.size();
    if (body_raw_bytes_ > body_bytes * (1 + kHttpChunkOverheadPerByte) +
                              kHttpChunkOverheadBytes) {
      Reject(413, StatusText(413));
    }
    return;
  }
  head_bytes_ += consumed;
  if (head_bytes_ >= limits_->head_bytes_max && !head_done_) {
    Reject(431, StatusText(431));
  }
}

const std::string* HttpConnection::FindHeader(absl::string_view name,
                                              size_t* count) const {
  const std::string* value = nullptr;
  *count = 0;
  for (const auto& header : request_.headers) {
    if (header.first != name) continue;
    if (value == nullptr) value = &header.second;
    ++*count;
  }
  return value;
}

int HttpConnection::CheckHead(std::string* text) {
  if (parser_.http_major != 1 || parser_.http_minor > 1) {
    *text = "unsupported protocol version";
    return 505;
  }
  size_t count = 0;
  const std::string* header = FindHeader("host", &count);
  if (count > 1 || (count == 0 && !http_1_0_)) {
    *text = count > 1 ? "Bad Request: more than one Host header"
                      : "Bad Request: missing required Host header";
    return 400;
  }
  // llhttp refused it beside Content-Length. Any coding but plain chunked
  // would be framing that some proxy before us reads in another way.
  header = FindHeader("transfer-encoding", &count);
  if (header != nullptr) {
    if (http_1_0_) {
      *text = "Bad Request: Transfer-Encoding in HTTP/1.0";
      return 400;
    }
    if (count > 1 || !absl::EqualsIgnoreCase(*header, "chunked")) {
      *text = "Only the transfer coding \"chunked\" is known here";
      return 501;
    }
  }
  if (parser_.content_length > limits_->body_bytes_max) {
    *text = std::string(StatusText(413));
    return 413;
  }
  header = FindHeader("expect", &count);
  if (header != nullptr && !absl::EqualsIgnoreCase(*header, "100-continue")) {
    *text = std::string(StatusText(417));
    return 417;
  }
  std::optional<UrlTarget> target = ParseTarget(request_.target);
  if (!target) {
    *text = "Bad Request: invalid request target";
    return 400;
  }
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  return 0;
}

void HttpConnection::AfterHead() {
  for (auto& header : request_.headers) {
    absl::StripAsciiWhitespace(&header.second);
  }
  request_.method =
      llhttp_method_name(static_cast<llhttp_method_t>(parser_.method));
  head_only_ = parser_.method == HTTP_HEAD;
  http_1_0_ = parser_.http_major == 1 && parser_.http_minor == 0;
  std::string text;
  const int status = CheckHead(&text);
  if (status != 0) {
    Reject(status, text);
    return;
  }
  SetPhase(Phase::kBody);
  // No more than a usual body: a head alone must not cost what it announces.
  request_.body.reserve(static_cast<size_t>(
      std::min<uint64_t>(parser_.content_length, kHttpBodyBytesMax)));
  const bool has_body =
      parser_.content_length > 0 || (parser_.flags & F_CHUNKED) != 0;
  size_t count = 0;
  if (has_body && !http_1_0_ && FindHeader("expect", &count) != nullptr) {
    output_.emplace_back("HTTP/1.1 100 Continue\r\n\r\n");
    unsent_bytes_ += output_.back().size();
  }
}

void HttpConnection::Dispatch() {
  request_.client_ip = client_ip_;
  const HttpRequest request = std::exchange(request_, HttpRequest());
  head_bytes_ = 0;
  body_raw_bytes_ = 0;
  SetPhase(Phase::kParked);
  const HttpServer::Reply reply = MakeReply();
  if (in_flight_ != nullptr) {
    const HttpInFlight::Room room = in_flight_->Enter(client_ip_);
    flying_ = room == HttpInFlight::Room::kYes;
    if (!flying_) return reply(NoRoom(room));
  }
  (*handler_)(request, reply);
}

void HttpConnection::Reject(int status, absl::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text);
  Write(std::move(response), /*close=*/true);
}

void HttpConnection::Refuse(int status, absl::string_view text) {
  Reject(status, text);
}

void HttpConnection::TimeOut() {
  if (finished_) return;
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
    Reject(408, StatusText(408));
  } else if (with_handler()) {
    Cut(/*tell=*/true);
  } else {
    finished_ = true;
  }
}

void HttpConnection::Detach() {
  finished_ = true;
  wake_ = nullptr;
  output_.clear();
  pending_.clear();
  if (with_handler()) Cut(/*tell=*/true);
}

void HttpConnection::Wake() {
  if (parsing_) return;  // Parse() goes on by itself
  // A copy, because waking may end in Detach().
  const std::function<void()> wake = wake_;
  if (wake) wake();
}

std::vector<std::string> HttpConnection::TakeOutput() {
  return std::exchange(output_, {});
}

void HttpConnection::Write(HttpResponse response, bool close) {
  std::string head = FormatHead(
      response,
      {.close = close, .http_1_0 = http_1_0_, .now = std::time(nullptr)});
  if (close) finished_ = true;
  unsent_bytes_ += head.size();
  output_.push_back(std::move(head));
  if (!HasBody(response) || head_only_) return;
  unsent_bytes_ += response.body.size();
  output_.push_back(std::move(response.body));
}

}  // namespace dnsd
