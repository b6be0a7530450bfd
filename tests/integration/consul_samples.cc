#include "tests/integration/consul_samples.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace dnsd::testing {

void Remember(const Message& message, SeenRecords* seen) {
  for (const auto* section : {&message.answer, &message.additional}) {
    for (const Rr& rr : *section) seen->insert(RrText(rr));
  }
}

Message LikeSample(const Message& sample, const Message& got,
                   const SeenRecords& seen) {
  Message like = sample;
  for (auto [mine, theirs] : {std::pair{&like.answer, &got.answer},
                              std::pair{&like.additional, &got.additional}}) {
    const bool fits =
        mine->size() == theirs->size() &&
        std::all_of(theirs->begin(), theirs->end(),
                    [&](const Rr& rr) { return seen.contains(RrText(rr)); });
    if (fits) *mine = *theirs;
  }
  return like;
}

Message Resample(const Message& full, const Message& udp,
                 const SeenRecords& seen) {
  Message result = full;
  // ADDITIONAL of a single answer is never cut.
  if (full.answer.size() == 1) {
    result.additional = LikeSample(full, udp, seen).additional;
  }
  const bool known =
      udp.answer.size() <= full.answer.size() &&
      std::all_of(udp.answer.begin(), udp.answer.end(),
                  [&](const Rr& rr) { return seen.contains(RrText(rr)); });
  if (!known) return result;
  std::vector<Rr> rest = full.answer;
  for (const Rr& rr : udp.answer) {
    const auto same = std::find(rest.begin(), rest.end(), rr);
    rest.erase(same == rest.end() ? rest.end() - 1 : same);
  }
  result.answer = udp.answer;
  result.answer.insert(result.answer.end(), rest.begin(), rest.end());
  return result;
}

}  // namespace dnsd::testing
