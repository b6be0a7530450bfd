// GET /v1/health/services against a model: a client that follows by what it
// is told must have what a client has that asks for everything.
#include "dnsd/http/service_changes.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/api_fixture.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

const std::string kPath = "/v1/health/services";

// What one answer says, its services as the text of JSON.
struct Told {
  uint64_t index = 0;
  bool full = false;
  std::map<std::string, std::string> services;
  std::vector<std::string> gone;
};

// Cuts the answer where its own members are; entries have none of these.
Told Parse(const std::string& body) {
  Told told;
  const size_t services = body.find(R"(,"Services":{)");
  const size_t gone = body.rfind(R"(},"Gone":[)");
  EXPECT_NE(services, body.npos) << body;
  EXPECT_NE(gone, body.npos) << body;
  told.index = std::stoull(body.substr(std::string(R"({"Index":)").size()));
  told.full = absl::StrContains(body.substr(0, services), "\"Full\":true");
  std::string rest = body.substr(services + 13, gone - services - 13);
  while (!rest.empty()) {
    const size_t name_end = rest.find("\":[");
    size_t end = name_end + 3;
    for (int depth = 1; depth > 0; ++end) {
      if (rest[end] == '[') ++depth;
      if (rest[end] == ']') --depth;
    }
    told.services[rest.substr(1, name_end - 1)] =
        rest.substr(name_end + 2, end - name_end - 2);
    rest.erase(0, end < rest.size() ? end + 1 : end);
  }
  std::string names = body.substr(gone + 10);
  for (size_t at = names.find('"'); at != names.npos; at = names.find('"')) {
    const size_t end = names.find('"', at + 1);
    told.gone.push_back(names.substr(at + 1, end - at - 1));
    names.erase(0, end + 1);
  }
  return told;
}

// A client that keeps what it is told.
class Follower {
 public:
  explicit Follower(ApiFixture* api) : api_(api) {}

  // False: the answer has to be waited for.
  bool Ask() {
    const auto answered = api_->Ask(absl::StrCat(kPath, "?index=", index_));
    if (!answered->response) return false;
    Take(Parse(answered->body()));
    EXPECT_EQ(answered->index(), index_);
    return true;
  }
  void Take(const Told& told) {
    EXPECT_GE(told.index, index_);
    index_ = told.index;
    ++(told.full ? full_ : parts_);
    if (told.full) services_.clear();
    for (const auto& [name, json] : told.services) services_[name] = json;
    for (const std::string& name : told.gone) {
      services_.erase(name);
    }
  }

  uint64_t index_ = 0;
  std::map<std::string, std::string> services_;
  int full_ = 0;
  int parts_ = 0;

 private:
  ApiFixture* api_;
};

TEST(ServiceChanges, TellsWhatChangedAndNothingElse) {
  ApiFixture api;
  api.Apply({NodeIs("a"), NodeIs("b"), InstanceIs("a", "w", "Web"),
             InstanceIs("b", "d", "db")});
  Told told = Parse(api.Ask(kPath)->body());
  EXPECT_TRUE(told.full);
  EXPECT_EQ(told.services.size(), 2u);
  EXPECT_TRUE(told.services.contains("web"));  // in lower case
  const std::string next = absl::StrCat(kPath, "?index=", told.index);
  const auto waiting = api.Ask(next);
  EXPECT_FALSE(waiting->response);
  api.Apply({CheckIs("a", "c", "w", HealthStatus::kWarning)});
  told = Parse(waiting->body());
  EXPECT_FALSE(told.full);
  ASSERT_EQ(told.services.size(), 1u);
  EXPECT_TRUE(absl::StrContains(told.services["web"], R"("CheckID":"c")"));
  EXPECT_TRUE(told.gone.empty());
  api.Apply({RemoveInstance{{"dc1", "b"}, "d"}});
  told = Parse(api.Ask(absl::StrCat(kPath, "?index=", told.index))->body());
  EXPECT_TRUE(told.services.empty());
  EXPECT_EQ(told.gone, std::vector<std::string>{"db"});
  // From the beginning once more: both changes.
  told = Parse(api.Ask(next)->body());
  EXPECT_FALSE(told.full);
  EXPECT_EQ(told.services.size(), 1u);
  EXPECT_EQ(told.gone.size(), 1u);
}

TEST(ServiceChanges, AnIndexThatIsNotKnownGetsEverythingAtOnce) {
  ApiFixture api;
  api.Apply({NodeIs("a"), InstanceIs("a", "w", "web")});
  const uint64_t now = api.Ask(kPath)->index();
  const auto future = api.Ask(absl::StrCat(kPath, "?index=", now + 1));
  ASSERT_TRUE(future->response);
  EXPECT_TRUE(Parse(future->body()).full);
  // A new start, which goes on from a larger index.
  api.state.RaiseIndex(1000);
  const auto old = api.Ask(absl::StrCat(kPath, "?index=", now));
  ASSERT_TRUE(old->response);
  EXPECT_TRUE(Parse(old->body()).full);
  EXPECT_EQ(old->index(), 1000u);
  EXPECT_FALSE(api.Ask(absl::StrCat(kPath, "?index=1000"))->response);
}

TEST(ServiceChanges, WhatIsNotPublishedIsInNoIndex) {
  ApiFixture api;
  api.Apply({NodeIs("a"), InstanceIs("a", "w", "web")});
  Dirty dirty;
  ASSERT_TRUE(
      api.state.Apply({.changes = {InstanceIs("a", "x", "late")}}, &dirty)
          .ok());
  const Told told = Parse(api.Ask(kPath)->body());
  EXPECT_LT(told.index, api.state.index());
  const auto waiting = api.Ask(absl::StrCat(kPath, "?index=", told.index));
  EXPECT_FALSE(waiting->response);
  api.blocking().Wake(dirty.watched);
  EXPECT_TRUE(Parse(waiting->body()).services.contains("late"));
}

TEST(ServiceChanges, NodesAreToldToWhoAsksForThem) {
  ApiFixture api;
  api.Apply({NodeIs("a"), NodeIs("B"), InstanceIs("a", "w", "web"),
             CheckIs("B", "own", "", HealthStatus::kPassing),
             CheckIs("a", "c", "w", HealthStatus::kPassing)});
  const auto all = api.Ask(kPath + "?nodes");
  EXPECT_TRUE(absl::StrContains(
      all->body(), R"("Gone":[],"Nodes":[{"Node":{"ID":"","Node":"a",)"))
      << all->body();
  // Its own checks only.
  EXPECT_TRUE(
      absl::StrContains(all->body(), R"("ModifyIndex":1},"Checks":[]})"))
      << all->body();
  EXPECT_TRUE(absl::EndsWith(all->body(), R"(}]}],"GoneNodes":[]})"))
      << all->body();
  EXPECT_FALSE(absl::StrContains(api.Ask(kPath)->body(), "Nodes"));
  const std::string since = absl::StrCat("index=", all->index());
  const auto with = api.Ask(absl::StrCat(kPath, "?nodes&", since));
  const auto without = api.Ask(absl::StrCat(kPath, "?", since));
  // A node that has no instance.
  api.Apply({CheckIs("B", "own", "", HealthStatus::kWarning)});
  ASSERT_TRUE(with->response);
  EXPECT_FALSE(without->response);
  EXPECT_TRUE(absl::StrContains(
      with->body(), R"("Services":{},"Gone":[],"Nodes":[{"Node":{"ID":"",)"
                    R"("Node":"B",)"))
      << with->body();
  EXPECT_TRUE(absl::StrContains(with->body(), R"("Status":"warning")"));
  const auto next =
      api.Ask(absl::StrCat(kPath, "?nodes&index=", with->index()));
  api.Apply({RemoveNode{{"dc1", "B"}}});
  EXPECT_TRUE(absl::EndsWith(next->body(), R"("Nodes":[],"GoneNodes":["b"]})"))
      << next->body();
  EXPECT_FALSE(without->response);
}

TEST(ServiceChanges, TheIndexOfAnotherRunGetsEverything) {
  ApiFixture api;
  api.Apply({NodeIs("a"), InstanceIs("a", "w", "web")});
  const auto all = api.Ask(kPath);
  const std::string mark = R"("Run":")";
  const size_t at = all->body().find(mark) + mark.size();
  const std::string run = all->body().substr(at, 36);
  const std::string since = absl::StrCat(kPath, "?index=", all->index());
  EXPECT_FALSE(api.Ask(absl::StrCat(since, "&run=", run))->response);
  const auto other =
      api.Ask(since + "&run=b3f5c3a1-0000-4000-8000-000000000001");
  ASSERT_TRUE(other->response);
  EXPECT_TRUE(Parse(other->body()).full);
  EXPECT_TRUE(absl::StrContains(other->body(), mark + run));
}

// Followers that ask now and then, with room for few names and for many.
TEST(ServiceChanges, FollowersHaveWhatThereIs) {
  const uint64_t seed = testing::TestSeed();
  for (const size_t names_max : {size_t{3}, size_t{1000}}) {
    std::mt19937_64 random(seed);
    const auto pick = [&](int below) {
      return std::uniform_int_distribution<int>(0, below - 1)(random);
    };
    ApiFixture api(seed, names_max);
    std::vector<Follower> followers(3, Follower(&api));
    for (int i = 0; i < testing::Scaled(3000); ++i) {
      const std::string node(1, static_cast<char>('a' + pick(3)));
      const std::string id = absl::StrCat("i", pick(8));
      std::vector<Change> changes = {
          NodeIs(node, absl::StrCat("10.0.0.", pick(20) == 0 ? 2 : 1))};
      if (pick(3) == 0) {
        changes.push_back(RemoveInstance{{"dc1", node}, id});
      } else if (pick(10) == 0) {
        changes.push_back(RemoveNode{{"dc1", node}});
      } else {
        changes.push_back(InstanceIs(node, id, absl::StrCat("s", pick(8)),
                                     static_cast<uint16_t>(pick(3))));
        if (pick(2) == 0) {
          changes.push_back(CheckIs(node, absl::StrCat("c", pick(2)), id,
                                    static_cast<HealthStatus>(pick(3))));
        }
      }
      api.Apply(changes);
      for (size_t j = 0; j < followers.size(); ++j) {
        if (pick(1 + static_cast<int>(j) * 4) == 0) {
          (void)followers[j].Ask();
        }
      }
    }
    const Told now = Parse(api.Ask(kPath)->body());
    for (Follower& follower : followers) {
      while (follower.Ask()) {
      }
      EXPECT_EQ(follower.services_, now.services);
      EXPECT_GT(follower.parts_, 0);
    }
    // A change of a node is one of all its services: too many for little room.
    if (names_max == 3) {
      EXPECT_GT(followers[2].full_, 1);
    } else {
      EXPECT_EQ(followers[0].full_, 1);
    }
  }
}

}  // namespace
}  // namespace dnsd
