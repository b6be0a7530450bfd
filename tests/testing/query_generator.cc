#include "tests/testing/query_generator.h"

#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

template <typename Items>
const auto& Pick(const Items& items, Random* random) {
  return items[random->Below(static_cast<uint32_t>(std::size(items)))];
}

// True once in `one_in`.
bool Rarely(uint32_t one_in, Random* random) {
  return random->Below(one_in) == 0;
}

constexpr const char* kQueryNames[] = {
    "any-web", "With.Two.Dots", "db",       "_tcp", "x.a.b",    "far",
    "a b",     "web-1",         "mesh-web", "node", "only.web", "UPPER-q",
};

PreparedQuery RandomQuery(const GeneratedCatalog& catalog,
                          const std::string& name, Random* random) {
  PreparedQuery query;
  query.id = absl::StrCat("0b7e9c1a-1111-4000-8000-",
                          absl::Hex(random->Next(), absl::kZeroPad12));
  query.id.resize(36);
  query.name = Rarely(8, random) ? "" : name;
  query.service = Pick(catalog.services, random);
  query.only_passing = Rarely(4, random);
  query.connect = Rarely(5, random);
  query.failover_nearest = Rarely(3, random) ? 1 : 0;
  if (Rarely(3, random)) query.failover_datacenters = {"dc3", "dc9", "dc2"};
  if (Rarely(4, random)) query.failover_datacenters.push_back("dc1");
  if (Rarely(4, random)) {
    query.tags.push_back(
        absl::StrCat(Rarely(2, random) ? "!" : "", Pick(catalog.tags, random)));
  }
  if (Rarely(4, random)) {
    query.ignore_check_ids = {
        "alive", absl::StrCat(Pick(catalog.services, random), "-0:0"),
        absl::StrCat(query.service, "-1:0")};
  }
  if (Rarely(8, random)) query.node_meta = {{"zone", "a"}};
  if (Rarely(8, random)) query.service_meta = {{"v", "1"}};
  constexpr const char* kTtls[] = {"", "", "", "7s", "1m30s", "1.9s", "500ms"};
  query.ttl = Pick(kTtls, random);
  return query;
}

}  // namespace

void GenerateQueries(GeneratedCatalog* catalog, Random* random) {
  for (const char* datacenter : {"dc1", "dc2"}) {
    for (const char* name : kQueryNames) {
      if (Rarely(3, random)) continue;
      PreparedQuery query = RandomQuery(*catalog, name, random);
      catalog->changes.push_back(UpsertQuery{datacenter, query});
      catalog->queries.push_back(query.id);
    }
  }
  for (const char* name : kQueryNames) {
    if (std::string(name) != "a b") catalog->queries.push_back(name);
  }
}

}  // namespace dnsd::testing
