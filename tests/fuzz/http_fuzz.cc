// Bytes of a client through HttpConnection. The first byte says how the rest
// is cut, when answers come, and whether they are streams; the same bytes in
// one piece must lead to the same requests, or a proxy and we could see
// different ones.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/check.h"
#include "dnsd/http/http_connection.h"
#include "dnsd/http/routes.h"

namespace dnsd {
namespace {

struct Run {
  std::vector<std::string> requests;
  std::string output;
};

// Removes the Date headers: two runs may be in different seconds.
std::string WithoutDates(std::string text) {
  for (size_t at = text.find("\r\nDate: "); at != std::string::npos;
       at = text.find("\r\nDate: ", at)) {
    text.erase(at, text.find("\r\n", at + 2) - at);
  }
  return text;
}

// The second request is cut off in the middle of its answer, each third tells
// its length, and the other answers are in chunks. Nobody may be told that a
// client left who has ended his answer.
class Streamer {
 public:
  void Answer(const HttpReply& reply) {
    ++count_;
    HttpResponse head;
    if (count_ % 3 == 0) head.headers = {{"Content-Length", "8"}};
    const auto over = std::make_shared<bool>(false);
    reply.OnClosed([over] { DNSD_CHECK(!*over); });
    reply.Begin(std::move(head));
    (void)reply.Write("some");
    (void)reply.Write("");
    (void)reply.Write("body");
    *over = true;
    count_ == 2 ? reply.Abort() : reply.End();
  }

 private:
  int count_ = 0;
};

Run Feed(absl::string_view bytes, size_t piece_bytes, bool park, bool stream) {
  Run run;
  Streamer streamer;
  HttpLimits limits;
  limits.head_bytes_max = 512;
  limits.body_bytes_max = 256;
  std::vector<HttpServer::Reply> parked;
  AgentHooks hooks;
  hooks.reload = [](AgentHooks::ReloadDone done) { done({"an error"}); };
  hooks.metrics = [](AgentHooks::TextDone done) { done("m 1\n"); };
  const Routes routes(AgentRoutes(std::move(hooks)));
  const HttpServer::Handler handler = [&](const HttpRequest& request,
                                          HttpServer::Reply reply) {
    DNSD_CHECK(request.body.size() <= limits.body_bytes_max);
    std::string text = absl::StrCat(request.method, " ", request.path, "?",
                                    request.query, "\n");
    for (const auto& [name, value] : request.headers) {
      DNSD_CHECK(!name.empty() && !absl::StrContains(name, ' '));
      absl::StrAppend(&text, name, "=", value, "\n");
    }
    run.requests.push_back(absl::StrCat(text, request.body));
    if (park) {
      parked.push_back(std::move(reply));
    } else if (stream) {
      streamer.Answer(reply);
    } else {
      routes.Handle(request, std::move(reply));
    }
  };
  const auto http = HttpConnection::Create(&limits, &handler, [] {});
  const auto drain = [&] {
    const std::string text = absl::StrJoin(http->TakeOutput(), "");
    run.output += text;
    http->Sent(text.size());
  };
  const auto answer = [&] {
    // Each answer may let one more request in.
    for (size_t i = 0; i < parked.size(); ++i) {
      if (stream) {
        streamer.Answer(parked[i]);
      } else {
        parked[i](HttpResponse());
      }
      drain();
    }
    parked.clear();
  };
  while (!bytes.empty() && !http->finished()) {
    if (!http->wants_input()) answer();
    http->Receive(bytes.substr(0, piece_bytes));
    bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    drain();
  }
  http->ReceiveEnd();
  answer();
  drain();
  DNSD_CHECK(http->finished());
  run.output = WithoutDates(std::move(run.output));
  return run;
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The allowance for chunk framing is looked at between reads, so beyond it
  // the way the bytes are cut may matter.
  if (size == 0 || size > dnsd::kHttpChunkOverheadBytes) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 1),
                                size - 1);
  const size_t piece_bytes = 1 + (data[0] >> 1) % 32;
  const bool park = (data[0] & 1) != 0;
  const bool stream = (data[0] & 0x40) != 0;
  const dnsd::Run cut = dnsd::Feed(bytes, piece_bytes, park, stream);
  const dnsd::Run whole = dnsd::Feed(bytes, bytes.size() + 1, park, stream);
  DNSD_CHECK(cut.requests == whole.requests);
  DNSD_CHECK(cut.output == whole.output);
  return 0;
}
