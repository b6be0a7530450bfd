// ProbeDns() finds out whether a DNS server answers at all, over UDP.
//
// Its question is of class CH, which no resolver hands on and every server has
// an answer to, if only a refusal: what it says does not matter.
//
// Threads: the main thread; it blocks.
// Errors:  kInvalidArgument for what is no address; kUnavailable when nobody
//          listens; kDeadlineExceeded when no answer comes.
// Limits:  three packets, for one may be lost.
#ifndef DNSD_DNSD_CLI_DNS_PROBE_H_
#define DNSD_DNSD_CLI_DNS_PROBE_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace dnsd {

// `address` is IP, IP:PORT or [IP]:PORT; the port is 53 unless it is given.
[[nodiscard]] absl::Status ProbeDns(const std::string& address,
                                    std::chrono::milliseconds timeout);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_DNS_PROBE_H_
