// ForwardOptions is how other people's names are asked for.
//
// Threads: a value.
// Units:   milliseconds where a name says so.
#ifndef DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_
#define DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/forward/dot_client.h"
#include "dnsd/forward/forward_settings.h"
#include "dnsd/forward/ip_network.h"
#include "dnsd/forward/tls_trust.h"
#include "dnsd/forward/upstream_address.h"
#include "dnsd/limits.h"
#include "dnsd/socket_address.h"

namespace dnsd {

// Whom to ask for the names of a zone and below it.
struct ForwardRule {
  std::string zone;                        // lower case, wire form
  std::vector<UpstreamAddress> upstreams;  // each once; empty: REFUSED
  ForwardStrategy strategy = ForwardStrategy::kFastest;
  uint64_t timeout_ms = 2'000;  // of one upstream

  bool operator==(const ForwardRule&) const = default;
};

struct ForwardOptions {
  // Each zone once; the longest that a name is in counts. Names in none are
  // REFUSED.
  std::vector<ForwardRule> rules;
  std::vector<IpNetwork> allow = DefaultRecursionAllow();
  ForwardCacheLimits cache;
  // What queries that look for loops begin with (MakeLoopLabels()): a secret of
  // the process, for such a query may come back to another worker.
  std::string loop_labels;
  // For upstreams over TLS: there if there are any.
  std::shared_ptr<const TlsTrust> trust;
  OnTlsFailure on_tls_failure;

  // dnsd/limits.h, in a form that tests can shorten.
  size_t waiting_max = kForwardWaitingMax;
  size_t waiting_per_question_max = kForwardWaitingPerQuestionMax;
  size_t sockets_max = kForwardSocketsMax;
  uint64_t total_ms = kForwardTotalMs;
  uint64_t hedge_ms_min = kForwardHedgeMsMin;
  uint64_t probe_ms_min = kForwardProbeMsMin;
  uint64_t probe_ms_max = kForwardProbeMsMax;
  DotLimits dot;
};

// Told of a query of ours that came back: the zone whose upstreams are asked
// (lower case, wire form), and who sent it.
using OnForwardLoop =
    std::function<void(const std::string& zone, const SocketAddress& from)>;

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARD_OPTIONS_H_
