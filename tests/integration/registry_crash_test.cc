// Random registrations against a model, with the agent killed at random
// moments: what was answered 200 is there after a restart, what was not
// answered is there whole or not at all, and nothing else is.
//
// Method: one client works on few ids, so that it overwrites and withdraws
// what it made. The request that was on its way when the agent died may have
// taken effect: both outcomes are allowed for its thing, and for it alone.
// DNSD_CRASH_ROUNDS sets how many times the agent dies.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr int kThings = 12;  // ids of each kind
constexpr int kRoundsDefault = 12;

// A thing's key to how it shows; "service/s3" -> "web-s3:8080".
using Things = std::map<std::string, std::string>;

struct Operation {
  std::string key;
  std::optional<std::string> shows;  // nothing: it is withdrawn
  std::string method = "PUT";
  std::string path;
  std::string body;
};

const Value* Find(const Value& object, const std::string& key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string Text(const Value& object, const std::string& key) {
  const Value* value = Find(object, key);
  return value == nullptr ? "?" : value->text;
}

class Crashing {
 public:
  explicit Crashing(uint64_t seed) : random_(seed) { StartAgent(); }

  void Round() {
    const auto life = std::chrono::milliseconds(Below(80) + 5);
    std::thread killer([&] {
      std::this_thread::sleep_for(life);
      agent_->process().Signal(SIGKILL);
    });
    std::optional<Operation> unanswered;
    while (!unanswered.has_value()) {
      const Operation operation = Next();
      const ConsulReply reply =
          api_->Call(operation.method, operation.path, operation.body);
      if (reply.status == 0) {
        unanswered = operation;
      } else if (reply.status == 200) {
        Apply(operation);
        ++answered_;
      } else {
        ADD_FAILURE() << operation.path << ": " << reply.status << " "
                      << reply.body;
      }
    }
    killer.join();
    StartAgent();
    Compare(*unanswered);
  }

  [[nodiscard]] int answered() const { return answered_; }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  void StartAgent() {
    agent_.emplace(std::vector<std::string>{
        "-data-dir", data_dir_.path(), "-node", "here", "-bind", "127.0.0.1"});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
    api_.emplace(absl::StrCat("http://", agent_->HttpAddress()));
  }

  Operation Next() {
    const std::string id = absl::StrCat(Below(kThings));
    const uint64_t number = Below(1000) + 1;
    switch (Below(8)) {
      case 0:
      case 1:
        return {absl::StrCat("service/s", id), absl::StrCat("web:", number),
                "PUT", "/v1/agent/service/register",
                absl::StrCat(R"({"ID":"s)", id, R"(","Name":"web","Port":)",
                             number, "}")};
      case 2:
        if (!things_.contains(absl::StrCat("service/s", id))) return Next();
        return {absl::StrCat("service/s", id), std::nullopt, "PUT",
                absl::StrCat("/v1/agent/service/deregister/s", id), ""};
      case 3:
        return {absl::StrCat("check/c", id), absl::StrCat("note ", number),
                "PUT", "/v1/agent/check/register",
                absl::StrCat(R"({"ID":"c)", id, R"(","Name":"c)", id,
                             R"(","TTL":"1h","Notes":"note )", number, "\"}")};
      case 4:
        if (!things_.contains(absl::StrCat("check/c", id))) return Next();
        return {absl::StrCat("check/c", id), std::nullopt, "PUT",
                absl::StrCat("/v1/agent/check/deregister/c", id), ""};
      case 5:
      case 6:
        return {absl::StrCat("node/n", id), absl::StrCat("db:", number), "PUT",
                "/v1/catalog/register",
                absl::StrCat(R"({"Node":"n)", id,
                             R"(","Address":"10.0.0.1","Service":{"ID":"db",)",
                             R"("Service":"db","Port":)", number, "}}")};
      default:
        return {absl::StrCat("node/n", id), std::nullopt, "PUT",
                "/v1/catalog/deregister",
                absl::StrCat(R"({"Node":"n)", id, R"("})")};
    }
  }

  void Apply(const Operation& operation) {
    if (operation.shows.has_value()) {
      things_[operation.key] = *operation.shows;
    } else {
      things_.erase(operation.key);
    }
  }

  Value Json(const std::string& path) {
    const std::string text = api_->Get(path);
    absl::StatusOr<Value> value = ParseJson(text);
    EXPECT_TRUE(value.ok()) << path << ": " << text;
    return value.ok() ? *std::move(value) : Value();
  }

  Things Shown() {
    Things shown;
    for (const Member& service : Json("/v1/agent/services").members) {
      shown["service/" + service.key] = absl::StrCat(
          Text(service.value, "Service"), ":", Text(service.value, "Port"));
    }
    for (const Member& check : Json("/v1/agent/checks").members) {
      shown["check/" + check.key] = Text(check.value, "Notes");
    }
    for (const Value& node : Json("/v1/catalog/nodes").items) {
      const std::string name = Text(node, "Node");
      if (name == "here") continue;
      const Value services = Json("/v1/catalog/node/" + name);
      const Value* list = Find(services, "Services");
      std::string text = "no service";
      if (list != nullptr && !list->members.empty()) {
        const Value& service = list->members[0].value;
        text =
            absl::StrCat(Text(service, "Service"), ":", Text(service, "Port"));
      }
      shown["node/" + name] = text;
    }
    return shown;
  }

  void Compare(const Operation& unanswered) {
    Things shown = Shown();
    const auto seen = shown.find(unanswered.key);
    const bool took_effect =
        unanswered.shows.has_value()
            ? seen != shown.end() && seen->second == *unanswered.shows
            : seen == shown.end();
    if (took_effect) Apply(unanswered);
    EXPECT_EQ(shown, things_)
        << "unanswered: " << unanswered.path << " " << unanswered.body;
  }

  std::mt19937_64 random_;
  TempDir data_dir_;
  Things things_;
  int answered_ = 0;
  std::optional<AgentProcess> agent_;
  std::optional<ConsulApi> api_;
};

TEST(RegistryCrash, WhatWasAnsweredIsThereAfterKill) {
  int rounds = kRoundsDefault;
  if (const char* text = std::getenv("DNSD_CRASH_ROUNDS")) {
    ASSERT_TRUE(absl::SimpleAtoi(text, &rounds));
  }
  Crashing crashing(TestSeed());
  for (int i = 0; i < rounds; ++i) {
    SCOPED_TRACE(absl::StrCat("round ", i));
    crashing.Round();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(crashing.answered(), rounds);
}

// Every record of it can be read, but SQLite's structure has a page too much:
// what is noticed last, while the catalog is compiled.
TEST(RegistryDamage, AnAgentDoesNotStartWithADamagedFile) {
  const TempDir dir;
  const std::vector<std::string> args = {"-data-dir", dir.Path("data"),
                                         "-pid-file", dir.Path("pid")};
  {
    AgentProcess agent(args);
    ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
    ConsulApi api("http://" + agent.HttpAddress());
    EXPECT_EQ(api.Call("PUT", "/v1/agent/service/register", R"({"Name":"web"})")
                  .status,
              200);
    EXPECT_EQ(agent.Stop(), 0);
  }
  constexpr size_t kPageBytes = 4096;
  constexpr size_t kPageCount = 31;  // its last byte, in the header
  const std::string path = dir.Path("data/registry.db");
  std::string bad = ReadFile(path) + std::string(kPageBytes, '\0');
  ++bad[kPageCount];
  dir.Write("data/registry.db", bad);
  AgentProcess agent(args);
  EXPECT_EQ(agent.process().Wait(), 1);
  EXPECT_TRUE(absl::StrContains(
      agent.process().output(),
      absl::StrCat("cannot read ", path, ": it is damaged: ")))
      << agent.process().output();
  EXPECT_FALSE(std::filesystem::exists(dir.Path("pid")));
  EXPECT_EQ(ReadFile(path), bad);
}

}  // namespace
}  // namespace dnsd::testing
