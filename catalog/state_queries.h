// StateQueries is the part of State that holds prepared queries: what every
// source said, and per datacenter the queries that are believed.
//
// Threads: the sync thread only, as State.
// Dirty:   (datacenter, id in lower case) of every query whose believed
//          definition changed.
#ifndef DNSD_CATALOG_STATE_QUERIES_H_
#define DNSD_CATALOG_STATE_QUERIES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/change.h"
#include "catalog/state.h"

namespace dnsd {

class StateQueries {
 public:
  // `seen` is the number of the batch, for Sweep().
  void Upsert(SourceId source, const UpsertQuery& change, uint64_t seen,
              std::set<NameKey>* dirty);
  void Remove(SourceId source, const RemoveQuery& change,
              std::set<NameKey>* dirty);
  // Withdraws what the complete batch `seen` of the source did not mention.
  void Sweep(SourceId source, uint64_t seen, std::set<NameKey>* dirty);

  [[nodiscard]] std::optional<PreparedQuery> Find(const std::string& datacenter,
                                                  absl::string_view name) const;
  void ForEach(const std::string& datacenter,
               const std::function<void(const PreparedQuery&)>& visit) const;
  [[nodiscard]] std::vector<std::string> TemplatePrefixes(
      const std::string& datacenter) const;
  [[nodiscard]] std::set<NameKey> Keys() const;

 private:
  struct Said {
    PreparedQuery query;
    uint64_t seen = 0;  // the last batch that mentioned it
  };

  // Makes the word of the smallest source that has one the believed one.
  void Believe(const NameKey& key, std::set<NameKey>* dirty);

  std::map<NameKey, std::map<SourceId, Said>> said_;
  std::map<std::string, PreparedQuerySet> believed_;  // by datacenter
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_STATE_QUERIES_H_
