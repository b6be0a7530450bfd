// SampleRules say which answered queries are told of, and to whom: what the
// configuration has of QuerySampler.
//
// Threads: plain values.
#ifndef DNSD_DNSD_SERVE_SAMPLE_RULES_H_
#define DNSD_DNSD_SERVE_SAMPLE_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/forward/ip_network.h"

namespace dnsd {

// Who takes samples.
enum class SampleUse : uint8_t { kLog, kTap, kTop, kCount };
inline constexpr size_t kSampleUses = static_cast<size_t>(SampleUse::kCount);

struct SampleRule {
  uint32_t every = 0;  // one of so many; 1: all; 0: none
  // Of these, what all three of the following like.
  std::vector<std::string> names;  // wire form, lower case, and below them;
                                   // empty: all
  std::vector<IpNetwork> clients;  // empty: all
  uint32_t rcodes = UINT32_MAX;    // a bit for each; those above 31 are in all

  bool operator==(const SampleRule&) const = default;
};

using SampleRules = std::array<SampleRule, kSampleUses>;

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_SAMPLE_RULES_H_
