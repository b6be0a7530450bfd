// As many services as are promised a watch: every one is followed without a
// question of its own, within the promised connections, Consul's own service
// among them.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/integration/mirror_fixture.h"

namespace dnsd::testing {
namespace {

constexpr char kDc1[] = "mirror_dc1";
constexpr char kGroup[] = "/v1/internal/ui/nodes";
constexpr int kServices = 150;
constexpr size_t kConnections = 150;

std::string DnsName(int i) { return absl::StrCat("s-", i, ".service.consul."); }

class MirrorGroup : public MirrorTest {
 protected:
  // Consul's own is the last.
  void Fill(int services) {
    StartConsul();
    for (int i = 1; i < services; ++i) {
      Register(absl::StrCat("s-", i), 1 + i % 5, 1 + i % 5);
    }
  }
  void ExpectAddresses(const MirrorAgent& mirror, int i,
                       const std::set<std::string>& addresses) {
    EXPECT_TRUE(mirror.WaitForAddresses(DnsName(i), addresses))
        << DnsName(i) << ": "
        << absl::StrJoin(mirror.Addresses(DnsName(i)), " ");
  }
};

TEST_F(MirrorGroup, AHundredAndFiftyServicesAreFollowedWithoutQuestions) {
  Fill(kServices);
  MirrorSetup setup;
  setup.wait = "10m";
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
  ASSERT_TRUE(mirror->WaitForStat(kDc1, "phase", "watching"));
  ASSERT_EQ(mirror->Stat(kDc1, "services"), absl::StrCat(kServices));
  EXPECT_EQ(mirror->Stat(kDc1, "services_without_watch"), "0");
  ASSERT_TRUE(WaitUntil([&] {
    return proxy().RequestsWaiting("/v1/health/service/") +
               proxy().RequestsWaiting(kGroup) >
           130;
  }));
  // Names come in the order of the alphabet: these have no watch of their own.
  std::vector<int> grouped;
  for (int i = 1; i < kServices; ++i) {
    if (proxy().Counts(absl::StrCat("/v1/health/service/s-", i)).requests ==
        0) {
      grouped.push_back(i);
    }
  }
  EXPECT_GE(grouped.size(), 5u);
  EXPECT_EQ(proxy().RequestsWaiting(kGroup), 1u);

  for (const int i : grouped) {
    const std::string name = absl::StrCat("s-", i);
    const int home = 1 + i % 5;
    Register(name, 7, 7);
    std::set<std::string> both = AddressesOf(home, home);
    both.merge(AddressesOf(7, 7));
    ExpectAddresses(*mirror, i, both);
    ASSERT_TRUE(api().SetStatus(InstanceOf(name, 7), "critical"));
    ExpectAddresses(*mirror, i, AddressesOf(home, home));
    ASSERT_TRUE(api().SetStatus(InstanceOf(name, 7), "passing"));
    ExpectAddresses(*mirror, i, both);
    ASSERT_TRUE(api().DeregisterService("node-7", InstanceOf(name, 7).id));
    ExpectAddresses(*mirror, i, AddressesOf(home, home));
    EXPECT_EQ(
        proxy().Counts(absl::StrCat("/v1/health/service/", name)).requests, 0u);
  }
  EXPECT_EQ(mirror->Stat(kDc1, "sweeps"), "0");
  EXPECT_EQ(mirror->Stat(kDc1, "loads"), "1");
  EXPECT_LE(proxy().connections_max(), kConnections);
}

// They come and go around the limit, and come to have watches or lose them.
TEST_F(MirrorGroup, ServicesBeyondTheWatchesComeAndGo) {
  Fill(20);
  MirrorSetup setup;
  setup.connections = 20;  // ten for watches of services
  setup.wait = "3s";
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
  ASSERT_TRUE(mirror->WaitForStat(kDc1, "phase", "watching"));
  EXPECT_EQ(mirror->Stat(kDc1, "services_without_watch"), "0");
  for (int i = 20; i < 45; ++i) {
    Register(absl::StrCat("s-", i), 8, 8);
    ExpectAddresses(*mirror, i, AddressesOf(8, 8));
    ASSERT_TRUE(
        api().SetStatus(InstanceOf(absl::StrCat("s-", i), 8), "critical"));
    ExpectAddresses(*mirror, i, {});
  }
  EXPECT_NE(mirror->Stat(kDc1, "services_without_watch"), "0");
  ASSERT_TRUE(api().DeregisterNode("node-8"));
  EXPECT_TRUE(mirror->WaitForStat(kDc1, "services_without_watch", "0"));
  for (int i = 1; i < 20; ++i) {
    Register(absl::StrCat("s-", i), 9, 9);
    std::set<std::string> both = AddressesOf(1 + i % 5, 1 + i % 5);
    both.merge(AddressesOf(9, 9));
    ExpectAddresses(*mirror, i, both);
  }
  EXPECT_EQ(mirror->Stat(kDc1, "losses"), "0") << mirror->log();
}

// Names as Consul takes them by HTTP: regular expressions are no trap, and
// "WEB" and "web" are one service.
TEST_F(MirrorGroup, NamesAreFoundWhateverTheyAreMadeOf) {
  StartConsul();
  const std::vector<std::string> names = {
      "a.b",  "a+b",    "WEB",     "x|y",    "(z",          "[q]",
      "s\\p", "tick`s", "quo\"te", "bl ank", "\xc3\xa4rger"};
  for (const std::string& name : names) Register(name, 1, 1);
  MirrorSetup setup;
  setup.connections = 9;  // two for watches of services
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
  ASSERT_TRUE(mirror->WaitForStat(kDc1, "phase", "watching"));
  EXPECT_EQ(mirror->Stat(kDc1, "services_without_watch"), "0");
  const std::string before = mirror->Stat(kDc1, "instances");
  for (const std::string& name : names) Register(name, 2, 2);
  Register("web", 3, 3);
  EXPECT_TRUE(mirror->WaitForStat(kDc1, "instances",
                                  absl::StrCat(2 * names.size() + 2)))
      << mirror->Stat(kDc1, "instances") << " after " << before;
  std::set<std::string> three = AddressesOf(1, 3);
  EXPECT_TRUE(mirror->WaitForAddresses("web.service.consul.", three));
  EXPECT_EQ(mirror->Stat(kDc1, "sweeps"), "0");
}

// A Consul that does not take the filter, or blocks the path.
TEST_F(MirrorGroup, WithoutTheGroupTheyAreFoundAsColdOnes) {
  for (const int status : {403, 500}) {
    Fill(20);
    MirrorSetup setup;
    setup.connections = 20;
    setup.wait = "3s";
    FaultRule rule;
    rule.path_contains = "filter=";
    rule.answer = FaultRule::Answer{status, "no", {}};
    proxy().AddRule(rule);
    const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
    EXPECT_TRUE(WaitUntil([&] {
      return mirror->Stat(kDc1, "services_without_watch") != "0";
    })) << mirror->log();
    for (int i = 1; i < 20; ++i) {
      Register(absl::StrCat("s-", i), 9, 9);
      std::set<std::string> both = AddressesOf(1 + i % 5, 1 + i % 5);
      both.merge(AddressesOf(9, 9));
      ExpectAddresses(*mirror, i, both);
    }
    EXPECT_EQ(mirror->Stat(kDc1, "losses"), "0") << mirror->log();
  }
}

}  // namespace
}  // namespace dnsd::testing
