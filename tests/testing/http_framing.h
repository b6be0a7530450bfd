// HttpFraming finds where HTTP/1.1 messages begin and end in a stream, for a
// proxy that changes some of the bytes and must leave the others as they are:
// the pieces of a stream, put together, are the stream.
//
// Threads:   one owner; no I/O.
// Errors:    broken() is true once a head makes no sense or is longer than
//            kHttpHeadBytesMax; nothing more comes out then.
// Limits:    trailers are framing: no header is taken from them.
#ifndef DNSD_TESTS_TESTING_HTTP_FRAMING_H_
#define DNSD_TESTS_TESTING_HTTP_FRAMING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd::testing {

inline constexpr size_t kHttpHeadBytesMax = size_t{256} * 1024;

// The value of a header of this name, in any letter case, or "".
[[nodiscard]] std::string HeaderValue(const std::string& head,
                                      absl::string_view name);
// The head without any header of this name.
[[nodiscard]] std::string WithoutHeader(const std::string& head,
                                        absl::string_view name);
// The head with this one header of the name, behind all others.
[[nodiscard]] std::string WithHeader(const std::string& head,
                                     absl::string_view name,
                                     absl::string_view value);
// Of a response's head; 0 when it has none.
[[nodiscard]] int StatusOf(const std::string& head);

struct HttpPiece {
  enum class Kind : uint8_t {
    kHead,     // all of it, with the empty line
    kBody,     // some of the content
    kFraming,  // chunk lines and trailers
    kEnd,      // no bytes: the message is complete
  };
  Kind kind = Kind::kHead;
  std::string bytes;
};

class HttpFraming {
 public:
  enum class Side : uint8_t { kRequests, kResponses };

  explicit HttpFraming(Side side) : side_(side) {}

  // Appends the pieces that `bytes` completes.
  void Feed(absl::string_view bytes, std::vector<HttpPiece>* pieces);
  // The stream ends here: so does a response that has no length.
  void FeedEnd(std::vector<HttpPiece>* pieces);

  // Whether the response after this is to HEAD, and so without content.
  void set_head_request(bool head_request) { head_request_ = head_request; }
  [[nodiscard]] bool broken() const { return state_ == State::kBroken; }

 private:
  enum class State : uint8_t {
    kHead,
    kLength,     // rest_ bytes of content
    kUntilEnd,   // content until the stream ends
    kChunkLine,  // of the next chunk
    kChunk,      // rest_ bytes of a chunk
    kChunkEnd,   // the line's end behind a chunk
    kTrailer,    // lines until an empty one
    kBroken,
  };

  // Each takes what it can off the front of buffer_ and returns whether there
  // may be more to do.
  bool Step(std::vector<HttpPiece>* pieces);
  bool TakeHead(std::vector<HttpPiece>* pieces);
  bool TakeContent(std::vector<HttpPiece>* pieces);
  bool TakeLine(std::vector<HttpPiece>* pieces);
  void BeginBody(const std::string& head, std::vector<HttpPiece>* pieces);
  void End(std::vector<HttpPiece>* pieces);

  Side side_;
  State state_ = State::kHead;
  bool head_request_ = false;
  uint64_t rest_ = 0;
  std::string buffer_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_HTTP_FRAMING_H_
