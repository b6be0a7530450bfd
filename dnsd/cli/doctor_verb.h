// dnsd doctor: checks the machine and the running agent, a line for each check
// with what to do about it.
//
// Threads: the main thread; it blocks.
// Exits:   0: nothing failed, 1: something did, 2: the flags are wrong.
#ifndef DNSD_DNSD_CLI_DOCTOR_VERB_H_
#define DNSD_DNSD_CLI_DOCTOR_VERB_H_

#include <string>
#include <vector>

#include "dnsd/cli/doctor.h"

namespace dnsd {

[[nodiscard]] int DoctorVerb(const std::vector<std::string>& args);

// A line each: "ok", "warn" or "fail", the check, what was seen, what to do.
[[nodiscard]] std::string FindingsText(const std::vector<Finding>& findings);
[[nodiscard]] std::string FindingsJson(const std::vector<Finding>& findings);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_DOCTOR_VERB_H_
