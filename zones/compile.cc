#include "zones/compile.h"

#include <algorithm>
#include <map>

#include "zones/address_choice.h"
#include "zones/compile_parts.h"
#include "zones/entry_builder.h"
#include "zones/name.h"
#include "zones/record.h"
#include "zones/served.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

void AddNodeAddress(const std::string& text, Accept accept, uint32_t ttl,
                    const ZonePolicy& policy, EntryBuilder* builder,
                    std::vector<EntryBuilder::Ref>* addresses,
                    std::vector<EntryBuilder::Ref>* cnames) {
  ParsedAddress address = ParseAddress(text);
  if (address.kind == ParsedAddress::Kind::kName) {
    cnames->push_back(builder->AddRecord(
        MakeRecord(kTypeCname, ttl, address.bytes),
        IsOurs(policy, address.bytes) ? RrRecord::kChase : 0));
    return;
  }
  bool v4 = address.kind == ParsedAddress::Kind::kV4;
  bool v6 = address.kind == ParsedAddress::Kind::kV6;
  if ((v4 && accept != kAcceptAaaa) || (v6 && accept != kAcceptA)) {
    addresses->push_back(builder->AddRecord(MakeAddressRecord(address, ttl)));
  }
}

// Names Consul lists as name servers: consul.md 1.7.
bool IsHostName(const std::string& name) {
  return !name.empty() && name.size() <= kLabelBytesMax &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-';
         });
}

}  // namespace

std::string PrimaryDomain(const ZonePolicy& policy) {
  std::string wire;
  (void)NameToWire(policy.domain, &wire);
  return wire;
}

const Entry* CompileNode(const CompileContext& context, const Node& node,
                         const std::string& key) {
  uint32_t ttl = context.policy.node_ttl;
  AddressSet addresses = NodeAddresses(node, UsesWan(context, node.datacenter));
  EntryBuilder& builder = *context.builder;
  builder.Clear();
  EntryBuilder::Lists lists;
  for (const auto& [accept, list, cnames] : kQuestions) {
    AddNodeAddress(addresses.Pick(accept), accept, ttl, context.policy,
                   &builder, &lists[list], &lists[cnames]);
  }
  DropCnamesBesideAddresses(context.policy, &lists);
  for (const std::string& text : MetaTexts(node.meta)) {
    auto ref = builder.AddRecord(MakeRecord(kTypeTxt, ttl, TextRdata(text)));
    lists[kListTxt].push_back(ref);
    lists[kListAny].push_back(ref);
  }
  builder.AddSet("", "", lists);
  return Seal(context, builder, EntryKind::kNode,
              context.datacenter_index(node.datacenter), key);
}

const Entry* CompileServers(const CompileContext& context) {
  const ZonePolicy& policy = context.policy;
  const CatalogRights* const rights = context.rights.asker.get();
  bool hidden = false;
  std::map<std::string, const Node*> nodes;
  context.state.ForEachInstance(
      {policy.datacenter, "consul"}, [&](const InstanceView& view) {
        if (!IsServed(policy, view.health) || !IsHostName(view.node->name)) {
          return;
        }
        if (MaySee(rights, view)) {
          nodes.emplace(AsciiLower(view.node->name), view.node);
        } else {
          hidden = true;
        }
      });
  if (nodes.empty()) {
    std::string local = AsciiLower(policy.node_name);
    const Node* node = context.state.FindNode({policy.datacenter, local});
    if (hidden || node == nullptr || !IsHostName(local) ||
        !MayReadNode(rights, node->name)) {
      return nullptr;
    }
    nodes.emplace(local, node);
  }
  const std::string& domain = context.domain;
  EntryBuilder& builder = *context.builder;
  builder.Clear();
  EntryBuilder::Lists lists;
  for (const auto& [name, node] : nodes) {
    AddressSet addresses = NodeAddresses(*node, false);
    std::vector<EntryBuilder::Ref> any;
    std::vector<EntryBuilder::Ref> cnames;
    AddNodeAddress(addresses.Pick(kAcceptAny), kAcceptAny, policy.node_ttl,
                   policy, &builder, &any, &cnames);
    AddNodeAddress(addresses.Pick(kAcceptA), kAcceptA, policy.node_ttl, policy,
                   &builder, &lists[kListA], &cnames);
    AddNodeAddress(addresses.Pick(kAcceptAaaa), kAcceptAaaa, policy.node_ttl,
                   policy, &builder, &lists[kListAaaa], &cnames);
    lists[kListAny].insert(lists[kListAny].end(), any.begin(), any.end());
    // A server with a name for an address brings its CNAME along.
    any.insert(any.end(), cnames.begin(), cnames.end());
    std::string labels = Label(name);
    std::string target = labels + Label("node") + Label(node->datacenter);
    lists[kListSrv].push_back(builder.AddSrv(
        target, MakeInDomain(kTypeNs, policy.node_ttl, target, domain),
        RrRecord::kInDomain | RrRecord::kNodeTarget | RrRecord::kLowerDomain,
        static_cast<uint8_t>(labels.size()), any.empty() ? 0 : any[0], 0));
  }
  // Servers may share an address; ns.<domain> has it once.
  for (ListKind list : {kListA, kListAaaa, kListAny}) {
    std::sort(lists[list].begin(), lists[list].end());
    lists[list].erase(std::unique(lists[list].begin(), lists[list].end()),
                      lists[list].end());
  }
  builder.AddSet("", "", lists);
  return Seal(context, builder, EntryKind::kServers, 0, "");
}

const Entry* CompileReverse(const CompileContext& context,
                            const std::string& address,
                            const std::string& target) {
  // Consul's PTR has TTL 0, whatever node_ttl says.
  uint32_t ttl =
      context.policy.compat == Compat::kRfc ? context.policy.node_ttl : 0;
  EntryBuilder& builder = *context.builder;
  builder.Clear();
  EntryBuilder::Lists lists;
  lists[kListTxt].push_back(
      builder.AddRecord(MakeRecord(kTypePtr, ttl, target + context.domain)));
  builder.AddSet("", "", lists);
  return Seal(context, builder, EntryKind::kReverse, 0, address);
}

}  // namespace dnsd
