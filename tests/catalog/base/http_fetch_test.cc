// What is said to a server and what is made of its answers. The server says
// scripted bytes.
#include "catalog/base/http_fetch.h"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/catalog/base/http_fetch_fixture.h"
#include "tests/catalog/base/scripted_server.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

// The 1,400 bytes of 200 times {"a":1}, by gzip.
std::string Gzipped() {
  return {
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac"
      "\xad\x1e\xa5\x46\xa9\x51\x6a\x94\x1a\xa5\xe8\x43\x01\x00\x10\x7a\x1f"
      "\xc2\x78\x05\x00\x00",
      39};
}

std::string Repeat(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// Says the same bytes to everyone who asks, and closes.
ScriptedServer::Script Say(const std::string& bytes) {
  return [bytes](ScriptedServer::Connection* connection) {
    if (!connection->ReadRequest().empty()) connection->Write(bytes);
  };
}

// Keeps the requests, and answers them.
class RecordingServer {
 public:
  RecordingServer()
      : server_([this](ScriptedServer::Connection* connection) {
          for (;;) {
            const std::string request = connection->ReadRequest();
            if (request.empty()) return;
            {
              std::lock_guard<std::mutex> lock(mutex_);
              requests_.push_back(request);
            }
            // What a HEAD gets has no body.
            connection->Write(
                absl::StartsWith(request, "HEAD")
                    ? "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
          }
        }) {}

  [[nodiscard]] std::string Url(const std::string& path) const {
    return server_.Url(path);
  }
  [[nodiscard]] std::string Last() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (requests_.empty()) return "";
    return absl::StrReplaceAll(requests_.back(),
                               {{absl::StrCat(":", server_.port()), ":PORT"}});
  }

 private:
  std::mutex mutex_;  // guards requests_
  std::vector<std::string> requests_;
  ScriptedServer server_;
};

TEST_F(FetchTest, AnAnswerHasItsStatusHeadersAndBody) {
  ScriptedServer server(
      Say("HTTP/1.1 404 Not Found\r\nX-Consul-Index:  17 \r\nVary: a\r\n"
          "vary: b\r\nContent-Length: 5\r\n\r\nabcde"));
  const HttpFetched got = Get(server.Url("/v1/kv/a"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.head.status, 404);
  EXPECT_EQ(got.body, "abcde");
  EXPECT_GE(got.body.capacity(), got.body.size() + 64);
  EXPECT_EQ(got.wire_bytes, 5u);
  EXPECT_TRUE(got.connected);
  EXPECT_FALSE(got.is_http2);
  const HttpHeaders headers = {{"x-consul-index", "17"},
                               {"vary", "a"},
                               {"vary", "b"},
                               {"content-length", "5"}};
  EXPECT_EQ(got.head.headers, headers);
  ASSERT_NE(got.head.Find("vary"), nullptr);
  EXPECT_EQ(*got.head.Find("vary"), "a");
  EXPECT_EQ(got.head.Find("etag"), nullptr);
}

TEST_F(FetchTest, FramingAndInterimAnswersLeaveNoTrace) {
  const struct {
    const char* said;
    int status;
    const char* body;
  } kCases[] = {
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
       200, "abcde"},
      {"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
       "HTTP/1.1 103 Early Hints\r\nX-Interim: 2\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
       200, "abcde"},
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, ""},
      {"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x"},
      // Not followed.
      {"HTTP/1.1 301 Moved\r\nLocation: /ui/\r\nContent-Length: 0\r\n\r\n", 301,
       ""},
      {"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
       "Content-Length: 0\r\n\r\n",
       401, ""},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.said);
    ScriptedServer server(Say(one.said));
    const HttpFetched got = Get(server.Url("/"));
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_EQ(got.head.status, one.status);
    EXPECT_EQ(got.body, one.body);
    EXPECT_GE(got.body.capacity(), got.body.size() + 64);
    EXPECT_EQ(got.head.Find("x-trailer"), nullptr);
    EXPECT_EQ(got.head.Find("x-interim"), nullptr);
    EXPECT_EQ(server.accepted_count(), 1u);
  }
}

TEST_F(FetchTest, AFoldedHeaderIsOneHeader) {
  ScriptedServer server(
      Say("HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nContent-Length: 0\r\n\r\n"));
  const HttpFetched got = Get(server.Url("/"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  ASSERT_NE(got.head.Find("a"), nullptr);
  EXPECT_EQ(*got.head.Find("a"), "b c");
}

TEST_F(FetchTest, LongBodiesArriveWhole) {
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) absl::StrAppend(&body, i, ",");
  ScriptedServer server(ScriptedServer::Ok(body));
  const HttpFetched got = Get(server.Url("/"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_TRUE(got.body == body);
  EXPECT_GE(got.body.capacity(), got.body.size() + 64);
  EXPECT_EQ(got.wire_bytes, body.size());
}

TEST_F(FetchTest, GzipIsAskedForAndUndone) {
  ScriptedServer server([](ScriptedServer::Connection* connection) {
    const std::string request = connection->ReadRequest();
    if (!absl::StrContains(request, "\r\nAccept-Encoding: gzip\r\n")) return;
    connection->Write(
        absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", Gzipped().size(),
                     "\r\nContent-Encoding: gzip\r\n\r\n"));
    connection->Write(Gzipped());
  });
  HttpFetch fetch;
  fetch.url = server.Url("/");
  // Only one of the two can be told to the server.
  fetch.headers = {{"accept-encoding", "br"}};
  const HttpFetched got = Do(fetch);
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.body, Repeat("{\"a\":1}", 200));
  EXPECT_GE(got.body.capacity(), got.body.size() + 64);
  EXPECT_EQ(got.wire_bytes, Gzipped().size());
}

TEST_F(FetchTest, WithoutDecodingTheBodyIsPassedOnAsItComes) {
  RecordingServer recorder;
  HttpFetch fetch;
  fetch.decode = false;
  fetch.url = recorder.Url("/");
  EXPECT_TRUE(Do(fetch).status.ok());
  EXPECT_EQ(recorder.Last(), "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
  fetch.headers = {{"Accept-Encoding", "br, gzip"}};
  EXPECT_TRUE(Do(fetch).status.ok());
  EXPECT_EQ(recorder.Last(),
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
            "Accept-Encoding: br, gzip\r\n\r\n");

  ScriptedServer server(
      Say(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n27\r\n",
                       Gzipped(), "\r\n0\r\n\r\n")));
  fetch.url = server.Url("/");
  const HttpFetched got = Do(fetch);
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.body, Gzipped());
}

TEST_F(FetchTest, ARequestIsSaidAsItIsGiven) {
  RecordingServer server;
  HttpFetch fetch;
  fetch.decode = false;
  fetch.url = server.Url("/v1/kv/a/../b%2F%7e//c{1}|d?x=%20&y[]=1&recurse");
  fetch.headers = {{"X-Consul-Token", "secret"},
                   {"X-Empty", ""},
                   {"accept", "text/plain"},
                   {"x-twice", "1"},
                   {"x-twice", "2"},
                   {"Content-Length", "99"},
                   {"Transfer-Encoding", "chunked"}};
  EXPECT_TRUE(Do(fetch).status.ok());
  EXPECT_EQ(server.Last(),
            "GET /v1/kv/a/../b%2F%7e//c{1}|d?x=%20&y[]=1&recurse HTTP/1.1\r\n"
            "Host: 127.0.0.1:PORT\r\n"
            "X-Consul-Token: secret\r\nX-Empty:\r\naccept: text/plain\r\n"
            "x-twice: 1\r\nx-twice: 2\r\n\r\n");
  fetch.headers = {{"host", "consul.example:1"}};
  EXPECT_TRUE(Do(fetch).status.ok());
  EXPECT_TRUE(
      absl::StrContains(server.Last(), "\r\nHost: consul.example:1\r\n\r\n") ||
      absl::StrContains(server.Last(), "\r\nhost: consul.example:1\r\n\r\n"))
      << server.Last();
}

TEST_F(FetchTest, EveryMethodCarriesItsBody) {
  RecordingServer server;
  const std::string long_body(200'000, 'x');
  const struct {
    const char* method;
    std::string body;
    std::string framing;
  } kCases[] = {
      {"GET", "", ""},
      {"GET", "abc", "Content-Length: 3\r\n"},
      {"PUT", "", "Content-Length: 0\r\n"},
      {"PUT", "abc", "Content-Length: 3\r\n"},
      {"PUT", long_body, "Content-Length: 200000\r\n"},
      {"POST", "", "Content-Length: 0\r\n"},
      {"POST", std::string("a\0b", 3), "Content-Length: 3\r\n"},
      {"DELETE", "", ""},
      {"DELETE", "abc", "Content-Length: 3\r\n"},
      {"OPTIONS", "", ""},
      {"PATCH", "abc", "Content-Length: 3\r\n"},
      {"HEAD", "", ""},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(absl::StrCat(one.method, " ", one.body.size()));
    HttpFetch fetch;
    fetch.method = one.method;
    fetch.url = server.Url("/a?b");
    fetch.body = one.body;
    fetch.decode = false;
    const HttpFetched got = Do(fetch);
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_EQ(got.body, fetch.method == "HEAD" ? "" : "ok");
    EXPECT_EQ(
        server.Last(),
        absl::StrCat(one.method, " /a?b HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n",
                     one.framing, "\r\n", one.body));
  }
}

TEST_F(FetchTest, WhatWouldChangeTheRequestIsNotSent) {
  RecordingServer server;
  const auto refused = [&](const HttpFetch& fetch) {
    const HttpFetched got = Do(fetch);
    EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable) << got.status;
    EXPECT_EQ(server.Last(), "");
    EXPECT_EQ(fetcher_->active_count(), 0u);
  };
  HttpFetch good;
  good.url = server.Url("/");
  const std::pair<std::string, std::string> kHeaders[] = {
      {"a", "b\r\nX: y"}, {"a", "b\nX: y"}, {"a", std::string("b\0c", 3)},
      {"a b", "c"},       {"", "c"},        {"a:b", "c"},
      {"a\r\nb", "c"}};
  for (const auto& header : kHeaders) {
    HttpFetch fetch = good;
    fetch.headers.push_back(header);
    refused(fetch);
  }
  for (const std::string method : {"", "GET /x", "G\r\nET"}) {
    HttpFetch fetch = good;
    fetch.method = method;
    refused(fetch);
  }
  for (const std::string& url :
       {server.Url("/ HTTP/1.1\r\nX: y"), server.Url("/a b"),
        server.Url(std::string("/a\0b", 4)), std::string(),
        std::string("file:///etc/hosts"), std::string("http://"),
        std::string("ftp://127.0.0.1/"), std::string("http://127.0.0.1:x/")}) {
    HttpFetch fetch = good;
    fetch.url = url;
    refused(fetch);
  }
}

TEST_F(FetchTest, ErrorsNameTheUrlWithoutItsSecrets) {
  std::string gone;
  {
    ScriptedServer server(ScriptedServer::Ok(""));
    gone = absl::StrCat("127.0.0.1:", server.port());
  }
  const HttpFetched got =
      Get(absl::StrCat("http://user:pass@", gone, "/v1/kv/a?token=secret"));
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable);
  const std::string message(got.status.message());
  EXPECT_TRUE(
      absl::StartsWith(message, absl::StrCat("http://", gone, "/v1/kv/a: ")))
      << message;
  EXPECT_TRUE(absl::StrContains(message, "connect")) << message;
  EXPECT_FALSE(absl::StrContains(message, "secret")) << message;
  EXPECT_FALSE(absl::StrContains(message, "pass")) << message;
  EXPECT_EQ(got.head.status, 0);
}

TEST_F(FetchTest, AUnixSocketTakesThePlaceOfTheHost) {
  TempDir dir;
  const std::string path = dir.Path("http.sock");
  HttpFetch fetch;
  fetch.url = "http://localhost/v1/status/leader";
  fetch.unix_socket = path;
  HttpFetched got = Do(fetch);
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StartsWith(got.status.message(),
                               "http://localhost/v1/status/leader: "))
      << got.status;
  {
    ScriptedServer server(path, ScriptedServer::Ok("unix"));
    for (int i = 0; i < 3; ++i) {
      got = Do(fetch);
      EXPECT_TRUE(got.status.ok()) << got.status;
      EXPECT_EQ(got.body, "unix");
    }
    EXPECT_EQ(server.accepted_count(), 1u);
  }
  EXPECT_FALSE(Do(fetch).status.ok());
}

TEST_F(FetchTest, AHostNameIsResolved) {
  ScriptedServer server(ScriptedServer::Ok("named"));
  const HttpFetched got =
      Get(absl::StrCat("http://localhost:", server.port(), "/"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.body, "named");
}

TEST_F(FetchTest, TheProxyOfTheEnvironmentIsNotUsed) {
  ScriptedServer proxy(ScriptedServer::Ok("proxy"));
  ScriptedServer server(ScriptedServer::Ok("server"));
  setenv("http_proxy", proxy.Url("/").c_str(), 1);
  setenv("ALL_PROXY", proxy.Url("/").c_str(), 1);
  const HttpFetched got = Get(server.Url("/"));
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  EXPECT_EQ(got.body, "server");
  EXPECT_EQ(proxy.accepted_count(), 0u);
}

}  // namespace
}  // namespace dnsd::testing
