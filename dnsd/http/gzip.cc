#include "dnsd/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "catalog/base/check.h"

namespace dnsd {
namespace {

absl::string_view AcceptEncoding(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name == "accept-encoding") return value;
  }
  return "";
}

}  // namespace

std::string Gzip(absl::string_view text) {
  constexpr int kWindowBitsOfGzip = 15 + 16;
  constexpr int kMemoryLevel = 8;  // zlib's default
  z_stream stream{};
  DNSD_CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindowBitsOfGzip,
                          kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  size_t done = 0;
  size_t taken = 0;
  // zlib counts in 32 bits.
  constexpr size_t kStepMax = std::numeric_limits<uInt>::max();
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t in = std::min(kStepMax, text.size() - taken);
    const size_t room = std::min(kStepMax, out.size() - done);
    // zlib reads only, but its type says otherwise in old releases.
    stream.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(text.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = static_cast<uInt>(room);
    result =
        deflate(&stream, taken + in == text.size() ? Z_FINISH : Z_NO_FLUSH);
    taken += in - stream.avail_in;
    done += room - stream.avail_out;
  }
  DNSD_CHECK(result == Z_STREAM_END);
  deflateEnd(&stream);
  out.resize(done);
  return out;
}

bool TakesGzip(const HttpRequest& request) {
  for (const absl::string_view part :
       absl::StrSplit(AcceptEncoding(request), ',')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits(';', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(halves.first),
                                "gzip")) {
      continue;
    }
    const absl::string_view q = absl::StripAsciiWhitespace(halves.second);
    double quality = 1;
    if (absl::StartsWithIgnoreCase(q, "q=") &&
        !absl::SimpleAtod(q.substr(2), &quality)) {
      quality = 0;
    }
    return quality > 0;
  }
  return false;
}

void GzipBody(HttpResponse* response) {
  if (response->body.size() < kGzipBytesMin || response->headers_are_whole) {
    return;
  }
  for (const auto& [name, value] : response->headers) {
    if (name == "Content-Encoding") return;
  }
  response->body = Gzip(response->body);
  response->headers.emplace_back("Content-Encoding", "gzip");
}

}  // namespace dnsd
