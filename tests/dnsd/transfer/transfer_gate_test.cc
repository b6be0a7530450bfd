// Who gets a zone, and what others are told: TransferGate's verdicts.
#include "dnsd/transfer/transfer_gate.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "zones/view_builder.h"
#include "zones/wire.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeNode;
using testing::TypeFromText;

constexpr uint32_t kNow = 1'700'000'000;
constexpr uint32_t kSerial = 7;

SocketAddress Address(const std::string& ip) {
  SocketAddress address;
  address.v4.sin_family = AF_INET;
  inet_pton(AF_INET, ip.c_str(), &address.v4.sin_addr);
  return address;
}

class TransferGateTest : public ::testing::Test {
 protected:
  TransferGateTest() {
    options_.allow.push_back(*IpNetwork::Parse("192.0.2.0/24"));
    context_.unix_time = kNow;
    context_.leaves_transfers = true;
    MakeView(Compat::kRfc);
  }

  void MakeView(Compat compat) {
    State state;
    (void)BatchMaker().Put(MakeNode("n1", "10.0.0.1")).ApplyTo(&state);
    ZonePolicy policy;
    policy.compat = compat;
    policy.node_name = "n1";
    policy.has_secondaries = true;
    const auto zone =
        ParseZone("example.test.", "z", "@ 1 SOA ns h 5 1 1 1 1\n@ 1 NS ns\n");
    ASSERT_TRUE(zone.ok());
    view_ = BuildView(state, policy, {*zone}, kSerial);
  }

  void AddKey() {
    options_.keys.push_back({testing::WireName("xfr."),
                             TsigAlgorithm::kHmacSha256, "0123456789abcdef"});
  }

  TransferVerdict Ask(const std::string& packet, const std::string& client,
                      Transport transport = Transport::kTcp,
                      bool may_grant = true) {
    // As a worker comes to it.
    EXPECT_EQ(
        Respond(WireBytes(packet), transport, *view_, &context_, out_.data())
            .outcome,
        Outcome::kTransfer);
    TransferVerdict verdict =
        gate().Answer(WireBytes(packet), transport, Address(client), *view_,
                      may_grant, false, &context_, out_.data());
    reply_ = testing::Message();
    if (verdict.size > 0) {
      EXPECT_EQ(testing::ParseMessage({out_.data(), verdict.size}, &reply_),
                "");
    }
    return verdict;
  }

  // The verdict in words: "granted", or the rcode.
  std::string Say(const std::string& zone, const std::string& type = "AXFR",
                  const std::string& client = "192.0.2.9",
                  Transport transport = Transport::kTcp) {
    const TransferVerdict verdict = Ask(
        testing::BuildQuery(zone, TypeFromText(type), {}), client, transport);
    if (verdict.granted != nullptr) {
      gate().Release();
      EXPECT_EQ(verdict.size, 0u);
      return "granted";
    }
    switch (reply_.rcode()) {
      case kNoError:
        return "NOERROR";
      case kNotImp:
        return "NOTIMP";
      case kServFail:
        return "SERVFAIL";
      case kRefused:
        return "REFUSED";
      case kNotAuth:
        return "NOTAUTH";
      case kFormErr:
        return "FORMERR";
      default:
        return std::to_string(reply_.rcode());
    }
  }

  // A question signed with the first key.
  std::string Signed(std::string packet, uint64_t time = kNow) {
    TsigSession session;
    session.key = &options_.keys[0];
    const size_t size = packet.size();
    packet.resize(size + kTsigBytesMax);
    packet.resize(AppendTsig(&session, time,
                             reinterpret_cast<uint8_t*>(packet.data()), size));
    return packet;
  }

  // An IXFR of a client that has this serial.
  static std::string Ixfr(const std::string& zone, uint32_t serial) {
    std::string packet =
        testing::BuildQuery(zone, kTypeIxfr, testing::QueryOptions());
    auto* header = reinterpret_cast<uint8_t*>(packet.data());
    Store16(header + 8, 1);
    std::string record("\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x16\0\0", 14);
    uint8_t numbers[20] = {};
    Store32(numbers, serial);
    record.append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
    return packet + record;
  }

  TransferGate& gate() {
    if (gate_ == nullptr) {
      gate_ = std::make_unique<TransferGate>(&options_, limits_);
    }
    return *gate_;
  }

  TransferOptions options_;
  TransferLimits limits_;
  std::unique_ptr<TransferGate> gate_;
  std::unique_ptr<const View> view_;
  RespondContext context_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
  testing::Message reply_;
};

TEST_F(TransferGateTest, AllowedAddressesGetZones) {
  EXPECT_EQ(Say("consul."), "granted");
  EXPECT_EQ(Say("EXAMPLE.test."), "granted");
  EXPECT_EQ(Say("consul.", "IXFR"), "granted");
  EXPECT_EQ(Say("consul.", "AXFR", "192.0.3.1"), "REFUSED");
  EXPECT_EQ(Say("example.test.", "IXFR", "192.0.3.1"), "REFUSED");
  EXPECT_EQ(Say("service.consul."), "NOTAUTH");
  EXPECT_EQ(Say("other."), "NOTAUTH");
  EXPECT_EQ(gate().refused(), 2u);
}

TEST_F(TransferGateTest, OthersAreToldWhatConsulSays) {
  MakeView(Compat::kConsul);
  EXPECT_EQ(Say("consul.", "AXFR", "192.0.3.1"), "NOTIMP");
  EXPECT_EQ(Say("consul."), "granted");
}

TEST_F(TransferGateTest, OnlyZonesThatAreNamed) {
  options_.zones.push_back(testing::WireName("example.test."));
  EXPECT_EQ(Say("example.test."), "granted");
  EXPECT_EQ(Say("consul."), "NOTAUTH");
}

TEST_F(TransferGateTest, UdpIsForTheSoaOnly) {
  EXPECT_EQ(Say("consul.", "AXFR", "192.0.2.9", Transport::kUdp), "REFUSED");
  EXPECT_EQ(Say("consul.", "IXFR", "192.0.2.9", Transport::kUdp), "NOERROR");
  EXPECT_EQ(reply_.qtype, kTypeIxfr);
  ASSERT_EQ(reply_.answer.size(), 1u);
  EXPECT_EQ(reply_.answer[0].type, kTypeSoa);
  EXPECT_EQ(Say("consul.", "IXFR", "192.0.3.1", Transport::kUdp), "REFUSED");
}

TEST_F(TransferGateTest, IxfrOfTheSameOrANewerSerialGetsTheSoa) {
  for (const uint32_t serial : {kSerial, kSerial + 1}) {
    EXPECT_EQ(Ask(Ixfr("consul.", serial), "192.0.2.9").granted, nullptr);
    ASSERT_EQ(reply_.answer.size(), 1u);
    EXPECT_EQ(reply_.answer[0].type, kTypeSoa);
  }
  // RFC 1982: half of all numbers are older, those with larger digits too.
  for (const uint32_t serial : {kSerial - 1, UINT32_MAX - 5}) {
    EXPECT_NE(Ask(Ixfr("consul.", serial), "192.0.2.9").granted, nullptr);
    gate().Release();
  }
}

TEST_F(TransferGateTest, TransfersAtOnceAreLimited) {
  limits_.connections_max = 2;
  const std::string packet =
      testing::BuildQuery("consul.", kTypeAxfr, testing::QueryOptions());
  EXPECT_NE(Ask(packet, "192.0.2.9").granted, nullptr);
  EXPECT_NE(Ask(packet, "192.0.2.9").granted, nullptr);
  EXPECT_EQ(Say("consul."), "SERVFAIL");
  gate().Release();
  EXPECT_EQ(Say("consul."), "granted");
  EXPECT_EQ(
      Ask(packet, "192.0.2.9", Transport::kTcp, /*may_grant=*/false).granted,
      nullptr);
  EXPECT_EQ(reply_.rcode(), kServFail);
}

TEST_F(TransferGateTest, WithKeysOnlySignedOnesGetZones) {
  AddKey();
  EXPECT_EQ(Say("consul."), "REFUSED");
  const std::string packet =
      testing::BuildQuery("consul.", kTypeAxfr, testing::QueryOptions());
  const TransferVerdict verdict = Ask(Signed(packet), "192.0.2.9");
  ASSERT_NE(verdict.granted, nullptr);
  EXPECT_EQ(verdict.granted->tsig.key, options_.keys.data());
  EXPECT_TRUE(verdict.is_verified);
  EXPECT_FALSE(Ask(packet, "192.0.2.9").is_verified);
  // A key is not enough, and its refusal is signed.
  EXPECT_EQ(Ask(Signed(packet), "192.0.3.1").granted, nullptr);
  EXPECT_EQ(reply_.rcode(), kRefused);
}

TEST_F(TransferGateTest, BadSignaturesAreNotAuth) {
  AddKey();
  const std::string packet =
      testing::BuildQuery("consul.", kTypeSoa, testing::QueryOptions());
  std::string changed = Signed(packet);
  changed[1] ^= 1;  // the id is not signed
  EXPECT_NE(Ask(changed, "192.0.2.9").size, 0u);
  EXPECT_EQ(reply_.rcode(), kNoError);
  changed[3] ^= 1;  // RD is
  EXPECT_NE(Ask(changed, "192.0.2.9").size, 0u);
  EXPECT_EQ(reply_.rcode(), kNotAuth);
  EXPECT_NE(Ask(Signed(packet, kNow - 1'000), "192.0.2.9").size, 0u);
  EXPECT_EQ(reply_.rcode(), kNotAuth);
  EXPECT_EQ(gate().bad_signatures(), 2u);
}

TEST_F(TransferGateTest, SignedAnswersKeepTheirLimit) {
  AddKey();
  const std::string packet =
      testing::BuildQuery("consul.", kTypeSoa, testing::QueryOptions());
  for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
    TransferVerdict verdict = Ask(Signed(packet), "198.51.100.1", transport);
    EXPECT_LE(verdict.size, 512u);
    EXPECT_EQ(reply_.rcode(), kNoError);
    EXPECT_EQ(reply_.answer.size(), 1u);
    TsigRecord record;
    EXPECT_EQ(ParseTsig({out_.data(), verdict.size}, &record),
              TsigParse::kSigned);
  }
}

TEST_F(TransferGateTest, ACatalogThatIsNotLoadedIsNoZone) {
  Qsbr qsbr;
  State state;
  ViewBuilder builder(1, &qsbr);
  builder.SetPolicy(ZonePolicy());
  builder.SetDatacenters({{"dc1", DatacenterState::kAwaited}});
  std::unique_ptr<View> view = builder.Build(state, {}, 1);
  builder.FinishLine();
  view_ = std::move(view);
  EXPECT_EQ(Say("consul."), "SERVFAIL");
}

}  // namespace
}  // namespace dnsd
