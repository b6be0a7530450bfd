#include "dnsd/registry_link.h"

#include <chrono>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "catalog/base/uuid.h"
#include "catalog/registry/memory_store.h"
#include "catalog/registry/sqlite_store.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

// In data_dir. Consul keeps its node's id under the same name.
constexpr char kStoreFile[] = "registry.db";
constexpr char kNodeIdFile[] = "node-id";

std::string InDataDir(const Config& config, const char* name) {
  return absl::StrCat(config.data_dir, "/", name);
}

uint64_t Ms(std::chrono::nanoseconds duration) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Config& config,
                                                 EventLoop* loop) {
  if (config.data_dir.empty()) {
    if (!config.dev) {
      LogWarn("agent",
              "Without data_dir, registrations are lost when this agent ends");
    }
    return std::unique_ptr<Store>(std::make_unique<MemoryStore>(loop));
  }
  return OpenSqliteStore(loop, InDataDir(config, kStoreFile));
}

RegistryOptions OptionsOf(SourceId id, const Config& config,
                          CatalogSync* sync) {
  const CheckSettings& settings = config.check_settings;
  RegistryOptions options;
  options.id = id;
  options.server_port = config.server_port;
  options.version = kVersion;
  options.check_update_ms = Ms(settings.update_interval);
  options.when_published = [sync](std::function<void()> told) {
    sync->WhenPublished(std::move(told));
  };
  options.checks = CheckOptionsOf(settings);
  return options;
}

}  // namespace

absl::StatusOr<std::string> NodeId(const Config& config) {
  if (!config.node.id.empty()) return config.node.id;
  if (config.data_dir.empty()) return NewUuid();
  const std::string path = InDataDir(config, kNodeIdFile);
  std::string id;
  std::ifstream(path) >> id;
  if (IsUuid(id)) return AsciiLower(id);
  if (!id.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": \"", id.substr(0, 60), "\" is not a UUID"));
  }
  id = NewUuid();
  std::ofstream file(path, std::ios::trunc);
  file << id;
  file.close();
  if (file.good()) return id;
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::StatusOr<std::unique_ptr<RegistryLink>> RegistryLink::Open(
    SourceId id, const Config& config, Definitions definitions,
    CatalogSync* sync) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenStore(config, sync->loop());
  if (!store.ok()) return store.status();
  auto registry = std::make_unique<Registry>(
      sync->loop(), &sync->state(), *std::move(store), std::move(definitions),
      OptionsOf(id, config, sync));
  const absl::Status loaded = registry->Load();
  if (!loaded.ok()) {
    return absl::Status(
        loaded.code(),
        absl::StrCat(InDataDir(config, kStoreFile), ": ", loaded.message()));
  }
  std::unique_ptr<RegistryLink> link(new RegistryLink(registry.get()));
  sync->AddSource(std::move(registry));
  return link;
}

}  // namespace dnsd
