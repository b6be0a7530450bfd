// QueryLine() is the line of the query log for one answered query: Consul's
// "request served from client", with what that leaves out.
//
//   2026-11-21T04:12:11.044Z [INFO]  dns: request served from client:
//       name=web.service.consul. type=A class=IN rcode=NOERROR flags="qr aa rd"
//       size=97 client=127.0.0.1:5353 client_network=udp
//
// in one line; or that as JSON. Names are as in master files (RFC 1035 5.1), so
// that whatever bytes clients ask for, a line is a line.
//
// Threads: any.
#ifndef DNSD_DNSD_QUERYLOG_QUERY_LINE_H_
#define DNSD_DNSD_QUERYLOG_QUERY_LINE_H_

#include <string>

#include "dnsd/querylog/sample_view.h"

namespace dnsd {

// Without its end.
[[nodiscard]] std::string QueryLine(const SampleView& sample, bool json);

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_QUERY_LINE_H_
