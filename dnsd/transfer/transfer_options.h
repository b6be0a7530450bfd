// TransferOptions is what the block zone_transfer { } says: who may copy which
// zones, with which keys, and who is told of changes.
//
// Threads: a value, immutable while a TransferService uses it.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_OPTIONS_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/forward/ip_network.h"
#include "dnsd/socket_address.h"
#include "dnsd/transfer/tsig.h"

namespace dnsd {

// A secondary that NOTIFY goes to.
struct NotifyTarget {
  std::string text;  // as written
  SocketAddress address;

  bool operator==(const NotifyTarget& other) const {
    return text == other.text;
  }
};

struct TransferOptions {
  std::vector<IpNetwork> allow;  // empty: nobody
  std::vector<TsigKey> keys;     // empty: addresses are enough
  std::vector<NotifyTarget> notify;
  uint64_t notify_interval_ms = 2'000;  // of one zone, at least
  // Wire form, lower case; empty: every zone.
  std::vector<std::string> zones;

  bool operator==(const TransferOptions&) const = default;

  // Whether there is anybody at all.
  [[nodiscard]] bool enabled() const {
    return !allow.empty() || !notify.empty();
  }
  [[nodiscard]] bool Covers(const std::string& apex) const {
    return zones.empty() ||
           std::find(zones.begin(), zones.end(), apex) != zones.end();
  }
  [[nodiscard]] bool Allows(const SocketAddress& client) const {
    return AnyContains(allow, client);
  }
};

// In a form that tests can shorten.
struct TransferLimits {
  size_t connections_max = 32;  // TCP connections of secondaries
  // All messages of a zone; a larger one is not transferred. Transfers of the
  // same version share it, so at most connections_max of them exist.
  size_t image_bytes_max = size_t{512} << 20;
  uint64_t idle_ms = 10'000;
  uint64_t not_reading_ms = 60'000;  // a client that takes nothing
  uint64_t notify_retry_ms = 2'000;  // doubled with each try
  int notify_tries = 6;              // then the SOA's refresh has to do
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_OPTIONS_H_
