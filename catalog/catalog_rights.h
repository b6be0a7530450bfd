// CatalogRights is what somebody may see of the catalog; who that is and where
// the rights come from is for others to know.
//
// Threads:   immutable; any.
// Names:     as registered, of services and nodes; letter case counts.
// nullptr:   in the place of rights: everything may be seen, at no cost.
#ifndef DNSD_CATALOG_CATALOG_RIGHTS_H_
#define DNSD_CATALOG_CATALOG_RIGHTS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/state.h"

namespace dnsd {

class CatalogRights {
 public:
  virtual ~CatalogRights() = default;
  [[nodiscard]] virtual bool MayReadNode(absl::string_view name) const = 0;
  [[nodiscard]] virtual bool MayReadService(absl::string_view name) const = 0;
};

// Of who asks, and of who has a secret: a prepared query with a token shows
// what that may see, whoever asks.
struct AskerRights {
  using OfToken = std::function<std::shared_ptr<const CatalogRights>(
      const std::string& token)>;

  std::shared_ptr<const CatalogRights> asker;
  OfToken of_token;  // nullptr: there is no such token; empty: as the asker
};

[[nodiscard]] inline bool MayReadNode(const CatalogRights* rights,
                                      absl::string_view name) {
  return rights == nullptr || rights->MayReadNode(name);
}

[[nodiscard]] inline bool MayReadService(const CatalogRights* rights,
                                         absl::string_view name) {
  return rights == nullptr || rights->MayReadService(name);
}

// An instance is seen by who may read its node and its service.
[[nodiscard]] inline bool MaySee(const CatalogRights* rights,
                                 const InstanceView& view) {
  return rights == nullptr || (rights->MayReadNode(view.node->name) &&
                               rights->MayReadService(view.instance->name));
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_CATALOG_RIGHTS_H_
