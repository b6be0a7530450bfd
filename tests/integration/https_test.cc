// The real binary with HTTPS and ACLs: Consul's own command line, certificates
// and tokens that change, and what it says when they are wrong.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr char kSecret[] = "s3cr3t-of-operations";
constexpr char kOther[] = "an0ther-s3cr3t";

class HttpsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    authority_.Issue("server");
    authority_.Issue("client");
  }

  std::string Config(const std::string& secret) const {
    return absl::StrReplaceAll(
        R"(node_name = "n1"
           ports { https = 0 }
           tls { defaults { verify_incoming = true ca_file = "CA" }
                 https { cert_file = "CERT" key_file = "KEY" } }
           log_level = "trace"
           acl {
             enabled = true
             default_policy = "deny"
             static_tokens = [{ name = "operations" secret = "SECRET"
               rules = "agent \"n1\" { policy = \"write\" }" }]
           })",
        {{"CA", authority_.ca_file()},
         {"CERT", authority_.certificate("server")},
         {"KEY", authority_.key("server")},
         {"SECRET", secret}});
  }

  void Start() {
    config_ = dir_.Write("dnsd.hcl", Config(kSecret));
    agent_.emplace(std::vector<std::string>{"-config-file", config_});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
    ASSERT_NE(agent_->https_port(), 0);
  }

  std::string Address() const {
    return absl::StrCat("127.0.0.1:", agent_->https_port());
  }

  // curl with the client's certificate.
  Finished Curl(const std::string& path, const std::string& secret,
                const std::string& method = "GET") const {
    return RunToEnd({"curl", "-sS", "-X", method, "--cacert",
                     authority_.ca_file(), "--cert",
                     authority_.certificate("client"), "--key",
                     authority_.key("client"), "-H",
                     absl::StrCat("Authorization: Bearer ", secret),
                     absl::StrCat("https://", Address(), path)});
  }

  // Of the certificate that the server shows.
  std::string Serial() const {
    const Finished shown = RunToEnd(
        {"sh", "-c",
         absl::StrCat(
             "openssl s_client -connect ", Address(), " -cert ",
             authority_.certificate("client"), " -key ",
             authority_.key("client"),
             " </dev/null 2>/dev/null | openssl x509 -noout -serial")});
    EXPECT_TRUE(absl::StartsWith(shown.output, "serial=")) << shown.output;
    return shown.output;
  }

  Authority authority_;
  TempDir dir_;
  std::string config_;
  std::optional<AgentProcess> agent_;
};

TEST_F(HttpsTest, ConsulsCommandLineWorksThroughTls) {
  const std::optional<std::string> consul = ConsulBinary();
  if (!consul) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  Start();
  const auto cli = [&](const std::string& secret, bool with_certificate,
                       const char* command) {
    std::vector<std::string> argv = {
        "env", "CONSUL_HTTP_SSL=true", "CONSUL_HTTP_ADDR=" + Address(),
        "CONSUL_CACERT=" + authority_.ca_file(), "CONSUL_HTTP_TOKEN=" + secret};
    if (with_certificate) {
      argv.push_back("CONSUL_CLIENT_CERT=" + authority_.certificate("client"));
      argv.push_back("CONSUL_CLIENT_KEY=" + authority_.key("client"));
    }
    argv.insert(argv.end(), {*consul, command});
    return RunToEnd(argv);
  };
  const Finished info = cli(kSecret, true, "info");
  EXPECT_EQ(info.exit_code, 0) << info.output;
  EXPECT_TRUE(absl::StrContains(info.output, "catalog:")) << info.output;
  const Finished reload = cli(kSecret, true, "reload");
  EXPECT_EQ(reload.exit_code, 0) << reload.output;
  EXPECT_TRUE(
      absl::StrContains(agent_->process().output(), "Configuration reloaded"));
  const Finished nobody = cli("", true, "reload");
  EXPECT_NE(nobody.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(nobody.output, "(Permission denied)"))
      << nobody.output;
  const Finished unknown = cli(kOther, true, "info");
  EXPECT_TRUE(absl::StrContains(unknown.output, "(ACL not found)"))
      << unknown.output;
  const Finished bare = cli(kSecret, false, "info");
  EXPECT_NE(bare.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(bare.output, "tls:")) << bare.output;
}

TEST_F(HttpsTest, ReloadTakesNewCertificatesAndRefusesBadOnes) {
  Start();
  const std::string first = Serial();
  authority_.Issue("server");
  EXPECT_EQ(Curl("/v1/agent/reload", kSecret, "PUT").output, "");
  const std::string second = Serial();
  EXPECT_NE(first, second);

  const std::string certificate = ReadFile(authority_.certificate("server"));
  authority_.dir().Write("server.crt", "nonsense");
  const Finished refused = Curl("/v1/agent/reload", kSecret, "PUT");
  EXPECT_TRUE(absl::StrContains(
      refused.output,
      absl::StrCat("tls.https.cert_file: \"", authority_.certificate("server"),
                   "\": has no certificate in PEM")))
      << refused.output;
  EXPECT_EQ(Serial(), second);
  const size_t from = agent_->process().OutputBytes();
  agent_->process().Signal(SIGHUP);
  EXPECT_TRUE(agent_->process().WaitForOutput("Reload failed", from));
  EXPECT_EQ(Serial(), second);
  authority_.dir().Write("server.crt", certificate);
  EXPECT_EQ(Curl("/v1/agent/reload", kSecret, "PUT").output, "");
}

TEST_F(HttpsTest, ReloadTakesNewTokens) {
  Start();
  EXPECT_EQ(Curl("/metrics", kOther).output, "ACL not found");
  dir_.Write("dnsd.hcl", Config(kOther));
  EXPECT_EQ(Curl("/v1/agent/reload", kSecret, "PUT").output, "");
  EXPECT_EQ(Curl("/metrics", kSecret).output, "ACL not found");
  const std::string metrics = Curl("/metrics", kOther).output;
  EXPECT_TRUE(absl::StrContains(metrics, "dnsd_http_tls_handshakes_total "));
  // Plain HTTP has the same rules.
  ConsulApi plain(absl::StrCat("http://", agent_->HttpAddress()));
  EXPECT_EQ(plain.Call("GET", "/v1/agent/self").body, "Permission denied");
  plain.set_token(kOther);
  const std::string self = plain.Get("/v1/agent/self");
  EXPECT_TRUE(absl::StrContains(self, absl::StrCat("tcp://", Address())))
      << self;
  for (const std::string& text : {agent_->process().output(), self, metrics}) {
    EXPECT_FALSE(absl::StrContains(text, kSecret)) << text;
    EXPECT_FALSE(absl::StrContains(text, kOther)) << text;
  }
}

TEST_F(HttpsTest, WhatIsWrongIsSaidBeforeTheStart) {
  const std::string config = dir_.Write(
      "bad.hcl",
      absl::StrReplaceAll(
          Config(kSecret),
          {{"enabled = true",
            absl::StrCat("enabled = true tokens { dns = \"", kOther, "\" }")},
           {"node_name", "tls_min_version = \"tls9\" node_name"}}));
  authority_.dir().Write("server.key", "nonsense");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"validate", config},
        std::vector<std::string>{"agent", "-config-file", config}}) {
    const Finished finished = RunDnsd(command);
    EXPECT_EQ(finished.exit_code, 1) << finished.output;
    for (const char* text :
         {"server.key\": has no private key in PEM", "\"tls9\" is not tls10",
          "acl.tokens.dns: is the secret of none of acl.static_tokens"}) {
      EXPECT_TRUE(absl::StrContains(finished.output, text)) << finished.output;
    }
    EXPECT_FALSE(absl::StrContains(finished.output, kSecret));
    EXPECT_FALSE(absl::StrContains(finished.output, kOther));
  }
}

}  // namespace
}  // namespace dnsd::testing
