// What a mirror kept on disk, served by a dnsd that starts while Consul is
// away; and what is damaged of it.
#include <dirent.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/mirror_fixture.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr char kWeb[] = "web.service.consul.";
constexpr char kDc1[] = "mirror_dc1";
constexpr char kFile[] = "consul-mirror/dc1.json";

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* open_folder = opendir(folder.c_str());
  if (open_folder == nullptr) return names;
  while (const dirent* entry = readdir(open_folder)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(open_folder);
  std::sort(names.begin(), names.end());
  return names;
}

class MirrorDisk : public MirrorTest {
 protected:
  // Mirrors into data_ and keeps it, then Consul goes away.
  void Keep() {
    StartConsul(/*keeps_data=*/true);
    Register("web", 1, 3);
    const ConsulReply made =
        api().Call("POST", "/v1/query",
                   R"({"Name": "find", "Service": {"Service": "web"}})");
    ASSERT_EQ(made.status, 200) << made.body;
    MirrorSetup setup;
    setup.data_dir = data_.path();
    const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
    ASSERT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 3)));
    ASSERT_EQ(mirror->agent().Stop(), 0) << mirror->log();
    proxy().SetMode(FaultProxy::Mode::kRefuse);
    text_ = ReadFile(data_.Path(kFile));
    ASSERT_FALSE(text_.empty());
  }
  MirrorSetup Setup(const TempDir& data) {
    MirrorSetup setup;
    setup.urls = {proxy().Url()};
    setup.data_dir = data.path();
    return setup;
  }

  TempDir data_;
  std::string text_;
};

TEST_F(MirrorDisk, RestartWhileConsulIsAwayServesTheLastMirrorAtOnce) {
  Keep();
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(Setup(data_));
  // The first answer, not one that was waited for.
  const DnsReply first = mirror->Ask(kWeb);
  EXPECT_EQ(first.rcode, "NOERROR");
  EXPECT_EQ(first.answer.size(), 3u);
  EXPECT_TRUE(IsCalledStale(first));
  EXPECT_EQ(mirror->Addresses("find.query.consul."), AddressesOf(1, 3));
  EXPECT_EQ(mirror->Addresses("web.service.dc1.consul."), AddressesOf(1, 3));
  EXPECT_EQ(mirror->Addresses("node-2.node.consul."), AddressesOf(2, 2));
  EXPECT_EQ(mirror->LogCount("Serving what was kept on disk"), 1u);
  EXPECT_EQ(mirror->Stat(kDc1, "state"), "stale");

  Register("web", 4, 4);
  proxy().SetMode(FaultProxy::Mode::kPass);
  EXPECT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 4)));
  EXPECT_TRUE(mirror->WaitForStat(kDc1, "state", "fresh"));
  EXPECT_FALSE(IsCalledStale(mirror->Ask(kWeb)));
}

// Killed, not stopped: what was saved meanwhile is there.
TEST_F(MirrorDisk, KilledDnsdServesWhatItSavedWhileItRan) {
  StartConsul();
  Register("web", 1, 3);
  MirrorSetup setup = Setup(data_);
  {
    const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
    ASSERT_TRUE(mirror->WaitForAddresses(kWeb, AddressesOf(1, 3)));
    ASSERT_TRUE(
        WaitUntil([&] { return !ReadFile(data_.Path(kFile)).empty(); }));
    Register("web", 4, 4);
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(ReadFile(data_.Path(kFile)), "node-4");
    }));
    EXPECT_EQ(mirror->Stat("consul", "last_save_error"), "");
    mirror->agent().process().Signal(SIGKILL);
    EXPECT_TRUE(mirror->agent().process().Wait());
  }
  consul().Kill();
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
  EXPECT_EQ(mirror->Addresses(kWeb), AddressesOf(1, 4));
}

TEST_F(MirrorDisk, DamagedFilesAreKeptAsideAndDnsdStartsWithout) {
  Keep();
  const auto flipped = [&](size_t at) {
    std::string text = text_;
    text[at] = static_cast<char>(text[at] ^ 0x20);
    return text;
  };
  std::vector<std::string> damaged = {"",
                                      "x",
                                      flipped(0),
                                      flipped(13),
                                      flipped(text_.size() / 2),
                                      flipped(text_.size() - 3),
                                      text_ + " ",
                                      text_.substr(0, 20),
                                      text_.substr(0, text_.size() / 2),
                                      text_.substr(0, text_.size() - 1)};
  struct Started {
    TempDir data;
    std::unique_ptr<MirrorAgent> mirror;
  };
  std::vector<std::unique_ptr<Started>> all;
  for (const std::string& text : damaged) {
    auto& one = all.emplace_back(std::make_unique<Started>());
    one->data.Write(kFile, text);
    one->mirror = StartMirror(Setup(one->data));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    MirrorAgent& mirror = *all[i]->mirror;
    // Nothing is known, and a client is told to ask somebody else.
    EXPECT_EQ(mirror.Ask(kWeb).rcode, "SERVFAIL") << i << mirror.log();
    EXPECT_EQ(mirror.LogCount("Cannot use what was kept on disk"), 1u)
        << i << mirror.log();
    EXPECT_EQ(NamesIn(all[i]->data.Path("consul-mirror")),
              std::vector<std::string>{"dc1.json.damaged"});
    EXPECT_EQ(
        ReadFile(all[i]->data.Path(absl::StrCat(kFile, ".damaged"))).size(),
        damaged[i].size());
  }
  proxy().SetMode(FaultProxy::Mode::kPass);
  for (const auto& one : all) {
    EXPECT_TRUE(one->mirror->WaitForAddresses(kWeb, AddressesOf(1, 3)));
  }
}

}  // namespace
}  // namespace dnsd::testing
