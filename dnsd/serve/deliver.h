// DeliverAnswer() sends the answer to a query that had to wait.
//
// Threads: the worker's.
// Errors:  what cannot be sent is counted.
#ifndef DNSD_DNSD_SERVE_DELIVER_H_
#define DNSD_DNSD_SERVE_DELIVER_H_

#include <cstddef>
#include <cstdint>

#include "dnsd/serve/serve_context.h"
#include "dnsd/way_back.h"

namespace dnsd {

// `frame` is two bytes for the length, then `message_size` bytes. 0: there is
// nothing to say, but a connection no longer waits. May end a connection.
void DeliverAnswer(const WayBack& to, uint8_t* frame, size_t message_size,
                   ServeContext* context);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_DELIVER_H_
