// FetchTest has a loop and a fetcher, and runs the loop until something has
// happened.
//
// Threads: the test's.
#ifndef DNSD_TESTS_CATALOG_BASE_HTTP_FETCH_FIXTURE_H_
#define DNSD_TESTS_CATALOG_BASE_HTTP_FETCH_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch.h"
#include "tests/catalog/base/scripted_server.h"

namespace dnsd::testing {

class FetchTest : public ::testing::Test {
 protected:
  void MakeFetcher(HttpFetcherOptions options = {}) {
    fetcher_.reset();
    fetcher_ = std::make_unique<HttpFetcher>(&loop_, std::move(options));
  }

  // False when it has not happened after a time that only failures wait out.
  bool RunUntil(const std::function<bool()>& happened) {
    constexpr uint64_t kPatienceNs = 60'000'000'000;
    const uint64_t start_ns = uv_hrtime();
    // So that the loop wakes up to look at the clock.
    Timer tick(&loop_, [] {});
    tick.Start(5, 5);
    while (!happened()) {
      if (uv_hrtime() - start_ns > kPatienceNs) return false;
      uv_run(loop_.uv(), UV_RUN_ONCE);
    }
    return true;
  }

  void RunFor(int64_t ms) {
    const uint64_t end_ns = uv_hrtime() + static_cast<uint64_t>(ms) * 1'000'000;
    EXPECT_TRUE(RunUntil([&] { return uv_hrtime() >= end_ns; }));
  }

  HttpFetched Do(HttpFetch fetch) {
    std::optional<HttpFetched> fetched;
    fetcher_->Fetch(std::move(fetch),
                    [&](HttpFetched got) { fetched = std::move(got); });
    EXPECT_FALSE(fetched.has_value()) << "called from inside Fetch()";
    EXPECT_TRUE(RunUntil([&] { return fetched.has_value(); }));
    if (fetched.has_value()) return *std::move(fetched);
    HttpFetched never;
    never.status = absl::UnknownError("nothing came");
    return never;
  }

  HttpFetched Get(const std::string& url) {
    HttpFetch fetch;
    fetch.url = url;
    return Do(std::move(fetch));
  }

  EventLoop loop_;
  std::unique_ptr<HttpFetcher> fetcher_ =
      std::make_unique<HttpFetcher>(&loop_, HttpFetcherOptions());
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_BASE_HTTP_FETCH_FIXTURE_H_
