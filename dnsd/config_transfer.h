// The block zone_transfer { }: which secondaries may copy which zones, and who
// is told when they change.
//
//   zone_transfer {
//     allow  = ["192.0.2.0/24", "2001:db8::1"]
//     keys   = [{ name = "xfr", algorithm = "hmac-sha256", secret = "base64" }]
//     notify = ["192.0.2.1", "192.0.2.2:5353"]
//   }
//
// Threads: one.
// Errors:  go to Problems; no message shows a secret.
#ifndef DNSD_DNSD_CONFIG_TRANSFER_H_
#define DNSD_DNSD_CONFIG_TRANSFER_H_

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// One of zone_transfer.keys.
[[nodiscard]] TransferKey DecodeTransferKey(const Value& value,
                                            const Place& place,
                                            Problems* problems);

// Fills config->transfer and policy.has_secondaries; domains and zones must be
// resolved.
void ResolveTransfer(const Settings& settings, Config* config,
                     Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_TRANSFER_H_
