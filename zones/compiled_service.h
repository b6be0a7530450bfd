// CompileServiceNames() makes all that a View has of one service.
//
// Threads:   as compile.h; `scratch` is the caller's.
// Ownership: the entries are the caller's to Free().
#ifndef DNSD_ZONES_COMPILED_SERVICE_H_
#define DNSD_ZONES_COMPILED_SERVICE_H_

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/state.h"
#include "zones/compile.h"
#include "zones/entry.h"
#include "zones/reverse_names.h"

namespace dnsd {

struct CompiledService {
  static constexpr EntryKind kKinds[] = {
      EntryKind::kService, EntryKind::kVirtual, EntryKind::kConnect,
      EntryKind::kIngress};

  // As kKinds; null: the name has no records.
  std::array<const Entry*, std::size(kKinds)> entries = {};
  // Where its instances are, and the names they have there.
  std::vector<ReverseNames::Claim> claims;
  std::vector<std::unique_ptr<const std::string>> targets;
};

// `place` is where its entries go. Without a key, for its name is no label, it
// has none.
[[nodiscard]] CompiledService CompileServiceNames(
    const CompileContext& context, const NameKey& service,
    const EntryPlace& place, std::vector<InstanceView>* scratch);

}  // namespace dnsd

#endif  // DNSD_ZONES_COMPILED_SERVICE_H_
