// What is said while the catalog of a datacenter is not there, or is old.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "tests/zones/view_dump.h"
#include "zones/answer.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::BuildQuery;
using testing::EcsOption;
using testing::MakeInstance;
using testing::MakeNode;
using testing::ParseMessage;
using testing::QueryOptions;
using testing::ViewLine;

const NodeKey kNode = {"dc1", "n1"};

// RFC 8914: option 15, two bytes, "Stale Answer", no text.
const std::string kStaleOption("\0\x0f\0\x02\0\x03", 6);

struct Asking {
  Response response;
  AskedKey asked;
  testing::Message message;  // when there is a response
};

// Two datacenters, of which dc2 has nothing in State, and questions to them.
class DatacenterStates : public ::testing::Test {
 protected:
  void Publish(Compat compat, std::vector<KnownDatacenter> datacenters) {
    ZonePolicy policy;
    policy.compat = compat;
    policy.node_name = "n1";
    line_.builder().SetPolicy(policy);
    auto zone =
        ParseZone("example.org.", "test",
                  "$TTL 60\n@ SOA ns root 1 2 3 4 5\n@ NS ns\nns A 10.0.0.1\n");
    ASSERT_TRUE(zone.ok());
    line_.builder().SetZones({*zone});
    line_.builder().SetDatacenters(std::move(datacenters));
    BatchMaker batch;
    batch.Put(MakeNode("n1", "10.0.0.1"));
    batch.Put(kNode, MakeInstance("web", "web", "10.1.0.1"));
    batch.Put(kNode, MakeInstance("far", "far", "web.service.dc2.consul"));
    line_.Publish(state_, batch.ApplyTo(&state_));
  }
  // The same again with other states and nothing to compile.
  void PublishStates(std::vector<KnownDatacenter> datacenters) {
    line_.builder().SetDatacenters(std::move(datacenters));
    line_.Publish(state_, {});
  }

  Asking AskPacket(const std::string& packet, Transport transport) {
    Asking asking;
    const View& view = line_.view();
    asking.response = Respond(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
        transport, view, &context_, out_.data());
    asking.asked = context_.asked;
    if (asking.response.size > 0) {
      const std::string error =
          ParseMessage({out_.data(), asking.response.size}, &asking.message);
      EXPECT_EQ(error, "");
    }
    return asking;
  }
  Asking Ask(const std::string& name, uint16_t type = kTypeA) {
    QueryOptions options;
    options.edns.emplace();
    return AskPacket(BuildQuery(name, type, options), Transport::kUdp);
  }
  // Asks, and expects to be told to wait for the datacenter.
  void ExpectPending(const std::string& name, uint16_t type,
                     uint8_t datacenter) {
    SCOPED_TRACE(name + " type " + std::to_string(type));
    const Asking asking = Ask(name, type);
    EXPECT_EQ(asking.response.outcome, Outcome::kPending);
    EXPECT_EQ(asking.response.size, 0u);
    EXPECT_EQ(asking.asked.kind, AskedKey::kDatacenter);
    EXPECT_EQ(asking.asked.datacenter, datacenter);
  }
  // Asks, and expects an answer with this rcode that mentions no age.
  void ExpectAnswered(const std::string& name, uint16_t type, uint16_t rcode) {
    SCOPED_TRACE(name + " type " + std::to_string(type));
    const Asking asking = Ask(name, type);
    ASSERT_GT(asking.response.size, 0u);
    EXPECT_NE(asking.response.outcome, Outcome::kPending);
    EXPECT_EQ(asking.message.rcode(), rcode);
    EXPECT_EQ(asking.asked.kind, AskedKey::kNothing);
    // Consul refuses without an OPT.
    if (asking.message.opt) {
      EXPECT_EQ(asking.message.opt->options, "");
    }
  }

  State state_;
  ViewLine line_;
  RespondContext context_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

constexpr Compat kModes[] = {Compat::kRfc, Compat::kConsul};

TEST_F(DatacenterStates, AllAreReadyUnlessSomebodySaysOtherwise) {
  Publish(Compat::kRfc, {});
  EXPECT_TRUE(line_.view().all_ready);
  EXPECT_EQ(line_.view().datacenter_states,
            std::vector<DatacenterState>{DatacenterState::kReady});
  ExpectAnswered("web.service.consul.", kTypeA, kNoError);
  PublishStates({{"dc2", DatacenterState::kReady}});
  EXPECT_TRUE(line_.view().all_ready);
  EXPECT_EQ(line_.view().datacenters, (std::vector<std::string>{"dc1", "dc2"}));
}

TEST_F(DatacenterStates, ListedDatacentersComeAndGoAndCompileNothing) {
  Publish(Compat::kRfc, {{"DC2", DatacenterState::kAwaited}});
  const auto before = testing::Dump(line_.view());
  const View* view = &line_.view();
  EXPECT_EQ(view->datacenters, (std::vector<std::string>{"dc1", "dc2"}));
  EXPECT_EQ(view->datacenter_states[1], DatacenterState::kAwaited);
  EXPECT_FALSE(view->all_ready);
  const std::string web("\3web");
  const Entry* entry = view->Find(EntryKind::kService, 0, WireBytes(web));
  ASSERT_NE(entry, nullptr);
  PublishStates({{"dc1", DatacenterState::kStale}});
  view = &line_.view();
  EXPECT_EQ(view->Find(EntryKind::kService, 0, WireBytes(web)), entry);
  EXPECT_EQ(testing::Dump(*view), before);
  EXPECT_EQ(view->datacenter_states[0], DatacenterState::kStale);
  EXPECT_EQ(view->datacenters, (std::vector<std::string>{"dc1", ""}));
  PublishStates({{"dc3", DatacenterState::kUnavailable}});
  view = &line_.view();
  EXPECT_EQ(view->datacenters, (std::vector<std::string>{"dc1", "dc3"}));
  EXPECT_EQ(view->datacenter_states,
            (std::vector<DatacenterState>{DatacenterState::kReady,
                                          DatacenterState::kUnavailable}));
}

TEST_F(DatacenterStates, QuestionsWaitForWhatIsNotLoaded) {
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    Publish(compat, {{"dc2", DatacenterState::kAwaited}});
    ExpectPending("web.service.dc2.consul.", kTypeA, 1);
    ExpectPending("v1.web.service.dc2.dc.consul.", kTypeSrv, 1);
    ExpectPending("web.connect.dc2.consul.", kTypeA, 1);
    ExpectPending("web.ingress.dc2.consul.", kTypeA, 1);
    ExpectPending("n1.node.dc2.consul.", kTypeA, 1);
    ExpectPending("q.query.dc2.consul.", kTypeA, 1);
    // A chain of CNAMEs that leads there.
    ExpectPending("far.service.consul.", kTypeA, 1);
    // The local datacenter is there.
    ExpectAnswered("web.service.consul.", kTypeA, kNoError);
    ExpectAnswered("none.service.consul.", kTypeA, kNxDomain);
    ExpectAnswered("web.service.dc7.consul.", kTypeA, kNxDomain);
    ExpectAnswered("1.0.0.10.in-addr.arpa.", kTypePtr, kNoError);
    ExpectAnswered("consul.", kTypeNs, kNoError);
  }
}

TEST_F(DatacenterStates, WithoutTheLocalOneWhatNeedsNoCatalogIsAnswered) {
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    const bool rfc = compat == Compat::kRfc;
    Publish(compat, {{"dc1", DatacenterState::kAwaited}});
    ExpectPending("web.service.consul.", kTypeA, 0);
    ExpectPending("web.service.dc1.consul.", kTypeA, 0);
    ExpectPending("n1.node.consul.", kTypeTxt, 0);
    ExpectPending("web.virtual.consul.", kTypeA, 0);
    ExpectPending("q.query.consul.", kTypeA, 0);
    ExpectPending("1.0.0.10.in-addr.arpa.", kTypePtr, 0);
    ExpectPending("consul.", kTypeNs, 0);
    // Other datacenters are not known yet.
    ExpectPending("web.service.dc7.consul.", kTypeA, 0);

    ExpectAnswered("consul.", kTypeSoa, kNoError);
    ExpectAnswered("consul.", kTypeA, rfc ? kNoError : kNxDomain);
    ExpectAnswered("0a000001.addr.consul.", kTypeA, kNoError);
    ExpectAnswered("xyz.addr.consul.", kTypeA, kNxDomain);
    ExpectAnswered("a.b.c.d.consul.", kTypeA, kNxDomain);
    ExpectAnswered("service.consul.", kTypeA, rfc ? kNoError : kNxDomain);
    ExpectAnswered("9.9.9.9.9.in-addr.arpa.", kTypePtr, kNxDomain);
    ExpectAnswered("example.org.", kTypeNs, kNoError);
    ExpectAnswered("no.example.org.", kTypeA, kNxDomain);
    ExpectAnswered("example.com.", kTypeA, kRefused);
  }
  // In kRfc one label may be a datacenter, and the addresses of ns are data.
  Publish(Compat::kRfc, {{"dc1", DatacenterState::kAwaited}});
  ExpectPending("dc7.consul.", kTypeA, 0);
  ExpectPending("ns.consul.", kTypeA, 0);
  ExpectAnswered("ns.consul.", kTypeTxt, kNoError);
  ExpectPending("consul.", kTypeAny, 0);
  // Consul says SOA and NS of the apex for every name, and looks a node up for
  // some types only.
  Publish(Compat::kConsul, {{"dc1", DatacenterState::kAwaited}});
  ExpectAnswered("web.service.consul.", kTypeSoa, kNoError);
  ExpectPending("x.y.consul.", kTypeNs, 0);
  ExpectAnswered("n1.node.consul.", kTypeSrv, kNoError);
}

// Consul: SERVFAIL with AA and the question, without SOA.
TEST_F(DatacenterStates, WithoutDataAndSourceItIsServfail) {
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    Publish(compat, {{"dc1", DatacenterState::kUnavailable},
                     {"dc2", DatacenterState::kUnavailable}});
    for (const char* name :
         {"web.service.consul.", "web.service.dc2.consul.",
          "1.0.0.10.in-addr.arpa.", "web.service.dc7.consul."}) {
      SCOPED_TRACE(name);
      const Asking asking = Ask(name);
      EXPECT_EQ(asking.response.outcome, Outcome::kServfail);
      EXPECT_EQ(asking.message.rcode(), kServFail);
      EXPECT_TRUE((asking.message.flags & kFlagAa) != 0);
      EXPECT_EQ(asking.message.qname, testing::WireName(name));
      EXPECT_TRUE(asking.message.answer.empty());
      EXPECT_TRUE(asking.message.authority.empty());
      ASSERT_TRUE(asking.message.opt.has_value());
      EXPECT_EQ(asking.message.opt->options, "");
      EXPECT_EQ(asking.asked.kind, AskedKey::kNothing);
    }
    ExpectAnswered("consul.", kTypeSoa, kNoError);
    ExpectAnswered("0a000001.addr.consul.", kTypeA, kNoError);
    // A chain that goes on there ends, as Consul's does.
    PublishStates({{"dc2", DatacenterState::kUnavailable}});
    const Asking chain = Ask("far.service.consul.");
    ASSERT_EQ(chain.message.answer.size(), 1u);
    EXPECT_EQ(chain.message.answer[0].type, kTypeCname);
  }
}

TEST_F(DatacenterStates, StaleAnswersSaySo) {
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    Publish(compat, {{"dc1", DatacenterState::kStale},
                     {"dc2", DatacenterState::kStale}});
    for (const char* name :
         {"web.service.consul.", "none.service.consul.", "n1.node.consul.",
          "web.service.dc2.consul.", "1.0.0.10.in-addr.arpa.",
          "8.0.0.10.in-addr.arpa.", "far.service.consul."}) {
      SCOPED_TRACE(name);
      const Asking asking = Ask(name);
      ASSERT_TRUE(asking.message.opt.has_value());
      EXPECT_EQ(asking.message.opt->options, kStaleOption);
      EXPECT_TRUE(asking.message.opt_is_last);
      // Without EDNS there is no place to say it.
      const Asking plain =
          AskPacket(BuildQuery(name, kTypeA, {}), Transport::kTcp);
      EXPECT_EQ(plain.response.outcome, asking.response.outcome);
      EXPECT_FALSE(plain.message.opt.has_value());
    }
    EXPECT_EQ(Ask("web.service.consul.").message.answer.size(), 1u);
    // The client's subnet is echoed before it.
    QueryOptions options;
    options.edns.emplace().options = EcsOption("192.0.2.0", 24, 0);
    const Asking ecs = AskPacket(
        BuildQuery("web.service.consul.", kTypeA, options), Transport::kUdp);
    ASSERT_TRUE(ecs.message.opt.has_value());
    EXPECT_EQ(ecs.message.opt->options,
              EcsOption("192.0.2.0", 24, 0) + kStaleOption);
    // What is no news from the source has no age.
    ExpectAnswered("consul.", kTypeSoa, kNoError);
    ExpectAnswered("0a000001.addr.consul.", kTypeA, kNoError);
    ExpectAnswered("a.b.c.d.consul.", kTypeA, kNxDomain);
    ExpectAnswered("example.org.", kTypeNs, kNoError);
  }
}

// At every size a client may offer, the mark counts: no answer is longer than
// that, and the longest that fits is within a record of it.
TEST_F(DatacenterStates, TheMarkIsPartOfTheLimit) {
  BatchMaker batch;
  for (int i = 0; i < 120; ++i) {
    const std::string text = std::to_string(i);
    batch.Put(kNode, MakeInstance("b" + text, "big", "10.2.0." + text));
  }
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    Publish(compat, {{"dc1", DatacenterState::kStale}});
    line_.Publish(state_, batch.ApplyTo(&state_));
    for (uint16_t size = 520; size < 560; ++size) {
      for (uint16_t type : {kTypeA, kTypeSrv}) {
        SCOPED_TRACE(size);
        QueryOptions options;
        options.edns.emplace().udp_size = size;
        const Asking asking = AskPacket(
            BuildQuery("big.service.consul.", type, options), Transport::kUdp);
        EXPECT_EQ(asking.response.outcome, Outcome::kTruncated);
        EXPECT_LE(asking.response.size, size);
        if (compat == Compat::kConsul) {
          // Trimmed answers lose their OPT there.
          EXPECT_FALSE(asking.message.opt.has_value());
          continue;
        }
        ASSERT_TRUE(asking.message.opt.has_value());
        EXPECT_EQ(asking.message.opt->options, kStaleOption);
        if (type == kTypeA) {
          EXPECT_GT(asking.response.size + 16, size) << "an A record takes 16";
        }
      }
    }
  }
}

TEST_F(DatacenterStates, AskedNamesAreToldOfWhenWanted) {
  for (Compat compat : kModes) {
    SCOPED_TRACE(static_cast<int>(compat));
    line_.builder().SetWantsAskedNames(false);
    Publish(compat, {});
    EXPECT_FALSE(line_.view().wants_asked_names);
    EXPECT_EQ(Ask("web.service.consul.").asked.kind, AskedKey::kNothing);
    line_.builder().SetWantsAskedNames(true);
    PublishStates({});
    const std::string web("\3web");
    for (const auto& [name, type] :
         {std::pair{"web.service.consul.", kTypeA},
          std::pair{"no.WEB.service.consul.", kTypeA},
          std::pair{"_web._tcp.service.dc1.consul.", kTypeSrv}}) {
      SCOPED_TRACE(name);
      const Asking asking = Ask(name, type);
      ASSERT_EQ(asking.asked.kind, AskedKey::kService);
      EXPECT_EQ(asking.asked.entry,
                line_.view().Find(EntryKind::kService, 0, WireBytes(web)));
    }
    // Every question begins anew, the dropped ones too.
    EXPECT_EQ(Ask("n1.node.consul.").asked.kind, AskedKey::kNothing);
    EXPECT_EQ(Ask("web.service.consul.").asked.kind, AskedKey::kService);
    EXPECT_EQ(AskPacket("short", Transport::kUdp).asked.kind,
              AskedKey::kNothing);
    EXPECT_EQ(Ask("none.service.consul.").asked.kind, AskedKey::kNothing);
  }
}

TEST_F(DatacenterStates, ConnectAndIngressNamesAreToldOfToo) {
  Publish(Compat::kRfc, {});
  BatchMaker batch;
  ServiceInstance native = MakeInstance("mesh", "mesh", "10.3.0.1");
  native.connect_native = true;
  batch.Put(kNode, native);
  ServiceInstance gateway = MakeInstance("gw", "gw", "10.3.0.2");
  gateway.kind = ServiceKind::kIngressGateway;
  gateway.mesh.Edit().gateway_services = {"web"};
  batch.Put(kNode, gateway);
  line_.builder().SetWantsAskedNames(true);
  line_.Publish(state_, batch.ApplyTo(&state_));
  const Asking connect = Ask("mesh.connect.consul.");
  ASSERT_EQ(connect.asked.kind, AskedKey::kService);
  EXPECT_EQ(connect.asked.entry->kind, EntryKind::kConnect);
  const Asking ingress = Ask("web.ingress.consul.");
  ASSERT_EQ(ingress.asked.kind, AskedKey::kService);
  EXPECT_EQ(ingress.asked.entry->kind, EntryKind::kIngress);
}

// The datacenter's name may come after the first, empty view.
TEST(DatacenterName, MayChangeUntilSomethingIsCompiled) {
  State state;
  ViewLine line;
  ZonePolicy policy;
  line.builder().SetPolicy(policy);
  line.builder().SetDatacenters({{"dc1", DatacenterState::kAwaited}});
  EXPECT_EQ(line.Publish(state, {}).datacenters,
            std::vector<std::string>{"dc1"});
  EXPECT_FALSE(line.builder().has_compiled());
  policy.datacenter = "Paris";
  line.builder().SetPolicy(policy);
  line.builder().SetDatacenters({{"paris", DatacenterState::kReady}});
  const BatchMaker batch =
      BatchMaker().Put(MakeNode("n1", "10.0.0.1", "paris"));
  const View& view = line.Publish(state, batch.ApplyTo(&state));
  EXPECT_EQ(view.datacenters, std::vector<std::string>{"paris"});
  EXPECT_TRUE(view.all_ready);
  EXPECT_TRUE(line.builder().has_compiled());
  line.builder().SetPolicy(policy);  // the same is fine
  policy.datacenter = "rome";
  EXPECT_DEATH(line.builder().SetPolicy(policy), "datacenter");
}

TEST(ServfailResponse, AnswersAnyQueryThatRespondWould) {
  State state;
  for (Compat compat : kModes) {
    ZonePolicy policy;
    policy.compat = compat;
    const auto view = BuildView(state, policy, {}, 1);
    QueryOptions options;
    options.edns.emplace().dnssec_ok = true;
    const std::string whole =
        BuildQuery("Web.service.consul.", kTypeSrv, options);
    std::vector<uint8_t> out(kResponseBytesMax);
    for (size_t size = 0; size <= whole.size(); ++size) {
      SCOPED_TRACE(size);
      const std::span<const uint8_t> packet(
          reinterpret_cast<const uint8_t*>(whole.data()), size);
      const size_t written = ServfailResponse(packet, *view, {}, out.data());
      if (size < kHeaderBytes) {
        EXPECT_EQ(written, 0u);
        continue;
      }
      ASSERT_GE(written, kHeaderBytes);
      EXPECT_EQ(out[0], 0x12);
      EXPECT_EQ(out[2] & 0x80, 0x80);
      EXPECT_EQ(out[3] & 0xf, kServFail);
    }
    testing::Message message;
    const size_t written = ServfailResponse(
        {reinterpret_cast<const uint8_t*>(whole.data()), whole.size()}, *view,
        {}, out.data());
    ASSERT_EQ(ParseMessage({out.data(), written}, &message), "");
    EXPECT_EQ(message.qname, testing::WireName("Web.service.consul."));
    ASSERT_TRUE(message.opt.has_value());
    EXPECT_EQ(message.opt->dnssec_ok, compat == Compat::kRfc);
    EXPECT_TRUE((message.flags & kFlagAa) != 0);
    std::string response = whole;
    response[2] = static_cast<char>(0x80);
    EXPECT_EQ(
        ServfailResponse({reinterpret_cast<const uint8_t*>(response.data()),
                          response.size()},
                         *view, {}, out.data()),
        0u);
  }
}

}  // namespace
}  // namespace dnsd
