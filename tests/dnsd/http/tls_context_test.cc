// What a TLS listener is made of, and what it says about files that are wrong.
#include "dnsd/http/tls_context.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/authority.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using testing::Authority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempDir;

class TlsContextTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("server");
    authority_->Issue("other");
  }
  static void TearDownTestSuite() { authority_.reset(); }

  static TlsServerOptions Good() {
    TlsServerOptions options;
    options.cert_file = authority_->certificate("server");
    options.key_file = authority_->key("server");
    options.ca_file = authority_->ca_file();
    options.verify_incoming = true;
    return options;
  }

  // "option: reason" of each problem; there is a context when there is none.
  static std::vector<std::string> Problems(const TlsServerOptions& options) {
    std::vector<TlsProblem> problems;
    const auto context = TlsContext::Create(options, &problems);
    EXPECT_EQ(context != nullptr, problems.empty());
    std::vector<std::string> texts;
    for (const TlsProblem& problem : problems) {
      texts.push_back(absl::StrCat(problem.option, ": ", problem.reason));
    }
    return texts;
  }

  static std::unique_ptr<Authority> authority_;
  TempDir dir_;
};

std::unique_ptr<Authority> TlsContextTest::authority_;

TEST_F(TlsContextTest, TakesWhatIsGood) {
  EXPECT_THAT(Problems(Good()), ElementsAre());
  TlsServerOptions options = Good();
  options.ca_file.clear();
  options.ca_path = dir_.path();
  dir_.Write("a.pem", testing::ReadFile(authority_->ca_file()));
  dir_.Write("b.pem", testing::ReadFile(authority_->ca_file()));
  EXPECT_THAT(Problems(options), ElementsAre());
  options.verify_incoming = false;
  options.ca_path = "/nowhere";  // nobody's certificate is asked for
  EXPECT_THAT(Problems(options), ElementsAre());
  options.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                           "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"};
  EXPECT_THAT(Problems(options), ElementsAre());
}

TEST_F(TlsContextTest, NamesTheFileAndTheReason) {
  TlsServerOptions options = Good();
  options.cert_file = dir_.Path("none.crt");
  EXPECT_THAT(Problems(options),
              ElementsAre("cert_file: \"" + dir_.Path("none.crt") +
                          "\": No such file or directory"));
  options = Good();
  options.cert_file = dir_.path();
  EXPECT_THAT(Problems(options), ElementsAre(HasSubstr("is not a file")));
  options = Good();
  options.cert_file = dir_.Write("empty", "");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("has no certificate in PEM")));
  options.cert_file = dir_.Write("bad",
                                 "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                 "-----END CERTIFICATE-----\n");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("cert_file: \"" + dir_.Path("bad"))));
  // A good one with a broken one behind it.
  options.cert_file =
      dir_.Write("half", testing::ReadFile(authority_->certificate("server")) +
                             "-----BEGIN CERTIFICATE-----\n!!\n");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("cert_file: \"" + dir_.Path("half"))));
  options = Good();
  options.key_file = authority_->key("other");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("is not the key of the certificate in")));
  options.key_file = authority_->certificate("server");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("has no private key in PEM")));
  // Both are said at once.
  options.cipher_suites = {"TLS_ROT13"};
  EXPECT_THAT(Problems(options),
              ElementsAre("tls_cipher_suites: unknown: \"TLS_ROT13\"",
                          HasSubstr("key_file: ")));
}

TEST_F(TlsContextTest, AsksNobodyForAPassphrase) {
  TlsServerOptions options = Good();
  options.key_file = dir_.Path("locked.key");
  const testing::Finished made = testing::RunToEnd(
      {"openssl", "ec", "-in", authority_->key("server"), "-aes128", "-passout",
       "pass:secret", "-out", options.key_file});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("the key is behind a passphrase")));
}

TEST_F(TlsContextTest, ClientsAreVerifiedByAuthoritiesThatAreThere) {
  TlsServerOptions options = Good();
  options.ca_file.clear();
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("verify_incoming: needs ca_file or")));
  options.ca_path = dir_.path();
  EXPECT_THAT(Problems(options),
              ElementsAre("ca_path: \"" + dir_.path() + "\": has no files"));
  dir_.Write("readme", "no certificate");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("/readme\": has no certificate in PEM")));
  options.ca_path = dir_.Path("none");
  EXPECT_THAT(Problems(options),
              ElementsAre(HasSubstr("No such file or directory")));
}

}  // namespace
}  // namespace dnsd
