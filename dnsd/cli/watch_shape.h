// The answers that `watch` shows, in the shape of Consul's own: its command
// reads an answer into its types and prints those, so members come in another
// order, some are added with nothing in them, and some are left out.
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_CLI_WATCH_SHAPE_H_
#define DNSD_DNSD_CLI_WATCH_SHAPE_H_

#include <cstdint>

#include "catalog/base/value.h"

namespace dnsd {

enum class WatchShape : uint8_t {
  kServices,   // tags by service
  kNodes,      // a list of nodes
  kInstances,  // a list of nodes with a service and checks
  kChecks,
  kEvents,
  kKey,   // one pair, of a list of one
  kKeys,  // a list of pairs
};

[[nodiscard]] Value ShapedAnswer(WatchShape shape, const Value& answer);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_WATCH_SHAPE_H_
