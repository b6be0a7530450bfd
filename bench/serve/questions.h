// Questions is a long list of queries about a catalog, made before anything is
// measured and then asked from its beginning again and again, and what a right
// answer to each looks like.
//
// Threads: one owner.
// Cost:    Next() copies a packet.
#ifndef DNSD_BENCH_SERVE_QUESTIONS_H_
#define DNSD_BENCH_SERVE_QUESTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "bench/bench_data.h"
#include "bench/serve/question_kind.h"

namespace dnsd::testing {

// As long as a service's name; "missing-000042.service.consul.".
[[nodiscard]] std::string MissingName(size_t index);

struct QuestionMix {
  std::array<unsigned, kQuestionKinds> shares{};  // by kind
  bool edns = false;

  [[nodiscard]] static QuestionMix All() { return {{70, 20, 5, 5}, false}; }
  [[nodiscard]] static QuestionMix OnlyA() { return {{1, 0, 0, 0}, false}; }
  [[nodiscard]] static QuestionMix OnlySrv() { return {{0, 1, 0, 0}, false}; }
  [[nodiscard]] QuestionMix WithEdns() const { return {shares, true}; }
};

// A query of that kind about the `index`-th service.
[[nodiscard]] std::string MakeQuestion(QuestionKind kind, size_t index,
                                       bool edns);

class Questions {
 public:
  Questions(const QuestionMix& mix, const bench::CatalogSize& size);

  [[nodiscard]] size_t Next(uint8_t* message);

  // By header and question: RCODE, no TC, the number of records in the answer,
  // and the question as it was asked.
  [[nodiscard]] bool IsRight(std::span<const uint8_t> question,
                             std::span<const uint8_t> answer) const;

 private:
  size_t question_bytes_ = 0;  // they are equally long
  size_t instances_;
  size_t at_ = 0;
  std::string packets_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_QUESTIONS_H_
