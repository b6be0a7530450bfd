// What a load generator saw of one server, and how it asks.
//
// Threads: values.
#ifndef DNSD_BENCH_LOAD_RESULT_H_
#define DNSD_BENCH_LOAD_RESULT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace dnsd::testing {

inline constexpr size_t kQuestionBytesMax = 300;

// Writes the next question, its id left out, and says its size, which is
// kQuestionBytesMax at most.
using NextQuestion = std::function<size_t(uint8_t* message)>;
// Whether that is a right answer; it has the id and the sender of one.
using IsRightAnswer = std::function<bool(std::span<const uint8_t> question,
                                         std::span<const uint8_t> answer)>;

struct LoadResult {
  size_t right = 0;
  size_t wrong = 0;
  size_t lost = 0;
  size_t reconnects = 0;   // TCP: the server ended a connection
  size_t right_bytes = 0;  // of right answers, without what carries them
  double seconds = 0;      // from the first question to the last answer
  std::vector<uint32_t> delays_ns;  // of right answers, as they came

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(right) / seconds : 0;
  }
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_LOAD_RESULT_H_
