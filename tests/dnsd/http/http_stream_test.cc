// Streamed answers without sockets: framing, limits, and what each side learns
// of the other's end.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/http/http_connection.h"
#include "dnsd/limits.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_peer.h"

namespace dnsd {
namespace {

using Strings = std::vector<std::string>;

constexpr char kGet[] = "GET /park HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr char kOldGet[] = "GET /park HTTP/1.0\r\n\r\n";
constexpr char kNext[] = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

HttpResponse Head(
    std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpResponse head;
  head.headers = std::move(headers);
  return head;
}

std::string Body(const std::string& output) {
  return output.substr(output.find("\r\n\r\n") + 4);
}

TEST(HttpStream, GoesInChunks) {
  HttpPeer peer;
  peer.Send(absl::StrCat(kGet, kNext), 7);
  ASSERT_EQ(peer.parked.size(), 1u);
  const HttpReply reply = peer.parked[0];
  reply.Begin(Head({{"X-Consul-Index", "7"}}));
  EXPECT_EQ(peer.http->phase(), HttpConnection::Phase::kStream);
  std::string output = peer.Output();
  EXPECT_TRUE(absl::StartsWith(output, "HTTP/1.1 200 OK\r\n")) << output;
  EXPECT_TRUE(absl::StrContains(output, "\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(absl::StrContains(output, "\r\nX-Consul-Index: 7\r\n"));
  EXPECT_TRUE(absl::StrContains(output, "\r\nContent-Type: text/plain;"));
  EXPECT_FALSE(absl::StrContains(output, "Content-Length"));
  EXPECT_TRUE(absl::EndsWith(output, "\r\n\r\n"));
  EXPECT_TRUE(reply.Write("hello"));
  EXPECT_EQ(peer.Output(), "5\r\nhello\r\n");
  EXPECT_TRUE(reply.Write(""));  // would be the last chunk
  EXPECT_EQ(peer.Output(), "");
  EXPECT_TRUE(reply.Write(std::string(26, 'x')));
  EXPECT_TRUE(reply.Write("y"));
  EXPECT_EQ(peer.Output(),
            absl::StrCat("1a\r\n", std::string(26, 'x'), "\r\n1\r\ny\r\n"));
  EXPECT_EQ(peer.requests.size(), 1u);  // the next one waits for the end
  reply.End();
  output = peer.Output();
  EXPECT_TRUE(absl::StartsWith(output, "0\r\n\r\nHTTP/1.1 200")) << output;
  EXPECT_TRUE(absl::EndsWith(output, "GET /next  []"));
  EXPECT_FALSE(peer.http->finished());
}

TEST(HttpStream, GoesByLengthWhenItsHeadSaysOne) {
  HttpPeer peer;
  peer.Send(absl::StrCat(kGet, kNext), 1u << 20);
  const HttpReply reply = peer.parked[0];
  reply.Begin(Head({{"content-length", "6"}}));
  EXPECT_TRUE(reply.Write("abc"));
  EXPECT_TRUE(reply.Write("def"));
  reply.End();
  const std::string output = peer.Output();
  EXPECT_TRUE(absl::StrContains(output, "\r\nContent-Length: 6\r\n"));
  EXPECT_FALSE(absl::StrContains(output, "chunked"));
  EXPECT_TRUE(absl::StartsWith(Body(output), "abcdefHTTP/1.1 200")) << output;
}

TEST(HttpStream, ThatIsNotAsLongAsItSaidIsCut) {
  for (const char* body : {"abc", "abcdefg"}) {
    HttpPeer peer;
    peer.Send(absl::StrCat(kGet, kNext), 1u << 20);
    const HttpReply reply = peer.parked[0];
    int closed = 0;
    reply.OnClosed([&] { ++closed; });
    reply.Begin(Head({{"Content-Length", "6"}}));
    EXPECT_TRUE(reply.Write(body));
    reply.End();
    const std::string output = Body(peer.Output());
    EXPECT_LT(output.size(), 6u) << output;
    EXPECT_TRUE(peer.http->finished());
    EXPECT_FALSE(peer.http->wants_reset());  // it sees that bytes are missing
    EXPECT_EQ(peer.requests.size(), 1u);
    // Who writes too much is told; who ends too early knows.
    EXPECT_EQ(closed, std::string(body).size() > 6 ? 1 : 0);
  }
}

TEST(HttpStream, OldClientsReadUntilTheConnectionEnds) {
  HttpPeer whole;
  whole.Send(kOldGet, 1u << 20);
  whole.parked[0].Begin(Head());
  EXPECT_TRUE(whole.parked[0].Write("abc"));
  const std::string output = whole.Output();
  EXPECT_FALSE(absl::StrContains(output, "Transfer-Encoding"));
  EXPECT_FALSE(absl::StrContains(output, "Content-Length"));
  EXPECT_TRUE(absl::StrContains(output, "\r\nConnection: close\r\n"));
  EXPECT_EQ(Body(output), "abc");
  EXPECT_FALSE(whole.http->finished());
  whole.parked[0].End();
  EXPECT_TRUE(whole.http->finished());
  EXPECT_FALSE(whole.http->wants_reset());

  HttpPeer cut;
  cut.Send(kOldGet, 1u << 20);
  cut.parked[0].Begin(Head());
  cut.parked[0].Abort();
  EXPECT_TRUE(cut.http->finished());
  EXPECT_TRUE(cut.http->wants_reset());  // else it would be a whole answer

  HttpPeer kept;
  kept.Send("GET /park HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1u << 20);
  kept.parked[0].Begin(Head({{"Content-Length", "1"}}));
  EXPECT_TRUE(kept.parked[0].Write("a"));
  kept.parked[0].End();
  EXPECT_TRUE(
      absl::StrContains(kept.Output(), "\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(kept.http->finished());
}

TEST(HttpStream, AnswersToHeadHaveNoBody) {
  for (const char* length : {"", "9"}) {
    HttpPeer peer;
    peer.Send(absl::StrCat("HEAD /park HTTP/1.1\r\nHost: x\r\n\r\n", kNext),
              1u << 20);
    const HttpReply reply = peer.parked[0];
    reply.Begin(*length == '\0' ? Head() : Head({{"Content-Length", length}}));
    EXPECT_TRUE(reply.Write("not sent"));
    reply.End();
    const std::string output = peer.Output();
    EXPECT_TRUE(absl::StartsWith(Body(output), "HTTP/1.1 200")) << output;
    const std::string head = output.substr(0, output.find("\r\n\r\n"));
    EXPECT_EQ(absl::StrContains(head, "\r\nContent-Length: 9"),
              *length != '\0');
    EXPECT_FALSE(absl::StrContains(head, "chunked"));
  }
}

TEST(HttpStream, StatusesWithoutABodyHaveNone) {
  for (const int status : {204, 304}) {
    HttpPeer peer;
    peer.Send(absl::StrCat(kGet, kNext), 1u << 20);
    HttpResponse head = Head({{"ETag", "\"1\""}});
    head.status = status;
    peer.parked[0].Begin(head);
    EXPECT_TRUE(peer.parked[0].Write("not sent"));
    peer.parked[0].End();
    const std::string output = peer.Output();
    EXPECT_FALSE(absl::StrContains(output, "not sent"));
    EXPECT_FALSE(absl::StrContains(output, "chunked"));
    EXPECT_EQ(Statuses(output), (Strings{absl::StrCat(status), "200"}));
  }
}

TEST(HttpStream, PassesAWholeHeadWithoutAddingToIt) {
  HttpPeer peer;
  peer.Send(kGet, 1u << 20);
  HttpResponse head = Head({{"Connection", "close"},
                            {"Transfer-Encoding", "gzip"},
                            {"Content-Length", "nonsense"},
                            {"Vary", "a"},
                            {"Vary", "b"}});
  head.headers_are_whole = true;
  peer.parked[0].Begin(head);
  EXPECT_EQ(peer.Output(),
            "HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
}

TEST(HttpStream, SaysWhenToWaitAndWhenToGoOn) {
  HttpPeer peer;
  peer.Send(kGet, 1u << 20);
  const HttpReply reply = peer.parked[0];
  int drained = 0;
  reply.OnDrained([&] { ++drained; });
  reply.Begin(Head());
  const std::string piece(kHttpUnsentBytesMax / 4, 'x');
  int pieces = 0;
  while (reply.Write(piece) && pieces < 100) ++pieces;
  EXPECT_EQ(pieces, 3);
  EXPECT_FALSE(reply.Write(piece));  // it takes everything all the same
  size_t unsent = 0;
  for (const std::string& text : peer.http->TakeOutput()) unsent += text.size();
  EXPECT_GT(unsent, 5 * piece.size());
  EXPECT_EQ(drained, 0);
  peer.http->Sent(unsent - kHttpUnsentBytesMax - 1);
  EXPECT_EQ(drained, 0);
  peer.http->Sent(1);
  EXPECT_EQ(drained, 1);
  peer.http->Sent(kHttpUnsentBytesMax);
  EXPECT_EQ(drained, 1);  // nobody was told to wait since
  EXPECT_TRUE(reply.Write(piece));
  reply.End();
}

TEST(HttpStream, ADrainedWriterMayWriteAndEnd) {
  HttpPeer peer;
  peer.Send(absl::StrCat(kGet, kNext), 1u << 20);
  const HttpReply reply = peer.parked[0];
  int left = 20;
  const auto write = [&] {
    const std::string piece(100'000, 'x');
    while (left > 0) {
      --left;
      if (!reply.Write(piece)) return;
    }
    reply.End();
  };
  reply.OnDrained(write);
  reply.Begin(Head());
  write();
  EXPECT_GT(left, 0);
  const std::string output = peer.Output();
  EXPECT_EQ(left, 0);
  EXPECT_GT(output.size(), 2'000'000u);
  EXPECT_TRUE(absl::EndsWith(output, "GET /next  []"));
}

TEST(HttpStream, TellsOnceThatTheClientLeft) {
  for (const bool streaming : {false, true}) {
    HttpPeer peer;
    peer.Send(kGet, 1u << 20);
    const HttpReply reply = peer.parked[0];
    int closed = 0;
    reply.OnClosed([&] {
      ++closed;
      reply.Abort();  // harmless
    });
    if (streaming) reply.Begin(Head());
    peer.http->Detach();
    EXPECT_EQ(closed, 1);
    EXPECT_TRUE(reply.Write("x"));
    reply.End();
    peer.http->Detach();
    EXPECT_EQ(closed, 1);
    EXPECT_EQ(peer.Output(), "");
  }
  // Who asks late is told at once.
  HttpPeer gone;
  gone.Send(kGet, 1u << 20);
  gone.http.reset();
  int closed = 0;
  gone.parked[0].OnClosed([&] { ++closed; });
  EXPECT_EQ(closed, 1);
}

TEST(HttpStream, DoesNotTellWhenTheAnswerIsComplete) {
  for (const int how : {0, 1, 2}) {
    HttpPeer peer;
    peer.Send(kGet, 1u << 20);
    int closed = 0;
    const auto held = std::make_shared<int>(0);
    peer.parked[0].OnClosed([&closed, held] { ++closed; });
    if (how == 0) {
      peer.parked[0](HttpResponse());
    } else {
      peer.parked[0].Begin(Head());
      how == 1 ? peer.parked[0].End() : peer.parked[0].Abort();
    }
    EXPECT_EQ(held.use_count(), 1);  // the callback is forgotten
    peer.http->Detach();
    peer.parked[0].OnClosed([&] { ++closed; });
    EXPECT_EQ(closed, 0);
  }
}

TEST(HttpStream, AHalfClosedClientIsWaitedForUntilTheTimeIsOver) {
  for (const bool streaming : {false, true}) {
    HttpPeer peer;
    peer.Send(kGet, 1u << 20);
    int closed = 0;
    peer.parked[0].OnClosed([&] { ++closed; });
    if (streaming) peer.parked[0].Begin(Head());
    peer.http->ReceiveEnd();
    EXPECT_FALSE(peer.http->finished());
    EXPECT_EQ(closed, 0);
    peer.http->TimeOut();
    EXPECT_EQ(closed, 1);
    EXPECT_TRUE(peer.http->finished());
    // No status of ours in the middle, and no end that looks like one.
    const std::string output = peer.Output();
    EXPECT_EQ(Statuses(output).size(), streaming ? 1u : 0u);
    EXPECT_FALSE(absl::EndsWith(output, "0\r\n\r\n"));
  }
}

TEST(HttpStream, AbortAnswersNothingMore) {
  for (const bool streaming : {false, true}) {
    HttpPeer peer;
    peer.Send(absl::StrCat(kGet, kNext), 1u << 20);
    if (streaming) {
      peer.parked[0].Begin(Head());
      EXPECT_TRUE(peer.parked[0].Write("abc"));
    }
    peer.parked[0].Abort();
    EXPECT_TRUE(peer.http->finished());
    EXPECT_FALSE(peer.http->wants_reset());
    const std::string output = peer.Output();
    EXPECT_TRUE(streaming ? absl::EndsWith(output, "3\r\nabc\r\n")
                          : output.empty())
        << output;
    EXPECT_EQ(peer.requests.size(), 1u);
  }
}

TEST(HttpStream, ForgottenInTheMiddleItIsCut) {
  HttpPeer peer;
  peer.Send(kGet, 1u << 20);
  peer.parked[0].Begin(Head());
  peer.parked.clear();
  EXPECT_TRUE(peer.http->finished());
  EXPECT_FALSE(absl::EndsWith(peer.Output(), "0\r\n\r\n"));
}

TEST(HttpStream, CallsOutOfOrderDoNothing) {
  HttpPeer peer;
  peer.Send(kGet, 1u << 20);
  const HttpReply reply = peer.parked[0];
  EXPECT_TRUE(reply.Write("early"));
  EXPECT_EQ(peer.Output(), "");
  reply.Begin(Head());
  reply.Begin(Head());
  const std::string output = peer.Output();
  EXPECT_EQ(Statuses(output), (Strings{"200"}));
  reply.End();
  reply.End();
  reply(HttpResponse());
  EXPECT_TRUE(reply.Write("late"));
  reply.Abort();
  EXPECT_EQ(peer.Output(), "0\r\n\r\n");
  EXPECT_FALSE(peer.http->finished());
  const HttpReply nobody;
  nobody(HttpResponse());
  nobody.Begin(Head());
  EXPECT_TRUE(nobody.Write("x"));
  nobody.End();
}

// The handler streams before it returns: the parser is still on the stack.
TEST(HttpStream, MayBeGivenInsideTheHandler) {
  const HttpLimits limits;
  int wakes = 0;
  const HttpServer::Handler handler = [](const HttpRequest& request,
                                         const HttpReply& reply) {
    reply.Begin(Head());
    EXPECT_TRUE(reply.Write(request.target));
    if (request.path == "/cut") {
      reply.Abort();
    } else {
      reply.End();
    }
  };
  const auto http = HttpConnection::Create(
      &limits, &handler, [&] { ++wakes; }, "10.0.0.1");
  http->Receive(
      "GET /a%20b?c HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /cut HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string output = absl::StrJoin(http->TakeOutput(), "");
  EXPECT_EQ(Statuses(output), (Strings{"200", "200"}));
  EXPECT_TRUE(absl::StrContains(output, "\r\n\r\n8\r\n/a%20b?c\r\n0\r\n\r\n"));
  EXPECT_TRUE(absl::EndsWith(output, "4\r\n/cut\r\n"));
  EXPECT_TRUE(http->finished());
  EXPECT_EQ(wakes, 0);
}

TEST(HttpReply, MadeOfAFunctionItCollectsAStream) {
  std::vector<HttpResponse> answers;
  const HttpReply reply = [&](HttpResponse response) {
    answers.push_back(std::move(response));
  };
  reply.Begin(Head({{"A", "b"}}));
  EXPECT_TRUE(reply.Write("one "));
  EXPECT_TRUE(reply.Write("two"));
  EXPECT_TRUE(answers.empty());
  reply.End();
  reply.End();
  reply(HttpResponse());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, "one two");
  EXPECT_EQ(answers[0].headers.size(), 1u);
}

}  // namespace
}  // namespace dnsd
