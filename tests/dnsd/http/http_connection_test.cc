// The protocol without sockets: bytes in, bytes out. Every case runs with the
// input in one piece and byte by byte, because TCP cuts where it likes.
#include "dnsd/http/http_connection.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_peer.h"

namespace dnsd {
namespace {

using Strings = std::vector<std::string>;

TEST(HttpConnection, AnswersWithLengthAndSafetyHeaders) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\n\r\n", piece);
    const std::string output = peer.Output();
    EXPECT_TRUE(absl::StartsWith(output, "HTTP/1.1 200 OK\r\n")) << output;
    for (const char* header :
         {"\r\nContent-Length: 15\r\n", "\r\nVary: Accept-Encoding\r\n",
          "\r\nX-Content-Type-Options: nosniff\r\n",
          "\r\nContent-Type: text/plain; charset=utf-8\r\n", "\r\nDate: "}) {
      EXPECT_TRUE(absl::StrContains(output, header)) << header << output;
    }
    EXPECT_TRUE(absl::EndsWith(output, "\r\n\r\nGET /a b c=d []")) << output;
    EXPECT_FALSE(absl::StrContains(output, "Connection:"));
    EXPECT_FALSE(peer.http->finished());
    EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kIdle);
  }
}

TEST(HttpConnection, GivesTheHandlerLowerCaseNamesAndTrimmedValues) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send(
        "GET / HTTP/1.1\r\nHOST:x:1\r\nX-Consul-Token: \t abc d \t\r\n"
        "Empty:\r\nTwice: 1\r\nTwice: 2\r\n\r\n",
        piece);
    ASSERT_EQ(peer.requests.size(), 1u);
    const std::vector<std::pair<std::string, std::string>> expected = {
        {"host", "x:1"},
        {"x-consul-token", "abc d"},
        {"empty", ""},
        {"twice", "1"},
        {"twice", "2"}};
    EXPECT_EQ(peer.requests[0].headers, expected);
  }
}

TEST(HttpConnection, TakesBodiesWithLengthAndInChunks) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send(
        "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        "PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "3;ext=\"v\"\r\nhel\r\nA\r\nlo, world!\r\n0\r\nTrailer: t\r\n\r\n"
        "PUT /c HTTP/1.1\r\nHost: x\r\n\r\n",
        piece);
    ASSERT_EQ(peer.requests.size(), 3u);
    EXPECT_EQ(peer.requests[0].body, "hello");
    EXPECT_EQ(peer.requests[1].body, "hello, world!");
    EXPECT_EQ(peer.requests[1].headers.size(), 2u);  // no trailer
    EXPECT_EQ(peer.requests[2].body, "");
    EXPECT_EQ(Statuses(peer.Output()), (Strings{"200", "200", "200"}));
  }
}

TEST(HttpConnection, HeadHasTheLengthButNotTheBody) {
  HttpPeer peer;
  peer.Send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  const std::string output = peer.Output();
  EXPECT_TRUE(absl::StrContains(output, "\r\nContent-Length: 11\r\n"));
  EXPECT_TRUE(absl::EndsWith(output, "\r\n\r\n"));
  // The next answer has its body again, a refusal too.
  peer.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  EXPECT_TRUE(absl::EndsWith(peer.Output(), "GET /a  []"));
  peer.Send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n", 1u << 20);
  EXPECT_TRUE(absl::StrContains(peer.Output(), "\r\n\r\nBad Request"));
}

TEST(HttpConnection, OldClientsGetWhatTheyAskFor) {
  HttpPeer once;
  once.Send("GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n", 1u << 20);
  const std::string closed = once.Output();
  EXPECT_EQ(Statuses(closed), (Strings{"200"}));
  EXPECT_TRUE(absl::StrContains(closed, "\r\nConnection: close\r\n"));
  EXPECT_TRUE(once.http->finished());

  HttpPeer kept;
  kept.Send("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 1u << 20);
  EXPECT_TRUE(
      absl::StrContains(kept.Output(), "\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(kept.http->finished());
}

TEST(HttpConnection, ConnectionCloseEndsIt) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send(
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        "GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
        piece);
    const std::string output = peer.Output();
    EXPECT_EQ(Statuses(output), (Strings{"200"}));
    EXPECT_TRUE(absl::StrContains(output, "\r\nConnection: close\r\n"));
    EXPECT_TRUE(peer.http->finished());
  }
}

TEST(HttpConnection, IgnoresUpgradesAndEmptyLinesBetweenRequests) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send(
        "\r\nGET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\n\r\n"
        "\r\n\r\nGET http://x/b HTTP/1.1\r\nHost: x\r\n\r\n",
        piece);
    ASSERT_EQ(peer.requests.size(), 2u);
    EXPECT_EQ(peer.requests[1].path, "/b");
    EXPECT_EQ(Statuses(peer.Output()), (Strings{"200", "200"}));
  }
}

struct BadCase {
  std::string what;
  std::string bytes;
  std::string status;
};

// One answer with the status, no request to the handler, and the end: nothing
// behind a broken request may be taken for another one.
TEST(HttpConnection, RefusesBrokenRequests) {
  const std::string host = "Host: x\r\n";
  const std::vector<BadCase> cases = {
      {"space before colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
      {"space before another colon",
       "GET / HTTP/1.1\r\n" + host + "A : x\r\n\r\n", "400"},
      {"tab before colon", "GET / HTTP/1.1\r\nHost\t: x\r\n\r\n", "400"},
      {"space before colon of a length",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length : 3\r\n\r\nabc", "400"},
      {"no name", "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n", "400"},
      {"bad name", "GET / HTTP/1.1\r\n" + host + "A(b): x\r\n\r\n", "400"},
      {"control character", "GET / HTTP/1.1\r\n" + host + "A: x\x01y\r\n\r\n",
       "400"},
      {"folded first header", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", "400"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", "400"},
      {"length and chunks",
       "PUT / HTTP/1.1\r\n" + host +
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n0\r\n\r\n",
       "400"},
      {"chunks and length",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
           "3\r\nabc\r\n0\r\n\r\n",
       "400"},
      {"two lengths",
       "PUT / HTTP/1.1\r\n" + host +
           "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
       "400"},
      {"list of lengths",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\nabc", "400"},
      {"signed length",
       "PUT / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\nabc", "400"},
      {"length beyond 64 bits",
       "PUT / HTTP/1.1\r\n" + host +
           "Content-Length: 99999999999999999999\r\n\r\nabc",
       "400"},
      {"other coding",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       "501"},
      {"coding that is not chunked",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
       "501"},
      {"chunks in HTTP/1.0",
       "PUT / HTTP/1.0\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"chunk size 0x3",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
       "400"},
      {"chunk longer than it says",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
       "400"},
      // Only llhttp's strict mode refuses these two.
      {"chunk that does not end in CRLF",
       "PUT / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
       "400"},
      {"bytes above 127 in the target",
       "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"bare line feeds", "GET / HTTP/1.1\nHost: x\n\n", "400"},
      {"bare carriage return", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
       "400"},
      {"text in the target", "GET / b HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"broken escape", "GET /%4 HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"CONNECT", "CONNECT x:1 HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"unknown method", "FOO / HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"TLS", "\x16\x03\x01\x02\x01", "400"},
      {"HTTP/0.9", "GET /\r\n\r\n", "505"},
      {"HTTP/2", "GET / HTTP/2.0\r\n" + host + "\r\n", "505"},
      {"preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
      {"expectation",
       "PUT / HTTP/1.1\r\n" + host +
           "Content-Length: 1\r\nExpect: 200-ok\r\n\r\nx",
       "417"},
  };
  for (const BadCase& bad : cases) {
    for (const size_t piece : kPieces) {
      HttpPeer peer;
      peer.Send(bad.bytes + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", piece);
      const std::string output = peer.Output();
      EXPECT_EQ(Statuses(output), (Strings{bad.status})) << bad.what << output;
      EXPECT_TRUE(absl::StrContains(output, "\r\nConnection: close\r\n"))
          << bad.what;
      EXPECT_TRUE(peer.http->finished()) << bad.what;
      EXPECT_TRUE(peer.requests.empty()) << bad.what;
    }
  }
}

TEST(HttpConnection, SaysContinueOnlyToThoseWhoWait) {
  HttpPeer waiting;
  waiting.Send(
      "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
      "Content-Length: 2\r\n\r\n",
      1u << 20);
  EXPECT_EQ(waiting.Output(), "HTTP/1.1 100 Continue\r\n\r\n");
  waiting.Send("ok", 1);
  EXPECT_TRUE(absl::EndsWith(waiting.Output(), "PUT /a  [ok]"));

  HttpPeer without_body;
  without_body.Send(
      "GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", 1u << 20);
  EXPECT_EQ(Statuses(without_body.Output()), (Strings{"200"}));
}

TEST(HttpConnection, AnswersPipelinedRequestsInOrderAroundAParkedOne) {
  for (const size_t piece : kPieces) {
    HttpPeer peer;
    peer.Send(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /park HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /park4 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /5 HTTP/1.1\r\nHost: x\r\n\r\n",
        piece);
    ASSERT_EQ(peer.requests.size(), 2u);
    EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kParked);
    EXPECT_TRUE(absl::EndsWith(peer.Output(), "GET /1  []"));
    EXPECT_EQ(peer.wakes, 0);

    HttpResponse late;
    late.body = "late";
    peer.parked[0](late);
    EXPECT_EQ(peer.wakes, 1);
    ASSERT_EQ(peer.requests.size(), 4u);
    const std::string output = peer.Output();
    EXPECT_EQ(Statuses(output), (Strings{"200", "200"}));
    EXPECT_LT(output.find("late"), output.find("GET /3"));

    peer.parked[0](late);  // a second answer does nothing
    EXPECT_EQ(peer.Output(), "");
    peer.parked[1](late);
    EXPECT_TRUE(absl::EndsWith(peer.Output(), "GET /5  []"));
    EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kIdle);
  }
}

TEST(HttpConnection, AForgottenRequestIsAnswered500) {
  HttpPeer peer;
  peer.Send("GET /forget HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  EXPECT_EQ(Statuses(peer.Output()), (Strings{"500"}));
  peer.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  EXPECT_EQ(peer.Output(), "");
  peer.parked.clear();
  EXPECT_EQ(Statuses(peer.Output()), (Strings{"500"}));
  EXPECT_EQ(peer.wakes, 1);
}

TEST(HttpConnection, AnAnswerToAClosedConnectionDoesNothing) {
  HttpPeer peer;
  peer.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  peer.http->Detach();
  peer.parked[0](HttpResponse());
  EXPECT_EQ(peer.Output(), "");

  HttpPeer gone;
  gone.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n", 1u << 20);
  gone.http.reset();
  gone.parked[0](HttpResponse());
  EXPECT_EQ(gone.wakes, 0);
}

TEST(HttpConnection, AHalfClosedClientStillGetsItsAnswers) {
  HttpPeer peer;
  peer.Send(
      "GET /park HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /half",
      1u << 20);
  peer.http->ReceiveEnd();
  EXPECT_FALSE(peer.http->finished());
  EXPECT_FALSE(peer.http->wants_input());
  peer.parked[0](HttpResponse());
  EXPECT_TRUE(peer.http->finished());
  EXPECT_EQ(Statuses(peer.Output()), (Strings{"200", "200"}));

  HttpPeer idle;
  idle.http->ReceiveEnd();
  EXPECT_TRUE(idle.http->finished());
  EXPECT_EQ(idle.Output(), "");
}

TEST(HttpConnection, EveryPhaseIsAStep) {
  HttpPeer peer;
  EXPECT_EQ(peer.http->step(), 0u);
  peer.Send("\r\n", 1);
  EXPECT_EQ(peer.http->step(), 0u);
  peer.Send("P", 1);
  EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kHead);
  EXPECT_EQ(peer.http->step(), 1u);
  peer.Send("UT /park HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", 1);
  EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kBody);
  EXPECT_EQ(peer.http->step(), 2u);
  peer.Send("x", 1);
  EXPECT_EQ(peer.http->step(), 3u);
  peer.parked[0](HttpResponse());
  EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kIdle);
  EXPECT_EQ(peer.http->step(), 4u);
}

}  // namespace
}  // namespace dnsd
