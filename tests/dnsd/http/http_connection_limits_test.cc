// Each limit of a connection: exact where it is a number of the user's, and
// reached by every way a client may try to get around it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dnsd/http/http_connection.h"
#include "dnsd/limits.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_peer.h"

namespace dnsd {
namespace {

using Strings = std::vector<std::string>;

TEST(HttpConnectionLimits, HeadLimitIsExact) {
  HttpLimits limits;
  limits.head_bytes_max = 200;
  const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  for (const size_t piece : kPieces) {
    for (const size_t total : {200u, 201u, 5000u}) {
      HttpPeer peer(limits);
      peer.Send(absl::StrCat(begin, std::string(total - begin.size() - 4, 'a'),
                             "\r\n\r\n"),
                piece);
      EXPECT_EQ(Statuses(peer.Output()),
                (Strings{total <= 200 ? "200" : "431"}))
          << total;
      EXPECT_EQ(peer.http->finished(), total > 200);
    }
    // It counts anew for each request.
    HttpPeer peer(limits);
    for (int i = 0; i < 10; ++i) {
      peer.Send("GET /aaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: x\r\n\r\n",
                piece);
    }
    EXPECT_EQ(peer.requests.size(), 10u);
  }
}

TEST(HttpConnectionLimits, RefusesEndlessHeads) {
  for (const std::string& unit :
       {std::string("\r\n"), std::string("a: b\r\n"), std::string("a")}) {
    HttpPeer peer;
    if (unit != "\r\n") peer.Send("GET / HTTP/1.1\r\nHost: x\r\n", 1u << 20);
    for (int i = 0; i < 20'000 && !peer.http->finished(); ++i) {
      peer.http->Receive(unit);
    }
    EXPECT_EQ(Statuses(peer.Output()), (Strings{"431"})) << unit;
  }
}

TEST(HttpConnectionLimits, BodyLimitIsExact) {
  HttpLimits limits;
  limits.body_bytes_max = 100;
  for (const size_t piece : kPieces) {
    for (const size_t total : {100u, 101u}) {
      const std::string body(total, 'b');
      const Strings expected = {total <= 100 ? "200" : "413"};
      HttpPeer sized(limits);
      sized.Send(absl::StrCat("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ",
                              total, "\r\n\r\n", body),
                 piece);
      EXPECT_EQ(Statuses(sized.Output()), expected);
      HttpPeer chunked(limits);
      chunked.Send(
          absl::StrCat(
              "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
              absl::Hex(total), "\r\n", body, "\r\n0\r\n\r\n"),
          piece);
      EXPECT_EQ(Statuses(chunked.Output()), expected);
      EXPECT_EQ(chunked.http->finished(), total > 100);
    }
  }
}

TEST(HttpConnectionLimits, RefusesTooLongBodiesBeforeTheyCome) {
  HttpPeer peer;
  peer.Send(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 524289\r\n\r\n",
      1u << 20);
  EXPECT_EQ(Statuses(peer.Output()), (Strings{"413"}));
}

TEST(HttpConnectionLimits, RefusesChunksThatAreNothingButFraming) {
  HttpPeer extensions;
  extensions.Send(
      "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
      1u << 20);
  for (int i = 0; i < 1000 && !extensions.http->finished(); ++i) {
    extensions.http->Receive(std::string(1000, 'e'));
  }
  EXPECT_EQ(Statuses(extensions.Output()), (Strings{"413"}));

  HttpPeer trailers;
  trailers.Send(
      "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
      1u << 20);
  for (int i = 0; i < 10'000 && !trailers.http->finished(); ++i) {
    trailers.http->Receive("trailer: value\r\n");
  }
  EXPECT_EQ(Statuses(trailers.Output()), (Strings{"413"}));

  // One byte a chunk is foolish but legal.
  HttpPeer small;
  small.Send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
             1u << 20);
  for (int i = 0; i < 20'000; ++i) small.http->Receive("1\r\nx\r\n");
  small.http->Receive("0\r\n\r\n");
  ASSERT_EQ(small.requests.size(), 1u);
  EXPECT_EQ(small.requests[0].body.size(), 20'000u);
}

TEST(HttpConnectionLimits, StopsReadingBehindAParkedRequest) {
  HttpPeer peer;
  peer.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  const std::string request = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
  size_t sent = 0;
  while (peer.http->wants_input() && sent < 100'000) {
    peer.http->Receive(request);
    ++sent;
  }
  EXPECT_EQ(sent, 1 + (kHttpPipelinedBytesMax - 1) / request.size());
  peer.parked[0](HttpResponse());
  EXPECT_TRUE(peer.http->wants_input());
  EXPECT_EQ(peer.requests.size(), 1 + sent);
}

TEST(HttpConnectionLimits, StopsWorkingForAClientThatDoesNotRead) {
  HttpPeer peer;
  const std::string body(100'000, 'b');
  const std::string request = absl::StrCat(
      "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n",
      body);
  size_t sent = 0;
  while (peer.http->wants_input() && sent < 1000) {
    peer.http->Receive(request);
    ++sent;
  }
  EXPECT_EQ(peer.requests.size(), 3u);  // 300 kB of echo are above 256 KiB
  EXPECT_EQ(sent, 4u);
  // Reading the answers sets it going again.
  EXPECT_EQ(Statuses(peer.Output()).size(), 4u);
  EXPECT_TRUE(peer.http->wants_input());
}

TEST(HttpConnectionLimits, TellsSlowRequestsWhyItCloses) {
  for (const char* begun :
       {"G", "GET / HTTP/1.1\r\nHos",
        "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1"}) {
    HttpPeer peer;
    peer.Send(begun, 1u << 20);
    peer.http->TimeOut();
    EXPECT_EQ(Statuses(peer.Output()), (Strings{"408"})) << begun;
    EXPECT_TRUE(peer.http->finished());
  }
  HttpPeer idle;
  idle.http->TimeOut();
  EXPECT_TRUE(idle.http->finished());
  EXPECT_EQ(idle.Output(), "");
}

}  // namespace
}  // namespace dnsd
