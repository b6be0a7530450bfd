#include "dnsd/http/http_response.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dnsd {
namespace {

// RFC 9110 5.6.7. Not strftime, whose names follow the process's locale.
std::string HttpDate(std::time_t now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed",
                                          "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr",
                                            "May", "Jun", "Jul", "Aug",
                                            "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&now, &parts);
  return absl::StrFormat("%s, %02d %s %04d %02d:%02d:%02d GMT",
                         kDays[parts.tm_wday], parts.tm_mday,
                         kMonths[parts.tm_mon], parts.tm_year + 1900,
                         parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// A header's value must not end its line, wherever it comes from.
void AppendHeader(absl::string_view name, absl::string_view value,
                  std::string* out) {
  absl::StrAppend(out, name, ": ");
  for (const char c : value) {
    out->push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
  }
  absl::StrAppend(out, "\r\n");
}

void AppendFraming(const HttpResponse& response, const HeadOptions& options,
                   std::string* head) {
  switch (options.framing) {
    case BodyFraming::kWhole:
      if (StatusForbidsBody(response.status)) return;
      absl::StrAppend(head, "Content-Length: ", response.body.size(), "\r\n");
      return;
    case BodyFraming::kLength:
      absl::StrAppend(head, "Content-Length: ", options.body_bytes, "\r\n");
      return;
    case BodyFraming::kChunked:
      absl::StrAppend(head, "Transfer-Encoding: chunked\r\n");
      return;
    case BodyFraming::kNone:
      return;
  }
}

// Streamed bodies come later; whether there is one is the status's to say.
bool TellsContentType(const HttpResponse& response,
                      const HeadOptions& options) {
  return options.framing == BodyFraming::kWhole
             ? HasBody(response)
             : !StatusForbidsBody(response.status);
}

}  // namespace

absl::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 302:
      return "Found";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 508:
      return "Loop Detected";
    default:
      return "Status";
  }
}

bool StatusForbidsBody(int status) { return status == 204 || status == 304; }

bool HasBody(const HttpResponse& response) {
  return !response.body.empty() && !StatusForbidsBody(response.status);
}

std::string FormatHead(const HttpResponse& response,
                       const HeadOptions& options) {
  std::string head = absl::StrCat("HTTP/1.1 ", response.status, " ",
                                  StatusText(response.status), "\r\n");
  for (const auto& header : response.headers) {
    AppendHeader(header.first, header.second, &head);
  }
  if (!response.headers_are_whole && !response.content_type.empty() &&
      TellsContentType(response, options)) {
    AppendHeader("Content-Type", response.content_type, &head);
  }
  AppendFraming(response, options, &head);
  if (!response.headers_are_whole) {
    absl::StrAppend(&head, "Date: ", HttpDate(options.now),
                    "\r\nVary: Accept-Encoding\r\n"
                    "X-Content-Type-Options: nosniff\r\n");
  }
  if (options.close) {
    absl::StrAppend(&head, "Connection: close\r\n");
  } else if (options.http_1_0) {
    absl::StrAppend(&head, "Connection: keep-alive\r\n");
  }
  absl::StrAppend(&head, "\r\n");
  return head;
}

}  // namespace dnsd
