// HttpBody frames one streamed answer: the headers that say where its body
// ends, what stands around each piece, and whether the end is a whole one.
//
// Threads: one owner.
// Caller:  Start() once, Append() as often as wanted, End() once.
// Safety:  headers of the caller's that would frame the body in another way
//          (Content-Length, Transfer-Encoding, Connection) are not sent.
#ifndef DNSD_DNSD_HTTP_HTTP_BODY_H_
#define DNSD_DNSD_HTTP_HTTP_BODY_H_

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"

namespace dnsd {

class HttpBody {
 public:
  struct Request {
    bool head_only = false;  // the method is HEAD
    bool http_1_0 = false;
    bool keep_alive = true;
    std::time_t now = 0;  // for Date, seconds since 1970
  };

  // Appends status line and headers.
  void Start(HttpResponse head, const Request& request, std::string* out);
  // Appends a piece of the body. False: it is longer than was announced.
  [[nodiscard]] bool Append(absl::string_view bytes, std::string* out);
  // Appends the end. False: the body is shorter than was announced.
  [[nodiscard]] bool End(std::string* out);

  // The connection ends with this answer.
  [[nodiscard]] bool closes() const { return closes_; }
  // An ordinary end of the connection would look like the end of the body.
  [[nodiscard]] bool ends_with_connection() const {
    return kind_ == Kind::kUntilClose;
  }

 private:
  enum class Kind : uint8_t { kNone, kLength, kChunked, kUntilClose };

  Kind kind_ = Kind::kNone;
  bool closes_ = false;
  uint64_t left_bytes_ = 0;  // kLength
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_BODY_H_
