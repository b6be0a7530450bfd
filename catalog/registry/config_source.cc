#include "catalog/registry/config_source.h"

#include <utility>

namespace dnsd {
namespace {

Check ToCheck(const CheckDefinition& definition) {
  Check check;
  check.id = definition.id;
  check.name = definition.name;
  check.service_id = definition.service_id;
  check.status = definition.status;
  check.notes = definition.notes;
  return check;
}

}  // namespace

ChangeBatch ToBatch(SourceId id, const Definitions& definitions) {
  ChangeBatch batch;
  batch.source = id;
  batch.complete = true;
  if (!definitions.is_present) return batch;
  const Node& node = definitions.node;
  NodeKey key{node.datacenter, node.name};
  batch.changes.push_back(UpsertNode{node});
  for (const ServiceDefinition& service : definitions.services) {
    batch.changes.push_back(UpsertInstance{key, service.instance});
    for (const CheckDefinition& check : service.checks) {
      batch.changes.push_back(UpsertCheck{key, ToCheck(check)});
    }
  }
  for (const CheckDefinition& check : definitions.checks) {
    batch.changes.push_back(UpsertCheck{key, ToCheck(check)});
  }
  return batch;
}

ConfigSource::ConfigSource(SourceId id, Definitions definitions)
    : id_(id), definitions_(std::move(definitions)) {}

void ConfigSource::Start(Sink sink) {
  sink_ = std::move(sink);
  Emit();
}

void ConfigSource::Stop() { sink_ = nullptr; }

void ConfigSource::Update(Definitions definitions) {
  definitions_ = std::move(definitions);
  Emit();
}

void ConfigSource::Emit() {
  if (sink_) sink_(ToBatch(id_, definitions_));
}

}  // namespace dnsd
