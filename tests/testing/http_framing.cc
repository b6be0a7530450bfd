#include "tests/testing/http_framing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

constexpr size_t kLineBytesMax = 4096;

// Calls `visit(name, value, begin, end)` for each header line of the head,
// from the byte `begin` up to and without `end`.
template <typename Visit>
void VisitHeaders(const std::string& head, const Visit& visit) {
  size_t begin = head.find("\r\n");
  while (begin != std::string::npos) {
    begin += 2;
    const size_t next = head.find("\r\n", begin);
    if (next == std::string::npos || next == begin) return;
    const absl::string_view line(head.data() + begin, next - begin);
    const size_t colon = line.find(':');
    if (colon != absl::string_view::npos) {
      visit(line.substr(0, colon),
            absl::StripAsciiWhitespace(line.substr(colon + 1)), begin,
            next + 2);
    }
    begin = next;
  }
}

}  // namespace

std::string HeaderValue(const std::string& head, absl::string_view name) {
  std::string found;
  VisitHeaders(
      head, [&](absl::string_view at, absl::string_view value, size_t, size_t) {
        if (absl::EqualsIgnoreCase(at, name)) found = std::string(value);
      });
  return found;
}

std::string WithoutHeader(const std::string& head, absl::string_view name) {
  std::string kept;
  size_t copied = 0;
  VisitHeaders(head, [&](absl::string_view at, absl::string_view, size_t begin,
                         size_t end) {
    if (!absl::EqualsIgnoreCase(at, name)) return;
    kept.append(head, copied, begin - copied);
    copied = end;
  });
  return kept.append(head, copied);
}

std::string WithHeader(const std::string& head, absl::string_view name,
                       absl::string_view value) {
  std::string changed = WithoutHeader(head, name);
  if (!absl::EndsWith(changed, "\r\n\r\n")) return changed;
  changed.resize(changed.size() - 2);
  absl::StrAppend(&changed, name, ": ", value, "\r\n\r\n");
  return changed;
}

int StatusOf(const std::string& head) {
  // "HTTP/1.1 200 OK"
  int status = 0;
  if (head.size() < 12 || !absl::StartsWith(head, "HTTP/1.") ||
      !absl::SimpleAtoi(head.substr(9, 3), &status)) {
    return 0;
  }
  return status;
}

void HttpFraming::Feed(absl::string_view bytes,
                       std::vector<HttpPiece>* pieces) {
  if (broken()) return;
  buffer_.append(bytes.data(), bytes.size());
  while (Step(pieces)) {
  }
}

void HttpFraming::FeedEnd(std::vector<HttpPiece>* pieces) {
  if (state_ == State::kUntilEnd) End(pieces);
}

bool HttpFraming::Step(std::vector<HttpPiece>* pieces) {
  switch (state_) {
    case State::kHead:
      return TakeHead(pieces);
    case State::kLength:
    case State::kUntilEnd:
    case State::kChunk:
      return TakeContent(pieces);
    case State::kChunkLine:
    case State::kChunkEnd:
    case State::kTrailer:
      return TakeLine(pieces);
    case State::kBroken:
      return false;
  }
  return false;
}

bool HttpFraming::TakeHead(std::vector<HttpPiece>* pieces) {
  const size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kHttpHeadBytesMax) state_ = State::kBroken;
    return false;
  }
  const std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  if (side_ == Side::kResponses && StatusOf(head) == 0) {
    state_ = State::kBroken;
    return false;
  }
  pieces->push_back({HttpPiece::Kind::kHead, head});
  BeginBody(head, pieces);
  return true;
}

void HttpFraming::BeginBody(const std::string& head,
                            std::vector<HttpPiece>* pieces) {
  const int status = StatusOf(head);
  const bool response = side_ == Side::kResponses;
  // Another head follows an interim answer, and no kEnd.
  if (response && status >= 100 && status < 200) return;
  if (response && (head_request_ || status == 204 || status == 304)) {
    End(pieces);
    return;
  }
  if (absl::EqualsIgnoreCase(HeaderValue(head, "Transfer-Encoding"),
                             "chunked")) {
    state_ = State::kChunkLine;
    return;
  }
  const std::string length = HeaderValue(head, "Content-Length");
  if (length.empty()) {
    state_ = State::kUntilEnd;
    if (!response) End(pieces);
    return;
  }
  if (!absl::SimpleAtoi(length, &rest_)) {
    state_ = State::kBroken;
    return;
  }
  state_ = State::kLength;
  if (rest_ == 0) End(pieces);
}

bool HttpFraming::TakeContent(std::vector<HttpPiece>* pieces) {
  size_t bytes = buffer_.size();
  if (state_ != State::kUntilEnd) {
    bytes = static_cast<size_t>(std::min<uint64_t>(bytes, rest_));
  }
  if (bytes == 0) return false;
  pieces->push_back({HttpPiece::Kind::kBody, buffer_.substr(0, bytes)});
  buffer_.erase(0, bytes);
  if (state_ == State::kUntilEnd) return false;
  rest_ -= bytes;
  if (rest_ > 0) return false;
  if (state_ == State::kChunk) {
    state_ = State::kChunkEnd;
  } else {
    End(pieces);
  }
  return true;
}

bool HttpFraming::TakeLine(std::vector<HttpPiece>* pieces) {
  const size_t end = buffer_.find("\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kLineBytesMax) state_ = State::kBroken;
    return false;
  }
  const std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  pieces->push_back({HttpPiece::Kind::kFraming, line + "\r\n"});
  if (state_ == State::kChunkEnd) {
    state_ = line.empty() ? State::kChunkLine : State::kBroken;
  } else if (state_ == State::kTrailer) {
    if (line.empty()) End(pieces);
  } else if (!absl::SimpleHexAtoi(line.substr(0, line.find(';')), &rest_)) {
    state_ = State::kBroken;
  } else {
    state_ = rest_ == 0 ? State::kTrailer : State::kChunk;
  }
  return !broken();
}

void HttpFraming::End(std::vector<HttpPiece>* pieces) {
  pieces->push_back({HttpPiece::Kind::kEnd, ""});
  state_ = State::kHead;
  head_request_ = false;
}

}  // namespace dnsd::testing
