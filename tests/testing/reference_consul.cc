#include <algorithm>

#include "tests/testing/reference_query.h"
#include "tests/testing/reference_responder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// Answers one question as Consul 1.21's v1 DNS server does.
class ConsulAnswer {
 public:
  ConsulAnswer(const State& state, const ZonePolicy& policy,
               ReferenceAnswer* answer)
      : state_(state),
        policy_(policy),
        records_(state, policy),
        question_(QuestionOf(*answer)),
        out_(*answer) {}

  void Run() {
    if (out_.name.zone == RefZone::kNone) {
      out_.rcodes = {kRefused};
      return;
    }
    out_.aa = true;
    out_.rcodes = {kNoError};
    out_.opt = out_.query.opt ? RefOpt::kRequired : RefOpt::kForbidden;
    if (out_.name.zone == RefZone::kArpa) {
      Reverse();
      return;
    }
    out_.cut_like_consul = true;
    switch (question_.type) {
      case kTypeSoa:
        ApexSoa();
        return;
      case kTypeNs:
        out_.slots = NameServers(records_, policy_, out_, &nodes_);
        out_.slots_max = 3;
        if (out_.slots.empty()) {
          // A Consul always has a server, so there is nothing to match.
          out_.soa = RefSoa::kOptional;
          out_.soa_record = Soa();
        }
        return;
      case kTypeAxfr:
        out_.rcodes = {kNotImp};
        return;
      default:
        Names();
    }
  }

 private:
  // alt_domain only where the question ends in exactly its lower-case text.
  [[nodiscard]] Rr Soa() const {
    std::string domain = policy_.domain;
    std::string suffix = "." + policy_.alt_domain;
    if (!policy_.alt_domain.empty() && out_.name.text.size() > suffix.size() &&
        out_.name.text.substr(out_.name.text.size() - suffix.size()) ==
            suffix) {
      domain = policy_.alt_domain;
    }
    return records_.MakeSoa(domain, policy_.soa.min_ttl.value_or(0));
  }

  void NameError() {
    out_.rcodes = {kNxDomain};
    NoData();
  }
  void NoData() {
    out_.soa = RefSoa::kRequired;
    out_.soa_record = Soa();
  }

  void ApexSoa() {
    RefSlot slot;
    slot.records = {Soa()};
    out_.slots = {slot};
    out_.name_servers = NameServers(records_, policy_, out_, &nodes_);
  }

  void Reverse() {
    out_.slots = PtrSlots(records_, policy_, out_, 0);
    if (out_.slots.empty()) {
      NameError();
    } else if (question_.type == kTypeSoa) {
      NoData();  // the SOA comes beside the PTR
    }
  }

  void Names() {
    RefDispatch dispatch =
        Dispatch(out_.name.labels, question_.type == kTypeSrv);
    if (dispatch.kind == RefKind::kNone || dispatch.parts.empty()) {
      NameError();
      return;
    }
    if (dispatch.kind == RefKind::kAddr) {
      Address(dispatch);
      return;
    }
    RefLocality locality = ReadLocality(dispatch.suffixes);
    if (!locality.valid) {
      NameError();
      return;
    }
    std::string datacenter = locality.EffectiveDatacenter(policy_.datacenter);
    switch (dispatch.kind) {
      case RefKind::kVirtual:
        Virtual(dispatch, locality);
        return;
      case RefKind::kNode:
        NodeName(dispatch, locality, datacenter);
        return;
      case RefKind::kService:
      case RefKind::kConnect:
      case RefKind::kIngress:
        if (locality.peer.empty()) {
          Service(dispatch, datacenter);
          return;
        }
        break;
      case RefKind::kQuery:
        // No pairs here, "dc1.dc".
        if (dispatch.suffixes.size() < 2) {
          PreparedQueryName(dispatch, datacenter);
          return;
        }
        break;
      default:
        break;
    }
    NameError();  // no peers
  }

  void PreparedQueryName(const RefDispatch& dispatch,
                         const std::string& datacenter) {
    std::string name = ReadQueryName(dispatch.parts);
    if (name.empty()) {
      out_.rcodes = {kServFail};
      return;
    }
    Instances(RunQuery(state_, policy_, datacenter, name));
  }

  void Service(const RefDispatch& dispatch, const std::string& datacenter) {
    RefLookup lookup{dispatch.kind, datacenter, dispatch.parts.back(), ""};
    if (dispatch.kind == RefKind::kService) {
      RefServiceName name = ReadServiceName(dispatch.parts);
      lookup.service = name.service;
      lookup.tag = name.tag;
    }
    Instances(lookup);
  }

  void Instances(const RefLookup& lookup) {
    if (records_.Instances(lookup).empty()) {
      NameError();
      return;
    }
    if (question_.type == kTypeSrv) {
      out_.slots = SrvSlots(records_, policy_, lookup, question_);
    } else {
      AddressSlots(records_, policy_, lookup, question_, &out_.slots,
                   &out_.chains);
      if (!out_.slots.empty()) out_.chains.clear();
      if (policy_.a_record_limit > 0) {
        out_.slots_max = static_cast<size_t>(policy_.a_record_limit);
      }
    }
    if (out_.slots.empty() && out_.chains.empty()) NoData();
  }

  void NodeName(const RefDispatch& dispatch, const RefLocality& locality,
                const std::string& datacenter) {
    uint16_t type = question_.type;
    if (type != kTypeAny && type != kTypeA && type != kTypeAaaa &&
        type != kTypeTxt) {
      return;  // empty, without a look at the catalog
    }
    const Node* node =
        locality.peer.empty()
            ? records_.FindNode(datacenter, JoinLabels(dispatch.parts))
            : nullptr;
    if (node == nullptr) {
      NameError();
      return;
    }
    if (type != kTypeTxt) {
      Made made = records_.MakeNode(*node, question_);
      // The address comes before the texts, so it is the last to be cut.
      if (made.any) out_.chains = Prepend(made.first, made.more);
    }
    std::vector<Rr> texts =
        records_.MakeTexts(*node, question_.name, policy_.node_ttl);
    if (type == kTypeTxt || type == kTypeAny) {
      for (const Rr& text : texts) {
        RefSlot slot;
        slot.records = {text};
        out_.slots.push_back(slot);
      }
    } else if (policy_.enable_additional_node_meta_txt) {
      out_.extras = texts;
    }
  }

  // Consul makes these names anew: lower case, and the domain as asked.
  [[nodiscard]] std::string MadeName() const {
    const std::string& name = question_.name;
    size_t left = name.size() - out_.name.domain_as_asked.size();
    return AsciiLower(name.substr(0, left)) + name.substr(left);
  }
  void Address(const RefDispatch& dispatch) {
    std::string bytes = RefRecords::HexAddress(dispatch.parts[0]);
    if (dispatch.parts.size() != 1 || bytes.empty()) {
      NameError();
      return;
    }
    Rr rr = MakeAddressRr(MadeName(), policy_.node_ttl, bytes);
    if (question_.type == rr.type || question_.type == kTypeAny) {
      RefSlot slot;
      slot.records = {rr};
      out_.slots = {slot};
    } else {
      out_.extras = {rr};
    }
  }

  // No datacenter here: a single label would be a peer, and there are none.
  void Virtual(const RefDispatch& dispatch, const RefLocality& locality) {
    if (!locality.peer.empty() || !locality.peer_or_datacenter.empty()) {
      // Consul finds no address and answers nothing; NXDOMAIN fits as well,
      // since nothing of that name can exist without peers.
      out_.rcodes = {kNoError, kNxDomain};
      out_.soa = RefSoa::kOptional;
      out_.soa_record = Soa();
      return;
    }
    std::string bytes = records_.VirtualAddress(dispatch.parts.back());
    if (bytes.size() != 4) return;
    RefSlot slot;
    slot.records = {MakeAddressRr(MadeName(), policy_.node_ttl, bytes)};
    out_.slots = {slot};
  }

  const State& state_;
  const ZonePolicy& policy_;
  RefRecords records_;
  RefQuestion question_;
  ReferenceAnswer& out_;
  std::vector<const Node*> nodes_;
};

}  // namespace

void AnswerLikeConsul(const State& state, const ZonePolicy& policy,
                      ReferenceAnswer* answer) {
  ConsulAnswer(state, policy, answer).Run();
}

}  // namespace dnsd::testing
