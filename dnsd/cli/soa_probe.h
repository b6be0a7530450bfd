// SoaProbe() asks a DNS server for the SOA of a domain, to see that it answers.
//
// Threads: any; blocks until there is an answer, kSoaProbeMs at most.
// Errors:  say what happened: "no answer in 2 s", "connection refused",
//          "REFUSED".
#ifndef DNSD_DNSD_CLI_SOA_PROBE_H_
#define DNSD_DNSD_CLI_SOA_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "dnsd/cli/proc_sockets.h"
#include "dnsd/config.h"

namespace dnsd {

inline constexpr int kSoaProbeMs = 2'000;

// OK: NOERROR with a SOA record in ANSWER.
[[nodiscard]] absl::Status SoaProbe(const Endpoint& server,
                                    SocketProtocol protocol,
                                    const std::string& domain);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_SOA_PROBE_H_
