// Servers that fail in every way, and limits.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/http_fetch.h"
#include "tests/catalog/base/http_fetch_fixture.h"
#include "tests/catalog/base/scripted_server.h"

namespace dnsd::testing {
namespace {

using Connection = ScriptedServer::Connection;

// Reads requests and never answers.
void Silent(Connection* connection) { connection->WaitForClose(); }

TEST_F(FetchTest, NoWholeAnswerIsAnError) {
  const struct {
    const char* said;
    const char* body;  // what came until then
  } kCases[] = {
      {"", ""},
      {"HTTP/1.1 200", ""},
      {"HTTP/1.1 200 OK\r\nContent-Le", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "ab"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
       "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", ""},
      {"HTTP/1.1 100 Continue\r\n\r\n", ""},
      {"HTTP/1.1 OK\r\n\r\n", ""},
      {"HTTP/7.1 200 OK\r\n\r\n", ""},
      {"SSH-2.0-OpenSSH_9.2\r\n", ""},
      {"\x16\x03\x01\x02\x00", ""},
      {"\r\n\r\n\r\n\r\n\r\n\r\n", ""},
      {"<html>not a server of ours</html>", ""},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\n"
       "not gzip",
       ""},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90\r\n\r\n"
       "\x1f\x8b\x08",
       ""},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.said);
    ScriptedServer server([&one](Connection* connection) {
      if (!connection->ReadRequest().empty()) connection->Write(one.said);
    });
    const HttpFetched got = Get(server.Url("/v1/agent/self?x=y"));
    EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable) << got.status;
    EXPECT_TRUE(absl::StartsWith(
        got.status.message(), absl::StrCat(server.Url("/v1/agent/self"), ": ")))
        << got.status;
    EXPECT_EQ(got.body, one.body);
    // Less than a line is nothing.
    const absl::string_view said = one.said;
    EXPECT_EQ(got.is_empty_reply, said.empty() || said == "HTTP/1.1 200");
    EXPECT_GE(got.body.capacity(), got.body.size() + 64);
  }
}

TEST_F(FetchTest, AResetInTheMiddleIsAnError) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    connection->Reset();
  });
  for (int i = 0; i < 10; ++i) {
    const HttpFetched got = Get(server.Url("/"));
    EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable) << got.status;
  }
}

TEST_F(FetchTest, HeadsThatDoNotEndAreCutOff) {
  const std::string kFloods[] = {
      absl::StrCat("X-Flood: ", std::string(1000, 'x'), "\r\n"),
      "X: y\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      absl::StrCat("X: ", std::string(1000, 'x')),
  };
  for (const std::string& flood : kFloods) {
    SCOPED_TRACE(flood.substr(0, 30));
    ScriptedServer server([&flood](Connection* connection) {
      (void)connection->ReadRequest();
      if (flood[0] == 'X') connection->Write("HTTP/1.1 200 OK\r\n");
      while (connection->Write(flood)) {
      }
    });
    const HttpFetched got = Get(server.Url("/"));
    // A single endless line is libcurl's to refuse.
    EXPECT_EQ(got.status.code(), flood.back() == 'x'
                                     ? absl::StatusCode::kUnavailable
                                     : absl::StatusCode::kResourceExhausted)
        << got.status;
  }
}

TEST_F(FetchTest, TrailersThatDoNotEndAreCutOff) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    while (connection->Write("X-Flood: x\r\n")) {
    }
  });
  EXPECT_FALSE(Get(server.Url("/")).status.ok());
}

TEST_F(FetchTest, TheBodyHasALimit) {
  ScriptedServer server(ScriptedServer::Ok(std::string(1000, 'x')));
  HttpFetch fetch;
  fetch.url = server.Url("/");
  fetch.body_bytes_max = 1000;
  EXPECT_TRUE(Do(fetch).status.ok());
  fetch.body_bytes_max = 999;
  const HttpFetched got = Do(fetch);
  EXPECT_EQ(got.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(got.status.message(), absl::StrCat(server.Url("/"),
                                               ": the body is longer than 999 "
                                               "bytes"));
  EXPECT_LE(got.body.size(), 999u);
  // Told a length it need not reserve.
  ScriptedServer liar([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write(
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nabc");
  });
  const HttpFetched cut = Get(liar.Url("/"));
  EXPECT_EQ(cut.status.code(), absl::StatusCode::kUnavailable) << cut.status;
  EXPECT_LT(cut.body.capacity(), 16u << 20);
}

TEST_F(FetchTest, TimeIsUpWhateverTheServerDoes) {
  const ScriptedServer::Script kScripts[] = {
      Silent,
      [](Connection* connection) {
        connection->Write("HTTP/1.1 200 OK\r\nConte");
        connection->WaitForClose();
      },
  };
  for (const auto& script : kScripts) {
    ScriptedServer server(script);
    HttpFetch fetch;
    fetch.url = server.Url("/a?b");
    fetch.total_ms = 50;
    const HttpFetched got = Do(fetch);
    EXPECT_EQ(got.status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(got.status.message(),
              absl::StrCat(server.Url("/a"), ": no answer within 50 ms"));
    EXPECT_EQ(fetcher_->active_count(), 0u);
  }
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    connection->WaitForClose();
  });
  HttpFetch fetch;
  fetch.url = server.Url("/");
  fetch.total_ms = 300;
  const HttpFetched got = Do(fetch);
  EXPECT_EQ(got.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(
      got.status.message(),
      absl::StrCat(server.Url("/"), ": not all of the answer within 300 ms"));
  EXPECT_EQ(got.head.status, 200);
  EXPECT_EQ(got.body, "abc");
}

TEST_F(FetchTest, ASlowHeadIsWaitedFor) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    for (const char c : std::string("HTTP/1.1 200 OK\r\nContent-Length: "
                                    "1\r\n\r\nx")) {
      if (!connection->Write({&c, 1})) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  const HttpFetched got = Get(server.Url("/"));
  EXPECT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.body, "x");
}

TEST_F(FetchTest, AConnectionIsUsedAgain) {
  ScriptedServer server(ScriptedServer::Ok("ok"));
  for (int i = 0; i < 20; ++i) {
    const HttpFetched got = Get(server.Url("/"));
    ASSERT_TRUE(got.status.ok()) << got.status;
    EXPECT_EQ(got.connected, i == 0);
  }
  EXPECT_EQ(server.accepted_count(), 1u);
}

// A server closes idle connections when it likes: nobody may notice.
TEST_F(FetchTest, AConnectionTheServerClosedIsReplaced) {
  ScriptedServer server([](Connection* connection) {
    (void)connection->ReadRequest();
    connection->WriteOk("ok");
  });
  for (int i = 0; i < 20; ++i) {
    const HttpFetched got = Get(server.Url("/"));
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_TRUE(got.connected);
  }
  EXPECT_EQ(server.accepted_count(), 20u);
}

TEST_F(FetchTest, IdleConnectionsAreDroppedAndOthersAreNot) {
  Gate gate;
  ScriptedServer server([&gate](Connection* connection) {
    for (;;) {
      const std::string request = connection->ReadRequest();
      if (request.empty()) return;
      if (absl::StartsWith(request, "GET /slow")) gate.Wait();
      connection->WriteOk("ok");
    }
  });
  std::vector<HttpFetched> got;
  const auto keep = [&](HttpFetched fetched) {
    got.push_back(std::move(fetched));
  };
  HttpFetch fetch;
  fetch.url = server.Url("/slow");
  fetcher_->Fetch(fetch, keep);
  fetch.url = server.Url("/fast");
  for (int i = 0; i < 5; ++i) fetcher_->Fetch(fetch, keep);
  ASSERT_TRUE(RunUntil([&] { return got.size() == 5; }));
  EXPECT_EQ(server.open_count(), 6u);

  fetcher_->DropIdleConnections();
  ASSERT_TRUE(RunUntil([&] { return server.open_count() == 1; }));
  EXPECT_TRUE(Get(server.Url("/fast")).connected);
  EXPECT_FALSE(Get(server.Url("/fast")).connected);
  gate.Open();
  ASSERT_TRUE(RunUntil([&] { return got.size() == 6; }));
  for (const HttpFetched& one : got) EXPECT_TRUE(one.status.ok());
  EXPECT_EQ(server.accepted_count(), 7u);
}

TEST_F(FetchTest, NoMoreConnectionsThanAllowed) {
  MakeFetcher({.connections_max = 3, .tls = {}});
  Gate gate;
  const auto script = [&gate](Connection* connection) {
    while (!connection->ReadRequest().empty()) {
      gate.Wait();
      if (!connection->WriteOk("ok")) return;
    }
  };
  ScriptedServer server(script);
  ScriptedServer other(script);
  size_t done = 0;
  for (int i = 0; i < 60; ++i) {
    HttpFetch fetch;
    fetch.url = (i % 3 == 0 ? other : server).Url(absl::StrCat("/", i));
    fetcher_->Fetch(fetch, [&](HttpFetched fetched) {
      EXPECT_TRUE(fetched.status.ok()) << fetched.status;
      ++done;
    });
  }
  // What waits for its turn has its time too.
  HttpFetch late;
  late.url = server.Url("/late");
  late.total_ms = 100;
  EXPECT_EQ(Do(late).status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(done, 0u);
  EXPECT_EQ(server.accepted_count() + other.accepted_count(), 3u);
  EXPECT_EQ(fetcher_->active_count(), 60u);
  gate.Open();
  EXPECT_TRUE(RunUntil([&] { return done == 60; })) << done;
}

// One that stays for ever leaves its place when it is cancelled, and so does
// one that fails.
TEST_F(FetchTest, APlaceThatBecomesFreeIsTaken) {
  MakeFetcher({.connections_max = 2, .tls = {}});
  ScriptedServer silent(Silent);
  ScriptedServer server([](Connection* connection) {
    if (connection->ReadRequest().empty() || connection->number() < 4) return;
    connection->WriteOk("ok");
  });
  HttpFetch fetch;
  fetch.url = silent.Url("/");
  const auto never = [](const HttpFetched&) { ADD_FAILURE(); };
  const HttpFetcher::Id first = fetcher_->Fetch(fetch, never);
  const HttpFetcher::Id second = fetcher_->Fetch(fetch, never);
  size_t ok = 0;
  size_t failed = 0;
  fetch.url = server.Url("/");
  for (int i = 0; i < 20; ++i) {
    fetcher_->Fetch(fetch, [&](const HttpFetched& fetched) {
      fetched.status.ok() ? ++ok : ++failed;
    });
  }
  ASSERT_TRUE(RunUntil([&] { return silent.open_count() == 2; }));
  EXPECT_EQ(ok + failed, 0u);
  fetcher_->Cancel(first);
  EXPECT_TRUE(RunUntil([&] { return ok + failed == 20; })) << ok << failed;
  EXPECT_EQ(failed, 3u);
  fetcher_->Cancel(second);
  EXPECT_EQ(fetcher_->active_count(), 0u);
}

// With TLS, transfers wait for the connection that the first one makes. When
// that cannot be made they hear of it, all of them and at once.
TEST_F(FetchTest, WhoWaitsForAConnectionSharesItsFate) {
  ScriptedServer silent(Silent);
  ScriptedServer refusing([](Connection*) {});
  const struct {
    const ScriptedServer* server;
    int64_t connect_ms;
    absl::StatusCode code;
  } kCases[] = {{&silent, 400, absl::StatusCode::kDeadlineExceeded},
                {&refusing, 20'000, absl::StatusCode::kUnavailable}};
  for (const auto& one : kCases) {
    size_t failed = 0;
    const uint64_t start_ns = uv_hrtime();
    for (int i = 0; i < 50; ++i) {
      HttpFetch fetch;
      fetch.url =
          absl::StrCat("https://127.0.0.1:", one.server->port(), "/", i);
      fetch.connect_ms = one.connect_ms;
      fetcher_->Fetch(fetch, [&, url = fetch.url](const HttpFetched& got) {
        EXPECT_EQ(got.status.code(), one.code) << got.status;
        EXPECT_TRUE(absl::StartsWith(got.status.message(), url + ": "))
            << got.status;
        ++failed;
      });
    }
    EXPECT_TRUE(RunUntil([&] { return failed == 50; })) << failed;
    // One after the other would take 20 seconds.
    EXPECT_LT(uv_hrtime() - start_ns, 10'000'000'000u);
    EXPECT_LE(one.server->accepted_count(), 5u);
  }
}

TEST_F(FetchTest, WhoWaitsForAConnectionHasTimeAndMayBeCancelled) {
  ScriptedServer silent(Silent);
  HttpFetch fetch;
  fetch.url = absl::StrCat("https://127.0.0.1:", silent.port(), "/");
  const auto never = [](const HttpFetched&) { ADD_FAILURE(); };
  std::vector<HttpFetcher::Id> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(fetcher_->Fetch(fetch, never));
  HttpFetch hasty = fetch;
  hasty.total_ms = 50;
  EXPECT_EQ(Do(hasty).status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(silent.accepted_count(), 1u);
  // The next one takes its place.
  fetcher_->Cancel(ids[0]);
  fetcher_->Cancel(ids[2]);
  EXPECT_TRUE(RunUntil([&] { return silent.accepted_count() == 2; }));
  EXPECT_EQ(fetcher_->active_count(), 3u);
  fetcher_.reset();
  EXPECT_TRUE(RunUntil([&] { return silent.open_count() == 0; }));
}

// With no descriptor left, what is connected goes on and the rest fails.
TEST_F(FetchTest, DescriptorsMayRunOut) {
  ScriptedServer server(ScriptedServer::Ok("ok"));
  ScriptedServer other(ScriptedServer::Ok("ok"));
  EXPECT_TRUE(Get(server.Url("/")).status.ok());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest = dup(STDERR_FILENO);
  ASSERT_GE(lowest, 0);
  close(lowest);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const HttpFetched connected = Get(server.Url("/"));
  const HttpFetched failed = Get(other.Url("/"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(connected.status.ok()) << connected.status;
  EXPECT_FALSE(connected.connected);
  EXPECT_EQ(failed.status.code(), absl::StatusCode::kUnavailable)
      << failed.status;
  EXPECT_TRUE(Get(other.Url("/")).status.ok());
}

// Servers that stop in the middle until a timer of the same loop has fired:
// were the loop waiting for one of them, it never would.
TEST_F(FetchTest, TheLoopGoesOn) {
  Gate gate;
  ScriptedServer server([&gate](Connection* connection) {
    const std::string request = connection->ReadRequest();
    const std::string head =
        "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n";
    const std::string half(1'000'000, 'x');
    if (absl::StrContains(request, "GET /early")) gate.Wait();
    connection->Write(head.substr(0, 20));
    if (absl::StrContains(request, "GET /head")) gate.Wait();
    connection->Write(head.substr(20) + half);
    gate.Wait();
    connection->Write(half);
  });
  const char* const kPaths[] = {"/early", "/head", "/body"};
  size_t done = 0;
  for (const char* path : kPaths) {
    for (int i = 0; i < 10; ++i) {
      HttpFetch fetch;
      fetch.url = server.Url(path);
      fetcher_->Fetch(fetch, [&](const HttpFetched& got) {
        EXPECT_TRUE(got.status.ok()) << got.status;
        EXPECT_EQ(got.body.size(), 2'000'000u);
        ++done;
      });
    }
  }
  ASSERT_TRUE(RunUntil([&] { return server.accepted_count() == 30; }));
  int ticks = 0;
  size_t done_before = 0;
  Timer tick(&loop_, [&] {
    if (++ticks != 20) return;
    done_before = done;
    gate.Open();
  });
  tick.Start(1, 1);
  const uint64_t start_ns = uv_hrtime();
  EXPECT_TRUE(RunUntil([&] { return ticks >= 20; }));
  EXPECT_EQ(done_before, 0u);
  // The gate would open by itself after 30 seconds.
  EXPECT_LT(uv_hrtime() - start_ns, 20'000'000'000u);
  EXPECT_TRUE(RunUntil([&] { return done == 30; })) << done;
}

}  // namespace
}  // namespace dnsd::testing
