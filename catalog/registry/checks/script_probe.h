// ScriptProbe runs a program: exit code 0 is passing, 1 warning, all else
// critical. At its timeout the program is killed, with its children.
//
// As Probe (probe.h) says.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_SCRIPT_PROBE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_SCRIPT_PROBE_H_

#include <optional>

#include "catalog/registry/checks/child_process.h"
#include "catalog/registry/checks/output_tail.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tools.h"

namespace dnsd {

class ScriptProbe : public Probe {
 public:
  ScriptProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  const CheckDefinition& check_;
  const ProbeDone done_;
  OutputTail output_;
  ChildProcess child_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_SCRIPT_PROBE_H_
