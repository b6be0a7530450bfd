// ClientLimits is what clients may do to a worker: how many equal answers over
// UDP, how many TCP connections and for how long.
//
// Threads: a value.
// Units:   per worker: which of them a client's packets and connections reach
//          depends on its ports, so one that uses many of them may get as
//          much from each.
#ifndef DNSD_DNSD_SERVE_CLIENT_LIMITS_H_
#define DNSD_DNSD_SERVE_CLIENT_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnsd/forward/ip_network.h"
#include "dnsd/limits.h"

namespace dnsd {

struct RateLimitOptions {
  uint32_t responses_per_second = 0;  // equal ones to one network; 0: no limit
  // What a network asked for too much counts against it for so long.
  uint32_t window_s = 15;
  // Of the responses too many each so manieth goes out with TC instead of its
  // records; 1: all; 0: none.
  uint32_t slip = 2;
  uint8_t ipv4_prefix = 24;
  uint8_t ipv6_prefix = 56;
  bool log_only = false;  // counted, and sent
  std::vector<IpNetwork> exempt;
  uint32_t table_size = kRateTableSize;  // buckets

  bool operator==(const RateLimitOptions&) const = default;
};

// dnsd/limits.h, in a form that configuration and tests can change.
struct TcpLimits {
  size_t connections_max = kTcpConnectionsMax;
  size_t connections_per_client_max = kTcpConnectionsPerClientMax;
  size_t queries_max = 0;  // of one connection, about; 0: no limit
  size_t buffered_bytes_max = kTcpBufferedBytesMax;
  uint64_t idle_ms = kTcpIdleMs;
  uint64_t frame_ms = kTcpFrameMs;
  uint64_t not_reading_ms = kTcpNotReadingMs;

  bool operator==(const TcpLimits&) const = default;
};

struct ClientLimits {
  RateLimitOptions rate;
  TcpLimits tcp;

  bool operator==(const ClientLimits&) const = default;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_CLIENT_LIMITS_H_
