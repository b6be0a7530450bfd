// With a real Consul: TLS, client certificates and HTTP/2, which its https
// listener speaks. Certificates are made by the openssl command.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/http_fetch.h"
#include "tests/catalog/base/http_fetch_fixture.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

class ConsulTest : public FetchTest {
 protected:
  // One Consul for all tests of this program; it keeps nothing.
  static void SetUpTestSuite() {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary.has_value()) return;
    authority_ = std::make_unique<Authority>();
    authority_->Issue("server");
    authority_->Issue("client");
    consul_ = StartConsul(*binary, "");
  }

  static void TearDownTestSuite() {
    consul_.reset();
    authority_.reset();
  }

  void SetUp() override {
    if (!ConsulBinary().has_value()) GTEST_SKIP() << "there is no Consul";
    ASSERT_NE(consul_, nullptr);
    MakeFetcher(Trusting());
  }

  static std::unique_ptr<ConsulProcess> StartConsul(const std::string& binary,
                                                    const std::string& config) {
    ConsulProcessOptions options;
    options.https = true;
    options.config = absl::StrCat(
        "ca_file = \"", authority_->ca_file(), "\"\ncert_file = \"",
        authority_->certificate("server"), "\"\nkey_file = \"",
        authority_->key("server"), "\"\n", config);
    auto consul = std::make_unique<ConsulProcess>(binary, options);
    EXPECT_TRUE(consul->WaitForLeader()) << consul->process().output();
    return consul;
  }

  static HttpFetcherOptions Trusting() {
    HttpFetcherOptions options;
    options.tls.ca_file = authority_->ca_file();
    return options;
  }

  static std::string Url(const ConsulProcess& consul, const std::string& path) {
    return absl::StrCat("https://127.0.0.1:", consul.ports().https, path);
  }

  static std::string Url(const std::string& path) {
    return Url(*consul_, path);
  }

  HttpFetched Put(const std::string& path, const std::string& body) {
    HttpFetch fetch;
    fetch.method = "PUT";
    fetch.url = Url(path);
    fetch.body = body;
    return Do(fetch);
  }

  // What /v1/kv/PATH was changed at last.
  std::string KvIndex(const std::string& path) {
    const HttpFetched got = Get(Url("/v1/kv/" + path));
    const std::string* const index = got.head.Find("x-consul-index");
    EXPECT_NE(index, nullptr) << got.status;
    return index == nullptr ? "" : *index;
  }

  static inline std::unique_ptr<Authority> authority_;
  static inline std::unique_ptr<ConsulProcess> consul_;
};

TEST_F(ConsulTest, TlsBringsHttp2AndOneConnection) {
  for (int i = 0; i < 5; ++i) {
    const HttpFetched got = Get(Url("/v1/status/leader"));
    ASSERT_TRUE(got.status.ok()) << got.status;
    EXPECT_EQ(got.head.status, 200);
    EXPECT_TRUE(got.is_http2);
    EXPECT_EQ(got.connected, i == 0);
    EXPECT_TRUE(absl::StrContains(got.body, "127.0.0.1")) << got.body;
  }
  // Without TLS Consul speaks HTTP/1.1.
  const HttpFetched plain = Get(consul_->HttpUrl() + "/v1/status/leader");
  ASSERT_TRUE(plain.status.ok()) << plain.status;
  EXPECT_FALSE(plain.is_http2);
}

TEST_F(ConsulTest, BodiesGoBothWays) {
  std::string value;
  for (int i = 0; value.size() < 400'000; ++i) absl::StrAppend(&value, i, " ");
  for (int i = 0; i < 3; ++i) {
    const HttpFetched put = Put(absl::StrCat("/v1/kv/big/", i), value);
    ASSERT_TRUE(put.status.ok()) << put.status;
    EXPECT_EQ(put.head.status, 200) << put.body;
    EXPECT_TRUE(put.is_http2);
  }
  const HttpFetched got = Get(Url("/v1/kv/big/1?raw"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_TRUE(got.body == value);
  EXPECT_LT(got.wire_bytes, value.size() / 2) << "gzip was not asked for";
  HttpFetch raw;
  raw.url = Url("/v1/kv/big/1?raw");
  raw.decode = false;
  const HttpFetched plain = Do(raw);
  EXPECT_TRUE(plain.body == value);
  EXPECT_EQ(plain.wire_bytes, value.size());
  HttpFetch head;
  head.method = "HEAD";
  head.url = Url("/v1/kv/big/1?raw");
  EXPECT_EQ(Do(head).body, "");
  HttpFetch remove;
  remove.method = "DELETE";
  remove.url = Url("/v1/kv/big?recurse");
  EXPECT_EQ(Do(remove).head.status, 200);
  EXPECT_EQ(Get(Url("/v1/kv/big/1")).head.status, 404);
}

// Blocking queries, all of them answered by one change.
TEST_F(ConsulTest, SixHundredQueriesWaitOnFewConnections) {
  ASSERT_EQ(Put("/v1/kv/many", "1").head.status, 200);
  const std::string index = KvIndex("many");
  // As at the start: no connection yet.
  MakeFetcher(Trusting());
  size_t answered = 0;
  size_t connections = 0;
  for (int i = 0; i < 600; ++i) {
    HttpFetch fetch;
    fetch.url = Url(absl::StrCat("/v1/kv/many?wait=60s&index=", index));
    fetcher_->Fetch(fetch, [&](const HttpFetched& got) {
      EXPECT_TRUE(got.status.ok()) << got.status;
      EXPECT_EQ(got.head.status, 200);
      EXPECT_TRUE(got.is_http2);
      connections += got.connected ? 1 : 0;
      ++answered;
    });
  }
  RunFor(1000);
  EXPECT_EQ(answered, 0u);
  EXPECT_EQ(fetcher_->active_count(), 600u);
  ASSERT_EQ(Put("/v1/kv/many", "2").head.status, 200);
  EXPECT_TRUE(RunUntil([&] { return answered == 600; })) << answered;
  EXPECT_GE(connections, 3u);  // 250 streams each
  EXPECT_LE(connections, 4u);
}

TEST_F(ConsulTest, FewConnectionsStayFewWhateverWaits) {
  HttpFetcherOptions options = Trusting();
  options.connections_max = 2;
  options.streams_max = 20;
  MakeFetcher(options);
  ASSERT_EQ(Put("/v1/kv/few", "1").head.status, 200);
  const std::string index = KvIndex("few");
  size_t answered = 0;
  size_t connections = 0;
  for (int i = 0; i < 120; ++i) {
    HttpFetch fetch;
    // The first forty fill both connections for a while.
    fetch.url = Url(absl::StrCat("/v1/kv/few?wait=1s&index=", index));
    fetcher_->Fetch(fetch, [&](const HttpFetched& got) {
      EXPECT_TRUE(got.status.ok()) << got.status;
      connections += got.connected ? 1 : 0;
      ++answered;
    });
  }
  EXPECT_TRUE(RunUntil([&] { return answered == 120; })) << answered;
  EXPECT_LE(connections, 1u);
}

TEST_F(ConsulTest, CancelledQueriesLeaveTheConnectionToOthers) {
  EXPECT_TRUE(Get(Url("/v1/status/leader")).connected);
  ASSERT_EQ(Put("/v1/kv/gone", "1").head.status, 200);
  const std::string index = KvIndex("gone");
  for (int round = 0; round < 5; ++round) {
    std::vector<HttpFetcher::Id> ids;
    for (int i = 0; i < 100; ++i) {
      HttpFetch fetch;
      fetch.url = Url(absl::StrCat("/v1/kv/gone?wait=60s&index=", index));
      ids.push_back(
          fetcher_->Fetch(fetch, [](const HttpFetched&) { ADD_FAILURE(); }));
    }
    RunFor(100);
    for (const HttpFetcher::Id id : ids) fetcher_->Cancel(id);
    EXPECT_EQ(fetcher_->active_count(), 0u);
    const HttpFetched got = Get(Url("/v1/status/leader"));
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_FALSE(got.connected);
  }
}

TEST_F(ConsulTest, IdleTlsConnectionsAreDropped) {
  EXPECT_TRUE(Get(Url("/v1/status/leader")).connected);
  for (int i = 0; i < 3; ++i) {
    fetcher_->DropIdleConnections();
    const HttpFetched got = Get(Url("/v1/status/leader"));
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_TRUE(got.connected);
    EXPECT_FALSE(Get(Url("/v1/status/leader")).connected);
  }
}

// Users of streams may be slow; those who share their connection are not.
TEST_F(ConsulTest, HeldStreamsHoldUpNobodyElse) {
  const std::string value(500'000, 'x');
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Put(absl::StrCat("/v1/kv/held/", i), value).head.status, 200);
  }
  size_t chunks = 0;
  size_t done = 0;
  size_t bytes = 0;
  bool more = false;
  std::vector<HttpFetcher::Id> ids;
  for (int i = 0; i < 5; ++i) {
    HttpFetch fetch;
    fetch.url = Url("/v1/kv/held?recurse");  // 3.3 MB
    fetch.decode = false;
    ids.push_back(fetcher_->Open(fetch, {.on_head = [](const HttpHead&) {},
                                         .on_body =
                                             [&](absl::string_view chunk) {
                                               ++chunks;
                                               bytes += chunk.size();
                                               return more;
                                             },
                                         .on_done =
                                             [&](const absl::Status& status) {
                                               EXPECT_TRUE(status.ok())
                                                   << status;
                                               ++done;
                                             }}));
  }
  ASSERT_TRUE(RunUntil([&] { return chunks == 5; })) << chunks;
  RunFor(200);
  EXPECT_EQ(chunks, 5u);
  for (int i = 0; i < 20; ++i) {
    HttpFetch fetch;
    fetch.url = Url("/v1/status/leader");
    fetch.total_ms = 5'000;
    const HttpFetched got = Do(fetch);
    EXPECT_TRUE(got.status.ok()) << got.status;
  }
  EXPECT_EQ(chunks, 5u);
  more = true;
  for (const HttpFetcher::Id id : ids) fetcher_->Resume(id);
  EXPECT_TRUE(RunUntil([&] { return done == 5; })) << done;
  EXPECT_GT(bytes, 15'000'000u);
}

// A server with TLS and without HTTP/2: nobody waits for anybody's place.
TEST_F(ConsulTest, TlsWithoutHttp2IsSpokenToo) {
  const Process server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
                        "-cert", authority_->certificate("server"), "-key",
                        authority_->key("server")});
  std::string port;
  ASSERT_TRUE(RunUntil([&] {
    const std::string output = server.output();
    const std::string mark = "ACCEPT 127.0.0.1:";
    const size_t at = output.find(mark);
    if (at == output.npos) return false;
    const size_t end = output.find('\n', at);
    if (end == output.npos) return false;
    port = output.substr(at + mark.size(), end - at - mark.size());
    return true;
  })) << server.output();
  size_t done = 0;
  for (int i = 0; i < 20; ++i) {
    HttpFetch fetch;
    fetch.url = absl::StrCat("https://127.0.0.1:", port, "/");
    fetcher_->Fetch(fetch, [&](const HttpFetched& got) {
      EXPECT_TRUE(got.status.ok()) << got.status;
      EXPECT_EQ(got.head.status, 200);
      EXPECT_FALSE(got.is_http2);
      EXPECT_TRUE(got.connected);
      ++done;
    });
  }
  EXPECT_TRUE(RunUntil([&] { return done == 20; })) << done;
}

TEST_F(ConsulTest, AnUnknownAuthorityIsRefused) {
  const Authority other;
  HttpFetcherOptions options;
  options.tls.ca_file = other.ca_file();
  MakeFetcher(options);
  HttpFetched got = Get(Url("/v1/status/leader?token=secret"));
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StartsWith(got.status.message(),
                               Url("/v1/status/leader: SSL certificate")))
      << got.status;
  // The system's authorities do not know ours either.
  MakeFetcher();
  EXPECT_FALSE(Get(Url("/v1/status/leader")).status.ok());
  options.tls.ca_file = "/nonexistent/ca.crt";
  MakeFetcher(options);
  got = Get(Url("/v1/status/leader"));
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable);

  // Who does not want to know is told nothing.
  options.tls.ca_file = other.ca_file();
  options.tls.verify = false;
  MakeFetcher(options);
  EXPECT_TRUE(Get(Url("/v1/status/leader")).status.ok());
}

TEST_F(ConsulTest, ClientCertificatesAreShown) {
  const std::unique_ptr<ConsulProcess> strict =
      StartConsul(*ConsulBinary(), "verify_incoming_https = true\n");
  const std::string url = Url(*strict, "/v1/status/leader");
  const HttpFetched refused = Get(url);
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kUnavailable)
      << refused.status;
  HttpFetcherOptions options = Trusting();
  options.tls.cert_file = authority_->certificate("client");
  options.tls.key_file = authority_->key("client");
  MakeFetcher(options);
  for (int i = 0; i < 3; ++i) {
    const HttpFetched got = Get(url);
    EXPECT_TRUE(got.status.ok()) << got.status;
    EXPECT_TRUE(got.is_http2);
  }
  // The wrong key for the certificate.
  options.tls.key_file = authority_->key("server");
  MakeFetcher(options);
  EXPECT_EQ(Get(url).status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(ConsulTest, AConsulThatDiesEndsItsQueries) {
  const std::unique_ptr<ConsulProcess> mortal =
      StartConsul(*ConsulBinary(), "");
  size_t failed = 0;
  const HttpFetched leader = Get(Url(*mortal, "/v1/catalog/nodes"));
  ASSERT_NE(leader.head.Find("x-consul-index"), nullptr) << leader.status;
  const std::string wait =
      absl::StrCat("/v1/kv/none?wait=60s&index=1000000000");
  for (int i = 0; i < 100; ++i) {
    HttpFetch fetch;
    fetch.url = i % 10 == 0 ? mortal->HttpUrl() + wait : Url(*mortal, wait);
    fetcher_->Fetch(fetch, [&](const HttpFetched& got) {
      EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable)
          << got.status;
      ++failed;
    });
  }
  RunFor(300);
  EXPECT_EQ(failed, 0u);
  mortal->Kill();
  EXPECT_TRUE(RunUntil([&] { return failed == 100; })) << failed;
  mortal->Restart();
  EXPECT_TRUE(mortal->WaitForLeader());
  EXPECT_TRUE(Get(Url(*mortal, "/v1/status/leader")).status.ok());
}

}  // namespace
}  // namespace dnsd::testing
