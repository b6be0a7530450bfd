#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "tests/testing/reference_query.h"
#include "tests/testing/reference_responder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr uint32_t kMinTtlDefault = 5;

// Answers one question in compat = "rfc": Consul's names, targets and TTLs
// with NODATA, SOA and CNAME as RFC 1034, 2308 and 8020 want them.
class RfcAnswer {
 public:
  RfcAnswer(const State& state, const ZonePolicy& policy,
            ReferenceAnswer* answer)
      : state_(state),
        policy_(policy),
        records_(state, policy),
        question_(QuestionOf(*answer)),
        out_(*answer) {}

  void Run() {
    out_.opt = out_.query.opt ? RefOpt::kRequired : RefOpt::kForbidden;
    uint16_t rclass = out_.query.qclass;
    if (out_.query.opt && out_.query.opt->version > 0) {
      Error(kBadVers);
    } else if ((rclass != kClassIn && rclass != kClassAny) ||
               question_.type == kTypeAxfr || question_.type == kTypeIxfr ||
               out_.name.zone == RefZone::kNone || ForeignArpa()) {
      Error(kRefused);
    } else {
      out_.aa = true;
      out_.rcodes = {kNoError};
      if (out_.name.zone == RefZone::kArpa) {
        Reverse();
      } else {
        Names();
      }
    }
  }

 private:
  void Error(uint16_t rcode) { out_.rcodes = {rcode}; }

  [[nodiscard]] bool ForeignArpa() const {
    if (out_.name.zone != RefZone::kArpa) return false;
    const std::vector<std::string>& labels = out_.name.labels;
    return labels.size() < 2 || (labels[labels.size() - 2] != "in-addr" &&
                                 labels[labels.size() - 2] != "ip6");
  }

  [[nodiscard]] Rr Soa() const {
    return records_.MakeSoa(
        out_.name.zone == RefZone::kDomain ? out_.name.domain : policy_.domain,
        policy_.soa.min_ttl.value_or(kMinTtlDefault));
  }

  void NoData() {
    out_.soa = RefSoa::kRequired;
    out_.soa_record = Soa();
  }
  void NameError() {
    out_.rcodes = {kNxDomain};
    NoData();
  }
  void Negative(bool exists) {
    if (exists) {
      NoData();
    } else {
      NameError();
    }
  }
  void AddSlot(const Rr& rr) {
    RefSlot slot;
    slot.records = {rr};
    out_.slots.push_back(slot);
  }

  void Reverse() {
    std::vector<RefSlot> slots =
        PtrSlots(records_, policy_, out_, policy_.node_ttl);
    if (!slots.empty() &&
        (question_.type == kTypePtr || question_.type == kTypeAny)) {
      out_.slots = slots;
      return;
    }
    // A name above existing ones exists too (RFC 8020).
    Negative(!slots.empty() || IsShortReverse());
  }

  // Fewer labels than an address has: what is below may exist.
  [[nodiscard]] bool IsShortReverse() const {
    const std::vector<std::string>& labels = out_.name.labels;
    return labels.size() <
           (labels[labels.size() - 2] == "ip6" ? size_t{34} : size_t{6});
  }

  void Names() {
    if (out_.name.labels.empty()) {
      Apex();
      return;
    }
    if (out_.name.labels == std::vector<std::string>{"ns"}) {
      NameServerAddresses();
      return;
    }
    // A name exists or not whatever is asked about it, so the short RFC 2782
    // form is read for every type.
    RefDispatch dispatch = Dispatch(out_.name.labels, true);
    RefLocality locality = ReadLocality(dispatch.suffixes);
    // Prepared queries have no pairs, "dc1.dc".
    if (dispatch.kind == RefKind::kQuery && dispatch.suffixes.size() > 1) {
      locality.valid = false;
    }
    bool known = locality.valid && locality.peer.empty() &&
                 records_.KnownDatacenter(
                     locality.EffectiveDatacenter(policy_.datacenter));
    if (dispatch.kind == RefKind::kNone) {
      Negative(IsDatacenterName());
    } else if (dispatch.parts.empty()) {
      Negative(known);
    } else if (dispatch.kind == RefKind::kAddr) {
      Address(dispatch);
    } else if (dispatch.kind == RefKind::kVirtual) {
      Virtual(dispatch, locality);
    } else if (!known) {
      NameError();
    } else {
      Catalog(dispatch, locality.EffectiveDatacenter(policy_.datacenter));
    }
  }

  void Catalog(const RefDispatch& dispatch, const std::string& datacenter) {
    switch (dispatch.kind) {
      case RefKind::kNode:
        NodeName(dispatch, datacenter);
        return;
      case RefKind::kQuery:
        PreparedQueryName(dispatch, datacenter);
        return;
      default:
        Service(dispatch, datacenter);
    }
  }

  void Apex() {
    switch (question_.type) {
      case kTypeSoa:
        AddSlot(Soa());
        return;
      case kTypeNs:
        out_.slots = NameServers(records_, policy_, out_, &nodes_);
        out_.slots_max = 3;
        if (out_.slots.empty()) NoData();
        return;
      case kTypeAny:
        // RFC 8482 allows any subset; the SOA is always there.
        AddSlot(Soa());
        out_.slots_max = 1;
        out_.soa = RefSoa::kOptional;
        out_.soa_record = Soa();
        out_.any_subset = NameServers(records_, policy_, out_, &nodes_);
        for (RefSlot& slot : out_.any_subset) {
          for (const Chain& glue : std::exchange(slot.extras, {})) {
            for (const auto* rrs : {&glue.fixed, &glue.pool}) {
              out_.optional_extras.insert(out_.optional_extras.end(),
                                          rrs->begin(), rrs->end());
            }
          }
        }
        return;
      default:
        NoData();
    }
  }

  void NameServerAddresses() {
    (void)NameServers(records_, policy_, out_, &nodes_);
    for (const Node* node : nodes_) {
      for (uint16_t type : {uint16_t{kTypeA}, uint16_t{kTypeAaaa}}) {
        if (question_.type != type && question_.type != kTypeAny) continue;
        RefQuestion question = question_;
        question.type = type;
        Made made = records_.MakeNode(*node, question);
        if (!made.any || made.first.type != type) continue;
        bool again = std::any_of(
            out_.slots.begin(), out_.slots.end(),
            [&](const RefSlot& slot) { return slot.records[0] == made.first; });
        if (!again) AddSlot(made.first);
      }
    }
    if (out_.slots.empty()) NoData();
    if (question_.type == kTypeAny && !out_.slots.empty()) {
      // RFC 8482 allows any of them.
      out_.any_subset = std::exchange(out_.slots, {});
      out_.slots_max = 0;
    }
  }

  [[nodiscard]] bool IsDatacenterName() const {
    const std::vector<std::string>& labels = out_.name.labels;
    if (labels.size() == 1) {
      return labels[0] == "dc" || records_.KnownDatacenter(labels[0]);
    }
    return labels.size() == 2 && labels[1] == "dc" &&
           records_.KnownDatacenter(labels[0]);
  }

  static bool IsUnderscoreLabel(const RefDispatch& dispatch) {
    return dispatch.parts.size() == 1 && dispatch.parts[0][0] == '_';
  }

  [[nodiscard]] bool HasTagBelow(const RefLookup& lookup) const {
    if (lookup.tag.empty()) return false;
    RefLookup all = lookup;
    all.tag.clear();
    for (const InstanceView& view : records_.Instances(all)) {
      for (const std::string& tag : view.instance->tags) {
        if (absl::EndsWith(AsciiLower(tag), "." + lookup.tag)) return true;
      }
    }
    return false;
  }

  void Service(const RefDispatch& dispatch, const std::string& datacenter) {
    RefLookup lookup{dispatch.kind, datacenter, dispatch.parts.back(), ""};
    bool below = false;
    if (dispatch.kind == RefKind::kService) {
      RefServiceName name = ReadServiceName(dispatch.parts);
      lookup.service = name.service;
      lookup.tag = name.tag;
      below = IsUnderscoreLabel(dispatch) || HasTagBelow(lookup);
    }
    Instances(lookup, below, dispatch.short_form);
  }

  void PreparedQueryName(const RefDispatch& dispatch,
                         const std::string& datacenter) {
    std::string name = ReadQueryName(dispatch.parts);
    Instances(
        RunQuery(state_, policy_, datacenter, name),
        IsUnderscoreLabel(dispatch) || HasQueryBelow(state_, datacenter, name),
        false);
  }

  // `below`: names exist below this one, whatever it is itself.
  void Instances(const RefLookup& lookup, bool below, bool short_form) {
    if (records_.Instances(lookup).empty()) {
      Negative(below);
      return;
    }
    if (question_.type == kTypeSrv) {
      out_.slots = SrvSlots(records_, policy_, lookup, question_);
    } else if (!short_form) {
      Addresses(lookup);
    }
    if (out_.slots.empty() && out_.chains.empty()) NoData();
  }

  void Addresses(const RefLookup& lookup) {
    uint16_t type = question_.type;
    bool shows = type == kTypeA || type == kTypeAaaa || type == kTypeAny;
    bool has_ip = false;
    for (uint16_t any_type :
         {uint16_t{kTypeA}, uint16_t{kTypeAaaa}, uint16_t{kTypeAny}}) {
      RefQuestion question = question_;
      question.type = any_type;
      std::vector<RefSlot> slots;
      std::vector<Chain> chains;
      AddressSlots(records_, policy_, lookup, question, &slots, &chains);
      has_ip = has_ip || !slots.empty();
      if (any_type == type) out_.slots = slots;
      if (any_type == ChainType()) out_.chains = chains;
    }
    if (has_ip) {
      out_.chains.clear();
    } else {
      Alias(std::vector<Chain>(out_.chains));
    }
    if (!shows) out_.slots.clear();
    if (policy_.a_record_limit > 0) {
      out_.slots_max = static_cast<size_t>(policy_.a_record_limit);
    }
  }

  void NodeName(const RefDispatch& dispatch, const std::string& datacenter) {
    std::string name = JoinLabels(dispatch.parts);
    const Node* node = records_.FindNode(datacenter, name);
    if (node == nullptr) {
      bool below = false;
      for (const Node* other : records_.AllNodes()) {
        below = below || (other->datacenter == datacenter &&
                          absl::EndsWith(AsciiLower(other->name), "." + name));
      }
      Negative(below);
      return;
    }
    uint16_t type = question_.type;
    std::vector<Rr> texts =
        records_.MakeTexts(*node, question_.name, policy_.node_ttl);
    std::vector<Chain> alias = NodeAlias(*node);
    if (!alias.empty()) {
      Alias(alias);
      out_.optional_extras = texts;
      return;
    }
    if (type == kTypeA || type == kTypeAaaa || type == kTypeAny) {
      Made made = records_.MakeNode(*node, question_);
      if (made.any && made.first.type != kTypeCname) AddSlot(made.first);
    }
    if (type == kTypeTxt || type == kTypeAny) {
      for (const Rr& text : texts) AddSlot(text);
    } else if (type == kTypeA || type == kTypeAaaa) {
      if (policy_.enable_additional_node_meta_txt) {
        (out_.slots.empty() ? out_.optional_extras : out_.extras) = texts;
      }
    }
    if (out_.slots.empty()) NoData();
  }

  // The CNAME of a node that has no address of either family.
  [[nodiscard]] std::vector<Chain> NodeAlias(const Node& node) const {
    std::vector<Chain> chains;
    for (uint16_t type :
         {uint16_t{kTypeA}, uint16_t{kTypeAaaa}, uint16_t{kTypeAny}}) {
      RefQuestion question = question_;
      question.type = type;
      Made made = records_.MakeNode(node, question);
      if (made.any && made.first.type != kTypeCname) return {};
      if (type == ChainType()) chains = Prepend(made.first, made.more);
    }
    return chains;
  }

  // What a CNAME's target is asked for.
  [[nodiscard]] uint16_t ChainType() const {
    bool address = question_.type == kTypeA || question_.type == kTypeAaaa;
    return address ? question_.type : uint16_t{kTypeAny};
  }

  // A CNAME and what stands behind it. Where that ends at a name of ours
  // that does not exist or has no such type, the end may be said (RFC 2308).
  void Alias(const std::vector<Chain>& chains) {
    out_.chains = chains;
    out_.chain_by_type = true;
    out_.rcodes = {kNoError, kNxDomain};
    out_.soa = RefSoa::kOptional;
    out_.soa_record = Soa();
  }

  void Address(const RefDispatch& dispatch) {
    std::string bytes = RefRecords::HexAddress(dispatch.parts[0]);
    if (dispatch.parts.size() != 1 || bytes.empty()) {
      NameError();
      return;
    }
    Rr rr = MakeAddressRr(question_.name, policy_.node_ttl, bytes);
    if (question_.type == rr.type || question_.type == kTypeAny) {
      AddSlot(rr);
    } else {
      NoData();
    }
  }

  void Virtual(const RefDispatch& dispatch, const RefLocality& locality) {
    if (!locality.valid) {
      NameError();
      return;
    }
    std::string bytes;
    if (locality.peer.empty() && locality.peer_or_datacenter.empty()) {
      bytes = records_.VirtualAddress(dispatch.parts.back());
    }
    if (bytes.size() == 4 &&
        (question_.type == kTypeA || question_.type == kTypeAny)) {
      AddSlot(MakeAddressRr(question_.name, policy_.node_ttl, bytes));
      return;
    }
    NoData();
    // A service without a VIP, or one of a peer: Consul says NOERROR, a
    // server that knows that there is nothing may say NXDOMAIN.
    if (bytes.empty()) out_.rcodes = {kNoError, kNxDomain};
  }

  const State& state_;
  const ZonePolicy& policy_;
  RefRecords records_;
  RefQuestion question_;
  ReferenceAnswer& out_;
  std::vector<const Node*> nodes_;
};

}  // namespace

void AnswerByRfc(const State& state, const ZonePolicy& policy,
                 ReferenceAnswer* answer) {
  RfcAnswer(state, policy, answer).Run();
}

}  // namespace dnsd::testing
