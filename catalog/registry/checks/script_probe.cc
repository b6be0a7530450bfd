#include "catalog/registry/checks/script_probe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/checks/probe_start.h"

namespace dnsd {

ScriptProbe::ScriptProbe(ProbeTools* tools, const CheckDefinition& check,
                         ProbeDone done)
    : check_(check),
      done_(std::move(done)),
      output_(static_cast<size_t>(std::max(check.output_max_size, 1))),
      child_(tools->loop, &tools->children, check.args,
             {.on_output =
                  [this](absl::string_view bytes) { output_.Append(bytes); },
              .on_end =
                  [this](int code) {
                    done_({.status = code == 0   ? HealthStatus::kPassing
                                     : code == 1 ? HealthStatus::kWarning
                                                 : HealthStatus::kCritical,
                           .output = output_.TailWithNote()});
                  }}) {
  if (!child_.error().empty()) {
    done_({.status = HealthStatus::kCritical, .output = child_.error()});
  }
}

ProbeResult ScriptProbe::TimeOut() {
  std::string text = absl::StrCat("Timed out (", GoDuration(TimeoutOf(check_)),
                                  ") running check");
  const std::string output = output_.TailWithNote();
  if (!output.empty()) absl::StrAppend(&text, "\n\n", output);
  return {.status = HealthStatus::kCritical, .output = std::move(text)};
}

}  // namespace dnsd
