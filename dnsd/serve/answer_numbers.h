// AnswerNumbers counts answers by the type of the question and by RCODE, both
// of a small set, as everything that counts names has to be. HOT PATH
//
// Threads: as dnsd/counter.h.
// Cost:    Add() is one increment; the counters of one type are two lines.
#ifndef DNSD_DNSD_SERVE_ANSWER_NUMBERS_H_
#define DNSD_DNSD_SERVE_ANSWER_NUMBERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/counter.h"
#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd {

// What a type is counted as. [0] is every other one, and none.
inline constexpr std::array<uint16_t, 16> kCountedTypes = {
    0, 1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 48, 65, 251, 252, 255};
inline constexpr std::array<const char*, kCountedTypes.size()> kTypeNames = {
    "other", "A",   "NS", "CNAME",  "SOA",   "PTR",  "MX",   "TXT",
    "AAAA",  "SRV", "DS", "DNSKEY", "HTTPS", "IXFR", "AXFR", "ANY"};

// By RCODE; behind those that a header can say two that stand in the OPT
// record, and all others.
inline constexpr size_t kCountedBadVers = 11;
inline constexpr size_t kCountedBadCookie = 12;
inline constexpr size_t kCountedOther = 13;
inline constexpr std::array<const char*, 14> kRcodeNames = {
    "NOERROR", "FORMERR",  "SERVFAIL",  "NXDOMAIN", "NOTIMP",
    "REFUSED", "YXDOMAIN", "YXRRSET",   "NXRRSET",  "NOTAUTH",
    "NOTZONE", "BADVERS",  "BADCOOKIE", "other"};

// Where a type is among kCountedTypes.
[[nodiscard]] inline size_t CountedType(uint16_t qtype) {
  static constexpr auto kIndex = [] {
    std::array<uint8_t, 256> index{};
    for (size_t i = 1; i < kCountedTypes.size(); ++i) {
      index[kCountedTypes[i]] = static_cast<uint8_t>(i);
    }
    return index;
  }();
  return qtype < kIndex.size() ? kIndex[qtype] : 0;
}

// Where the RCODE of a response is among kRcodeNames. `outcome`: of Respond(),
// else one that does not matter.
[[nodiscard]] inline size_t CountedRcode(const uint8_t* response,
                                         Outcome outcome) {
  if (outcome == Outcome::kBadVers) return kCountedBadVers;
  if (outcome == Outcome::kBadCookie) return kCountedBadCookie;
  const size_t rcode = response[3] & 0xf;
  return rcode < kCountedBadVers ? rcode : kCountedOther;
}

// The type in the question of a message that we wrote; 0: it has none.
[[nodiscard]] inline uint16_t QuestionType(std::span<const uint8_t> message) {
  size_t at = kHeaderBytes;
  while (at < message.size() && message[at] != 0) at += message[at] + 1u;
  if (message.size() < at + 3) return 0;
  return static_cast<uint16_t>(message[at + 1] << 8 | message[at + 2]);
}

template <typename Number>
struct AnswerNumbers {
  // A row is 16 counters long, so that it is two lines and its address a shift.
  static_assert(kRcodeNames.size() <= 16);
  using Row = std::array<Number, 16>;
  std::array<Row, kCountedTypes.size()> rows{};

  [[nodiscard]] Number& at(size_t type, size_t rcode) {
    return rows[type][rcode];
  }
  [[nodiscard]] const Number& at(size_t type, size_t rcode) const {
    return rows[type][rcode];
  }
};

using AnswerStats = AnswerNumbers<Counter>;
using AnswerTotals = AnswerNumbers<uint64_t>;

inline void CountAnswer(uint16_t qtype, const uint8_t* response,
                        Outcome outcome, AnswerStats* stats) {
  stats->at(CountedType(qtype), CountedRcode(response, outcome)).Add();
}

inline void AddTo(const AnswerStats& from, AnswerTotals* to) {
  for (size_t type = 0; type < from.rows.size(); ++type) {
    for (size_t rcode = 0; rcode < kRcodeNames.size(); ++rcode) {
      to->at(type, rcode) += from.at(type, rcode).value();
    }
  }
}

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_ANSWER_NUMBERS_H_
