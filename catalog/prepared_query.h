// PreparedQuery is a question with a name (Consul's /v1/query): which service,
// which of its instances, and where to look when there is none.
//
// Threads: plain values and pure functions; see State for where they live.
// Errors:  a template whose regular expression is broken resolves to nothing.
#ifndef DNSD_CATALOG_PREPARED_QUERY_H_
#define DNSD_CATALOG_PREPARED_QUERY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

// Field by field as in Consul's API; texts of templates hold ${...}.
struct PreparedQuery {
  std::string id;    // UUID
  std::string name;  // may be empty; compared without case
  std::string service;
  int failover_nearest = 0;                       // Failover.NearestN
  std::vector<std::string> failover_datacenters;  // Failover.Datacenters
  bool only_passing = false;
  std::vector<std::string> ignore_check_ids;
  std::string near;
  std::vector<std::string> tags;  // all of them; "!tag": not this one
  std::map<std::string, std::string> node_meta;
  std::map<std::string, std::string> service_meta;
  bool connect = false;
  std::string ttl;           // DNS.TTL, a Go duration; empty: the service's
  bool is_template = false;  // Template.Type "name_prefix_match"
  std::string regexp;        // of a template; RE2 syntax; may be empty
  bool remove_empty_tags = false;
  // A secret: not the rights of who asks count, but those it has. May be empty.
  std::string token;

  bool operator==(const PreparedQuery&) const = default;
};

// The queries of one datacenter. Finding one follows Consul: by id, then by
// name, then the template with the longest prefix that the name begins with.
class PreparedQuerySet {
 public:
  PreparedQuerySet();
  ~PreparedQuerySet();
  PreparedQuerySet(PreparedQuerySet&&) noexcept;
  PreparedQuerySet& operator=(PreparedQuerySet&&) noexcept;

  // Replaces the query of that id. False: it was there like this.
  bool Upsert(const PreparedQuery& query);
  bool Remove(const std::string& id);

  // The query for a name or id, a template rendered for it.
  [[nodiscard]] std::optional<PreparedQuery> Find(absl::string_view name) const;

  // Every query; ordered by id.
  void ForEach(const std::function<void(const PreparedQuery&)>& visit) const;

  // The prefixes that names of templates begin with, lower case, sorted.
  [[nodiscard]] std::vector<std::string> TemplatePrefixes() const;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_PREPARED_QUERY_H_
