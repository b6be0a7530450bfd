#include "zones/reverse_names.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Scaled;
using testing::TestSeed;

AddressKey Key(const std::string& text) {
  return ToAddressKey(ParseAddress(text));
}

TEST(AddressKey, IsTheAddress) {
  EXPECT_EQ(AddressBytes(Key("10.0.0.1")), std::string("\x0a\0\0\x01", 4));
  EXPECT_EQ(Key("::ffff:10.0.0.1"), Key("10.0.0.1"));
  EXPECT_EQ(AddressBytes(Key("2001:db8::1")),
            ParseAddress("2001:db8::1").bytes);
  EXPECT_NE(Key("::1"), Key("0.0.0.1"));
}

// The same, as simply as can be: what leads where is looked for every time.
class Model {
 public:
  std::map<std::pair<std::string, std::string>, std::string> nodes;
  // By service: pairs of address and target.
  std::map<NameKey, std::multiset<std::pair<std::string, std::string>>> claims;

  [[nodiscard]] std::string TargetOf(const std::string& address) const {
    for (const auto& [key, target] : nodes) {
      if (key.first == address) return target;
    }
    std::string first;
    for (const auto& [service, places] : claims) {
      for (const auto& [place, target] : places) {
        if (place != address) continue;
        if (first.empty() || target < first) first = target;
      }
    }
    return first;
  }
};

class Played {
 public:
  explicit Played(uint64_t seed) : random_(seed) {}

  void Step() {
    switch (Below(4)) {
      case 0: {
        const std::string address = Address();
        const std::string name = absl::StrCat("n", Below(4));
        const std::string target = absl::StrCat(name, ".node");
        if (Below(2) == 0) {
          model_.nodes[{address, name}] = target;
          names_.AddNode(Key(address), name, target);
        } else {
          model_.nodes.erase({address, name});
          names_.RemoveNode(Key(address), name);
        }
        return;
      }
      case 1:
        if (Below(20) == 0) names_.TellAll();
        return Look();
      default:
        SetService();
    }
  }

  void Look() {
    for (const auto& [address, target] : names_.TakeChanged()) {
      told_[address] = target == nullptr ? "" : *target;
    }
    for (int i = 0; i < kAddresses; ++i) {
      const std::string address = AddressOf(i);
      ASSERT_EQ(told_[Key(address)], model_.TargetOf(address)) << address;
    }
    std::set<NameKey> services;
    names_.ForEachService([&](const NameKey& key) { services.insert(key); });
    for (const auto& [key, claims] : model_.claims) {
      ASSERT_EQ(services.contains(key), !claims.empty());
    }
  }

 private:
  static constexpr int kAddresses = 12;

  static std::string AddressOf(int i) {
    return i % 3 == 0 ? absl::StrCat("2001:db8::", i)
                      : absl::StrCat("10.0.0.", i);
  }
  std::string Address() {
    return AddressOf(static_cast<int>(Below(kAddresses)));
  }

  void SetService() {
    const NameKey key{"dc1", absl::StrCat("s", Below(5))};
    auto& claims = model_.claims[key];
    claims.clear();
    std::vector<std::unique_ptr<std::string>> targets;
    std::vector<ReverseNames::Claim> given;
    while (Below(4) != 0) {
      // Services may spell their name in several ways, or as another does.
      targets.push_back(
          std::make_unique<std::string>(absl::StrCat("t", Below(6))));
      const std::string address = Address();
      claims.emplace(address, *targets.back());
      given.push_back({Key(address), targets.back().get()});
    }
    names_.SetService(key, std::move(given));
  }

  uint64_t Below(uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  Model model_;
  ReverseNames names_;
  std::map<AddressKey, std::string> told_;
};

TEST(ReverseNames, LeadsWhereTheModelLeads) {
  for (uint64_t round = 0; round < 20; ++round) {
    Played played(TestSeed() + round);
    for (int step = 0; step < Scaled(500) && !::testing::Test::HasFailure();
         ++step) {
      played.Step();
    }
    played.Look();
  }
}

}  // namespace
}  // namespace dnsd
