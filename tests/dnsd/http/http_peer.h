// HttpPeer drives an HttpConnection without a socket: bytes in, bytes out.
#ifndef DNSD_TESTS_DNSD_HTTP_HTTP_PEER_H_
#define DNSD_TESTS_DNSD_HTTP_HTTP_PEER_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "dnsd/http/http_connection.h"

namespace dnsd {

// A connection whose handler answers with what it was asked, or keeps the
// Reply when the path begins with /park.
class HttpPeer {
 public:
  explicit HttpPeer(HttpLimits limits = {}) : limits_(limits) {
    handler_ = [this](const HttpRequest& request, HttpServer::Reply reply) {
      requests.push_back(request);
      if (absl::StartsWith(request.path, "/park")) {
        parked.push_back(std::move(reply));
      } else if (request.path != "/forget") {
        reply(Echo(request));
      }
    };
    http = HttpConnection::Create(&limits_, &handler_, [this] { ++wakes; });
  }

  static HttpResponse Echo(const HttpRequest& request) {
    HttpResponse response;
    response.body = absl::StrCat(request.method, " ", request.path, " ",
                                 request.query, " [", request.body, "]");
    return response;
  }

  void Send(absl::string_view bytes, size_t piece_bytes) {
    while (!bytes.empty()) {
      http->Receive(bytes.substr(0, piece_bytes));
      bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    }
  }

  // Everything written so far, as the kernel would take it.
  std::string Output() {
    for (int i = 0; i < 1000; ++i) {
      const std::string text = absl::StrJoin(http->TakeOutput(), "");
      if (text.empty()) break;
      sent += text;
      http->Sent(text.size());
    }
    return std::exchange(sent, std::string());
  }

  std::vector<HttpRequest> requests;
  std::vector<HttpServer::Reply> parked;
  std::shared_ptr<HttpConnection> http;
  std::string sent;
  int wakes = 0;

 private:
  HttpLimits limits_;
  HttpServer::Handler handler_;
};

// TCP cuts where it likes: tests run with each of these.
inline constexpr size_t kPieces[] = {1, 7, 1u << 20};

// The status of each answer in `output`.
inline std::vector<std::string> Statuses(absl::string_view output) {
  std::vector<std::string> statuses;
  for (const absl::string_view line : absl::StrSplit(output, "\r\n")) {
    const size_t at = line.find("HTTP/1.1 ");
    if (at != line.npos) statuses.emplace_back(line.substr(at + 9, 3));
  }
  return statuses;
}

}  // namespace dnsd

#endif  // DNSD_TESTS_DNSD_HTTP_HTTP_PEER_H_
