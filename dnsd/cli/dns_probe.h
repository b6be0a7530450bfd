// Questions to a DNS server, to see that it answers.
//
// Threads: any; they block until there is an answer, as long as they are told
//          at most.
// Errors:  kInvalidArgument for what is no address or domain; else what
//          happened: "connection refused", "no answer in 2000 ms", "REFUSED".
// Limits:  three packets over UDP, for one may be lost.
#ifndef DNSD_DNSD_CLI_DNS_PROBE_H_
#define DNSD_DNSD_CLI_DNS_PROBE_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "dnsd/cli/proc_sockets.h"
#include "dnsd/config.h"

namespace dnsd {

inline constexpr std::chrono::milliseconds kSoaProbeTimeout{2'000};

// Whether it answers at all, over UDP. The question is of class CH, which no
// resolver hands on and every server has an answer to, if only a refusal: what
// it says does not matter. `address` is IP, IP:PORT or [IP]:PORT; the port is
// 53 unless it is given.
[[nodiscard]] absl::Status ProbeDns(const std::string& address,
                                    std::chrono::milliseconds timeout);

// Whether it answers for a domain: NOERROR with a SOA record in ANSWER.
[[nodiscard]] absl::Status SoaProbe(const Endpoint& server,
                                    SocketProtocol protocol,
                                    const std::string& domain);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_DNS_PROBE_H_
