// ViewBuilder makes one View after another: it compiles what changed and
// shares the rest with the view before.
//
// Threads:   the sync thread.
// Ownership: a View returned is the caller's, to be published; the builder
//            keeps looking at the last one, so that must stay alive until the
//            next was made. Whoever destroys the last view of the line sets
//            its owns_table first, see FinishLine().
// Limits:    255 datacenters at a time; names in others are not answered.
// Cost:      Build() costs the names that are dirty, plus O(sqrt(names)) each.
#ifndef DNSD_ZONES_VIEW_BUILDER_H_
#define DNSD_ZONES_VIEW_BUILDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "catalog/qsbr.h"
#include "catalog/state.h"
#include "zones/compile.h"
#include "zones/compiled_service.h"
#include "zones/entry_builder.h"
#include "zones/policy.h"
#include "zones/query_compile.h"
#include "zones/reverse_names.h"
#include "zones/view.h"

namespace dnsd {

// A datacenter as its source knows it.
struct KnownDatacenter {
  std::string name;
  DatacenterState state = DatacenterState::kReady;
};

class ViewBuilder {
 public:
  using Zones = std::vector<std::shared_ptr<const ZoneData>>;

  // `seed` keeps hashes unpredictable; `qsbr` takes what views replace.
  ViewBuilder(uint64_t seed, Qsbr* qsbr);

  // The next Build() compiles everything anew. The datacenter is the first
  // index of the line: it must stay the same as soon as has_compiled().
  void SetPolicy(const ZonePolicy& policy);
  void SetZones(Zones zones);
  // What answers may show, without any: everything. The next Build() compiles
  // everything anew.
  void SetRights(AskerRights rights);

  // The datacenters that the source knows of, beside those that State has;
  // the local one may be among them. Who is not listed is kReady. Takes effect
  // with the next Build(), which compiles nothing for it.
  void SetDatacenters(std::vector<KnownDatacenter> datacenters);
  // What View::wants_asked_names is to be; takes effect in the same way.
  void SetWantsAskedNames(bool wants) { wants_asked_names_ = wants; }

  // Somebody asked for a prepared query that only a template may match
  // (AskedKey::kQuery): the next Build() gives it an entry, of no records if
  // need be, and keeps it until kAskedQueriesMax others were asked for. False:
  // the last view has one already, or the datacenter is none of its.
  bool AskQuery(uint8_t datacenter, std::span<const uint8_t> labels);

  // Whether a name has ever been compiled.
  [[nodiscard]] bool has_compiled() const { return has_compiled_; }

  // The next view.
  [[nodiscard]] std::unique_ptr<View> Build(const State& state,
                                            const Dirty& dirty,
                                            uint32_t serial);

  // The last view frees its table with itself.
  void FinishLine();

 private:
  // What a node put into other tables, to take it out again.
  struct NodeTraces {
    NameKey id;  // (datacenter, id in lower case); empty id: none
    std::optional<AddressKey> address;
    std::vector<std::string> suffixes;
  };

  [[nodiscard]] std::unique_ptr<View> StartView(uint32_t serial) const;
  uint8_t DatacenterIndex(const std::string& name);
  void UpdateDatacenters(const State& state);
  void PutDatacenters(const State& state, View* view);
  void Replace(EntryKind kind, uint8_t dc, const std::string& key,
               const Entry* entry);
  void InParts(
      const CompileContext& context, size_t count,
      const std::function<void(const CompileContext&, size_t, size_t)>& work);
  void CompileServices(const CompileContext& context,
                       const std::set<NameKey>& services);
  void PutService(const NameKey& key, const EntryPlace& place,
                  CompiledService service);
  void TraceNode(const CompileContext& context, const NameKey& key);
  void DropNodeTraces(uint8_t dc, const NameKey& key);
  void CompileNodeNames(const CompileContext& context);
  void CompileReverseNames(const CompileContext& context);
  void CompileQueries(const CompileContext& context, const Dirty& dirty,
                      View* view);
  void CountSuffixes(const std::string& labels, uint8_t dc, NodeTraces* traces);

  uint64_t seed_;
  Qsbr* qsbr_;
  ZonePolicy policy_;
  Zones zones_;
  AskerRights rights_;
  bool rebuild_ = true;
  bool has_compiled_ = false;
  uint64_t content_ = 0;  // of all entries, see ZoneContent()
  View* last_ = nullptr;
  std::vector<std::string> datacenters_;
  std::map<std::string, DatacenterState> known_;  // by SetDatacenters()
  bool wants_asked_names_ = false;

  std::map<NameKey, NodeTraces> node_traces_;
  ReverseNames reverse_;
  std::map<std::pair<uint8_t, std::string>, size_t> suffix_counts_;
  // The nodes that claim an id: it may move from one to another.
  std::map<NameKey, std::set<NameKey>> nodes_of_id_;
  std::set<NameKey> dirty_node_names_;  // names and ids
  QueryCompiler queries_;

  // Of the Build() that runs.
  EntryBuilder entry_;
  std::vector<CowMap<Entry>::Edit> edits_;
  std::map<std::string, size_t> edit_of_;  // kind, dc, key to edits_ index
};

// One view on its own, owning all it refers to: for tests and tools.
[[nodiscard]] std::unique_ptr<const View> BuildView(const State& state,
                                                    const ZonePolicy& policy,
                                                    ViewBuilder::Zones zones,
                                                    uint32_t serial);

}  // namespace dnsd

#endif  // DNSD_ZONES_VIEW_BUILDER_H_
