#include "zones/view.h"

#include <cstring>

namespace dnsd {
namespace {

bool EndsIn(const Name& name, const Domain& domain) {
  if (name.label_count < domain.label_count) return false;
  size_t at = name.label[name.label_count - domain.label_count];
  return name.size - at == domain.wire.size() &&
         std::memcmp(name.lower + at, domain.wire.data(), domain.wire.size()) ==
             0;
}

}  // namespace

View::~View() {
  if (owns_table) table.Destroy();
}

int View::FindDatacenter(std::span<const uint8_t> label) const {
  for (size_t i = 0; i < datacenters.size(); ++i) {
    if (datacenters[i].size() == label.size() &&
        std::memcmp(datacenters[i].data(), label.data(), label.size()) == 0) {
      return static_cast<int>(i);
    }
  }
  return kNoDatacenter;
}

const Domain* View::FindDomain(const Name& name) const {
  for (const Domain& domain : domains) {
    if (EndsIn(name, domain)) return &domain;
  }
  return nullptr;
}

const ZoneData* View::FindZone(const Name& name, size_t skip,
                               size_t* label) const {
  if (zone_by_apex.empty()) return nullptr;
  for (size_t i = skip; i <= name.label_count; ++i) {
    size_t at = name.label[i];
    absl::string_view suffix(reinterpret_cast<const char*>(name.lower + at),
                             name.size - at);
    auto it = zone_by_apex.find(suffix);
    if (it != zone_by_apex.end()) {
      *label = i;
      return it->second;
    }
  }
  return nullptr;
}

}  // namespace dnsd
