// Packets nobody should send: whatever comes, Respond() must not crash, must
// not answer more than it may, and must not turn a broken packet into an
// amplified answer. What is right for well-formed packets is checked by the
// other tests; here only what must hold for every packet.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/state.h"
#include "gtest/gtest.h"
#include "tests/testing/catalog_generator.h"
#include "tests/testing/reference_responder.h"
#include "tests/testing/response_check.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/seeds.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr size_t kOptBytes = 11;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void Set16(std::string* packet, size_t at, uint32_t value) {
  (*packet)[at] = static_cast<char>(value >> 8 & 0xff);
  (*packet)[at + 1] = static_cast<char>(value & 0xff);
}

class HostilePacketsTest : public ::testing::TestWithParam<Compat> {
 protected:
  void SetUp() override {
    Random random(7);
    GeneratedCatalog catalog = GenerateCatalog(60, &random);
    policy_.compat = GetParam();
    policy_.node_name = "foo";
    Dirty dirty;
    ChangeBatch batch;
    batch.changes = catalog.changes;
    ASSERT_TRUE(state_.Apply(batch, &dirty).ok());
    view_ = BuildView(state_, policy_, {}, 1);
    ASSERT_NE(view_, nullptr);
  }

  [[nodiscard]] bool rfc() const { return GetParam() == Compat::kRfc; }

  // Sends the packet and checks what always holds. Returns false when nothing
  // came back.
  bool Send(const std::string& packet, Transport transport, Message* message) {
    // The copy ends where the heap block ends, so that the sanitizer sees a
    // read past it.
    std::vector<uint8_t> exact(packet.begin(), packet.end());
    RespondContext context;
    context.unix_time = 1700000000;
    Response response = Respond({exact.data(), exact.size()}, transport, *view_,
                                &context, out_.data());
    *message = Message();
    if (response.size == 0) return false;
    std::span<const uint8_t> bytes(out_.data(), response.size);
    EXPECT_EQ(ParseMessage(bytes, message), "") << Hex(packet);
    EXPECT_NE(message->flags & kFlagQr, 0) << Hex(packet);
    EXPECT_EQ(message->id, Load16(exact.data())) << Hex(packet);
    CheckSize(packet, transport, response.size);
    uint16_t rcode = message->rcode();
    if (rcode == kFormErr || rcode == kNotImp || rcode == kBadVers) {
      EXPECT_TRUE(message->answer.empty() && message->authority.empty() &&
                  message->additional.empty())
          << Hex(packet);
      EXPECT_LE(response.size, packet.size() + kOptBytes) << Hex(packet);
    }
    return true;
  }

  void CheckSize(const std::string& packet, Transport transport, size_t size) {
    EXPECT_LE(size, kResponseBytesMax);
    if (transport == Transport::kTcp || !rfc()) return;
    Message query;
    bool readable = ParseMessage(Bytes(packet), &query).empty();
    size_t offered = readable && query.opt ? query.opt->udp_size : 0;
    size_t limit = std::max<size_t>(
        std::min<size_t>(offered, policy_.edns_udp_size), kUdpPlainMax);
    EXPECT_LE(size, limit) << Hex(packet);
  }

  // For both transports.
  void SendBoth(const std::string& packet) {
    Message message;
    Send(packet, Transport::kUdp, &message);
    Send(packet, Transport::kTcp, &message);
  }

  // It must be called broken, or (with little read of it) dropped.
  void ExpectRejected(const std::string& packet) {
    for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
      Message message;
      if (!Send(packet, transport, &message)) continue;
      EXPECT_EQ(RcodeText(message.rcode()), "FORMERR") << Hex(packet);
    }
  }

  static std::string Hex(const std::string& packet) {
    return absl::BytesToHexString(packet.substr(0, 200));
  }

  static std::vector<std::string> ValidQueries() {
    QueryOptions plain;
    QueryOptions edns;
    edns.edns = EdnsOptions{
        4096, 0, true,
        EcsOption("198.51.100.7", 24, 0) + EdnsOption(10, "01234567")};
    std::vector<std::string> packets;
    for (const QueryOptions& options : {plain, edns}) {
      packets.push_back(BuildQuery("web.service.consul.", kTypeA, options));
      packets.push_back(
          BuildQuery("_big._tcp.service.dc1.dc.consul.", kTypeSrv, options));
      packets.push_back(BuildQuery("foo.node.consul.", kTypeAny, options));
      packets.push_back(
          BuildQuery("1.0.0.10.in-addr.arpa.", kTypePtr, options));
      packets.push_back(BuildQuery("consul.", kTypeSoa, options));
      packets.push_back(BuildQuery(".", kTypeNs, options));
    }
    return packets;
  }

  ZonePolicy policy_;
  State state_;
  std::unique_ptr<const View> view_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

TEST_P(HostilePacketsTest, EveryTruncationIsDroppedOrRejected) {
  for (const std::string& packet : ValidQueries()) {
    for (size_t size = 0; size < packet.size(); ++size) {
      std::string cut = packet.substr(0, size);
      Message message;
      if (size < kHeaderBytes) {
        EXPECT_FALSE(Send(cut, Transport::kUdp, &message)) << size;
        EXPECT_FALSE(Send(cut, Transport::kTcp, &message)) << size;
      } else if (rfc()) {
        ExpectRejected(cut);
      } else {
        // miekg/dns forgives counts that promise more than there is.
        SendBoth(cut);
      }
    }
  }
}

TEST_P(HostilePacketsTest, ResponsesAreDropped) {
  for (std::string packet : ValidQueries()) {
    packet[2] = static_cast<char>(packet[2] | 0x80);
    Message message;
    EXPECT_FALSE(Send(packet, Transport::kUdp, &message));
    EXPECT_FALSE(Send(packet, Transport::kTcp, &message));
  }
}

TEST_P(HostilePacketsTest, OneQuestionIsWanted) {
  for (uint32_t count : {0u, 2u, 3u, 255u, 65535u}) {
    for (std::string packet : ValidQueries()) {
      Set16(&packet, 4, count);
      ExpectRejected(packet);
    }
  }
}

TEST_P(HostilePacketsTest, EveryOpcodeGetsItsRcode) {
  for (uint8_t opcode = 0; opcode < 16; ++opcode) {
    QueryOptions options;
    options.opcode = opcode;
    std::string packet = BuildQuery("web.service.consul.", kTypeA, options);
    Message message;
    ASSERT_TRUE(Send(packet, Transport::kUdp, &message));
    bool answered = opcode == kOpQuery || (opcode == kOpNotify && !rfc());
    EXPECT_EQ(message.rcode() == kNotImp, !answered) << int{opcode};
    // Cut inside the question: still no more than a header.
    SendBoth(packet.substr(0, 20));
    SendBoth(packet.substr(0, kHeaderBytes));
  }
}

TEST_P(HostilePacketsTest, EveryTypeIsAnswered) {
  QueryOptions options;
  for (const char* name : {"web.service.consul.", "foo.node.consul.", "consul.",
                           "1.0.0.10.in-addr.arpa."}) {
    std::string packet = BuildQuery(name, 0, options);
    for (uint32_t type = 0; type <= 0xffff; ++type) {
      Set16(&packet, packet.size() - 4, type);
      Message message;
      ASSERT_TRUE(Send(packet, Transport::kUdp, &message)) << type;
      // The reference is slow; it looks at some of them.
      if (type > 300 && type % 641 != 0) continue;
      ReferenceAnswer answer =
          AskReference(state_, policy_, Bytes(packet), Transport::kUdp);
      EXPECT_EQ(CheckMessage(policy_, answer, message), "")
          << name << " " << type << "\n"
          << MessageText(message);
    }
  }
}

TEST_P(HostilePacketsTest, EveryClassIsAnswered) {
  QueryOptions options;
  std::string packet = BuildQuery("web.service.consul.", kTypeA, options);
  for (uint32_t rclass = 0; rclass <= 0xffff; ++rclass) {
    Set16(&packet, packet.size() - 2, rclass);
    Message message;
    ASSERT_TRUE(Send(packet, Transport::kUdp, &message)) << rclass;
    bool ours = !rfc() || rclass == kClassIn || rclass == kClassAny;
    EXPECT_EQ(message.rcode() == kRefused, !ours) << rclass;
  }
}

TEST_P(HostilePacketsTest, PointersInTheQuestionAreRejected) {
  std::string header =
      BuildQuery(".", kTypeA, QueryOptions()).substr(0, kHeaderBytes);
  std::string tail("\0\1\0\1", 4);
  const std::string names[] = {
      std::string("\xc0\x0c", 2),          // at itself
      std::string("\xc0\x0e\xc0\x0c", 4),  // a loop of two
      std::string("\3web\xc0\x0c", 6),     // back to its own start
      std::string("\xc0\x00", 2),          // into the header
      std::string("\xff\xff", 2),          // far outside
      std::string("\xc0", 1),              // half a pointer
      std::string("\3web\7service\6consul\xc0\x1c", 21),
      std::string("\x40", 1) + std::string(64, 'x') + std::string(1, '\0'),
      std::string("\x80x\0", 3),  // reserved label types
      std::string("\x41x\0", 3),
  };
  for (const std::string& name : names) ExpectRejected(header + name + tail);
}

TEST_P(HostilePacketsTest, NamesTooLongAreRejected) {
  std::string header =
      BuildQuery(".", kTypeA, QueryOptions()).substr(0, kHeaderBytes);
  std::string label = std::string(1, '\x3f') + std::string(63, 'x');
  std::string tail("\0\0\1\0\1", 5);
  ExpectRejected(header + label + label + label + label + tail);
  std::string ones;
  for (int i = 0; i < 128; ++i) ones += std::string("\1x", 2);
  ExpectRejected(header + ones + tail);
  // 255 bytes are a name still, and not one of ours.
  Message message;
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += std::string("\1x", 2);
  ASSERT_TRUE(Send(header + longest + tail, Transport::kUdp, &message));
  EXPECT_EQ(RcodeText(message.rcode()), "REFUSED");
}

TEST_P(HostilePacketsTest, LyingCounts) {
  for (const std::string& valid : ValidQueries()) {
    for (size_t at : {6u, 8u, 10u}) {
      for (uint32_t count : {1u, 2u, 7u, 255u, 65535u}) {
        std::string packet = valid;
        if (Load16(Bytes(packet).data() + at) >= count) continue;
        Set16(&packet, at, count);
        if (rfc()) {
          ExpectRejected(packet);
        } else {
          SendBoth(packet);
        }
      }
    }
  }
}

TEST_P(HostilePacketsTest, OptRecordsThatAreNone) {
  QueryOptions options;
  options.edns.emplace();
  std::string packet = BuildQuery("web.service.consul.", kTypeA, options);
  std::string opt = packet.substr(packet.size() - kOptBytes);
  std::string twice = packet + opt;
  Set16(&twice, 10, 2);
  std::string long_rdata = packet;
  Set16(&long_rdata, packet.size() - 2, 4);  // says 4 bytes, has none
  std::string short_option = packet + std::string("\0\x8\0", 3);
  Set16(&short_option, packet.size() - 2, 3);
  std::string long_option = packet + std::string("\0\x8\0\x9\0", 5);
  Set16(&long_option, packet.size() - 2, 5);
  std::string named =
      packet.substr(0, packet.size() - kOptBytes) + std::string("\1x", 2) + opt;
  for (const std::string& bad :
       {twice, long_rdata, short_option, long_option, named}) {
    if (rfc()) {
      ExpectRejected(bad);
    } else {
      SendBoth(bad);
    }
  }
  // As an answer or authority record it is no OPT at all.
  std::string misplaced = packet;
  Set16(&misplaced, 10, 0);
  Set16(&misplaced, 6, 1);
  SendBoth(misplaced);
}

TEST_P(HostilePacketsTest, HugePackets) {
  for (const std::string& valid : ValidQueries()) {
    std::string padded = valid;
    padded.resize(65535, '\0');
    SendBoth(padded);
    // Thousands of empty records, as many as the header says.
    std::string records = valid;
    uint32_t count = Load16(Bytes(valid).data() + 10);
    while (records.size() + 11 <= 65535) {
      records += std::string("\0\0\1\0\1\0\0\0\0\0\0", 11);
      ++count;
    }
    Set16(&records, 10, count);
    SendBoth(records);
  }
}

TEST_P(HostilePacketsTest, Garbage) {
  Random random(TestSeed());
  int rounds = Scaled(20000);
  for (int i = 0; i < rounds; ++i) {
    std::string packet(random.Below(600), '\0');
    for (char& c : packet) c = static_cast<char>(random.Next());
    // Often enough a header that gets it past the first checks.
    if (packet.size() >= kHeaderBytes && random.Below(3) != 0) {
      packet.replace(2, 10, std::string("\1\0\0\1\0\0\0\0\0\0", 10));
      packet[11] = static_cast<char>(random.Below(3));
    }
    SendBoth(packet);
  }
}

TEST_P(HostilePacketsTest, FlippedBytes) {
  Random random(TestSeed());
  std::vector<std::string> valid = ValidQueries();
  int rounds = Scaled(40000);
  for (int i = 0; i < rounds; ++i) {
    std::string packet =
        valid[random.Below(static_cast<uint32_t>(valid.size()))];
    uint32_t flips = 1 + random.Below(4);
    for (uint32_t j = 0; j < flips; ++j) {
      packet[random.Below(static_cast<uint32_t>(packet.size()))] =
          static_cast<char>(random.Next());
    }
    SendBoth(packet);
  }
}

INSTANTIATE_TEST_SUITE_P(Compat, HostilePacketsTest,
                         ::testing::Values(Compat::kConsul, Compat::kRfc),
                         [](const ::testing::TestParamInfo<Compat>& param) {
                           return param.param == Compat::kRfc ? "Rfc"
                                                              : "Consul";
                         });

}  // namespace
}  // namespace dnsd::testing
