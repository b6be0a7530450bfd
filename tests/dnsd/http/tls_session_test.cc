// TlsSession against OpenSSL's own client, in memory: every byte that one
// writes is handed to the other, whole, in pieces, or damaged.
#include "dnsd/http/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/authority.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Authority;

struct FreeSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

struct ClientOptions {
  int version = 0;           // 0: any
  std::string ciphers = {};  // of TLS 1.2
  std::string alpn = {};     // as on the wire
  std::string cert_file = {};
  std::string key_file = {};
};

class Client {
 public:
  explicit Client(const ClientOptions& options)
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* const context = context_.get();
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context, options.version);
      SSL_CTX_set_max_proto_version(context, options.version);
    }
    SSL_CTX_set_cipher_list(context, options.ciphers.empty()
                                         ? "ALL:@SECLEVEL=0"
                                         : options.ciphers.c_str());
    if (!options.cert_file.empty()) {
      EXPECT_EQ(SSL_CTX_use_certificate_file(context, options.cert_file.c_str(),
                                             SSL_FILETYPE_PEM),
                1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(),
                                            SSL_FILETYPE_PEM),
                1);
    }
    ssl_.reset(SSL_new(context));
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(
          ssl_.get(),
          reinterpret_cast<const unsigned char*>(options.alpn.data()),
          static_cast<unsigned>(options.alpn.size()));
    }
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    SSL_do_handshake(ssl_.get());
  }

  std::string Output() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  // What it says inside.
  std::string Input(absl::string_view bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    if (!SSL_is_init_finished(ssl_.get())) SSL_do_handshake(ssl_.get());
    std::string plain;
    char piece[4096];
    int got = 0;
    while ((got = SSL_read(ssl_.get(), piece, sizeof(piece))) > 0) {
      plain.append(piece, static_cast<size_t>(got));
    }
    error_ = SSL_get_error(ssl_.get(), got);
    ERR_clear_error();
    return plain;
  }
  void Write(absl::string_view plain) {
    EXPECT_EQ(
        SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())),
        static_cast<int>(plain.size()));
  }

  bool ready() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  // Of the last Input(): SSL_ERROR_ZERO_RETURN is the server's end.
  int error() const { return error_; }
  SSL* ssl() const { return ssl_.get(); }
  std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

 private:
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  int error_ = 0;
};

class TlsSessionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("server");
    authority_->Issue("client");
    stranger_ = std::make_unique<Authority>("Another CA");
    stranger_->Issue("client");
  }
  static void TearDownTestSuite() {
    authority_.reset();
    stranger_.reset();
  }

  static TlsServerOptions Options() {
    TlsServerOptions options;
    options.cert_file = authority_->certificate("server");
    options.key_file = authority_->key("server");
    return options;
  }

  static std::shared_ptr<const TlsContext> Context(
      const TlsServerOptions& options = Options()) {
    std::vector<TlsProblem> problems;
    auto context = TlsContext::Create(options, &problems);
    for (const TlsProblem& problem : problems) {
      ADD_FAILURE() << problem.option << ": " << problem.reason;
    }
    return context;
  }

  // Hands bytes over until both are silent; what the server hears inside.
  static std::string Exchange(Client* client, TlsSession* server,
                              size_t piece_bytes = 1u << 20) {
    std::string heard;
    for (int turn = 0; turn < 100; ++turn) {
      const std::string to_server = client->Output();
      for (size_t at = 0; at < to_server.size(); at += piece_bytes) {
        server->Receive(absl::string_view(to_server).substr(at, piece_bytes),
                        &heard);
      }
      const std::string to_client = server->TakeOutput();
      if (to_server.empty() && to_client.empty()) break;
      client->Input(to_client);
    }
    return heard;
  }

  // The version both agree on, or why not.
  static std::string Handshake(const TlsServerOptions& options,
                               const ClientOptions& client_options) {
    Client client(client_options);
    TlsSession server(Context(options));
    Exchange(&client, &server);
    EXPECT_NE(server.open(), server.failed());
    return server.open() ? server.version() : server.failure();
  }

  static std::unique_ptr<Authority> authority_;
  static std::unique_ptr<Authority> stranger_;
};

std::unique_ptr<Authority> TlsSessionTest::authority_;
std::unique_ptr<Authority> TlsSessionTest::stranger_;

TEST_F(TlsSessionTest, BytesGoThroughHoweverTheyAreCut) {
  const auto context = Context();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const size_t piece : {1u, 7u, 1u << 20}) {
      Client client({.version = version});
      TlsSession server(context);
      Exchange(&client, &server, piece);
      ASSERT_TRUE(server.open() && client.ready());
      const std::string question(40'000, 'q');
      client.Write(question);
      EXPECT_EQ(Exchange(&client, &server, piece), question);
      const std::string answer(100'000, 'a');
      server.Send(answer);
      EXPECT_EQ(client.Input(server.TakeOutput()), answer);
      server.Send("bye");
      server.End();
      server.End();
      EXPECT_EQ(client.Input(server.TakeOutput()), "bye");
      EXPECT_EQ(client.error(), SSL_ERROR_ZERO_RETURN);
      EXPECT_FALSE(server.received_end());
      SSL_shutdown(client.ssl());
      Exchange(&client, &server, piece);
      EXPECT_TRUE(server.received_end());
      EXPECT_FALSE(server.failed());
    }
  }
}

TEST_F(TlsSessionTest, VersionsAreThoseAllowed) {
  const std::pair<int, const char*> versions[] = {{TLS1_VERSION, "TLSv1"},
                                                  {TLS1_1_VERSION, "TLSv1.1"},
                                                  {TLS1_2_VERSION, "TLSv1.2"},
                                                  {TLS1_3_VERSION, "TLSv1.3"}};
  for (int min = 0; min < 4; ++min) {
    TlsServerOptions options = Options();
    options.min_version = static_cast<TlsVersion>(min);
    for (int asked = 0; asked < 4; ++asked) {
      EXPECT_EQ(Handshake(options, {.version = versions[asked].first}),
                asked < min ? "unsupported protocol" : versions[asked].second)
          << min << " " << asked;
    }
  }
  EXPECT_EQ(Options().min_version, TlsVersion::k1_2);
}

TEST_F(TlsSessionTest, CipherSuitesAreThoseAllowed) {
  TlsServerOptions options = Options();
  options.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  ClientOptions client;
  client.version = TLS1_2_VERSION;
  client.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT_EQ(Handshake(options, client), "TLSv1.2");
  client.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  EXPECT_EQ(Handshake(options, client), "no shared cipher");
  EXPECT_EQ(Handshake(Options(), client), "TLSv1.2");
  client.ciphers = "ALL:!ECDHE";
  EXPECT_EQ(Handshake(Options(), client), "no shared cipher");
}

TEST_F(TlsSessionTest, AlpnIsHttp11) {
  const auto context = Context();
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"\x08http/1.1", "http/1.1"},
      {"\x02h2\x08http/1.1", "http/1.1"},
      {"\x02h2", "no application protocol"},
      {"\x08http/1.0", "no application protocol"}};
  for (const auto& [offered, chosen] : cases) {
    Client client({.alpn = offered});
    TlsSession server(context);
    Exchange(&client, &server);
    EXPECT_EQ(server.failed() ? server.failure() : client.alpn(), chosen);
  }
}

TEST_F(TlsSessionTest, ClientCertificatesAreVerified) {
  TlsServerOptions options = Options();
  options.verify_incoming = true;
  options.ca_file = authority_->ca_file();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientOptions client;
    client.version = version;
    EXPECT_EQ(Handshake(options, client), "peer did not return a certificate");
    client.cert_file = stranger_->certificate("client");
    client.key_file = stranger_->key("client");
    EXPECT_EQ(Handshake(options, client), "certificate verify failed");
    client.cert_file = authority_->certificate("client");
    client.key_file = authority_->key("client");
    EXPECT_TRUE(absl::StartsWith(Handshake(options, client), "TLSv1."));
  }
}

TEST_F(TlsSessionTest, NobodyRenegotiates) {
  Client client({.version = TLS1_2_VERSION});
  TlsSession server(Context());
  Exchange(&client, &server);
  ASSERT_TRUE(server.open());
  SSL_renegotiate(client.ssl());
  SSL_do_handshake(client.ssl());
  Exchange(&client, &server);
  // Refused by an alert, after which our side is as it was.
  EXPECT_FALSE(server.handshaking());
  EXPECT_EQ(SSL_num_renegotiations(client.ssl()), 1);
  EXPECT_FALSE(client.ready());
}

TEST_F(TlsSessionTest, HttpIsToldThatThisIsHttps) {
  const auto context = Context();
  for (const char* text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                           "PUT /v1/agent/reload HTTP/1.1\r\n"}) {
    TlsSession server(context);
    std::string heard;
    server.Receive(text, &heard);
    EXPECT_TRUE(server.failed());
    EXPECT_EQ(server.TakeOutput(),
              "HTTP/1.0 400 Bad Request\r\n\r\n"
              "Client sent an HTTP request to an HTTPS server.\n");
    EXPECT_EQ(heard, "");
  }
}

// Whatever a client sends, at whatever point: an end, an alert, or waiting for
// more; nothing that nobody encrypted comes out.
TEST_F(TlsSessionTest, GarbageEndsTheSession) {
  const auto context = Context();
  std::mt19937_64 random(testing::TestSeed());
  const std::string secret = "GET /secret HTTP/1.1\r\n\r\n";
  for (int round = 0; round < testing::Scaled(2'000); ++round) {
    Client client(
        {.version = random() % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION});
    TlsSession server(context);
    // Damages one flight of the client: the third is a request.
    const int damaged = static_cast<int>(random() % 3);
    std::string heard;
    for (int flight = 0; flight < 3; ++flight) {
      if (flight == 2 && client.ready()) client.Write(secret);
      std::string bytes = client.Output();
      if (flight == damaged && !bytes.empty()) {
        switch (random() % 4) {
          case 0:  // a bit, somewhere
            bytes[random() % bytes.size()] ^=
                static_cast<char>(1 << (random() % 8));
            break;
          case 1:  // cut off, and noise instead
            bytes.resize(random() % bytes.size());
            [[fallthrough]];
          case 2:
            for (size_t i = random() % 300; i > 0; --i) {
              bytes.push_back(static_cast<char>(random()));
            }
            break;
          default:  // said again
            bytes += bytes;
            break;
        }
      }
      server.Receive(bytes, &heard);
      client.Input(server.TakeOutput());
    }
    EXPECT_TRUE(heard.empty() || heard == secret) << heard;
    // What follows a failure is not looked at.
    if (!server.failed()) continue;
    EXPECT_NE(server.failure(), "");
    server.Receive(secret, &heard);
    server.End();
    EXPECT_EQ(server.output_bytes(), 0u);
  }
}

// A session that ends at any byte of its beginning leaves nothing behind
// (LeakSanitizer looks), and waits before.
TEST_F(TlsSessionTest, HalfHandshakesWait) {
  const auto context = Context();
  Client client({});
  const std::string hello = client.Output();
  for (size_t size = 0; size < hello.size(); ++size) {
    TlsSession server(context);
    std::string heard;
    server.Receive(absl::string_view(hello).substr(0, size), &heard);
    EXPECT_TRUE(server.handshaking()) << size;
    EXPECT_EQ(server.output_bytes(), 0u);
  }
}

TEST_F(TlsSessionTest, AQuietSessionKeepsNoBytes) {
  Client client({});
  TlsSession server(Context());
  Exchange(&client, &server);
  server.Send(std::string(8u << 20, 'x'));
  EXPECT_GT(server.output_bytes(), 8u << 20);
  EXPECT_GT(server.TakeOutput().size(), 8u << 20);
  EXPECT_EQ(server.output_bytes(), 0u);
}

}  // namespace
}  // namespace dnsd
