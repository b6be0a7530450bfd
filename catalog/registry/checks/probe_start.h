// StartProbe runs a check once: which kind of Probe runs which kind of check.
//
// Threads:   the loop's thread only.
// Ownership: `tools` and `check` outlive the Probe.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_PROBE_START_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_PROBE_START_H_

#include <chrono>
#include <cstdint>
#include <memory>

#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tools.h"
#include "catalog/registry/definition.h"

namespace dnsd {

enum class CheckKind : uint8_t {
  kNone,
  kHttp,
  kTcp,
  kUdp,
  kGrpc,
  kH2Ping,
  kScript,
  kDocker,
  kOsService,
  kAlias,
  kTtl,
};

[[nodiscard]] CheckKind KindOf(const CheckDefinition& check);

// Of one run: as defined, or what Consul has for its kind.
[[nodiscard]] std::chrono::nanoseconds TimeoutOf(const CheckDefinition& check);

// Of the kinds that are polled.
[[nodiscard]] std::unique_ptr<Probe> StartProbe(ProbeTools* tools,
                                                const CheckDefinition& check,
                                                ProbeDone done);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_PROBE_START_H_
