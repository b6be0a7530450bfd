// What the questions of the serving benchmark ask for, and how a packet shows
// it.
//
// Threads: any; no state.
#ifndef DNSD_BENCH_SERVE_QUESTION_KIND_H_
#define DNSD_BENCH_SERVE_QUESTION_KIND_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace dnsd::testing {

enum class QuestionKind : uint8_t {
  kA,        // of a service
  kSrv,      // the same
  kAaaa,     // the same: there are none
  kMissing,  // a name that there is not, of type A
};
inline constexpr size_t kQuestionKinds = 4;

// Names of services begin with another letter, and are as long.
inline constexpr char kMissingLetter = 'm';

// Of a query that the benchmark made.
[[nodiscard]] inline QuestionKind KindOf(std::span<const uint8_t> question) {
  constexpr size_t kNameAt = 12;
  if (question[kNameAt + 1] == kMissingLetter) return QuestionKind::kMissing;
  size_t at = kNameAt;
  while (at < question.size() && question[at] != 0) {
    at += question[at] + size_t{1};
  }
  const uint8_t type = at + 2 < question.size() ? question[at + 2] : 0;
  if (type == 33) return QuestionKind::kSrv;
  return type == 28 ? QuestionKind::kAaaa : QuestionKind::kA;
}

[[nodiscard]] inline bool HasOpt(std::span<const uint8_t> question) {
  return question[11] != 0;
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_QUESTION_KIND_H_
