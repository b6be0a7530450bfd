// HttpServer with TLS, over real sockets: OpenSSL's client, curl and
// openssl s_client, and clients that are none.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/tls_context.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Authority;
using testing::Finished;

struct FreeSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// Blocks, with the time limit of HttpTestClient's socket.
class TlsClient {
 public:
  explicit TlsClient(const Endpoint& server)
      : socket_(server), context_(SSL_CTX_new(TLS_client_method())) {
    // The server may close while OpenSSL still writes.
    signal(SIGPIPE, SIG_IGN);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  bool connected() const { return connected_; }
  void Send(const std::string& text) {
    EXPECT_EQ(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }
  void End() { SSL_shutdown(ssl_.get()); }
  // As much as ends in `end`, or all until the server ends.
  std::string Receive(absl::string_view end = "") {
    std::string text;
    char piece[16384];
    while (end.empty() || !absl::EndsWith(text, end)) {
      const int got = SSL_read(ssl_.get(), piece, sizeof(piece));
      if (got <= 0) {
        ended_well_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
        ERR_clear_error();
        break;
      }
      text.append(piece, static_cast<size_t>(got));
    }
    return text;
  }
  // The server said that this was all.
  bool ended_well() const { return ended_well_; }
  // Of the server's certificate.
  std::string Serial() const {
    const std::unique_ptr<X509, FreeSsl> certificate(
        SSL_get1_peer_certificate(ssl_.get()));
    const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate.get());
    return {reinterpret_cast<const char*>(serial->data),
            static_cast<size_t>(serial->length)};
  }

 private:
  HttpTestClient socket_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool connected_ = false;
  bool ended_well_ = false;
};

class HttpsServerTest : public HttpServerTest {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("server");
    authority_->Issue("next");
    authority_->Issue("client");
  }
  static void TearDownTestSuite() { authority_.reset(); }

  static std::shared_ptr<const TlsContext> Context(const std::string& name,
                                                   bool verify) {
    TlsServerOptions options;
    options.cert_file = authority_->certificate(name);
    options.key_file = authority_->key(name);
    options.ca_file = authority_->ca_file();
    options.verify_incoming = verify;
    std::vector<TlsProblem> problems;
    auto context = TlsContext::Create(options, &problems);
    EXPECT_TRUE(problems.empty());
    return context;
  }

  void StartTls(HttpLimits limits = {}, bool verify = false) {
    server_ = std::make_unique<HttpServer>(
        &loop_,
        [this](const HttpRequest& request, HttpServer::Reply reply) {
          if (request.path == "/cut") {
            HttpResponse head;
            reply.Begin(head);
            EXPECT_TRUE(reply.Write("half"));
            reply.Abort();
            return;
          }
          Handle(request, std::move(reply));
        },
        limits);
    const absl::Status status =
        server_->ListenTls({{"127.0.0.1", 0}}, Context("server", verify));
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(server_->listening().empty());
    thread_ = std::thread([this] { loop_.Run(); });
  }

  const Endpoint& tls_address() const { return server_->listening_tls()[0]; }
  std::string Url(const std::string& path) const {
    return absl::StrCat("https://127.0.0.1:", tls_address().port, path);
  }
  HttpCounts Counts() {
    HttpCounts counts;
    OnLoop([&] { counts = server_->counts(); });
    return counts;
  }

  // A whole request on a connection of its own.
  void ExpectServed() {
    TlsClient client(tls_address());
    ASSERT_TRUE(client.connected());
    client.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(absl::EndsWith(client.Receive(), "GET/x:0"));
    EXPECT_TRUE(client.ended_well());
  }

  static std::unique_ptr<Authority> authority_;
};

std::unique_ptr<Authority> HttpsServerTest::authority_;

TEST_F(HttpsServerTest, AnswersRequestAfterRequest) {
  StartTls();
  TlsClient client(tls_address());
  ASSERT_TRUE(client.connected());
  client.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StartsWith(client.Receive("GET/a:0"), "HTTP/1.1 200 OK"));
  client.Send(absl::StrCat(
      "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n",
      std::string(300'000, 'b')));
  client.Receive("PUT/b:300000");
  // Pipelined, the first of them parked.
  client.Send(
      "GET /park HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  WaitForParked(1);
  OnLoop([this] {
    HttpResponse response;
    response.body = "woken";
    parked_[0](std::move(response));
  });
  const std::string rest = client.Receive();
  EXPECT_TRUE(absl::StrContains(rest, "woken"));
  EXPECT_GT(rest.size(), 8u << 20);
  EXPECT_TRUE(absl::EndsWith(rest, "GET/c:0"));
  EXPECT_TRUE(client.ended_well());
  EXPECT_EQ(Counts().handshakes, 1u);
}

TEST_F(HttpsServerTest, AClientThatEndsItsSideIsAnswered) {
  HttpLimits limits;
  limits.half_close_ms = 50;
  StartTls(limits);
  TlsClient client(tls_address());
  client.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  client.End();
  EXPECT_TRUE(absl::EndsWith(client.Receive(), "GET/x:0"));
  EXPECT_TRUE(client.ended_well());
  TlsClient parked(tls_address());
  parked.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  parked.End();
  WaitForParked(1);
  EXPECT_EQ(parked.Receive(), "");
}

TEST_F(HttpsServerTest, AnAnswerThatIsCutLooksLikeOne) {
  StartTls();
  TlsClient client(tls_address());
  client.Send("GET /cut HTTP/1.0\r\n\r\n");
  client.Receive();
  EXPECT_FALSE(client.ended_well());
}

TEST_F(HttpsServerTest, HandshakesHaveAnEnd) {
  HttpLimits limits;
  limits.handshake_ms = 60;
  StartTls(limits);
  HttpTestClient silent(tls_address());
  HttpTestClient half(tls_address());
  half.Send(absl::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 10));
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_EQ(half.ReceiveAll(), "");
  EXPECT_EQ(Counts().handshake_failures, 2u);
  ExpectServed();
}

TEST_F(HttpsServerTest, WhoIsSlowAfterTheHandshakeIsTimedOut) {
  HttpLimits limits;
  limits.head_ms = 60;
  StartTls(limits);
  TlsClient silent(tls_address());
  EXPECT_EQ(silent.Receive(), "");
  EXPECT_TRUE(silent.ended_well());
  TlsClient slow(tls_address());
  slow.Send("GET / HT");
  EXPECT_TRUE(absl::StartsWith(slow.Receive(), "HTTP/1.1 408 "));
}

TEST_F(HttpsServerTest, HttpIsToldThatThisIsHttps) {
  StartTls();
  HttpTestClient client(tls_address());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.ReceiveAll(),
            "HTTP/1.0 400 Bad Request\r\n\r\n"
            "Client sent an HTTP request to an HTTPS server.\n");
}

TEST_F(HttpsServerTest, TooManyConnectionsGetConsuls429) {
  HttpLimits limits;
  limits.connections_per_client_max = 2;
  StartTls(limits);
  TlsClient one(tls_address());
  HttpTestClient two(tls_address());  // counts before its handshake
  TlsClient refused(tls_address());
  const std::string answer = refused.Receive();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 429 Too Many Requests\r\n"))
      << answer;
  EXPECT_EQ(Counts().refused, 1u);
  OnLoop([this] { server_->SetConnectionsPerClientMax(3); });
  ExpectServed();
}

TEST_F(HttpsServerTest, ANewCertificateIsForNewConnections) {
  StartTls();
  TlsClient old(tls_address());
  OnLoop([this] { server_->SetTls(Context("next", /*verify=*/false)); });
  TlsClient fresh(tls_address());
  ASSERT_TRUE(old.connected() && fresh.connected());
  EXPECT_NE(old.Serial(), fresh.Serial());
  for (TlsClient* client : {&old, &fresh}) {
    client->Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(absl::EndsWith(client->Receive("GET/x:0"), "GET/x:0"));
  }
}

// Every way to begin and not to go on, many times, while others are served.
TEST_F(HttpsServerTest, ThousandsOfBadConnectsHarmNobody) {
  HttpLimits limits;
  limits.connections_per_client_max = 64;
  StartTls(limits);
  std::mt19937_64 random(testing::TestSeed());
  std::vector<std::unique_ptr<HttpTestClient>> open;
  const int count = testing::Scaled(5'000);
  for (int i = 0; i < count; ++i) {
    auto client = std::make_unique<HttpTestClient>(tls_address());
    switch (random() % 4) {
      case 0:  // nothing
        break;
      case 1: {  // the head of a handshake
        client->Send(absl::string_view("\x16\x03\x01\x00\xf8\x01\x00", 7));
        break;
      }
      case 2: {  // noise
        std::string noise(random() % 500, '\0');
        for (char& c : noise) c = static_cast<char>(random());
        client->Send(noise);
        break;
      }
      default: {  // a reset
        const linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(client->fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        client->Send("\x16");
        break;
      }
    }
    open.push_back(std::move(client));
    if (open.size() >= 32) open.clear();
    if (i % 500 == 0) {
      open.clear();
      // The server may not have seen yet that the others left.
      ASSERT_TRUE(testing::WaitUntil([this] {
        TlsClient honest(tls_address());
        if (!honest.connected()) return false;
        honest.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return absl::EndsWith(honest.Receive(), "GET/x:0");
      }));
    }
  }
  EXPECT_GT(Counts().handshake_failures, 0u);
}

TEST_F(HttpsServerTest, CurlAndOpensslAreServed) {
  StartTls({}, /*verify=*/true);
  const auto curl = [this](std::vector<std::string> more) {
    std::vector<std::string> command = {
        "curl",       "-sS",
        "--max-time", "20",
        "--cacert",   authority_->ca_file(),
        "--cert",     authority_->certificate("client"),
        "--key",      authority_->key("client")};
    command.insert(command.end(), more.begin(), more.end());
    return testing::RunToEnd(command);
  };
  for (const char* version : {"1.2", "1.3"}) {
    const Finished asked =
        curl({Url("/v1/x"), Url("/v1/y"), "--tls-max", version});
    EXPECT_EQ(asked.output, "GET/v1/x:0GET/v1/y:0") << version;
  }
  const Finished cut = curl({Url("/cut")});
  EXPECT_NE(cut.exit_code, 0) << cut.output;
  const Finished stranger = testing::RunToEnd(
      {"curl", "-sS", "--cacert", authority_->ca_file(), Url("/x")});
  EXPECT_NE(stranger.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(stranger.output, "certificate required"))
      << stranger.output;
  const Finished shown = testing::RunToEnd(
      {"openssl", "s_client", "-connect",
       absl::StrCat("127.0.0.1:", tls_address().port), "-CAfile",
       authority_->ca_file(), "-cert", authority_->certificate("client"),
       "-key", authority_->key("client"), "-alpn", "h2,http/1.1", "-tls1_2"});
  for (const char* line :
       {"ALPN protocol: http/1.1", "Verify return code: 0 (ok)",
        "Acceptable client certificate CA names", "Compression: NONE"}) {
    EXPECT_TRUE(absl::StrContains(shown.output, line)) << line << "\n"
                                                       << shown.output;
  }
}

}  // namespace
}  // namespace dnsd
