// Mirrors of clusters whose servers die: a leader, two of three, the one that
// is asked, and those of another datacenter.
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/integration/mirror_fixture.h"
#include "tests/testing/consul_cluster.h"

namespace dnsd::testing {
namespace {

constexpr char kWeb[] = "web.service.consul.";
constexpr char kWeb2[] = "web.service.dc2.consul.";
constexpr char kDc1[] = "mirror_dc1";
constexpr char kDc2[] = "mirror_dc2";
// Nobody listens there.
constexpr char kNobody[] = "http://127.0.0.1:1";

// Wrong is an answer without the first instances, or with one never made.
NameAsker::Judge AtLeast(int least, int most) {
  return [least, most](const std::set<std::string>& addresses) -> std::string {
    for (int i = 1; i <= most; ++i) {
      const std::string address = *AddressesOf(i, i).begin();
      if (i <= least && !addresses.contains(address)) {
        return absl::StrCat("without ", address, ": ",
                            absl::StrJoin(addresses, " "));
      }
    }
    return addresses.size() > static_cast<size_t>(most)
               ? absl::StrJoin(addresses, " ")
               : "";
  };
}

class MirrorClusters : public MirrorTest {
 protected:
  void RegisterAt(ConsulCluster* cluster, size_t server,
                  const std::string& service, int i) {
    // On a busy machine a leader may lose its office at any time.
    ConsulApi& api = cluster->server(server).api();
    ASSERT_TRUE(
        WaitUntil([&] { return api.Register(InstanceOf(service, i)); }));
  }
};

TEST_F(MirrorClusters, LeadersAndMajoritiesDieWhileNamesAreAskedWithoutPause) {
  ConsulCluster cluster(binary(), {});
  const std::optional<size_t> leader = cluster.WaitForLeader();
  ASSERT_TRUE(leader) << cluster.Outputs();
  const size_t second = (*leader + 1) % 3;
  const size_t third = (*leader + 2) % 3;
  for (int i = 1; i <= 3; ++i) RegisterAt(&cluster, *leader, "web", i);

  // One asks the server that dies; one has to find out that its first address
  // is of no use; one asks a server that stays.
  const std::vector<std::string> urls = cluster.HttpUrls();
  std::vector<std::unique_ptr<MirrorAgent>> mirrors;
  std::vector<std::unique_ptr<NameAsker>> askers;
  for (const std::vector<std::string>& addresses :
       {std::vector<std::string>{urls[*leader], urls[third]},
        std::vector<std::string>{kNobody, urls[third]},
        std::vector<std::string>{urls[third]}}) {
    MirrorSetup setup;
    setup.urls = addresses;
    mirrors.push_back(StartMirror(setup));
    ASSERT_TRUE(mirrors.back()->WaitForAddresses(kWeb, AddressesOf(1, 3)))
        << mirrors.back()->log();
    askers.push_back(std::make_unique<NameAsker>(mirrors.back()->dns(), kWeb,
                                                 AtLeast(3, 5)));
  }
  const auto began = std::chrono::steady_clock::now();

  cluster.KillServer(*leader);
  ASSERT_TRUE(cluster.WaitForLeader()) << cluster.Outputs();
  RegisterAt(&cluster, third, "web", 4);
  for (const auto& mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 4)))
        << mirror->log();
    EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "fresh"));
  }

  // Now nobody leads; the server that is left answers what it knows.
  cluster.KillServer(second);
  for (const auto& mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "stale")) << mirror->log();
    EXPECT_TRUE(WaitUntil([&] { return IsCalledStale(mirror->Ask(kWeb)); }));
    EXPECT_EQ(mirror->Addresses(kWeb), AddressesOf(1, 4));
  }
  cluster.StartServer(*leader);
  cluster.StartServer(second);
  ASSERT_TRUE(cluster.WaitForLeader()) << cluster.Outputs();
  RegisterAt(&cluster, second, "web", 5);
  for (const auto& mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 5)))
        << mirror->log();
    EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "fresh"));
    EXPECT_TRUE(WaitUntil([&] { return !IsCalledStale(mirror->Ask(kWeb)); }));
  }
  std::this_thread::sleep_until(began + std::chrono::seconds(10));
  for (size_t i = 0; i < askers.size(); ++i) {
    EXPECT_EQ(askers[i]->Stop(), "") << i << mirrors[i]->log();
    EXPECT_GT(askers[i]->answers(), 1000u);
  }
}

class MirrorDatacenters : public MirrorClusters {
 protected:
  void StartTwo() {
    ConsulClusterOptions options;
    options.server_count = 1;
    here_.emplace(binary(), options);
    options.datacenter = "dc2";
    options.first_ip = 5;
    options.join_wan = here_->WanAddresses();
    there_.emplace(binary(), options);
    ASSERT_TRUE(here_->WaitForLeader()) << here_->Outputs();
    ASSERT_TRUE(there_->WaitForLeader()) << there_->Outputs();
    ASSERT_TRUE(here_->WaitForDatacenter("dc2")) << here_->Outputs();
    RegisterAt(&*here_, 0, "web", 1);
    RegisterAt(&*there_, 0, "web", 2);
    RegisterAt(&*there_, 0, "far", 3);
  }

  std::optional<ConsulCluster> here_;
  std::optional<ConsulCluster> there_;
};

TEST_F(MirrorDatacenters, OthersAreAskedOnDemandAndAnsweredWhenTheyAreGone) {
  StartTwo();
  MirrorSetup setup;
  setup.urls = here_->HttpUrls();
  const std::unique_ptr<MirrorAgent> demand = StartMirror(setup);
  const std::unique_ptr<MirrorAgent> query = StartMirror(setup);
  setup.args = {"-consul-datacenter", "dc2"};
  const std::unique_ptr<MirrorAgent> eager = StartMirror(setup);
  const std::vector<MirrorAgent*> mirrors = {demand.get(), query.get(),
                                             eager.get()};
  for (MirrorAgent* mirror : mirrors) {
    ASSERT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 1)));
  }
  EXPECT_TRUE(eager->WaitForStat(kDc2, "phase", "watching")) << eager->log();
  EXPECT_EQ(demand->Stat(kDc2, "phase"), "");

  // The first question waits for the answer.
  EXPECT_EQ(demand->Addresses(kWeb2), AddressesOf(2, 2)) << demand->log();
  const ConsulReply made = here_->server(0).api().Call(
      "POST", "/v1/query",
      R"({"Name": "find", "Service": {"Service": "far",
          "Failover": {"Datacenters": ["dc2"]}}})");
  ASSERT_EQ(made.status, 200) << made.body;
  // Nobody asks this one for dc2 but a prepared query.
  EXPECT_TRUE(query->WaitForAddresses("find.query.consul.", AddressesOf(3, 3)))
      << query->log();
  EXPECT_EQ(eager->Addresses(kWeb2), AddressesOf(2, 2));
  EXPECT_EQ(demand->Ask("web.service.dc3.consul.").rcode, "NXDOMAIN");
  EXPECT_EQ(demand->Ask("nothing.service.dc2.consul.").rcode, "NXDOMAIN");
  RegisterAt(&*there_, 0, "web", 4);
  std::set<std::string> both = AddressesOf(2, 2);
  both.merge(AddressesOf(4, 4));
  for (MirrorAgent* mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForAddresses(kWeb2, both)) << mirror->log();
  }

  NameAsker asker(
      demand->dns(), kWeb2, [&](const std::set<std::string>& addresses) {
        return addresses.contains("10.1.0.2") && addresses.contains("10.1.0.4")
                   ? ""
                   : absl::StrJoin(addresses, " ") + "!";
      });
  there_->KillServer(0);
  for (MirrorAgent* mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForStat(kDc2, "state", "stale")) << mirror->log();
    EXPECT_TRUE(WaitUntil([&] { return IsCalledStale(mirror->Ask(kWeb2)); }));
    EXPECT_EQ(mirror->Stat(kDc1, "state"), "fresh");
    EXPECT_FALSE(IsCalledStale(mirror->Ask(kWeb)));
    EXPECT_EQ(mirror->Addresses("find.query.consul."), AddressesOf(3, 3));
  }
  there_->StartServer(0);
  ASSERT_TRUE(there_->WaitForLeader()) << there_->Outputs();
  RegisterAt(&*there_, 0, "web", 6);
  both.merge(AddressesOf(6, 6));
  for (MirrorAgent* mirror : mirrors) {
    EXPECT_TRUE(mirror->WaitForAddresses(kWeb2, both)) << mirror->log();
    EXPECT_TRUE(mirror->WaitForStat(kDc2, "state", "fresh"));
  }
  EXPECT_EQ(asker.Stop(), "");
}

}  // namespace
}  // namespace dnsd::testing
