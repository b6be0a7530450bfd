// SampleView is a record of a SampleRing, taken apart for who tells of it.
//
// Threads:   any; the spans are the ring's, until it is popped.
// Errors:    Read() gives nothing for bytes that are no record.
#ifndef DNSD_DNSD_QUERYLOG_SAMPLE_VIEW_H_
#define DNSD_DNSD_QUERYLOG_SAMPLE_VIEW_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "dnsd/serve/query_sampler.h"

namespace dnsd {

struct SampleView {
  QuerySample head;
  std::span<const uint8_t> query;  // may be empty
  std::span<const uint8_t> response;

  [[nodiscard]] static std::optional<SampleView> Read(
      std::span<const uint8_t> record);

  // The message that has the question.
  [[nodiscard]] std::span<const uint8_t> question() const {
    return query.empty() ? response : query;
  }
  // The name asked for, in wire form and lower case if so wanted; empty: there
  // is none.
  [[nodiscard]] std::string Name(bool lower_case) const;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_SAMPLE_VIEW_H_
