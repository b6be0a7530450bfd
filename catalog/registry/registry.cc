#include "catalog/registry/registry.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/check.h"
#include "catalog/base/log.h"
#include "catalog/base/thread.h"
#include "catalog/base/unix_time.h"
#include "catalog/registry/catalog_load.h"
#include "catalog/registry/registry_loaded.h"

namespace dnsd {
namespace {

// Indexes are reserved in blocks, so that one write is enough for very many
// changes. A start skips what is left of a block: at a million a second,
// 64 bits last for half a million years.
constexpr uint64_t kIndexBlock = 1u << 20;

// "catalog/KIND/NODE...", as RecordKey() writes it.
bool IsCatalogRecord(absl::string_view key) {
  return absl::ConsumePrefix(&key, kCatalogRecords) &&
         key.find('/') != absl::string_view::npos;
}

constexpr char kServerService[] = "consul";
constexpr char kServerCheck[] = "serfHealth";

}  // namespace

Registry::Registry(EventLoop* loop, const State* state,
                   std::unique_ptr<Store> store, Definitions definitions,
                   RegistryOptions options)
    : loop_(loop),
      state_(state),
      store_(std::move(store)),
      definitions_(std::move(definitions)),
      options_(std::move(options)),
      loaded_(std::make_unique<Loaded>()),
      keep_states_(loop, [this] { KeepCheckStates(); }),
      show_outputs_(loop, [this] { ShowWaitingOutputs(); }),
      anti_entropy_(loop, [this] { AntiEntropy(); }) {
  CheckRunner::Hooks hooks;
  hooks.report = [this](const CheckFinding& report) { OnReport(report); };
  hooks.reap = [this](const std::string& service, const std::string& check) {
    OnReap(service, check);
  };
  hooks.alias = [this](const std::string& node, const std::string& service) {
    return TargetOf(node, service);
  };
  runner_ =
      std::make_unique<CheckRunner>(loop, options_.checks, std::move(hooks));
}

Registry::~Registry() = default;

NodeKey Registry::LocalKey() const {
  return {definitions_.node.datacenter, definitions_.node.name};
}

NameKey Registry::LocalName() const {
  return {definitions_.node.datacenter, AsciiLower(definitions_.node.name)};
}

absl::Status Registry::Load(const Sink& sink) {
  CatalogLoad catalog(definitions_.node.datacenter);
  absl::Status read;
  // What LoadRecord() changes is the reader's alone until it ends.
  std::thread reader = StartThread([&] {
    absl::Status damaged;
    // Checks come last, for State must know whose they are.
    read = store_->Load(
        [&](absl::string_view key, absl::string_view value) {
          if (IsCatalogRecord(key)) {
            catalog.Add(key, value);
            return;
          }
          const absl::Status status = LoadRecord(key, value);
          if (!status.ok()) damaged.Update(OfRecord(key, status));
        },
        kCatalogCheckRecords);
    read.Update(damaged);
    catalog.Close();
  });
  const absl::Status taken = catalog.TakeAll([&](Changes changes) {
    for (const Change& change : changes) {
      const auto* node = std::get_if<UpsertNode>(&change);
      if (node == nullptr || node->node.id.empty()) continue;
      node_of_id_[node->node.id] = node->node.name;
    }
    sink({options_.id, /*complete=*/false, std::move(changes)});
  });
  reader.join();
  read.Update(taken);
  return read;
}

absl::Status Registry::LoadRecord(absl::string_view key,
                                  absl::string_view value) {
  const std::vector<std::string> parts = RecordKeyParts(key);
  if (key == kIndexRecord) {
    return absl::SimpleAtoi(value, &reserved_index_)
               ? absl::OkStatus()
               : absl::DataLossError("not a number");
  }
  if (parts.size() == 3 && parts[0] == "agent") {
    return LoadAgentRecord(parts[1], parts[2], value);
  }
  if (parts.size() != 2 || parts[0] != "query") {
    return absl::DataLossError("no record of this version");
  }
  const absl::StatusOr<StampedValue> stamped = DecodeStamped(value);
  return stamped.ok() ? LoadQueryRecord(*stamped) : stamped.status();
}

absl::Status Registry::LoadAgentRecord(absl::string_view kind,
                                       const std::string& id,
                                       absl::string_view value) {
  if (kind == "service") {
    absl::StatusOr<ServiceDefinition> service = DecodeServiceBody(value);
    if (!service.ok()) return service.status();
    agent_.PutService({std::move(service->instance), std::move(service->token),
                       Origin::kApi});
  } else if (kind == "check") {
    absl::StatusOr<CheckDefinition> definition = DecodeCheckBody(value);
    if (!definition.ok()) return definition.status();
    Check check = CatalogCheck(*definition);
    loaded_->agent_checks.push_back(
        {*std::move(definition), std::move(check), Origin::kApi});
  } else if (kind == "maintenance") {
    loaded_->agent_checks.push_back(MaintenanceCheck(id, std::string(value)));
  } else if (kind == "state") {
    absl::StatusOr<CheckStateValue> state = DecodeCheckState(value);
    if (!state.ok()) return state.status();
    loaded_->states[id] = *std::move(state);
  } else {
    return absl::DataLossError("no record of this version");
  }
  return absl::OkStatus();
}

absl::Status Registry::LoadQueryRecord(const StampedValue& stamped) {
  absl::StatusOr<StoredQuery> query = DecodeQueryBody(stamped.json);
  if (!query.ok()) return query.status();
  loaded_->queries.push_back(
      UpsertQuery{definitions_.node.datacenter, query->query});
  const std::string id = AsciiLower(query->query.id);
  queries_[id] = {*std::move(query), stamped.stamp};
  return absl::OkStatus();
}

void Registry::Start(Sink sink) {
  sink_ = std::move(sink);
  Changes ignored;  // EmitAll() says it
  for (AgentCheck& check : loaded_->agent_checks) {
    const std::string service = check.check.service_id;
    // Its service may have been the configuration's.
    if (service.empty() || agent_.FindService(service) != nullptr) {
      RestoreCheckState(&check);
      PutAgentCheck(std::move(check), &ignored);
    }
  }
  PutConfigured(&ignored);
  EmitAll(/*complete=*/false);
  loaded_ = std::make_unique<Loaded>();
  anti_entropy_.Start(options_.anti_entropy_ms, options_.anti_entropy_ms);
}

void Registry::RestoreCheckState(AgentCheck* check) {
  const auto state = loaded_->states.find(check->check.id);
  if (state == loaded_->states.end()) return;
  const CheckDefinition& definition = check->definition;
  const int64_t age_ms = UnixMs() - state->second.unix_ms;
  const auto ttl_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(definition.ttl);
  // What its owner said holds for its TTL, whoever runs meanwhile.
  if (ttl_ms.count() > 0 && age_ms >= ttl_ms.count()) return;
  check->check.status = state->second.status;
  check->check.output = state->second.output;
}

void Registry::Stop() {
  KeepCheckStates();
  keep_states_.Stop();
  show_outputs_.Stop();
  anti_entropy_.Stop();
  runner_.reset();
  sink_ = nullptr;
}

void Registry::Emit(Changes changes) {
  if (!sink_ || changes.empty()) return;
  // (node, service id) of what alias checks may look at.
  std::set<std::pair<std::string, std::string>> aliased;
  for (const Change& change : changes) {
    if (const auto* upsert = std::get_if<UpsertCheck>(&change)) {
      aliased.emplace(upsert->key.node, upsert->check.service_id);
    } else if (const auto* instance = std::get_if<UpsertInstance>(&change)) {
      aliased.emplace(instance->key.node, instance->instance.id);
    } else if (const auto* removed = std::get_if<RemoveInstance>(&change)) {
      aliased.emplace(removed->key.node, removed->service_id);
    } else if (const auto* check = std::get_if<RemoveCheck>(&change)) {
      const auto view = state_->ViewCheck(
          {check->key.datacenter, AsciiLower(check->key.node)},
          check->check_id);
      if (view.has_value()) {
        aliased.emplace(check->key.node, view->check->service_id);
      }
    }
  }
  sink_({options_.id, /*complete=*/false, std::move(changes)});
  for (const auto& [node, service] : aliased) {
    runner_->CatalogChanged(node, service);
  }
}

void Registry::AddServer(Changes* changes) const {
  if (!options_.is_server) return;
  const NodeKey key = LocalKey();
  if (agent_.FindService(kServerService) == nullptr) {
    ServiceInstance server;
    server.id = server.name = kServerService;
    server.port = options_.server_port;
    server.meta["version"] = options_.version;
    server.has_meta = true;
    changes->push_back(UpsertInstance{key, std::move(server)});
  }
  if (agent_.FindCheck(kServerCheck) == nullptr) {
    Check alive;
    alive.id = kServerCheck;
    alive.name = "Serf Health Status";
    alive.status = HealthStatus::kPassing;
    alive.output = "Agent alive and reachable";
    changes->push_back(UpsertCheck{key, std::move(alive)});
  }
}

void Registry::EmitAll(bool complete) {
  if (!sink_) return;
  ChangeBatch batch{options_.id, complete, {}};
  Changes& changes = batch.changes;
  if (definitions_.is_present) {
    const NodeKey key = LocalKey();
    changes.push_back(UpsertNode{definitions_.node});
    AddServer(&changes);
    for (const auto& [id, service] : agent_.services()) {
      changes.push_back(UpsertInstance{key, service.instance});
    }
    for (const auto& [id, check] : agent_.checks()) {
      changes.push_back(UpsertCheck{key, check.check});
    }
  }
  changes.insert(changes.end(),
                 std::make_move_iterator(loaded_->queries.begin()),
                 std::make_move_iterator(loaded_->queries.end()));
  sink_(std::move(batch));
}

void Registry::Update(Definitions definitions) {
  const bool is_elsewhere =
      definitions.node.datacenter != definitions_.node.datacenter ||
      definitions.node.name != definitions_.node.name ||
      definitions.is_present != definitions_.is_present;
  definitions_ = std::move(definitions);
  if (!sink_) return;
  Changes changes;
  changes.push_back(UpsertNode{definitions_.node});
  EraseUnconfigured(&changes);
  PutConfigured(&changes);
  if (is_elsewhere) {
    // Only without a store's catalog: the name and place of an agent that is
    // the server of its datacenter do not change while it runs.
    EmitAll(/*complete=*/true);
  } else if (definitions_.is_present) {
    Emit(std::move(changes));
  }
}

void Registry::ReserveIndexes(Writes* writes) {
  if (state_->index() + kIndexBlock / 2 < reserved_index_) return;
  reserved_index_ = state_->index() + kIndexBlock;
  writes->push_back({kIndexRecord, absl::StrCat(reserved_index_)});
}

void Registry::Submit(Writes writes, std::function<void()> apply, Done done) {
  ReserveIndexes(&writes);
  store_->Commit(std::move(writes),
                 [this, apply = std::move(apply),
                  done = std::move(done)](const absl::Status& status) {
                   if (!status.ok()) {
                     done(absl::UnavailableError(status.message()));
                     return;
                   }
                   apply();
                   options_.when_published([done] { done(absl::OkStatus()); });
                 });
}

}  // namespace dnsd
