// The part of the configuration about names that are not ours: whom to ask for
// which, who may ask us, and how long answers are kept.
//
// Threads: one; asks the kernel for the interfaces' addresses.
// Errors:  go to Problems with the place of the setting and the value.
#ifndef DNSD_DNSD_CONFIG_FORWARD_H_
#define DNSD_DNSD_CONFIG_FORWARD_H_

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Reads one element of `forward`.
[[nodiscard]] WrittenRule DecodeForwardRule(const Value& value,
                                            const Place& place,
                                            Problems* problems);

// Fills config->forward, recursion_allow, forward_cache and what the policy
// says of forwarding. Listeners, domains and zones must be resolved.
void ResolveForward(const Settings& settings, Config* config,
                    Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_FORWARD_H_
