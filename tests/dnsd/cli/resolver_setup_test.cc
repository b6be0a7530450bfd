// What would be written for each kind of machine, of which the temporary
// directory has the files that count.
#include "dnsd/cli/resolver_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "dnsd/cli/managed_file.h"
#include "dnsd/cli/resolv_conf.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TempDir;

namespace fs = std::filesystem;

TEST(ResolvConf, IsReadAsGlibcReadsIt) {
  const ResolvConf conf = ParseResolvConf(
      "# nameserver 192.0.2.1\n"
      "nameserver 192.0.2.2 trailing\r\n"
      "nameserver\t2001:DB8::1\n"
      " nameserver 192.0.2.3\n"
      "nameserver fe80::1%eth0\n"
      "nameserver example.com\n"
      "nameserver\n"
      "nameserver 192.0.2.2\n"
      "search a.example  b.example \n"
      "options edns0\n"
      "family inet4\n"
      "nameserver 192.0.2.4");
  EXPECT_THAT(conf.nameservers,
              ElementsAre("192.0.2.2", "2001:db8::1", "192.0.2.4"));
  EXPECT_THAT(conf.other_lines,
              ElementsAre("search a.example  b.example", "options edns0"));
}

class ResolverSetupTest : public ::testing::Test {
 protected:
  ResolverSetupTest() {
    request_.root = dir_.path();
    request_.domains = {"consul"};
  }

  void WriteResolvConf(const std::string& text) const {
    dir_.Write("etc/resolv.conf", text);
  }
  // A machine of systemd-resolved.
  void BeResolved() const {
    dir_.Write("run/systemd/resolve/stub-resolv.conf",
               "nameserver 127.0.0.53\n");
    dir_.Write("run/systemd/resolve/resolv.conf",
               "nameserver 192.0.2.53\nnameserver 2001:db8::53\n");
    fs::create_directory(dir_.Path("etc"));
    fs::create_symlink("../run/systemd/resolve/stub-resolv.conf",
                       dir_.Path("etc/resolv.conf"));
  }
  [[nodiscard]] ResolverSetup Plan() const {
    const auto setup = PlanResolverSetup(request_);
    EXPECT_TRUE(setup.ok()) << setup.status();
    return setup.ok() ? *setup : ResolverSetup{};
  }
  [[nodiscard]] std::string Refusal() const {
    const auto setup = PlanResolverSetup(request_);
    return setup.ok() ? "" : std::string(setup.status().message());
  }
  void Apply(const ResolverSetup& setup) const {
    for (const WantedFile& file : setup.files) {
      fs::create_directories(fs::path(dir_.path() + file.path).parent_path());
      const auto change = PlanWrite(dir_.path() + file.path, file.body);
      ASSERT_TRUE(change.ok() && ApplyChanges({*change}).ok());
    }
  }

  TempDir dir_;
  ResolverRequest request_;
};

TEST_F(ResolverSetupTest, SystemdResolvedAsksDnsdAndDnsdItsServers) {
  BeResolved();
  const ResolverSetup setup = Plan();
  EXPECT_EQ(setup.mode, ResolverMode::kResolved);
  EXPECT_EQ(setup.reason,
            "/etc/resolv.conf is a link to "
            "/run/systemd/resolve/stub-resolv.conf");
  ASSERT_THAT(setup.files, SizeIs(1));
  EXPECT_EQ(setup.files[0].path, "/etc/systemd/resolved.conf.d/dnsd.conf");
  EXPECT_THAT(setup.files[0].body,
              EndsWith("# recursors: 192.0.2.53 2001:db8::53\n[Resolve]\n"
                       "DNS=\nDNS=127.0.0.1:8600\nDomains=~consul\n"));
  EXPECT_EQ(setup.config, "recursors = [\"192.0.2.53\", \"2001:db8::53\"]\n");
  EXPECT_THAT(setup.notes, IsEmpty());
}

TEST_F(ResolverSetupTest, DomainsAndAddressesMayBeOthers) {
  BeResolved();
  request_.domains = {"consul", "10.in-addr.arpa"};
  request_.address = {"::1", 53};
  const ResolverSetup setup = Plan();
  EXPECT_THAT(setup.files[0].body,
              EndsWith("DNS=\nDNS=[::1]:53\nDomains=~consul "
                       "~10.in-addr.arpa\n"));
  EXPECT_EQ(setup.config,
            "ports { dns = 53 }\naddresses { dns = \"::1\" }\n"
            "recursors = [\"192.0.2.53\", \"2001:db8::53\"]\n");
}

// It is in place, and systemd-resolved knows no other server any more.
TEST_F(ResolverSetupTest, TheRecursorsOfTheFirstTimeAreRemembered) {
  BeResolved();
  const ResolverSetup first = Plan();
  Apply(first);
  dir_.Write("run/systemd/resolve/resolv.conf", "# none\n");
  const ResolverSetup again = Plan();
  EXPECT_EQ(again.mode, ResolverMode::kResolved);
  EXPECT_THAT(again.reason, HasSubstr("before"));
  EXPECT_EQ(again.files[0].body, first.files[0].body);
  EXPECT_EQ(again.config, first.config);
  // So too when /etc/resolv.conf takes its place.
  request_.mode = ResolverMode::kResolvConf;
  EXPECT_THAT(Plan().config, EndsWith(first.config));
}

TEST_F(ResolverSetupTest, WithoutServersDnsdCannotResolveOthers) {
  BeResolved();
  dir_.Remove("run/systemd/resolve/resolv.conf");
  const ResolverSetup setup = Plan();
  EXPECT_EQ(setup.config, "");
  EXPECT_THAT(setup.notes, ElementsAre(HasSubstr("-recursor says whom")));
}

TEST_F(ResolverSetupTest, AFileThatNamesTheStubIsOfSystemdResolved) {
  WriteResolvConf("nameserver 127.0.0.53\n");
  EXPECT_EQ(Plan().mode, ResolverMode::kResolved);
  // Links of images are absolute and mean the image.
  dir_.Remove("etc/resolv.conf");
  fs::create_symlink("/run/systemd/resolve/resolv.conf",
                     dir_.Path("etc/resolv.conf"));
  EXPECT_EQ(Plan().mode, ResolverMode::kResolved);
}

TEST_F(ResolverSetupTest, NetworkManagerRunsADnsmasq) {
  WriteResolvConf("# Generated by NetworkManager\nnameserver 192.0.2.53\n");
  request_.domains = {"consul", "example.test"};
  ResolverSetup setup = Plan();
  EXPECT_EQ(setup.mode, ResolverMode::kNetworkManager);
  ASSERT_THAT(setup.files, SizeIs(2));
  EXPECT_EQ(setup.files[0].path, "/etc/NetworkManager/conf.d/dnsd.conf");
  EXPECT_EQ(setup.files[0].body, "[main]\ndns=dnsmasq\n");
  EXPECT_EQ(setup.files[1].path, "/etc/NetworkManager/dnsmasq.d/dnsd.conf");
  EXPECT_EQ(setup.files[1].body,
            "server=/consul/127.0.0.1#8600\n"
            "server=/example.test/127.0.0.1#8600\n");
  EXPECT_EQ(setup.config, "");
  EXPECT_THAT(setup.notes, ElementsAre(HasSubstr("dnsmasq-base")));
  dir_.Write("usr/sbin/dnsmasq", "");
  setup = Plan();
  EXPECT_THAT(setup.notes, IsEmpty());
  Apply(setup);
  WriteResolvConf("nameserver 127.0.0.1\n");
  EXPECT_EQ(Plan().mode, ResolverMode::kNetworkManager);
  // A link says it too.
  dir_.Remove("etc/NetworkManager/conf.d/dnsd.conf");
  dir_.Remove("etc/NetworkManager/dnsmasq.d/dnsd.conf");
  dir_.Remove("etc/resolv.conf");
  fs::create_symlink("/run/NetworkManager/resolv.conf",
                     dir_.Path("etc/resolv.conf"));
  EXPECT_EQ(Plan().mode, ResolverMode::kNetworkManager);
}

TEST_F(ResolverSetupTest, APlainResolvConfKeepsAllButItsServers) {
  WriteResolvConf(
      "# by hand\nsearch example.com\nnameserver 192.0.2.53\n"
      "nameserver 2001:db8::53\noptions timeout:1\n");
  const ResolverSetup setup = Plan();
  EXPECT_EQ(setup.mode, ResolverMode::kResolvConf);
  ASSERT_THAT(setup.files, SizeIs(1));
  EXPECT_EQ(setup.files[0].path, "/etc/resolv.conf");
  EXPECT_EQ(setup.files[0].body,
            "search example.com\noptions timeout:1\nnameserver 127.0.0.1\n");
  EXPECT_EQ(setup.config,
            "ports { dns = 53 }\n"
            "recursors = [\"192.0.2.53\", \"2001:db8::53\"]\n");
  // Again, with ours in place.
  Apply(setup);
  const ResolverSetup again = Plan();
  EXPECT_EQ(again.files[0].body, setup.files[0].body);
  EXPECT_EQ(again.config, setup.config);
}

TEST_F(ResolverSetupTest, AskedForAPlainFileTheStubIsNoRecursor) {
  BeResolved();
  request_.mode = ResolverMode::kResolvConf;
  const ResolverSetup setup = Plan();
  EXPECT_EQ(setup.reason, "as -mode says");
  EXPECT_EQ(setup.config,
            "ports { dns = 53 }\n"
            "recursors = [\"192.0.2.53\", \"2001:db8::53\"]\n");
}

TEST_F(ResolverSetupTest, CirclesAndNobodyToAskAreRefused) {
  EXPECT_THAT(Refusal(), HasSubstr("/etc/resolv.conf names no server"));
  WriteResolvConf("nameserver 127.0.0.1\nnameserver 192.0.2.53\n");
  EXPECT_THAT(Refusal(), HasSubstr("a resolver of this machine already"));
  request_.recursors = {{"192.0.2.7", 53}, {"127.0.0.1", 5353}};
  EXPECT_THAT(Plan().config,
              HasSubstr("recursors = [\"192.0.2.7\", \"127.0.0.1:5353\"]"));
  request_.recursors = {{"127.0.0.53", 53}};
  EXPECT_THAT(Refusal(), HasSubstr("-recursor 127.0.0.53 would ask dnsd"));
  request_.recursors = {{"127.0.0.1", 53}};
  EXPECT_THAT(Refusal(), HasSubstr("in a circle"));
  request_.recursors.clear();
  request_.address.port = 8600;
  EXPECT_THAT(Refusal(), HasSubstr("a resolv.conf cannot say it"));
}

}  // namespace
}  // namespace dnsd
