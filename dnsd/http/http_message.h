// A request as a handler gets it, and an answer as it gives it.
//
// Threads: plain values.
#ifndef DNSD_DNSD_HTTP_HTTP_MESSAGE_H_
#define DNSD_DNSD_HTTP_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

namespace dnsd {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // "/v1/agent/reload", percent-decoded, without query
  std::string query;   // after '?', raw
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;       // chunks are joined
  std::string target;     // as received: "/v1/kv/a%2Fb?raw"
  std::string client_ip;  // "10.0.0.1"; of a mapped address the IPv4 one
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // The headers are those of another server: none of ours (Content-Type,
  // Date, Vary, ...) are put beside them, but those that frame the body.
  bool headers_are_whole = false;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_MESSAGE_H_
