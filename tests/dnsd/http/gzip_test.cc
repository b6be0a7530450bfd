#include "dnsd/http/gzip.h"

#include <zlib.h>

#include <string>

#include "gtest/gtest.h"

namespace dnsd {
namespace {

std::string Gunzip(const std::string& packed, size_t bytes) {
  constexpr int kWindowBitsOfGzip = 15 + 16;
  std::string text(bytes + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, kWindowBitsOfGzip), Z_OK);
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(Gzip, IsTakenWhereTheClientSaysSo) {
  const struct {
    const char* header;
    bool takes;
  } cases[] = {
      {"", false},         {"gzip", true},      {"deflate, GZIP;q=0.1", true},
      {"gzip;q=0", false}, {"gzip;q=x", false}, {"x-gzip", false}};
  for (const auto& c : cases) {
    HttpRequest request;
    request.headers = {{"accept-encoding", c.header}};
    EXPECT_EQ(TakesGzip(request), c.takes) << c.header;
  }
  EXPECT_FALSE(TakesGzip(HttpRequest()));
}

TEST(Gzip, PacksABodyOnceAndOnlyWhereItGains) {
  HttpResponse response;
  response.body = std::string(kGzipBytesMin, 'x');
  const std::string text = response.body;
  GzipBody(&response);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].second, "gzip");
  EXPECT_LT(response.body.size(), text.size());
  EXPECT_EQ(Gunzip(response.body, text.size()), text);

  const std::string packed = response.body + std::string(kGzipBytesMin, 'y');
  response.body = packed;
  GzipBody(&response);
  EXPECT_EQ(response.body, packed);

  HttpResponse small;
  small.body = std::string(kGzipBytesMin - 1, 'x');
  GzipBody(&small);
  EXPECT_TRUE(small.headers.empty());

  HttpResponse relayed;  // of another server
  relayed.body = text;
  relayed.headers_are_whole = true;
  GzipBody(&relayed);
  EXPECT_EQ(relayed.body, text);
}

}  // namespace
}  // namespace dnsd
