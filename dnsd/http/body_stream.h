// SendShared answers with a body that many answers share. A long one goes out
// in pieces, as fast as its client takes it, so that what waits in memory for
// slow clients is little, however many of them got it at once.
//
// Threads:   the server's.
// Ownership: the body lives until the last client has it or is gone.
#ifndef DNSD_DNSD_HTTP_BODY_STREAM_H_
#define DNSD_DNSD_HTTP_BODY_STREAM_H_

#include <cstddef>
#include <memory>
#include <string>

#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"

namespace dnsd {

// What is not longer is copied: one write then carries head and body.
inline constexpr size_t kCopiedBodyBytesMax = 64u << 10;

// `head` has no body yet.
void SendShared(HttpResponse head, std::shared_ptr<const std::string> body,
                const HttpReply& reply);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BODY_STREAM_H_
