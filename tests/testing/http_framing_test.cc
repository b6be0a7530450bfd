#include "tests/testing/http_framing.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace dnsd::testing {
namespace {

constexpr char kLength[] = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none";
constexpr char kEmpty[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr char kChunked[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";

TEST(HttpFraming, EditsHeads) {
  const std::string head = "GET / HTTP/1.1\r\nA: 1\r\nb:2\r\na:3\r\n\r\n";
  EXPECT_EQ(HeaderValue(head, "B"), "2");
  EXPECT_EQ(HeaderValue(head, "c"), "");
  EXPECT_EQ(WithoutHeader(head, "a"), "GET / HTTP/1.1\r\nb:2\r\n\r\n");
  EXPECT_EQ(WithoutHeader(head, "c"), head);
  EXPECT_EQ(WithHeader(head, "B", "9"),
            "GET / HTTP/1.1\r\nA: 1\r\na:3\r\nB: 9\r\n\r\n");
  EXPECT_EQ(StatusOf("HTTP/1.1 404 Not Found\r\n\r\n"), 404);
  EXPECT_EQ(StatusOf(head), 0);
}

// The pieces are the stream again, wherever it is broken into parts.
TEST(HttpFraming, FindsTheSamePiecesInEveryPartition) {
  const std::string stream =
      absl::StrCat(kLength, kChunked, "HTTP/1.1 204 No Content\r\n\r\n",
                   "HTTP/1.1 100 Continue\r\n\r\n", kEmpty, kChunked);
  for (size_t step = 1; step <= stream.size(); ++step) {
    HttpFraming framing(HttpFraming::Side::kResponses);
    std::vector<HttpPiece> pieces;
    for (size_t at = 0; at < stream.size(); at += step) {
      framing.Feed(absl::string_view(stream).substr(at, step), &pieces);
    }
    std::string all;
    std::string bodies;
    size_t ends = 0;
    for (const HttpPiece& piece : pieces) {
      all += piece.bytes;
      if (piece.kind == HttpPiece::Kind::kBody) bodies += piece.bytes;
      ends += piece.kind == HttpPiece::Kind::kEnd ? 1 : 0;
    }
    EXPECT_EQ(all, stream) << step;
    EXPECT_EQ(bodies, "onehello worldhello world") << step;
    EXPECT_EQ(ends, 5u) << step;
    EXPECT_FALSE(framing.broken());
  }
}

TEST(HttpFraming, GivesUpOnNonsense) {
  for (const char* bad :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
    HttpFraming framing(HttpFraming::Side::kResponses);
    std::vector<HttpPiece> pieces;
    framing.Feed(bad, &pieces);
    EXPECT_TRUE(framing.broken()) << bad;
  }
}

}  // namespace
}  // namespace dnsd::testing
