#include "dnsd/serve/query_sampler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "catalog/base/unix_time.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// An OPT record without options: root, type, class, TTL, length.
constexpr size_t kOptBytes = 11;

// Where the query is gone, its question still stands in the response.
std::span<const uint8_t> QuestionOf(const AnsweredQuery& answered) {
  return answered.query.empty() ? answered.response : answered.query;
}

// Whether the name of a message's question is one of `names` or below one.
bool IsBelowAny(std::span<const uint8_t> message,
                const std::vector<std::string>& names) {
  Name name;
  if (message.size() <= kHeaderBytes ||
      ParseName(message.subspan(kHeaderBytes), &name) == 0) {
    return false;
  }
  return std::any_of(
      names.begin(), names.end(), [&](const std::string& suffix) {
        if (suffix.size() > name.size) return false;
        const size_t at = name.size - suffix.size();
        // Bytes alone may look alike in the middle of a label.
        const uint8_t* const labels = name.label;
        const uint8_t* const labels_end = labels + name.label_count + 1;
        return std::memcmp(name.lower + at, suffix.data(), suffix.size()) ==
                   0 &&
               std::find(labels, labels_end, at) != labels_end;
      });
}

bool Likes(const SampleRule& rule, const AnsweredQuery& answered) {
  if (rule.rcodes != UINT32_MAX) {
    const uint16_t rcode = RcodeOf(answered.response);
    if (rcode < 32 && (rule.rcodes >> rcode & 1) == 0) return false;
  }
  if (!rule.clients.empty() && !AnyContains(rule.clients, answered.client)) {
    return false;
  }
  return rule.names.empty() || IsBelowAny(QuestionOf(answered), rule.names);
}

}  // namespace

size_t QuestionEnd(std::span<const uint8_t> message) {
  size_t at = kHeaderBytes;
  if (message.size() <= at || Load16(message.data() + 4) == 0) return 0;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > kLabelBytesMax) return 0;
    at += 1u + message[at];
  }
  at += 1 + 2 * sizeof(uint16_t);
  return at <= message.size() ? at : 0;
}

uint16_t RcodeOf(std::span<const uint8_t> response) {
  if (response.size() < kHeaderBytes) return kNoError;
  const auto rcode = static_cast<uint16_t>(response[3] & 0xf);
  const uint8_t* const header = response.data();
  if (Load16(header + 6) != 0 || Load16(header + 8) != 0 ||
      Load16(header + 10) == 0) {
    return rcode;
  }
  const size_t at =
      Load16(header + 4) == 0 ? kHeaderBytes : QuestionEnd(response);
  if (at == 0 || response.size() < at + kOptBytes || header[at] != 0 ||
      Load16(header + at + 1) != kTypeOpt) {
    return rcode;
  }
  return static_cast<uint16_t>(header[at + 5] << 4 | rcode);
}

void QuerySampler::SetRules(SampleRules rules) {
  rules_ = std::move(rules);
  for (size_t i = 0; i < kSampleUses; ++i) left_[i] = Draw(rules_[i].every);
  SetCountdown();
}

// How many responses on the next one is: `every` on average, but not each so
// manieth, for questions come in pairs (A and AAAA).
uint32_t QuerySampler::Draw(uint32_t every) {
  if (every == 0) return UINT32_MAX;
  return 1 + random_.Below(2 * every - 1);
}

void QuerySampler::SetCountdown() {
  gap_ = UINT32_MAX;
  for (size_t i = 0; i < kSampleUses; ++i) {
    if (rules_[i].every != 0) gap_ = std::min(gap_, left_[i]);
  }
  countdown_ = gap_;
}

void QuerySampler::Take(const AnsweredQuery& answered) {
  uint8_t uses = 0;
  for (size_t i = 0; i < kSampleUses; ++i) {
    if (rules_[i].every == 0) continue;
    left_[i] -= gap_;
    if (left_[i] != 0) continue;
    left_[i] = Draw(rules_[i].every);
    if (Likes(rules_[i], answered)) uses |= static_cast<uint8_t>(1u << i);
  }
  SetCountdown();
  if (uses != 0 && ring_ != nullptr) Push(uses, answered);
}

void QuerySampler::Push(uint8_t uses, const AnsweredQuery& answered) {
  QuerySample sample;
  sample.uses = uses;
  sample.transport = answered.transport;
  sample.client = answered.client;
  sample.answer_size = static_cast<uint32_t>(answered.response.size());
  std::span<const uint8_t> query = answered.query;
  std::span<const uint8_t> response = answered.response;
  if (!sample.wants(SampleUse::kTap)) {
    query = query.first(QuestionEnd(query));
    const size_t head = std::max(QuestionEnd(response), kHeaderBytes);
    response = response.first(std::min(response.size(), head + kOptBytes));
  }
  sample.query_size = static_cast<uint16_t>(query.size());
  sample.response_size = static_cast<uint16_t>(response.size());
  uint8_t* at = ring_->Reserve(sizeof(sample) + query.size() + response.size());
  if (at == nullptr) return;
  sample.unix_ns = UnixNs();
  std::memcpy(at, &sample, sizeof(sample));
  at += sizeof(sample);
  if (!query.empty()) std::memcpy(at, query.data(), query.size());
  at += query.size();
  if (!response.empty()) std::memcpy(at, response.data(), response.size());
  ring_->Commit();
}

}  // namespace dnsd
