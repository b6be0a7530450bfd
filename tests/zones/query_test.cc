#include "zones/query.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/rr_text.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::BuildQuery;
using testing::EcsOption;
using testing::EdnsOption;
using testing::EdnsOptions;
using testing::QueryOptions;
using testing::Scaled;
using testing::TestSeed;

// Parses a copy of exactly the packet's size, so that ASan sees a byte too
// far.
struct Parsed {
  explicit Parsed(const std::string& text)
      : packet(text.begin(), text.end()), result(ParseQuery(packet, &query)) {}

  std::vector<uint8_t> packet;
  Query query;
  ParseResult result;
};

std::string Plain() { return BuildQuery("web.service.consul.", 1, {}); }

std::string WithEdns(const EdnsOptions& edns) {
  QueryOptions options;
  options.edns = edns;
  return BuildQuery("web.service.consul.", 33, options);
}

std::string With16(std::string packet, size_t at, unsigned value) {
  packet[at] = static_cast<char>(value >> 8);
  packet[at + 1] = static_cast<char>(value);
  return packet;
}

constexpr size_t kFlagsAt = 2;
constexpr size_t kQuestionsAt = 4;
constexpr size_t kAnswersAt = 6;
constexpr size_t kAuthoritiesAt = 8;
constexpr size_t kAdditionalsAt = 10;

// A record of the root: type, class, TTL, rdata.
std::string RootRecord(uint16_t type, unsigned rclass, uint32_t ttl,
                       const std::string& rdata) {
  std::string record(11, '\0');
  record = With16(record, 1, type);
  record = With16(record, 3, rclass);
  record = With16(record, 5, ttl >> 16);
  record = With16(record, 7, ttl & 0xffff);
  record = With16(record, 9, static_cast<unsigned>(rdata.size()));
  return record + rdata;
}

TEST(ParseQuery, ReadsHeaderAndQuestion) {
  const Parsed p(BuildQuery("WEB.service.consul.", 28, {}));
  ASSERT_EQ(p.result, ParseResult::kOk);
  EXPECT_TRUE(p.query.has_question);
  EXPECT_EQ(p.query.qtype, 28);
  EXPECT_EQ(p.query.qclass, 1);
  EXPECT_EQ(p.query.opcode(), kOpQuery);
  EXPECT_EQ(p.query.flags & kFlagRd, kFlagRd);
  EXPECT_EQ(p.query.question_size(), p.packet.size() - kHeaderBytes);
  EXPECT_TRUE(p.query.qname.LabelIs(0, "web", 3));
  EXPECT_FALSE(p.query.has_opt);
  EXPECT_FALSE(p.query.trailing);
  EXPECT_FALSE(p.query.is_notify);
}

TEST(ParseQuery, EveryTruncationIsAnError) {
  EdnsOptions edns;
  edns.options = EcsOption("192.0.2.0", 24, 0) + EdnsOption(10, "cookie!!");
  for (const std::string& whole : {Plain(), WithEdns(edns)}) {
    ASSERT_EQ(Parsed(whole).result, ParseResult::kOk);
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(
          Parsed(whole.substr(0, size)).result,
          size < kHeaderBytes ? ParseResult::kDropShort : ParseResult::kFormErr)
          << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST(ParseQuery, DropsResponsesWhateverElseIsWrong) {
  const std::string response = With16(Plain(), kFlagsAt, kFlagQr | kFlagRd);
  EXPECT_EQ(Parsed(response).result, ParseResult::kDropResponse);
  EXPECT_EQ(Parsed(With16(response, kQuestionsAt, 9)).result,
            ParseResult::kDropResponse);
  EXPECT_EQ(Parsed(response.substr(0, 12)).result, ParseResult::kDropResponse);
}

TEST(ParseQuery, KnowsOpcodes) {
  for (unsigned opcode = 0; opcode < 16; ++opcode) {
    const Parsed p(With16(Plain(), kFlagsAt, opcode << kOpcodeShift));
    const bool known = opcode == kOpQuery || opcode == kOpNotify;
    EXPECT_EQ(p.result, known ? ParseResult::kOk : ParseResult::kNotImp);
    EXPECT_EQ(p.query.is_notify, opcode == kOpNotify);
    EXPECT_EQ(p.query.opcode(), opcode);
    EXPECT_TRUE(p.query.has_question) << "for a NOTIMP that echoes it";
  }
}

TEST(ParseQuery, AnUnknownOpcodeNeedsNoQuestion) {
  // UPDATE counts other things in its header (RFC 2136).
  const unsigned update = 5u << kOpcodeShift;
  std::string packet = With16(Plain().substr(0, 12), kFlagsAt, update);
  const Parsed p(packet);
  EXPECT_EQ(p.result, ParseResult::kNotImp);
  EXPECT_FALSE(p.query.has_question);
}

TEST(ParseQuery, WantsExactlyOneQuestion) {
  for (unsigned count : {0u, 2u, 3u, 0xffffu}) {
    EXPECT_EQ(Parsed(With16(Plain(), kQuestionsAt, count)).result,
              ParseResult::kFormErr);
  }
}

TEST(ParseQuery, RefusesACompressedQuestion) {
  // A pointer to the header, to itself and to the question's own start.
  for (unsigned target : {0u, 12u, 13u}) {
    std::string packet = Plain().substr(0, 12);
    packet += static_cast<char>(0xc0);
    packet += static_cast<char>(target);
    packet += std::string("\0\x01\0\x01", 4);
    EXPECT_EQ(Parsed(packet).result, ParseResult::kFormErr);
  }
}

TEST(ParseQuery, RefusesCountsThatLie) {
  for (size_t at : {kAnswersAt, kAuthoritiesAt, kAdditionalsAt}) {
    for (unsigned count : {1u, 2u, 3u, 0x7fffu, 0xffffu}) {
      EXPECT_EQ(Parsed(With16(Plain(), at, count)).result,
                ParseResult::kFormErr)
          << "offset " << at << " count " << count;
    }
  }
}

TEST(ParseQuery, TakesTheRecordsAQueryMayHave) {
  // A SOA in AUTHORITY (IXFR), a TSIG-like record after the OPT.
  std::string packet = With16(Plain(), kAuthoritiesAt, 1);
  packet = With16(packet, kAdditionalsAt, 2);
  packet += RootRecord(6, 1, 0, "soa rdata");
  packet += RootRecord(kTypeOpt, 1232, 0, "");
  packet += RootRecord(250, 255, 0, "tsig rdata");
  const Parsed p(packet);
  ASSERT_EQ(p.result, ParseResult::kOk);
  EXPECT_EQ(p.query.udp_size, 1232);
  EXPECT_FALSE(p.query.trailing);
}

TEST(ParseQuery, SkipsOwnerNamesOfAllForms) {
  for (const std::string& owner : {std::string("\xc0\x0c", 2),
                                   std::string("\x01"
                                               "a\xc0\x0c",
                                               4),
                                   std::string("\x01"
                                               "a\x02"
                                               "bc\0",
                                               6)}) {
    std::string packet = With16(Plain(), kAnswersAt, 1);
    packet += owner + RootRecord(1, 1, 0, "addr").substr(1);
    EXPECT_EQ(Parsed(packet).result, ParseResult::kOk);
  }
  for (const std::string& owner :
       {std::string("\x40"), std::string("\x80"), std::string(300, '\x3f')}) {
    std::string packet = With16(Plain(), kAnswersAt, 1);
    packet += owner + RootRecord(1, 1, 0, "addr").substr(1);
    EXPECT_EQ(Parsed(packet).result, ParseResult::kFormErr);
  }
}

TEST(ParseQuery, NoticesBytesAfterTheMessage) {
  const Parsed plain(Plain() + "x");
  EXPECT_EQ(plain.result, ParseResult::kOk);
  EXPECT_TRUE(plain.query.trailing);
  const Parsed edns(WithEdns({}) + std::string(11, '\0'));
  EXPECT_EQ(edns.result, ParseResult::kOk);
  EXPECT_TRUE(edns.query.trailing);
}

TEST(ParseQuery, ReadsEdns) {
  EdnsOptions edns;
  edns.udp_size = 4096;
  edns.dnssec_ok = true;
  const Parsed p(WithEdns(edns));
  ASSERT_EQ(p.result, ParseResult::kOk);
  EXPECT_TRUE(p.query.has_opt);
  EXPECT_EQ(p.query.udp_size, 4096);
  EXPECT_TRUE(p.query.dnssec_ok);
  EXPECT_EQ(p.query.edns_version, 0);
  EXPECT_EQ(p.query.ecs_offset, 0);
}

TEST(ParseQuery, LeavesTheVersionToTheResponder) {
  EdnsOptions edns;
  edns.version = 1;
  const Parsed p(WithEdns(edns));
  EXPECT_EQ(p.result, ParseResult::kOk);
  EXPECT_EQ(p.query.edns_version, 1);
}

TEST(ParseQuery, RefusesTwoOptRecords) {
  std::string packet = With16(Plain(), kAdditionalsAt, 2);
  packet += RootRecord(kTypeOpt, 1232, 0, "");
  EXPECT_EQ(Parsed(packet + RootRecord(kTypeOpt, 1232, 0, "")).result,
            ParseResult::kFormErr);
}

TEST(ParseQuery, RefusesAnOptOfAnotherOwner) {
  std::string packet = With16(Plain(), kAdditionalsAt, 1);
  packet +=
      "\x01"
      "a" +
      RootRecord(kTypeOpt, 1232, 0, "");
  EXPECT_EQ(Parsed(packet).result, ParseResult::kFormErr);
}

TEST(ParseQuery, AnOptElsewhereIsAnOrdinaryRecord) {
  std::string packet = With16(Plain(), kAnswersAt, 1);
  const Parsed p(packet + RootRecord(kTypeOpt, 1232, 0, ""));
  EXPECT_EQ(p.result, ParseResult::kOk);
  EXPECT_FALSE(p.query.has_opt);
}

TEST(ParseQuery, RefusesOptionsThatDoNotFit) {
  EdnsOptions edns;
  for (const std::string& options :
       {std::string("\0", 1), std::string("\0\x0a\0", 3),
        std::string("\0\x0a\0\x01", 4),
        EdnsOption(10, "12345678") + std::string("\0\x0a", 2)}) {
    edns.options = options;
    EXPECT_EQ(Parsed(WithEdns(edns)).result, ParseResult::kFormErr);
  }
  edns.options =
      EdnsOption(10, "") + EdnsOption(3, "") + EdnsOption(65001, "x");
  EXPECT_EQ(Parsed(WithEdns(edns)).result, ParseResult::kOk);
}

TEST(ParseQuery, FindsTheClientSubnet) {
  EdnsOptions edns;
  const std::string ecs = EcsOption("192.0.2.0", 24, 0);
  edns.options = EdnsOption(10, "12345678") + ecs;
  const Parsed p(WithEdns(edns));
  ASSERT_EQ(p.result, ParseResult::kOk);
  ASSERT_NE(p.query.ecs_offset, 0);
  EXPECT_EQ(p.query.ecs_size, ecs.size());
  EXPECT_EQ(
      std::string(p.packet.begin() + p.query.ecs_offset,
                  p.packet.begin() + p.query.ecs_offset + p.query.ecs_size),
      ecs);
}

TEST(ParseQuery, ChecksTheClientSubnet) {
  const struct {
    std::string data;
    bool sound;
  } kCases[] = {
      {std::string("\0\0\0\0", 4), true},         // family 0: no address
      {std::string("\0\0\x08\0\x0a", 5), false},  // family 0 with one
      {std::string("\0\x01\0\0", 4), true},       // /0
      {std::string("\0\x01\x18\0\x0a\0\0", 7), true},
      {std::string("\0\x01\x18\0\x0a\0", 6), false},        // too few bytes
      {std::string("\0\x01\x21\0\x0a\0\0\0\0", 9), false},  // /33
      {std::string("\0\x01\x20\0\x0a\0\0\0\0", 9), false},  // 5 bytes of v4
      {std::string("\0\x02\x38\0", 4) + std::string(7, 'a'), true},
      {std::string("\0\x02\x81\0", 4) + std::string(17, 'a'), false},
      {std::string("\0\x03\x08\0\x0a", 5), false},  // no such family
      {std::string("\0\x01\0", 3), false},          // cut short
  };
  for (const auto& c : kCases) {
    EdnsOptions edns;
    edns.options = EdnsOption(kOptionEcs, c.data);
    EXPECT_EQ(Parsed(WithEdns(edns)).result,
              c.sound ? ParseResult::kOk : ParseResult::kFormErr)
        << "case " << &c - kCases;
  }
}

TEST(ParseQuery, RandomDamageNeverReadsBeyondThePacket) {
  Random random(TestSeed());
  EdnsOptions edns;
  edns.options = EcsOption("192.0.2.0", 24, 0) + EdnsOption(10, "cookie!!");
  const std::string sound = WithEdns(edns);
  int counts[5] = {};
  for (int i = 0; i < Scaled(200000); ++i) {
    std::string packet = sound;
    for (uint32_t j = random.Below(4); j < 4; ++j) {
      packet[random.Below(static_cast<uint32_t>(packet.size()))] =
          static_cast<char>(random.Below(256));
    }
    if (random.Below(2) == 0) {
      packet.resize(random.Below(static_cast<uint32_t>(packet.size()) + 1));
    }
    const Parsed p(packet);
    ++counts[static_cast<size_t>(p.result)];
    if (p.result != ParseResult::kOk) continue;
    ASSERT_TRUE(p.query.has_question);
    ASSERT_LE(kHeaderBytes + p.query.question_size(), packet.size());
    ASSERT_LE(p.query.ecs_offset + p.query.ecs_size, packet.size());
  }
  for (int count : counts) EXPECT_GT(count, 0) << "every result was reached";
}

}  // namespace
}  // namespace dnsd
