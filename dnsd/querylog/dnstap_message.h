// DnstapMessage() makes the payload of a dnstap frame (dnstap.info): a query or
// a response, as it went over the wire, with who sent it and when.
//
// The format is Protocol Buffers; of its schema a dozen fields are written, so
// they are written here, without a compiler of schemas.
//
// Threads: any.
#ifndef DNSD_DNSD_QUERYLOG_DNSTAP_MESSAGE_H_
#define DNSD_DNSD_QUERYLOG_DNSTAP_MESSAGE_H_

#include <cstdint>
#include <string>

#include "dnsd/querylog/query_log_options.h"
#include "dnsd/querylog/sample_view.h"

namespace dnsd {

enum class DnstapKind : uint8_t { kQuery, kResponse };

// AUTH_QUERY or AUTH_RESPONSE where we answered for our own zones, else
// CLIENT_QUERY or CLIENT_RESPONSE.
[[nodiscard]] std::string DnstapMessage(const DnstapOptions& options,
                                        DnstapKind kind,
                                        const SampleView& sample);

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_DNSTAP_MESSAGE_H_
