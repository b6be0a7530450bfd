// HTTPS: where it listens, with what, and the limits of HTTP connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "dnsd/config.h"
#include "dnsd/http/tls_context.h"
#include "tests/dnsd/config_testing.h"
#include "tests/testing/authority.h"

namespace dnsd {
namespace {

using testing::Authority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("server");
  }
  static void TearDownTestSuite() { authority_.reset(); }

  static std::string Certificate() {
    return absl::StrCat("cert_file = \"", authority_->certificate("server"),
                        "\" key_file = \"", authority_->key("server"), "\"\n");
  }
  static std::string Ca() {
    return absl::StrCat("ca_file = \"", authority_->ca_file(), "\"\n");
  }
  static std::string Errors(const std::string& text) {
    const Loaded loaded = LoadHcl("ports { https = 8501 }\n" + text);
    if (loaded.problems.ok()) {
      EXPECT_NE(loaded.config.https_tls, nullptr);
    }
    return Join(loaded.problems.errors());
  }

  static std::unique_ptr<Authority> authority_;
};

std::unique_ptr<Authority> ConfigTls::authority_;

TEST_F(ConfigTls, HttpsIsOffUnlessItHasAPort) {
  // Whatever the certificates are for, it is not for us.
  const Loaded off = LoadHcl(
      "cert_file = \"/nowhere\" verify_incoming = true "
      "tls { defaults { key_file = \"/nowhere\" } }");
  EXPECT_EQ(Join(off.problems.errors()), "");
  EXPECT_TRUE(off.config.https_listen.empty());
  const Loaded on = LoadHcl(
      absl::StrCat("ports { https = 8501 } addresses { https = \"127.0.0.2\" }",
                   Certificate()));
  EXPECT_EQ(Join(on.problems.errors()), "");
  EXPECT_EQ(Show(on.config.https_listen), "127.0.0.2 8501;");
  EXPECT_NE(on.config.https_tls, nullptr);
  const Loaded flag = Load(
      {"-https-port", "9501", "-client", "127.0.0.3", "-hcl", Certificate()});
  EXPECT_EQ(Show(flag.config.https_listen), "127.0.0.3 9501;");
}

TEST_F(ConfigTls, TheStanzaWinsOverTheOldKeys) {
  EXPECT_EQ(Errors(Certificate() + Ca() + "verify_incoming = true"), "");
  EXPECT_EQ(Errors(absl::StrCat("cert_file = \"/old\" key_file = \"/old\" "
                                "tls { defaults { ",
                                Certificate(), " } }")),
            "");
  EXPECT_EQ(Errors(absl::StrCat(
                "tls { defaults { cert_file = \"/d\" key_file = \"/d\" "
                "verify_incoming = true } https { verify_incoming = false ",
                Certificate(), " } internal_rpc { verify_incoming = true } }")),
            "");
  EXPECT_THAT(Errors(Certificate() + "tls { https { cert_file = \"/h\" } }"),
              HasSubstr("tls.https.cert_file: \"/h\": No such file"));
}

TEST_F(ConfigTls, SaysWhatIsWrong) {
  EXPECT_THAT(Errors(""),
              HasSubstr("ports.https: HTTPS needs a certificate and its key: "
                        "cert_file is not given"));
  EXPECT_THAT(Errors("cert_file = \"/x\""), HasSubstr("key_file is not given"));
  EXPECT_THAT(Errors(Certificate() + "tls_min_version = \"tls14\""),
              HasSubstr("tls_min_version: \"tls14\" is not tls10, tls11"));
  EXPECT_THAT(Errors(Certificate() + "tls_cipher_suites = \"A,B\""),
              HasSubstr("tls_cipher_suites: unknown: \"A\""));
  EXPECT_THAT(Errors(Certificate() + "verify_incoming_https = true"),
              HasSubstr("verify_incoming_https: needs ca_file or ca_path"));
  EXPECT_THAT(Join(Load({"-http-port", "8501", "-https-port", "8501", "-hcl",
                         Certificate()})
                       .problems.errors()),
              HasSubstr("HTTPS address 127.0.0.1:8501 already configured for "
                        "HTTP"));
  EXPECT_THAT(
      Errors(Certificate() + "consul { address = \"https://127.0.0.1:8501\" }"),
      HasSubstr("own HTTPS address"));
}

TEST_F(ConfigTls, VersionsAndSuitesHaveConsulsNames) {
  for (const char* version :
       {"tls10", "tls11", "tls12", "tls13", "TLSv1_2", "TLS_AUTO", ""}) {
    EXPECT_EQ(Errors(absl::StrCat(Certificate(), "tls_min_version = \"",
                                  version, "\"")),
              "");
  }
  EXPECT_EQ(Errors(Certificate() + "tls_cipher_suites = "
                                   "\"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "
                                   "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305\" "
                                   "tls_prefer_server_cipher_suites = true"),
            "");
}

TEST(ConfigHttpLimits, AreConsuls) {
  const Config usual = LoadHcl("").config;
  EXPECT_EQ(usual.http_connections_per_client_max, 200u);
  EXPECT_EQ(usual.https_handshake_ms, 5'000u);
  const Loaded given = LoadHcl(
      "limits { http_max_conns_per_client = 7 "
      "https_handshake_timeout = \"1500ms\" rpc_rate = 5 }");
  EXPECT_EQ(given.config.http_connections_per_client_max, 7u);
  EXPECT_EQ(given.config.https_handshake_ms, 1'500u);
  EXPECT_THAT(given.problems.warnings(),
              ElementsAre(HasSubstr("limits.rpc_rate")));
  EXPECT_GT(LoadHcl("limits { http_max_conns_per_client = 0 }")
                .config.http_connections_per_client_max,
            10'000u);
  EXPECT_EQ(usual.http_requests_max, 4'096u);
  EXPECT_EQ(usual.http_requests_per_client_max, 512u);
  const Config requests =
      LoadHcl(
          "limits { http_max_requests = 9 http_max_requests_per_client = 0 }")
          .config;
  EXPECT_EQ(requests.http_requests_max, 9u);
  EXPECT_GT(requests.http_requests_per_client_max, 10'000u);
  for (const char* text :
       {"http_max_requests = -1", "http_max_requests_per_client = 1.5",
        "http_max_conns_per_client = -1", "https_handshake_timeout = \"0s\"",
        "https_handshake_timeout = \"2h\"",
        "https_handshake_timeout = \"soon\""}) {
    EXPECT_EQ(
        LoadHcl(absl::StrCat("limits { ", text, " }")).problems.errors().size(),
        1u)
        << text;
  }
}

}  // namespace
}  // namespace dnsd
