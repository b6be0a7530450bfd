// What is cancelled and when, and what ends with the fetcher.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
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

TEST_F(FetchTest, CallbacksMayCancelAndStart) {
  ScriptedServer server(ScriptedServer::Ok("ok"));
  ScriptedServer silent(Silent);
  HttpFetch parked;
  parked.url = silent.Url("/");
  HttpFetch fetch;
  fetch.url = server.Url("/");
  std::vector<HttpFetcher::Id> parked_ids;
  for (int i = 0; i < 10; ++i) {
    parked_ids.push_back(
        fetcher_->Fetch(parked, [](const HttpFetched&) { ADD_FAILURE(); }));
  }
  ASSERT_TRUE(RunUntil([&] { return silent.open_count() == 10; }));
  int rounds = 0;
  HttpFetcher::Id own = 0;
  std::function<void(const HttpFetched&)> next = [&](const HttpFetched& got) {
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_EQ(fetcher_->active_count(), 10u - static_cast<size_t>(rounds));
    fetcher_->Cancel(own);  // over already
    fetcher_->Cancel(parked_ids[static_cast<size_t>(rounds)]);
    if (++rounds < 10) own = fetcher_->Fetch(fetch, next);
  };
  own = fetcher_->Fetch(fetch, next);
  EXPECT_TRUE(RunUntil([&] { return rounds == 10; }));
  EXPECT_EQ(fetcher_->active_count(), 0u);
  EXPECT_TRUE(RunUntil([&] { return silent.open_count() == 0; }));
}

// Two answers arrive in one turn of the loop; the first cancels the second.
TEST_F(FetchTest, WhatIsCancelledIsSilentEvenWhenItsAnswerIsThere) {
  ScriptedServer server(ScriptedServer::Ok("ok"));
  HttpFetch fetch;
  fetch.url = server.Url("/");
  std::vector<HttpFetcher::Id> ids;
  int called = 0;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(fetcher_->Fetch(fetch, [&](const HttpFetched&) {
      ++called;
      for (const HttpFetcher::Id id : ids) fetcher_->Cancel(id);
    }));
  }
  EXPECT_TRUE(RunUntil([&] { return called > 0; }));
  EXPECT_EQ(fetcher_->active_count(), 0u);
  RunFor(20);
  EXPECT_EQ(called, 1);
  fetcher_->Cancel(0);
  fetcher_->Cancel(12345);
}

TEST_F(FetchTest, DestroyingTheFetcherCancelsEverything) {
  ScriptedServer server(ScriptedServer::Ok(std::string(100'000, 'x')));
  ScriptedServer silent(Silent);
  for (int i = 0; i < 30; ++i) {
    // At every stage: just asked, connecting, reading, done but not told.
    for (int k = 0; k < 10; ++k) {
      HttpFetch fetch;
      fetch.url = (k % 2 == 0 ? server : silent).Url("/");
      fetch.total_ms = 10'000;
      fetcher_->Fetch(fetch, [](const HttpFetched&) {});
      HttpFetch named = fetch;
      named.url = absl::StrCat("http://localhost:", server.port(), "/");
      fetcher_->Fetch(named, [](const HttpFetched&) {});
    }
    for (int turn = 0; turn < i; ++turn) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    MakeFetcher();
  }
  EXPECT_EQ(fetcher_->active_count(), 0u);
  EXPECT_TRUE(RunUntil([&] { return silent.open_count() == 0; }));
}

// A model of what is on its way beside the fetcher; descriptors are opened
// and closed all the time, so that their numbers come back.
TEST_F(FetchTest, ThousandsComeAndGo) {
  MakeFetcher({.connections_max = 25, .tls = {}});
  ScriptedServer server([](Connection* connection) {
    for (;;) {
      const std::string request = connection->ReadRequest();
      if (request.empty()) return;
      if (absl::StartsWith(request, "GET /silent")) {
        connection->WaitForClose();
        return;
      }
      connection->WriteOk(request);
      if (absl::StartsWith(request, "GET /close")) return;
    }
  });
  std::mt19937 random(17);
  std::map<HttpFetcher::Id, bool> running;  // and whether it is a silent one
  size_t silent = 0;
  size_t answered = 0;
  size_t cancelled = 0;
  const auto cancel_one = [&] {
    if (running.empty()) return;
    auto victim = running.begin();
    std::advance(victim, random() % running.size());
    fetcher_->Cancel(victim->first);
    silent -= victim->second ? 1 : 0;
    running.erase(victim);
    ++cancelled;
  };
  std::function<void()> start_one = [&] {
    const char* const kPaths[] = {"/silent", "/close", "/keep"};
    // The silent ones leave connections to the others.
    const size_t kind = silent < 15 ? random() % 3 : 1 + random() % 2;
    const std::string path = absl::StrCat(kPaths[kind], random());
    HttpFetch fetch;
    fetch.url = server.Url(path);
    auto id = std::make_shared<HttpFetcher::Id>();
    *id = fetcher_->Fetch(fetch, [&, id, path](const HttpFetched& fetched) {
      EXPECT_EQ(running.erase(*id), 1u);
      EXPECT_TRUE(fetched.status.ok()) << fetched.status;
      EXPECT_TRUE(absl::StartsWith(fetched.body, "GET " + path + " "));
      ++answered;
      cancel_one();
      if (random() % 2 == 0) cancel_one();
      if (random() % 2 == 0) start_one();
      while (random() % 50 == 0 && !running.empty()) cancel_one();
    });
    running.emplace(*id, kind == 0);
    silent += kind == 0 ? 1 : 0;
  };
  const auto turn = [&] {
    while (running.size() < 50) start_one();
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    EXPECT_EQ(fetcher_->active_count(), running.size());
    return answered >= 1000;
  };
  EXPECT_TRUE(RunUntil(turn)) << answered << " " << cancelled;
  while (!running.empty()) cancel_one();
  EXPECT_GT(cancelled, 1000u);
  EXPECT_EQ(Get(server.Url("/keep")).head.status, 200);
}

// No name server is asked: no label may have more than 63 bytes.
TEST_F(FetchTest, ANameThatIsBeingResolvedMayBeCancelled) {
  HttpFetch fetch;
  fetch.url = absl::StrCat("http://", std::string(70, 'x'), ".invalid/");
  for (int i = 0; i < 20; ++i) {
    bool cancelled = false;
    const HttpFetcher::Id id = fetcher_->Fetch(
        fetch, [&](const HttpFetched&) { EXPECT_FALSE(cancelled); });
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    fetcher_->Cancel(id);
    cancelled = true;
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    EXPECT_EQ(fetcher_->active_count(), 0u);
  }
  const HttpFetched got = Do(fetch);
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable) << got.status;
  EXPECT_TRUE(absl::StrContains(got.status.message(), "resolve")) << got.status;
}

}  // namespace
}  // namespace dnsd::testing
