#include "zones/compiled_service.h"

#include <span>

#include "catalog/catalog_rights.h"
#include "zones/name.h"
#include "zones/record.h"

namespace dnsd {
namespace {

void AddClaims(const CompileContext& context,
               std::span<const InstanceView> instances, CompiledService* out) {
  const std::string* name = nullptr;
  const std::string* target = nullptr;  // of the name; null: it is none
  for (const InstanceView& view : instances) {
    if (!MaySee(context.rights.asker.get(), view)) continue;
    const ParsedAddress address = ParseAddress(view.instance->address);
    if (!address.is_ip()) continue;
    // Instances of a service mostly spell it alike.
    if (name == nullptr || *name != *view.instance->name) {
      name = &*view.instance->name;
      target = nullptr;
      std::string labels;
      if (LabelsToWire(*name, &labels)) {
        labels += Label("service");
        labels += Label(view.node->datacenter);
        target = out->targets
                     .emplace_back(
                         std::make_unique<const std::string>(std::move(labels)))
                     .get();
      }
    }
    if (target != nullptr) {
      out->claims.push_back({ToAddressKey(address), target});
    }
  }
}

}  // namespace

CompiledService CompileServiceNames(const CompileContext& context,
                                    const NameKey& service,
                                    const EntryPlace& place,
                                    std::vector<InstanceView>* scratch) {
  CompiledService out;
  std::vector<InstanceView>& instances = *scratch;
  const auto add = [&](const InstanceView& view) { instances.push_back(view); };
  instances.clear();
  context.state.ForEachInstance(service, add);
  if (service.first == context.policy.datacenter) {
    AddClaims(context, instances, &out);
  }
  if (place.key.empty()) return out;
  const auto compile = [&](EntryKind kind) {
    return CompileService(context, kind, service, place, instances);
  };
  out.entries[0] = compile(EntryKind::kService);
  out.entries[1] = CompileVirtual(context, service, place, instances);
  instances.clear();
  context.state.ForEachMeshInstance(service, add);
  out.entries[2] = compile(EntryKind::kConnect);
  out.entries[3] = compile(EntryKind::kIngress);
  return out;
}

}  // namespace dnsd
