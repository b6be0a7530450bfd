#include "bench/serve/questions.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/check.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// More than there are services in the small catalog, so that each is asked
// often; few enough for the load's own cache.
constexpr size_t kQuestions = 8192;
// For a catalog that no cache holds, as many as there are services.
constexpr size_t kQuestionsMax = 131'072;
constexpr uint16_t kEdnsBytes = 1232;

}  // namespace

std::string MissingName(size_t index) {
  return absl::StrFormat("%cissing-%06d.service.consul.", kMissingLetter,
                         index);
}

std::string MakeQuestion(QuestionKind kind, size_t index, bool edns) {
  bench::QueryShape shape;
  shape.name =
      kind == QuestionKind::kMissing
          ? MissingName(index)
          : absl::StrCat(bench::ServiceName(index), ".service.consul.");
  shape.type = kind == QuestionKind::kSrv    ? kTypeSrv
               : kind == QuestionKind::kAaaa ? kTypeAaaa
                                             : kTypeA;
  shape.edns_bytes = edns ? kEdnsBytes : 0;
  return bench::MakeQuery(shape);
}

Questions::Questions(const QuestionMix& mix, const bench::CatalogSize& size)
    : instances_(size.instances) {
  std::minstd_rand random(1);
  std::discrete_distribution<size_t> kinds(mix.shares.begin(),
                                           mix.shares.end());
  std::uniform_int_distribution<size_t> services(0, size.services - 1);
  const size_t count = std::clamp(size.services, kQuestions, kQuestionsMax);
  for (size_t i = 0; i < count; ++i) {
    const std::string packet = MakeQuestion(
        static_cast<QuestionKind>(kinds(random)), services(random), mix.edns);
    question_bytes_ = packet.size();
    packets_ += packet;
  }
  DNSD_CHECK(packets_.size() == count * question_bytes_);
}

size_t Questions::Next(uint8_t* message) {
  std::memcpy(message, packets_.data() + at_, question_bytes_);
  at_ += question_bytes_;
  if (at_ == packets_.size()) at_ = 0;
  return question_bytes_;
}

bool Questions::IsRight(std::span<const uint8_t> question,
                        std::span<const uint8_t> answer) const {
  constexpr size_t kOptBytes = 11;
  const QuestionKind kind = KindOf(question);
  const bool is_positive =
      kind == QuestionKind::kA || kind == QuestionKind::kSrv;
  const size_t records = is_positive ? instances_ : 0;
  const unsigned rcode = kind == QuestionKind::kMissing ? 3 : 0;
  const size_t question_end =
      question.size() - (HasOpt(question) ? kOptBytes : 0);
  return answer.size() > question_end &&
         (answer[2] & 0x82) == 0x80 &&  // QR, no TC
         (answer[3] & 0x0f) == rcode &&
         size_t{answer[6]} * 256 + answer[7] == records &&
         std::memcmp(question.data() + kHeaderBytes,
                     answer.data() + kHeaderBytes,
                     question_end - kHeaderBytes) == 0;
}

}  // namespace dnsd::testing
