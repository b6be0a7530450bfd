// ForwardOptions is how other people's names are asked for.
//
// Threads: a value.
// Units:   milliseconds where a name says so.
#ifndef DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_
#define DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnsd/forward/forward_settings.h"
#include "dnsd/forward/ip_network.h"
#include "dnsd/limits.h"
#include "dnsd/socket_address.h"

namespace dnsd {

struct ForwardOptions {
  std::vector<SocketAddress> upstreams;  // empty: nothing is forwarded
  ForwardStrategy strategy = ForwardStrategy::kFastest;
  uint64_t timeout_ms = 2'000;  // of one upstream
  std::vector<IpNetwork> allow = DefaultRecursionAllow();
  ForwardCacheLimits cache;

  // dnsd/limits.h, in a form that tests can shorten.
  size_t waiting_max = kForwardWaitingMax;
  size_t waiting_per_question_max = kForwardWaitingPerQuestionMax;
  size_t sockets_max = kForwardSocketsMax;
  uint64_t total_ms = kForwardTotalMs;
  uint64_t hedge_ms_min = kForwardHedgeMsMin;
  uint64_t probe_ms_min = kForwardProbeMsMin;
  uint64_t probe_ms_max = kForwardProbeMsMax;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_
