// A Consul that is gone, hangs, forgets or answers nonsense, and a mirror of
// it that goes on answering from what it knows and catches up afterwards.
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/integration/mirror_fixture.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kWeb[] = "web.service.consul.";
constexpr char kDc1[] = "mirror_dc1";
constexpr char kStaleMetric[] = "dnsd_mirror_stale{datacenter=\"dc1\"}";

// Wrong is an answer without one of `least` or with one not of `most`.
NameAsker::Judge Between(const std::set<std::string>& least,
                         const std::set<std::string>& most) {
  return [least, most](const std::set<std::string>& addresses) -> std::string {
    for (const std::string& address : least) {
      if (!addresses.contains(address)) {
        return absl::StrCat("without ", address, ": ",
                            absl::StrJoin(addresses, " "));
      }
    }
    for (const std::string& address : addresses) {
      if (!most.contains(address)) return absl::StrCat("with ", address);
    }
    return "";
  };
}

// Silent mirrors say so, and only when they were long enough.
void ExpectStale(MirrorAgent* mirror) {
  EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "stale")) << mirror->log();
  EXPECT_TRUE(WaitUntil([&] { return IsCalledStale(mirror->Ask(kWeb)); }));
  EXPECT_EQ(mirror->Metric(kStaleMetric), "1");
  const DnsReply plain = AskUdp(mirror->dns(), {kWeb, "A", 0, true});
  EXPECT_FALSE(plain.opt);
  EXPECT_EQ(plain.rcode, "NOERROR");
}

void ExpectFresh(MirrorAgent* mirror) {
  EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "fresh")) << mirror->log();
  EXPECT_TRUE(WaitUntil([&] { return !IsCalledStale(mirror->Ask(kWeb)); }));
  EXPECT_EQ(mirror->Metric(kStaleMetric), "0");
}

class MirrorFaults : public MirrorTest {};

TEST_F(MirrorFaults, AnswersGoOnWhileConsulIsKilledHangsOrPauses) {
  StartConsul(/*keeps_data=*/true);
  Register("web", 1, 3);
  const std::unique_ptr<MirrorAgent> mirror = StartMirror();
  ASSERT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 3)));
  ExpectFresh(mirror.get());
  NameAsker asker(mirror->dns(), kWeb,
                  Between(AddressesOf(1, 3), AddressesOf(1, 6)));

  consul().Kill();
  ExpectStale(mirror.get());
  EXPECT_TRUE(mirror->agent().process().WaitForOutput("Lost Consul"));
  consul().Restart();
  ASSERT_TRUE(consul().WaitForLeader());
  Register("web", 4, 4);
  EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 4)));
  ExpectFresh(mirror.get());
  EXPECT_TRUE(mirror->agent().process().WaitForOutput("Found Consul again"));
  EXPECT_EQ(mirror->LogCount("Lost Consul"), 1u);
  EXPECT_EQ(mirror->LogCount("Found Consul again"), 1u);

  // Nothing reaches us of what changes meanwhile.
  proxy().SetMode(FaultProxy::Mode::kBlackHole);
  Register("web", 5, 5);
  ExpectStale(mirror.get());
  EXPECT_EQ(mirror->Addresses(kWeb), AddressesOf(1, 4));
  proxy().SetMode(FaultProxy::Mode::kPass);
  EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 5)));
  ExpectFresh(mirror.get());

  consul().Pause();
  ExpectStale(mirror.get());
  consul().Continue();
  ASSERT_TRUE(consul().WaitForLeader());
  Register("web", 6, 6);
  EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 6)));
  ExpectFresh(mirror.get());
  EXPECT_EQ(asker.Stop(), "");
  EXPECT_GT(asker.answers(), 1000u);
}

TEST_F(MirrorFaults, WipedConsulIsHeldBackUntilConfirmedOrFullAgain) {
  StartConsul(/*keeps_data=*/true);
  Register("web", 1, 6);
  MirrorSetup setup;
  const std::unique_ptr<MirrorAgent> believes = StartMirror(setup);
  setup.hold_shrunken = "8s";
  const std::unique_ptr<MirrorAgent> hesitates = StartMirror(setup);
  setup.hold_shrunken = "10m";
  const std::unique_ptr<MirrorAgent> waits = StartMirror(setup);
  for (const auto* mirror : {&believes, &hesitates, &waits}) {
    ASSERT_TRUE((*mirror)->WaitForAddresses(kWeb, AddressesOf(1, 6)));
  }
  NameAsker waits_asker(waits->dns(), kWeb,
                        Between(AddressesOf(1, 6), AddressesOf(1, 6)));
  // One of the catalogs that Consul has had, and nothing between them.
  NameAsker hesitates_asker(
      hesitates->dns(), kWeb, [](const std::set<std::string>& addresses) {
        const bool was_so = addresses == AddressesOf(1, 6) ||
                            addresses == AddressesOf(1, 1) || addresses.empty();
        return was_so ? "" : absl::StrJoin(addresses, " ");
      });

  consul().Restart(ConsulProcess::Data::kWiped);
  ASSERT_TRUE(consul().WaitForLeader());
  Register("web", 1, 1);
  EXPECT_TRUE(believes->WaitForAddresses(kWeb, AddressesOf(1, 1)));
  EXPECT_EQ(believes->LogCount("held back"), 0u);
  for (const auto* mirror : {&hesitates, &waits}) {
    EXPECT_TRUE((*mirror)->agent().process().WaitForOutput("held back until"));
  }
  EXPECT_TRUE(hesitates->WaitForAddresses(kWeb, AddressesOf(1, 1)));
  // The log comes through a pipe, later than the answer.
  EXPECT_TRUE(
      hesitates->agent().process().WaitForOutput("The smaller catalog stayed"))
      << hesitates->log();
  ExpectFresh(hesitates.get());

  // What is held back is called stale.
  ExpectStale(waits.get());
  EXPECT_EQ(hesitates_asker.Stop(), "");
  RegisterAtOnce("web", 2, 6);
  ExpectFresh(waits.get());
  EXPECT_EQ(waits_asker.Stop(), "");
  EXPECT_TRUE(hesitates->WaitForAddresses(kWeb, AddressesOf(1, 6)));
}

// Indexes go back, and long polls with the old ones would wait for their end.
TEST_F(MirrorFaults, RestoredSnapshotIsSeenLongBeforeTheLongPollsEnd) {
  StartConsul(/*keeps_data=*/true);
  Register("web", 1, 3);
  const std::string snapshot = api().Get("/v1/snapshot");
  ASSERT_FALSE(snapshot.empty());
  MirrorSetup setup;
  setup.wait = "10m";
  const std::unique_ptr<MirrorAgent> follows = StartMirror(setup);
  ASSERT_TRUE(follows->WaitForAddresses(kWeb, AddressesOf(1, 3)));
  Register("web", 4, 5);
  ASSERT_TRUE(api().DeregisterNode("node-1"));
  ASSERT_TRUE(follows->WaitForAddresses(kWeb, AddressesOf(2, 5)));
  // Its long polls have returned nothing yet.
  const std::unique_ptr<MirrorAgent> starts = StartMirror(setup);
  ASSERT_TRUE(starts->WaitForAddresses(kWeb, AddressesOf(2, 5)));

  ASSERT_EQ(api().Put("/v1/snapshot", snapshot), 200);
  EXPECT_TRUE(follows->WaitForAddresses(kWeb, AddressesOf(1, 3)))
      << follows->log();
  EXPECT_TRUE(starts->WaitForAddresses(kWeb, AddressesOf(1, 3)))
      << starts->log();
  Register("web", 7, 7);
  std::set<std::string> all = AddressesOf(1, 3);
  all.merge(AddressesOf(7, 7));
  EXPECT_TRUE(follows->WaitForAddresses(kWeb, all));
  EXPECT_TRUE(starts->WaitForAddresses(kWeb, all));
}

// Mirrors of one Consul, each through a proxy of its own with a fault of its
// own.
struct Faulty {
  std::string name;
  FaultRule rule;
  std::unique_ptr<FaultProxy> proxy;
  std::unique_ptr<MirrorAgent> mirror;
  std::unique_ptr<NameAsker> asker;
};

class MirrorPathFaults : public MirrorTest {
 protected:
  void Add(const std::string& name, FaultRule rule) {
    Faulty& faulty = faulty_.emplace_back();
    faulty.name = name;
    faulty.rule = std::move(rule);
    faulty.proxy = std::make_unique<FaultProxy>(consul().options().ip,
                                                consul().ports().http);
  }
  void Add(const std::string& path, int status, const std::string& body) {
    FaultRule rule;
    rule.path_contains = path;
    if (status == 200) {
      rule.body = body;
    } else {
      rule.answer = FaultRule::Answer{status, body, {}};
    }
    Add(absl::StrCat(path, " ", status, " ", body), std::move(rule));
  }
  void StartAll() {
    for (Faulty& faulty : faulty_) {
      MirrorSetup setup;
      setup.urls = {faulty.proxy->Url()};
      faulty.mirror = StartMirror(setup);
    }
  }
  void WaitForAll(const std::string& name,
                  const std::set<std::string>& addresses) {
    for (const Faulty& faulty : faulty_) {
      EXPECT_TRUE(faulty.mirror->WaitForAddresses(name, addresses))
          << faulty.name << ": " << name << ": "
          << absl::StrJoin(faulty.mirror->Addresses(name), " ") << "\n"
          << faulty.mirror->log();
    }
  }
  // Changes of every kind while the faults are there, and the end of them.
  void ChangeMeanwhile() {
    for (Faulty& faulty : faulty_) {
      faulty.asker = std::make_unique<NameAsker>(
          faulty.mirror->dns(), kWeb,
          Between(AddressesOf(2, 3), AddressesOf(1, 4)));
    }
    for (Faulty& faulty : faulty_) {
      faulty.proxy->AddRule(faulty.rule);
      faulty.proxy->ResetConnections();
    }
    ASSERT_TRUE(api().DeregisterService("node-1", "web-1"));
    Register("web", 4, 4);
    Register("fresh", 5, 6);
    ASSERT_TRUE(api().SetStatus(InstanceOf("sick", 2), "critical"));
    ASSERT_TRUE(api().DeregisterNode("node-7"));
    // As long as it takes for what is refused to be asked for again, and
    // again, and for a mirror to be lost.
    std::this_thread::sleep_for(seconds(5));
    for (Faulty& faulty : faulty_) faulty.proxy->ClearRules();
    WaitForAll(kWeb, AddressesOf(2, 4));
    WaitForAll("fresh.service.consul.", AddressesOf(5, 6));
    WaitForAll("sick.service.consul.", AddressesOf(1, 1));
    WaitForAll("node-7.node.consul.", {});
    for (Faulty& faulty : faulty_) {
      EXPECT_EQ(faulty.asker->Stop(), "") << faulty.name;
    }
  }
  void FillCatalog() {
    // Many mirrors come from one address here.
    StartConsul(/*keeps_data=*/false,
                "limits { http_max_conns_per_client = 2000 }");
    Register("web", 1, 3);
    Register("sick", 1, 2);
    Register("gone", 7, 7);
  }

  std::vector<Faulty> faulty_;
};

constexpr const char* kPaths[] = {
    "/v1/health/service/web", "/v1/health/service/consul",
    "/v1/catalog/services",   "/v1/catalog/nodes",
    "/v1/internal/ui/nodes",  "/v1/query"};

TEST_F(MirrorPathFaults, RefusalsAndErrors) {
  FillCatalog();
  for (const int status : {403, 429, 500}) Add("", status, "no");
  for (const char* path : kPaths) Add(path, 500, "No cluster leader");
  Add("/v1/internal/ui/nodes", 403, "Permission denied");
  StartAll();
  WaitForAll(kWeb, AddressesOf(1, 3));
  ChangeMeanwhile();
}

TEST_F(MirrorPathFaults, NonsenseInPlaceOfAnswers) {
  FillCatalog();
  for (const char* path : kPaths) {
    Add(path, 200, "[{\"Node\":");
    Add(path, 200, "");
  }
  Add("", 200, "{\"a\": 1}");
  Add("", 200, "[1]");
  StartAll();
  WaitForAll(kWeb, AddressesOf(1, 3));
  ChangeMeanwhile();
}

// As for a token that may not read any more. That one service has no instance
// is believed; of what stands for all of them, nothing is taken.
TEST_F(MirrorPathFaults, EmptyLists) {
  FillCatalog();
  for (const char* path : kPaths) {
    if (absl::EndsWith(path, "/web")) continue;
    Add(path, 200, "[]");
    Add(path, 200, "{}");
  }
  StartAll();
  WaitForAll(kWeb, AddressesOf(1, 3));
  ChangeMeanwhile();
}

TEST_F(MirrorPathFaults, HeadersThatLieOrAreMissing) {
  FillCatalog();
  for (const char* path : kPaths) {
    for (const char* index : {"", "0", "1", "999999", "-1", "nonsense"}) {
      if (faulty_.size() > 30) break;
      FaultRule rule;
      rule.path_contains = path;
      if (*index == 0) {
        rule.strip_headers = {"X-Consul-Index"};
      } else {
        rule.set_headers = {{"X-Consul-Index", index}};
      }
      Add(absl::StrCat(path, " index ", index), rule);
    }
  }
  StartAll();
  WaitForAll(kWeb, AddressesOf(1, 3));
  ChangeMeanwhile();
}

TEST_F(MirrorPathFaults, CorruptedCutAndSlow) {
  FillCatalog();
  for (const uint64_t every : {1, 16, 300}) {
    FaultRule rule;
    rule.corrupt_every = every;
    Add(absl::StrCat("corrupt ", every), rule);
  }
  for (const uint64_t bytes : {0, 10, 150, 300, 500, 1000, 2000}) {
    FaultRule rule;
    rule.cut_after = bytes;
    Add(absl::StrCat("cut ", bytes), rule);
  }
  Add("slow", FaultRule());
  faulty_.back().proxy->SetDelay(milliseconds(50), milliseconds(50));
  StartAll();
  WaitForAll(kWeb, AddressesOf(1, 3));
  ChangeMeanwhile();
}

TEST_F(MirrorPathFaults, FirstLoadThatIsCutAnywhere) {
  FillCatalog();
  Register("many", 10, 49);
  for (const uint64_t bytes :
       {0, 1, 40, 200, 400, 700, 1200, 2500, 5000, 9000, 15000}) {
    FaultRule rule;
    rule.cut_after = bytes;
    rule.times = 3;
    Add(absl::StrCat("cut ", bytes), rule);
    faulty_.back().proxy->AddRule(rule);
  }
  StartAll();
  // All of it or nothing, from the first answer on.
  for (Faulty& faulty : faulty_) {
    const std::set<std::string> all = AddressesOf(10, 49);
    faulty.asker = std::make_unique<NameAsker>(
        faulty.mirror->dns(), "many.service.consul.",
        [all](const std::set<std::string>& addresses) {
          return addresses == all ? "" : absl::StrCat(addresses.size());
        },
        NameAsker::Failures::kUntilFirstAnswer);
  }
  WaitForAll("many.service.consul.", AddressesOf(10, 49));
  for (Faulty& faulty : faulty_) {
    EXPECT_EQ(faulty.asker->Stop(), "") << faulty.name << faulty.mirror->log();
  }
}

}  // namespace
}  // namespace dnsd::testing
