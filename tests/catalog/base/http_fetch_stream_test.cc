// Answers handed on as they come: order, holding back, ends.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/http_fetch.h"
#include "tests/catalog/base/http_fetch_fixture.h"
#include "tests/catalog/base/scripted_server.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Connection = ScriptedServer::Connection;

std::string Numbers(size_t bytes) {
  std::string numbers;
  for (int i = 0; numbers.size() < bytes; ++i) absl::StrAppend(&numbers, i);
  return numbers;
}

class StreamTest : public FetchTest {
 protected:
  // What the callbacks of one stream were told.
  struct Told {
    HttpFetcher::Id id = 0;
    std::vector<int> heads;
    std::string body;
    size_t chunks = 0;
    std::optional<absl::Status> done;
    bool more = true;  // what on_body answers
    std::function<void()> in_head = [] {};
    std::function<void()> in_body = [] {};
  };

  std::unique_ptr<Told> Open(HttpFetch fetch) {
    auto told = std::make_unique<Told>();
    Told* const to = told.get();
    const HttpFetcher::Stream stream = {
        .on_head =
            [to](const HttpHead& head) {
              EXPECT_FALSE(to->done.has_value());
              EXPECT_EQ(to->chunks, 0u);
              to->heads.push_back(head.status);
              to->in_head();
            },
        .on_body =
            [to](absl::string_view bytes) {
              EXPECT_EQ(to->heads.size(), 1u);
              EXPECT_FALSE(to->done.has_value());
              EXPECT_FALSE(bytes.empty());
              to->body.append(bytes.data(), bytes.size());
              ++to->chunks;
              to->in_body();
              return to->more;
            },
        .on_done =
            [to](const absl::Status& status) {
              EXPECT_FALSE(to->done.has_value()) << "told twice";
              to->done = status;
            }};
    to->id = fetcher_->Open(std::move(fetch), stream);
    EXPECT_TRUE(to->heads.empty() && !to->done.has_value());
    return told;
  }

  std::unique_ptr<Told> Open(const std::string& url) {
    HttpFetch fetch;
    fetch.url = url;
    return Open(std::move(fetch));
  }
};

TEST_F(StreamTest, AnAnswerIsToldAsItComes) {
  Gate head;
  Gate first;
  Gate second;
  ScriptedServer server([&](Connection* connection) {
    (void)connection->ReadRequest();
    head.Wait();
    connection->Write(
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 203 Hm\r\nTransfer-Encoding: chunked\r\n\r\n");
    first.Wait();
    connection->Write("3\r\nabc\r\n");
    second.Wait();
    connection->Write("2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
  });
  const auto told = Open(server.Url("/"));
  RunFor(20);
  EXPECT_TRUE(told->heads.empty());
  head.Open();
  EXPECT_TRUE(RunUntil([&] { return !told->heads.empty(); }));
  EXPECT_EQ(told->heads, std::vector<int>{203});
  EXPECT_EQ(told->chunks, 0u);
  first.Open();
  EXPECT_TRUE(RunUntil([&] { return told->chunks == 1; }));
  EXPECT_EQ(told->body, "abc");
  EXPECT_FALSE(told->done.has_value());
  EXPECT_EQ(fetcher_->active_count(), 1u);
  second.Open();
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_TRUE(told->done->ok()) << *told->done;
  EXPECT_EQ(told->body, "abcde");
  EXPECT_EQ(fetcher_->active_count(), 0u);
}

TEST_F(StreamTest, NoAnswerIsToldAsItsEndAlone) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200");
  });
  auto told = Open(server.Url("/"));
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(told->heads.empty());
  told = Open("http://127.0.0.1:x/");
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kUnavailable);
  told = Open("http://127.0.0.1/ ");
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamTest, AnEmptyBodyIsHeadAndEnd) {
  ScriptedServer server(ScriptedServer::Ok(""));
  const auto told = Open(server.Url("/"));
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_TRUE(told->done->ok());
  EXPECT_EQ(told->heads.size(), 1u);
  EXPECT_EQ(told->chunks, 0u);
}

TEST_F(StreamTest, ACutBodyIsToldBeforeItsBadEnd) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  });
  const auto told = Open(server.Url("/"));
  EXPECT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(told->heads.size(), 1u);
  EXPECT_EQ(told->body, "abc");
}

// Held after every chunk: nothing is lost, nothing comes twice, and nothing
// comes while it is held.
TEST_F(StreamTest, AHeldStreamGoesOnWhereItStopped) {
  const std::string body = Numbers(3'000'000);
  const std::string chunked = [&body] {
    std::string all = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (size_t at = 0, size = 1; at < body.size();) {
      const std::string part = body.substr(at, size);
      absl::StrAppend(&all, absl::Hex(part.size()), "\r\n", part, "\r\n");
      at += size;
      size = size * 7 % 30011 + 1;
    }
    return all + "0\r\n\r\n";
  }();
  ScriptedServer plain(ScriptedServer::Ok(body));
  ScriptedServer other([&chunked](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write(chunked);
  });
  for (const ScriptedServer* server : {&plain, &other}) {
    const auto told = Open(server->Url("/"));
    told->more = false;
    for (size_t i = 1; !told->done.has_value() && i < 10'000; ++i) {
      ASSERT_TRUE(RunUntil(
          [&] { return told->chunks == i || told->done.has_value(); }));
      for (int k = 0; k < 3; ++k) uv_run(loop_.uv(), UV_RUN_NOWAIT);
      ASSERT_LE(told->chunks, i) << "told while held";
      fetcher_->Resume(told->id);
      EXPECT_LE(told->chunks, i) << "told inside Resume()";
    }
    ASSERT_TRUE(told->done.has_value());
    EXPECT_TRUE(told->done->ok()) << *told->done;
    EXPECT_TRUE(told->body == body);
    EXPECT_GT(told->chunks, 10u);
  }
}

// Who holds a stream lets the server wait; it does not fill the memory.
TEST_F(StreamTest, AHeldStreamReadsNoMore) {
  constexpr size_t kBlocks = 1000;
  std::atomic<size_t> written{0};
  ScriptedServer server([&written](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(100'000, 'x');
    for (size_t i = 0; i < kBlocks; ++i) {
      if (!connection->Write(block)) return;
      written += block.size();
    }
  });
  const auto told = Open(server.Url("/"));
  told->more = false;
  ASSERT_TRUE(RunUntil([&] { return told->chunks == 1; }));
  RunFor(300);
  EXPECT_EQ(told->chunks, 1u);
  // What fits into the buffers of two sockets, at most.
  EXPECT_LT(written.load(), kBlocks * 100'000 / 2);
  told->more = true;
  fetcher_->Resume(told->id);
  ASSERT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_TRUE(told->done->ok()) << *told->done;
  EXPECT_EQ(told->body.size(), kBlocks * 100'000);
}

TEST_F(StreamTest, ResumeInsideTheCallbackDoesNotOutrankItsAnswer) {
  ScriptedServer server(ScriptedServer::Ok(Numbers(1'000'000)));
  const auto told = Open(server.Url("/"));
  told->more = false;
  told->in_body = [&] { fetcher_->Resume(told->id); };
  ASSERT_TRUE(RunUntil([&] { return told->chunks == 1; }));
  RunFor(50);
  EXPECT_EQ(told->chunks, 1u);
  told->more = true;
  fetcher_->Resume(told->id);
  fetcher_->Resume(told->id);
  ASSERT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_TRUE(told->body == Numbers(1'000'000));
}

// The good end waits behind the bytes before it, a bad one does not: a user
// who never asks for more must hear of it.
TEST_F(StreamTest, AHeldStreamHearsOfABadEnd) {
  ScriptedServer good(ScriptedServer::Ok(Numbers(150'000)));
  auto told = Open(good.Url("/"));
  told->more = false;
  ASSERT_TRUE(RunUntil([&] { return told->chunks == 1; }));
  RunFor(50);
  EXPECT_FALSE(told->done.has_value());
  fetcher_->Cancel(told->id);

  ScriptedServer silent([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    connection->WaitForClose();
  });
  HttpFetch fetch;
  fetch.url = silent.Url("/");
  fetch.total_ms = 100;
  told = Open(fetch);
  told->more = false;
  ASSERT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(told->body, "abc");
}

TEST_F(StreamTest, AStreamHasALimitToo) {
  ScriptedServer server(ScriptedServer::Ok(Numbers(500'000)));
  HttpFetch fetch;
  fetch.url = server.Url("/");
  fetch.body_bytes_max = 400'000;
  const auto told = Open(fetch);
  ASSERT_TRUE(RunUntil([&] { return told->done.has_value(); }));
  EXPECT_EQ(told->done->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LE(told->body.size(), 400'000u);
  EXPECT_TRUE(absl::StartsWith(Numbers(500'000), told->body));
}

TEST_F(StreamTest, CallbacksMayCancelTheirOwnStream) {
  ScriptedServer server(ScriptedServer::Ok(Numbers(1'000'000)));
  const auto in_head = Open(server.Url("/"));
  in_head->in_head = [&] { fetcher_->Cancel(in_head->id); };
  const auto in_body = Open(server.Url("/"));
  in_body->in_body = [&] { fetcher_->Cancel(in_body->id); };
  ASSERT_TRUE(
      RunUntil([&] { return !in_head->heads.empty() && in_body->chunks > 0; }));
  EXPECT_EQ(fetcher_->active_count(), 0u);
  RunFor(30);
  EXPECT_EQ(in_head->chunks, 0u);
  EXPECT_EQ(in_body->chunks, 1u);
  EXPECT_FALSE(in_head->done.has_value());
  EXPECT_FALSE(in_body->done.has_value());
}

TEST_F(StreamTest, CallbacksMayCancelAndStartOthers) {
  ScriptedServer server(ScriptedServer::Ok(Numbers(300'000)));
  const auto first = Open(server.Url("/"));
  const auto second = Open(server.Url("/"));
  std::unique_ptr<Told> third;
  // Whichever comes first ends the other and starts another one.
  for (Told* told : {first.get(), second.get()}) {
    const Told* const other = told == first.get() ? second.get() : first.get();
    told->in_body = [&, told, other] {
      if (third != nullptr) return;
      EXPECT_EQ(other->chunks, 0u);
      fetcher_->Cancel(other->id);
      third = Open(server.Url("/"));
      told->more = false;
    };
  }
  ASSERT_TRUE(
      RunUntil([&] { return third != nullptr && third->done.has_value(); }));
  EXPECT_TRUE(third->done->ok()) << *third->done;
  EXPECT_TRUE(third->body == Numbers(300'000));
  EXPECT_EQ(fetcher_->active_count(), 1u);
  EXPECT_EQ(first->chunks + second->chunks, 1u);
}

// Held streams are not watched by libcurl, but they are no idle connections,
// new or used before.
TEST_F(StreamTest, AHeldStreamIsNotIdle) {
  const std::string body = Numbers(3'000'000);
  TempDir dir;
  ScriptedServer tcp(ScriptedServer::Ok(body));
  ScriptedServer local(dir.Path("http.sock"), ScriptedServer::Ok(body));
  for (ScriptedServer* server : {&tcp, &local}) {
    HttpFetch fetch;
    fetch.url = "http://localhost/";
    fetch.unix_socket = dir.Path("http.sock");
    if (server == &tcp) {
      fetch.url = server->Url("/");
      fetch.unix_socket.clear();
    }
    EXPECT_TRUE(Do(fetch).status.ok());
    const auto used = Open(fetch);
    used->more = false;
    ASSERT_TRUE(RunUntil([&] { return used->chunks == 1; }));
    const auto fresh = Open(fetch);
    fresh->more = false;
    ASSERT_TRUE(RunUntil([&] { return fresh->chunks == 1; }));
    EXPECT_TRUE(Do(fetch).connected);
    RunFor(50);
    EXPECT_EQ(server->open_count(), 3u);
    fetcher_->DropIdleConnections();
    if (server == &tcp) {
      EXPECT_TRUE(RunUntil([&] { return server->open_count() == 2; }));
    } else {
      // Which one of them is idle is not known.
      RunFor(20);
      EXPECT_EQ(server->open_count(), 3u);
    }
    for (Told* told : {used.get(), fresh.get()}) {
      told->more = true;
      fetcher_->Resume(told->id);
      ASSERT_TRUE(RunUntil([&] { return told->done.has_value(); }));
      EXPECT_TRUE(told->done->ok()) << *told->done;
      EXPECT_TRUE(told->body == body);
    }
    fetcher_->DropIdleConnections();
    EXPECT_TRUE(RunUntil([&] { return server->open_count() == 0; }));
  }
}

TEST_F(StreamTest, HeldStreamsAreCancelledAndDestroyed) {
  ScriptedServer server(ScriptedServer::Ok(Numbers(3'000'000)));
  std::vector<std::unique_ptr<Told>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(Open(server.Url("/")));
    all.back()->more = false;
  }
  ASSERT_TRUE(RunUntil([&] {
    for (const auto& told : all) {
      if (told->chunks == 0) return false;
    }
    return true;
  }));
  for (size_t i = 0; i < 10; ++i) fetcher_->Cancel(all[i]->id);
  EXPECT_EQ(fetcher_->active_count(), 10u);
  EXPECT_TRUE(RunUntil([&] { return server.open_count() == 10; }));
  for (size_t i = 10; i < 15; ++i) fetcher_->Resume(all[i]->id);
  fetcher_->Resume(all[0]->id);
  MakeFetcher();
  EXPECT_TRUE(RunUntil([&] { return server.open_count() == 0; }));
  for (const auto& told : all) EXPECT_FALSE(told->done.has_value());
}

}  // namespace
}  // namespace dnsd::testing
