// QueryCompiler turns prepared queries into entries: one for every name and
// id, one for every name that somebody asked for and a template may match,
// and it knows which of them a change makes dirty.
//
// Threads: the sync thread, as ViewBuilder, whose part it is.
// Names:   dotted labels, lower case. A name that DNS cannot spell (an empty
//          or too long label, a character that DNS text escapes) has no entry.
// Limits:  kAskedQueriesMax names asked for; the one least recently asked for
//          makes room.
// Cost:    Compile() costs the names that are dirty, each what its service
//          has instances in the datacenters it may look in; a datacenter that
//          comes or goes makes all names dirty.
#ifndef DNSD_ZONES_QUERY_COMPILE_H_
#define DNSD_ZONES_QUERY_COMPILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/state.h"
#include "zones/compile.h"
#include "zones/entry.h"
#include "zones/view.h"

namespace dnsd {

// Some 500 bytes each. Clients ask for few made-up names; a scan of random
// ones must not fill the memory.
inline constexpr size_t kAskedQueriesMax = 10000;

// The text Consul makes of a name's labels before it looks for the query.
[[nodiscard]] std::string QueryNameText(std::span<const uint8_t> labels);

class QueryCompiler {
 public:
  // Takes an entry, or nullptr for one that is no more.
  using Put = std::function<void(EntryKind, const EntryPlace&, const Entry*)>;

  explicit QueryCompiler(size_t asked_max = kAskedQueriesMax)
      : asked_max_(asked_max) {}

  // Remembers a name, in lower case labels of wire form without the root, for
  // the next Compile(). False: it has an entry already, or is none.
  bool Ask(const std::string& datacenter, std::span<const uint8_t> labels);

  // Compiles what `dirty` touches. `placed` are the datacenters that have a
  // place in the View; names of others get no entry. `everything`: anew.
  void Compile(const CompileContext& context, const Dirty& dirty,
               const std::set<std::string>& placed, bool everything,
               const Put& put);

  // Of all placed datacenters, as of the last Compile().
  [[nodiscard]] const std::vector<QueryTemplate>& templates() const {
    return templates_;
  }

 private:
  // Names are (datacenter, text); the text is unique to its labels.
  struct Definition {
    std::vector<std::string> names;  // the name and id it answers to
    bool is_template = false;
    std::string prefix;     // of a template, lower case
    std::string id_labels;  // of a template
  };
  struct AskedName {
    NameKey name;
    std::string labels;
  };
  struct Compiled {
    EntryPlace place;
    std::set<NameKey> services;
  };

  void MoveDatacenters(const CompileContext& context,
                       const std::set<std::string>& placed, const Put& put);
  void ReadDefinitions(const CompileContext& context,
                       const std::set<NameKey>& keys, const Put& put);
  void ReadDefinition(const CompileContext& context,
                      const std::string& datacenter, const PreparedQuery& query,
                      const Put& put);
  void DropDefinition(const CompileContext& context, const NameKey& key,
                      const Put& put);
  void MarkDefinition(const std::string& datacenter,
                      const Definition& definition);
  void MarkEverything();
  void CountSuffixes(const CompileContext& context, const NameKey& name,
                     int step, const Put& put);
  void CompileName(const CompileContext& context, const NameKey& name,
                   const Put& put);
  void Unlink(const NameKey& name);

  size_t asked_max_;
  std::map<NameKey, Definition> definitions_;  // by (datacenter, id)
  std::map<NameKey, size_t> claims_;           // definitions with that name
  std::map<NameKey, size_t> suffixes_;         // names below these labels
  std::list<AskedName> asked_;                 // most recent first
  std::map<NameKey, std::list<AskedName>::iterator> asked_of_;
  std::map<NameKey, Compiled> compiled_;
  std::map<NameKey, std::set<NameKey>> names_of_service_;
  std::set<NameKey> dirty_names_;
  std::set<std::string> placed_;
  std::vector<std::string> present_;  // what failover depends on
  std::vector<QueryTemplate> templates_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_QUERY_COMPILE_H_
