// RegistryTest runs a Registry on a loop of the test's own thread, with a
// State that takes what it says, and a store that outlives it.
//
// Threads: one; every call runs the loop until it is done.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_REGISTRY_FIXTURE_H_
#define DNSD_TESTS_CATALOG_REGISTRY_REGISTRY_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/registry.h"
#include "catalog/state.h"

namespace dnsd {

// A store that cannot write.
class FailingStore : public Store {
 public:
  absl::Status Load(const Visit&, absl::string_view) override {
    return absl::OkStatus();
  }
  void Commit(std::vector<StoreWrite>, Done done) override {
    done(absl::UnavailableError("disk full"));
  }
  const StoreStats& stats() const override { return stats_; }

 private:
  StoreStats stats_;
};

// Keeps what it is given in a map of the test's.
class MapStore : public Store {
 public:
  explicit MapStore(std::map<std::string, std::string>* records)
      : records_(records) {}
  absl::Status Load(const Visit& visit, absl::string_view last) override {
    for (const bool is_last : {false, true}) {
      for (const auto& [key, value] : *records_) {
        if (absl::StartsWith(key, last) == is_last) visit(key, value);
      }
    }
    return absl::OkStatus();
  }
  void Commit(std::vector<StoreWrite> writes, Done done) override {
    for (StoreWrite& write : writes) {
      if (write.value.has_value()) {
        (*records_)[write.key] = *write.value;
      } else {
        records_->erase(write.key);
      }
    }
    done(absl::OkStatus());
  }

  const StoreStats& stats() const override { return stats_; }

 private:
  std::map<std::string, std::string>* records_;
  StoreStats stats_;
};

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() {
    definitions.node.name = "here";
    definitions.node.datacenter = "dc1";
    definitions.node.address = "127.0.0.1";
    options.when_published = [](std::function<void()> told) { told(); };
    options.check_update_ms = 0;
  }
  ~RegistryTest() override { Close(); }

  void Open(std::unique_ptr<Store> store = nullptr) {
    if (store == nullptr) store = std::make_unique<MapStore>(&records);
    loop_ = std::make_unique<EventLoop>();
    state_ = std::make_unique<State>();
    registry_ = std::make_unique<Registry>(
        loop_.get(), state_.get(), std::move(store), definitions, options);
    const Source::Sink sink = [this](ChangeBatch batch) {
      Dirty dirty;
      EXPECT_EQ(state_->Apply(std::move(batch), &dirty), absl::OkStatus());
    };
    ASSERT_EQ(registry_->Load(sink), absl::OkStatus());
    registry_->Start(sink);
    state_->RaiseIndex(registry_->first_index());
  }
  void Close() {
    if (registry_) registry_->Stop();
    registry_.reset();
    state_.reset();
    loop_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }

  [[nodiscard]] bool RunUntil(const std::function<bool()>& done) {
    bool late = false;
    Timer end(loop_.get(), [&] {
      late = true;
      loop_->Stop();
    });
    Timer look(loop_.get(), [&] {
      if (done()) loop_->Stop();
    });
    end.Start(20'000);
    look.Start(0, 5);
    loop_->Run();
    return !late;
  }

  // Calls `start` with a Done, and waits for its status.
  absl::Status Call(const std::function<void(Registry::Done)>& start) {
    std::optional<absl::Status> result;
    start([&](const absl::Status& status) { result = status; });
    if (!result.has_value()) {
      EXPECT_TRUE(RunUntil([&] { return result.has_value(); }));
    }
    return result.value_or(absl::DeadlineExceededError("no answer"));
  }

  [[nodiscard]] static ServiceDefinition Service(const std::string& json) {
    auto service = DecodeServiceBody(json);
    EXPECT_EQ(service.status(), absl::OkStatus()) << json;
    return service.ok() ? *service : ServiceDefinition();
  }

  absl::Status Register(const std::string& json, bool replace = false) {
    return Call([&](auto done) {
      registry_->RegisterService(Service(json), replace, std::move(done));
    });
  }
  absl::Status Deregister(const std::string& id) {
    return Call(
        [&](auto done) { registry_->DeregisterService(id, std::move(done)); });
  }
  absl::Status Update(const std::string& id, HealthStatus status,
                      const std::string& output) {
    return Call([&](auto done) {
      registry_->UpdateCheck(id, status, output, std::move(done));
    });
  }
  absl::Status ServiceMaintenance(const std::string& id, bool enable,
                                  const std::string& reason) {
    return Call([&](auto done) {
      registry_->SetServiceMaintenance(id, enable, reason, std::move(done));
    });
  }
  absl::Status NodeMaintenance(bool enable) {
    return Call([&](auto done) {
      registry_->SetNodeMaintenance(enable, "", std::move(done));
    });
  }
  absl::Status Catalog(const std::string& json) {
    auto body = DecodeCatalogRegistration(json);
    if (!body.ok()) return body.status();
    return Call(
        [&](auto done) { registry_->RegisterCatalog(*body, std::move(done)); });
  }
  absl::Status CatalogRemove(const std::string& json) {
    auto body = DecodeCatalogDeregistration(json);
    if (!body.ok()) return body.status();
    return Call([&](auto done) {
      registry_->DeregisterCatalog(*body, std::move(done));
    });
  }
  absl::Status Query(const std::string& json) {
    auto body = DecodeQueryBody(json);
    if (!body.ok()) return body.status();
    return Call([&](auto done) {
      registry_->CreateQuery(
          *body, [done](const absl::Status& status, auto) { done(status); });
    });
  }

  [[nodiscard]] std::vector<std::string> Instances(const std::string& name) {
    std::vector<std::string> texts;
    state_->ForEachInstance({"dc1", name}, [&](const InstanceView& view) {
      texts.push_back(absl::StrCat(
          view.node->name, "/", view.instance->id.view(), ":",
          view.instance->port, " ", HealthStatusName(view.health)));
    });
    return texts;
  }
  [[nodiscard]] std::vector<std::string> Checks(const std::string& node) {
    std::vector<std::string> texts;
    state_->ForEachCheckOnNode({"dc1", node}, [&](const CheckView& view) {
      texts.push_back(absl::StrCat(view.check->id.view(), " ",
                                   HealthStatusName(view.check->status)));
    });
    return texts;
  }

  [[nodiscard]] State& state() { return *state_; }
  [[nodiscard]] Registry& registry() { return *registry_; }

  Definitions definitions;
  RegistryOptions options;
  std::map<std::string, std::string> records;

 private:
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<State> state_;
  std::unique_ptr<Registry> registry_;
};

}  // namespace dnsd

#endif  // DNSD_TESTS_CATALOG_REGISTRY_REGISTRY_FIXTURE_H_
