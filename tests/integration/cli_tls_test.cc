// How the verbs reach a server that speaks TLS only, wants certificates and
// tokens, or listens on a Unix socket: beside the real `consul` 1.8.7.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/cli_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

class CliTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    authority_.Issue("server", "DNS:server.dc1.consul,IP:127.0.0.1");
    authority_.Issue("named", "DNS:server.dc1.consul");
    authority_.Issue("client");
  }

  void Start(const std::string& certificate, const std::string& more) {
    ConsulProcessOptions options;
    options.https = true;
    options.config =
        absl::StrCat("ca_file = \"", authority_.ca_file(), "\"\ncert_file = \"",
                     authority_.certificate(certificate), "\"\nkey_file = \"",
                     authority_.key(certificate), "\"\n", more);
    consul_.emplace(*ConsulBinary(), options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    pair_.emplace(*ConsulBinary(), DnsdBinary(),
                  absl::StrCat("https://127.0.0.1:", consul_->ports().https));
  }

  void ExpectSame(const CliCase& c, int exit_code) {
    EXPECT_EQ(pair_->Difference(c), "");
    EXPECT_EQ(pair_->Dnsd(c).exit_code, exit_code);
  }

  Authority authority_;
  std::optional<ConsulProcess> consul_;
  std::optional<CliPair> pair_;
};

TEST_F(CliTlsTest, ChecksTheServer) {
  Start("server", "");
  const std::string bare = absl::StrCat("127.0.0.1:", consul_->ports().https);
  const std::string ca = "-ca-file=" + authority_.ca_file();
  const Authority other;
  ExpectSame({{"catalog", "nodes", ca}}, 0);
  ExpectSame({{"catalog", "nodes"},
              CliSame::kAll,
              {"CONSUL_CACERT=" + authority_.ca_file()}},
             0);
  ExpectSame({{"catalog", "nodes"}}, 1);
  ExpectSame(
      {{"catalog", "nodes", "-ca-file=" + other.ca_file()}, CliSame::kExit}, 1);
  ExpectSame(
      {{"catalog", "nodes"}, CliSame::kAll, {"CONSUL_HTTP_SSL_VERIFY=false"}},
      0);
  ExpectSame({{"catalog", "nodes", ca, "-http-addr=" + bare},
              CliSame::kAll,
              {"CONSUL_HTTP_SSL=true"}},
             0);
  ExpectSame({{"catalog", "nodes", ca, "-http-addr=http://" + bare},
              CliSame::kAll,
              {"CONSUL_HTTP_SSL=true"}},
             0);
  ExpectSame({{"catalog", "nodes", ca, "-http-addr=" + bare}}, 1);
  ExpectSame({{"catalog", "nodes", ca, "-tls-server-name=server.dc1.consul"}},
             0);
  ExpectSame({{"catalog", "nodes", ca, "-tls-server-name=wrong.example"},
              CliSame::kExit},
             1);
}

TEST_F(CliTlsTest, TheServersNameMayBeAnother) {
  Start("named", "");
  const std::string ca = "-ca-file=" + authority_.ca_file();
  ExpectSame({{"catalog", "nodes", ca}, CliSame::kExit}, 1);
  ExpectSame({{"catalog", "nodes", ca, "-tls-server-name=server.dc1.consul"}},
             0);
  ExpectSame({{"catalog", "nodes", ca},
              CliSame::kAll,
              {"CONSUL_TLS_SERVER_NAME=server.dc1.consul"}},
             0);
}

TEST_F(CliTlsTest, ShowsACertificate) {
  Start("server", "verify_incoming_https = true\n");
  const std::string ca = "-ca-file=" + authority_.ca_file();
  ExpectSame({{"catalog", "nodes", ca,
               "-client-cert=" + authority_.certificate("client"),
               "-client-key=" + authority_.key("client")}},
             0);
  ExpectSame({{"catalog", "nodes", ca},
              CliSame::kAll,
              {"CONSUL_CLIENT_CERT=" + authority_.certificate("client"),
               "CONSUL_CLIENT_KEY=" + authority_.key("client")}},
             0);
  ExpectSame({{"catalog", "nodes", ca}, CliSame::kExit}, 1);
}

TEST_F(CliTlsTest, SendsTheToken) {
  ConsulProcessOptions options;
  const std::string token = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
  const TempDir dir;
  const std::string socket = dir.Path("http.sock");
  options.config = absl::StrCat(
      "acl { enabled = true default_policy = \"deny\" tokens { master = \"",
      token, "\" } }\naddresses { http = \"127.0.0.1 unix://", socket,
      "\" }\n");
  consul_.emplace(*ConsulBinary(), options);
  consul_->api().set_token(token);
  ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
  pair_.emplace(*ConsulBinary(), DnsdBinary(), consul_->HttpAddress());
  const std::string file = dir.Write("token", token + "\n");
  const std::string blank = dir.Write("blank", "\n");
  ExpectSame({{"catalog", "nodes"}}, 0);  // none that may be seen
  ExpectSame({{"info"}}, 1);
  ExpectSame({{"maint", "-enable"}}, 1);
  ExpectSame({{"reload"}}, 1);
  ExpectSame({{"leave"}}, 1);
  ExpectSame({{"services", "register", "-name=x"}}, 1);
  ExpectSame({{"services", "deregister", "-id=x"}}, 1);
  ExpectSame({{"watch", "-type=nodes"}}, 1);
  ExpectSame({{"members", "-token=wrong"}}, 1);
  ExpectSame({{"catalog", "services", "-token=wrong"}}, 1);
  ExpectSame({{"members", "-token=" + token}}, 0);
  ExpectSame({{"members", "-token-file=" + file, "-token=wrong"}}, 0);
  ExpectSame({{"members", "-token-file=" + blank, "-token=" + token}}, 0);
  ExpectSame({{"members"}, CliSame::kAll, {"CONSUL_HTTP_TOKEN=" + token}}, 0);
  ExpectSame({{"members"}, CliSame::kAll, {"CONSUL_HTTP_TOKEN_FILE=" + file}},
             0);
  ExpectSame({{"members", "-token=" + token, "-http-addr=unix://" + socket}},
             0);
  ExpectSame(
      {{"catalog", "nodes", "-token=wrong", "-http-addr=unix://" + socket}}, 1);
}

}  // namespace
}  // namespace dnsd::testing
