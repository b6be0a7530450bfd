#include "dnsd/http/body_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

struct BodyStream {
  std::shared_ptr<const std::string> body;
  HttpReply reply;
  size_t sent = 0;

  // Writes until the client has enough for now.
  void Go() {
    constexpr size_t kPieceBytes = 64u << 10;
    const absl::string_view all = *body;
    while (sent < all.size()) {
      const absl::string_view piece = all.substr(sent, kPieceBytes);
      sent += piece.size();
      if (!reply.Write(piece)) return;
    }
    reply.End();
  }
};

}  // namespace

void SendShared(HttpResponse head, std::shared_ptr<const std::string> body,
                const HttpReply& reply) {
  if (body->size() <= kCopiedBodyBytesMax) {
    head.body = *body;
    reply(std::move(head));
    return;
  }
  auto stream = std::make_shared<BodyStream>();
  stream->body = std::move(body);
  stream->reply = reply;
  head.headers.emplace_back("Content-Length",
                            absl::StrCat(stream->body->size()));
  reply.Begin(std::move(head));
  // The callback goes when the answer is complete or cut, and the stream with
  // it.
  reply.OnDrained([stream] { stream->Go(); });
  stream->Go();
}

}  // namespace dnsd
