// The verbs `catalog services`, `catalog nodes` and `catalog datacenters`.
// What they print is what Consul's print; -format=json is the API's JSON.
//
// Threads: the main thread; they block.
// Errors:  exit code 1, and why on standard error. Nothing found is none.
#ifndef DNSD_DNSD_CLI_CATALOG_VERBS_H_
#define DNSD_DNSD_CLI_CATALOG_VERBS_H_

#include <string>
#include <vector>

#include "catalog/base/value.h"

namespace dnsd {

// `args` begins with the name of the sub-verb.
[[nodiscard]] int CatalogVerb(const std::vector<std::string>& args);

// The table of `catalog nodes`; no line end at the end.
[[nodiscard]] std::string NodesText(const std::vector<Value>& nodes,
                                    bool detailed);
// The list of `catalog services` for an object of tags by service.
[[nodiscard]] std::string ServicesText(const Value& services, bool tags);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_CATALOG_VERBS_H_
