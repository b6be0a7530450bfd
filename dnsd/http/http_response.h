// The head of an HTTP/1.1 answer as text.
//
// Threads: any; no shared state.
// Safety:  line ends in header values are replaced, so a value that came from
//          a client cannot begin a header of its own.
#ifndef DNSD_DNSD_HTTP_HTTP_RESPONSE_H_
#define DNSD_DNSD_HTTP_HTTP_RESPONSE_H_

#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"

namespace dnsd {

// "Not Found" for 404; "Status" for what nobody here answers.
[[nodiscard]] absl::string_view StatusText(int status);

// RFC 9110 15: an answer with this status has no body, whatever its headers.
[[nodiscard]] bool StatusForbidsBody(int status);

// Whether the answer has a body to send (not considering HEAD).
[[nodiscard]] bool HasBody(const HttpResponse& response);

// Which header says where the body ends.
enum class BodyFraming : uint8_t {
  kWhole,    // Content-Length of the response's own body
  kLength,   // Content-Length of HeadOptions
  kChunked,  // Transfer-Encoding
  kNone,     // none
};

struct HeadOptions {
  bool close = false;     // the connection ends after this answer
  bool http_1_0 = false;  // the client must be told if it does not
  std::time_t now = 0;    // for Date, seconds since 1970
  BodyFraming framing = BodyFraming::kWhole;
  uint64_t body_bytes = 0;  // for kLength
};

// Status line and headers with the empty line after them.
[[nodiscard]] std::string FormatHead(const HttpResponse& response,
                                     const HeadOptions& options);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_RESPONSE_H_
