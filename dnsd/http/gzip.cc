#include "dnsd/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "catalog/base/check.h"

namespace dnsd {

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

}  // namespace dnsd
