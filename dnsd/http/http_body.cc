#include "dnsd/http/http_body.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/http_response.h"

namespace dnsd {
namespace {

bool FramesTheBody(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "content-length") ||
         absl::EqualsIgnoreCase(name, "transfer-encoding") ||
         absl::EqualsIgnoreCase(name, "connection");
}

// What the head announces, if it does.
std::optional<uint64_t> ContentLength(const HttpResponse& head) {
  for (const auto& [name, value] : head.headers) {
    uint64_t bytes = 0;
    if (absl::EqualsIgnoreCase(name, "content-length") &&
        absl::SimpleAtoi(value, &bytes)) {
      return bytes;
    }
  }
  return std::nullopt;
}

}  // namespace

void HttpBody::Start(HttpResponse head, const Request& request,
                     std::string* out) {
  const std::optional<uint64_t> length = ContentLength(head);
  HeadOptions options{.close = false,
                      .http_1_0 = request.http_1_0,
                      .now = request.now,
                      .framing = BodyFraming::kNone};
  left_bytes_ = 0;
  if (request.head_only || StatusForbidsBody(head.status)) {
    kind_ = Kind::kNone;
  } else if (length) {
    kind_ = Kind::kLength;
    left_bytes_ = *length;
  } else if (request.http_1_0) {
    kind_ = Kind::kUntilClose;
  } else {
    kind_ = Kind::kChunked;
    options.framing = BodyFraming::kChunked;
  }
  // The answer to HEAD says how long the body would be.
  if (length && head.status != 204) {
    options.framing = BodyFraming::kLength;
    options.body_bytes = *length;
  }
  closes_ = !request.keep_alive || kind_ == Kind::kUntilClose;
  options.close = closes_;
  head.headers.erase(std::remove_if(head.headers.begin(), head.headers.end(),
                                    [](const auto& header) {
                                      return FramesTheBody(header.first);
                                    }),
                     head.headers.end());
  out->append(FormatHead(head, options));
}

bool HttpBody::Append(absl::string_view bytes, std::string* out) {
  if (bytes.empty()) return true;  // an empty chunk would be the last one
  switch (kind_) {
    case Kind::kNone:
      return true;
    case Kind::kLength:
      if (bytes.size() > left_bytes_) return false;
      left_bytes_ -= bytes.size();
      break;
    case Kind::kChunked:
      absl::StrAppend(out, absl::Hex(bytes.size()), "\r\n", bytes, "\r\n");
      return true;
    case Kind::kUntilClose:
      break;
  }
  out->append(bytes.data(), bytes.size());
  return true;
}

bool HttpBody::End(std::string* out) {
  if (kind_ == Kind::kChunked) out->append("0\r\n\r\n");
  return left_bytes_ == 0;
}

}  // namespace dnsd
