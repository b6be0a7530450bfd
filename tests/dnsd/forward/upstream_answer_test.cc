// ReadReply() on replies as upstreams write them, and as forgers do.
#include "dnsd/forward/upstream_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/dnsd/forward/upstream_packets.h"
#include "tests/testing/rr_text.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using testing::CheckTtls;
using testing::ClientQuery;
using testing::ForClient;
using testing::Judge;
using testing::Message;
using testing::MustRead;
using testing::QueryOptions;
using testing::ReplyText;
using testing::RrListText;
using testing::Sent;
using testing::SortedTexts;
using testing::WireName;
using testing::WriteReply;
using Texts = std::vector<std::string>;

constexpr char kSoa[] =
    "example.com. 3600 IN SOA ns.example.com. host.example.com. 1 2 3 4 300";

TEST(ReadReply, KeepsWhatWasAskedFor) {
  ReplyText text;
  text.answer = {"WWW.example.com. 300 IN A 192.0.2.1",
                 "www.example.com. 200 IN A 192.0.2.2"};
  text.authority = {"example.com. 60 IN NS ns.example.com."};
  text.additional = {"ns.example.com. 60 IN A 192.0.2.53"};
  text.flags |= kFlagAa | kFlagAd;
  const UpstreamAnswer answer = MustRead(text, Sent(text.qname, kTypeA));
  EXPECT_EQ(answer.ttl, 200u);
  EXPECT_FALSE(answer.is_negative);
  EXPECT_EQ(answer.rotation.count, 2);
  EXPECT_EQ(answer.rotation.stride, 16);

  const ClientQuery client("wWw.Example.com.", kTypeA);
  const Message got = ForClient(answer, client, {.age_s = 50});
  EXPECT_EQ(got.qname, WireName("wWw.Example.com."));
  EXPECT_EQ(SortedTexts(got.answer).size(), 2u);
  EXPECT_TRUE(got.authority.empty());
  EXPECT_TRUE(got.additional.empty());
  for (const testing::Rr& rr : got.answer) {
    EXPECT_EQ(rr.owner, WireName("wWw.Example.com."));
    EXPECT_TRUE(rr.ttl == 250 || rr.ttl == 150) << rr.ttl;
  }
  // Neither AA nor, as nobody asked for it, AD.
  EXPECT_EQ(got.flags, kFlagQr | kFlagRd | kFlagRa);
  EXPECT_FALSE(got.opt.has_value());
}

TEST(ReadReply, FollowsAliasesAndDropsWhatHangsOnThem) {
  ReplyText text;
  text.answer = {"evil.test. 60 IN A 203.0.113.1",
                 "www.example.com. 60 IN CNAME web.other.test.",
                 "web.other.test. 30 IN CNAME host.example.com.",
                 "bank.test. 60 IN A 203.0.113.2",
                 "host.example.com. 90 IN A 192.0.2.7",
                 "web.other.test. 90 IN A 203.0.113.3",
                 "host.example.com. 90 IN A 192.0.2.8",
                 "host.example.com. 90 IN AAAA 2001:db8::1"};
  // At an alias nothing else can be: whatever there is ends the chain.
  text.answer.erase(text.answer.begin() + 5);
  const UpstreamAnswer answer = MustRead(text, Sent(text.qname, kTypeA));
  const ClientQuery client(text.qname, kTypeA);
  const Message got = ForClient(answer, client);
  EXPECT_EQ(SortedTexts(got.answer).size(), 4u) << RrListText(got.answer);
  EXPECT_EQ(got.answer[0].type, kTypeCname);
  EXPECT_EQ(got.answer[1].type, kTypeCname);
  EXPECT_EQ(got.answer[2].owner, WireName("host.example.com."));
  EXPECT_EQ(answer.ttl, 30u);
  EXPECT_EQ(answer.rotation.count, 2);
  EXPECT_EQ(answer.foreign_records, 2);
}

TEST(ReadReply, ADnameComesWithItsAlias) {
  ReplyText text;
  text.answer = {"example.com. 60 IN DNAME example.net.",
                 "www.example.com. 60 IN CNAME www.example.net.",
                 "www.example.net. 60 IN A 192.0.2.1"};
  const UpstreamAnswer answer = MustRead(text, Sent(text.qname, kTypeA));
  const ClientQuery client(text.qname, kTypeA);
  EXPECT_EQ(ForClient(answer, client).answer.size(), 3u);
  EXPECT_EQ(answer.foreign_records, 0);
  text.answer.erase(text.answer.begin() + 1);
  EXPECT_EQ(Judge(WriteReply(text), Sent(text.qname, kTypeA)),
            ReplyVerdict::kMalformed);
}

TEST(ReadReply, AliasesThatDoNotEndAreMalformed) {
  ReplyText text;
  for (int i = 0; i < 100; ++i) {
    text.answer.push_back("example.com. 60 IN DNAME example.net.");
  }
  text.answer.push_back("www.example.com. 60 IN CNAME www.example.net.");
  EXPECT_EQ(Judge(WriteReply(text), Sent(text.qname, kTypeA)),
            ReplyVerdict::kMalformed);
  text.answer = {"www.example.com. 60 IN CNAME a.test.",
                 "a.test. 60 IN CNAME www.example.com."};
  EXPECT_EQ(Judge(WriteReply(text), Sent(text.qname, kTypeA)),
            ReplyVerdict::kMalformed);
}

TEST(ReadReply, NegativeAnswersLiveAsTheirSoaSays) {
  ReplyText text;
  text.authority = {kSoa, "example.com. 60 IN NS ns.example.com."};
  UpstreamAnswer answer = MustRead(text, Sent(text.qname, kTypeA));
  EXPECT_TRUE(answer.is_negative);
  EXPECT_EQ(answer.rcode, kNoError);
  EXPECT_EQ(answer.ttl, 300u);
  text.flags |= kNxDomain;
  answer = MustRead(text, Sent(text.qname, kTypeA));
  EXPECT_EQ(answer.rcode, kNxDomain);
  const ClientQuery client("WWW.EXAMPLE.com.", kTypeA);
  const Message got = ForClient(answer, client, {.age_s = 10});
  EXPECT_EQ(got.rcode(), kNxDomain);
  ASSERT_EQ(got.authority.size(), 1u);
  EXPECT_EQ(got.authority[0].owner, WireName("EXAMPLE.com."));
  EXPECT_EQ(got.authority[0].ttl, 290u);

  // The SOA of another zone says nothing about this one.
  text.authority = {
      "example.org. 3600 IN SOA ns.example.org. h.example.org. 1 2 3 4 300"};
  answer = MustRead(text, Sent(text.qname, kTypeA));
  EXPECT_EQ(answer.ttl, 0u);
  EXPECT_TRUE(answer.ttl_at.empty());

  text.flags &= static_cast<uint16_t>(~kNxDomain);
  text.authority = {"example.com. 60 IN NS ns.example.com."};
  EXPECT_EQ(Judge(WriteReply(text), Sent(text.qname, kTypeA)),
            ReplyVerdict::kServerFailed);
}

TEST(ReadReply, SignaturesAndProofsOnlyForThoseWhoAsk) {
  ReplyText text;
  const std::string signature =
      " 8 3 60 20300101000000 20200101000000 1 example.com. AAAA";
  text.answer = {"www.example.com. 60 IN A 192.0.2.1",
                 "www.example.com. 60 IN RRSIG A" + signature,
                 "www.example.com. 60 IN RRSIG TXT" + signature};
  text.authority = {"a.example.com. 60 IN NSEC z.example.com. A RRSIG NSEC",
                    "a.example.com. 60 IN RRSIG NSEC" + signature,
                    "example.com. 60 IN NS ns.example.com."};
  SentQuery sent = Sent(text.qname, kTypeA);
  EXPECT_EQ(MustRead(text, sent).ttl_at.size(), 1u);
  sent.question.dnssec_ok = true;
  text.flags |= kFlagAd;
  const UpstreamAnswer answer = MustRead(text, sent);
  QueryOptions options;
  options.edns = testing::EdnsOptions();
  options.edns->dnssec_ok = true;
  const ClientQuery client(text.qname, kTypeA, options);
  const Message got = ForClient(answer, client);
  EXPECT_EQ(got.answer.size(), 2u) << RrListText(got.answer);
  EXPECT_EQ(got.authority.size(), 2u) << RrListText(got.authority);
  EXPECT_NE(got.flags & kFlagAd, 0);
  ASSERT_TRUE(got.opt.has_value());
  EXPECT_TRUE(got.opt->dnssec_ok);
}

TEST(ReadReply, Verdicts) {
  ReplyText text;
  text.answer = {"www.example.com. 60 IN A 192.0.2.1"};
  SentQuery sent = Sent(text.qname, kTypeA);
  const std::string good = WriteReply(text);
  EXPECT_EQ(Judge(good, sent), ReplyVerdict::kAnswer);

  std::string other = good;
  other[0] ^= 1;
  EXPECT_EQ(Judge(other, sent), ReplyVerdict::kNotOurs);
  other = good;
  other[2] &= 0x7f;
  EXPECT_EQ(Judge(other, sent), ReplyVerdict::kNotOurs);
  EXPECT_EQ(Judge(good, Sent("www.example.org.", kTypeA)),
            ReplyVerdict::kNotOurs);
  EXPECT_EQ(Judge(good, Sent(text.qname, kTypeAaaa)), ReplyVerdict::kNotOurs);

  sent.spelled_name = WireName("wWw.eXample.com.");
  EXPECT_EQ(Judge(good, sent), ReplyVerdict::kWrongCase);
  text.qname = "wWw.eXample.com.";
  EXPECT_EQ(Judge(WriteReply(text), sent), ReplyVerdict::kAnswer);

  const auto with_flags = [&](uint32_t flags) {
    ReplyText changed = text;
    changed.flags = static_cast<uint16_t>(changed.flags | flags);
    return WriteReply(changed);
  };
  EXPECT_EQ(Judge(with_flags(kFlagTc), sent), ReplyVerdict::kTruncated);
  UpstreamAnswer answer;
  EXPECT_EQ(ReadReply(WireBytes(with_flags(kFlagTc)), sent, true, &answer),
            ReplyVerdict::kAnswer);
  EXPECT_EQ(Judge(with_flags(kServFail), sent), ReplyVerdict::kServerFailed);
  EXPECT_EQ(Judge(with_flags(kRefused), sent), ReplyVerdict::kServerFailed);
  EXPECT_EQ(Judge(with_flags(kFormErr), sent), ReplyVerdict::kNoEdns);
  EXPECT_EQ(Judge(with_flags(kNotImp), sent), ReplyVerdict::kNoEdns);
  // Only the header came back.
  std::string header = with_flags(kFormErr).substr(0, kHeaderBytes);
  for (size_t i = 4; i < header.size(); ++i) header[i] = 0;
  EXPECT_EQ(Judge(header, sent), ReplyVerdict::kNoEdns);
  sent.udp_size = 0;
  EXPECT_EQ(Judge(header, sent), ReplyVerdict::kServerFailed);
  EXPECT_EQ(Judge(with_flags(kFormErr), sent), ReplyVerdict::kServerFailed);
}

TEST(ReadReply, EveryTruncationFailsCleanly) {
  ReplyText text;
  text.answer = {"www.example.com. 60 IN CNAME b.example.com.",
                 "b.example.com. 60 IN A 192.0.2.1"};
  text.authority = {kSoa};
  const std::string reply = WriteReply(text);
  for (size_t size = 0; size < reply.size(); ++size) {
    const ReplyVerdict verdict =
        Judge(reply.substr(0, size), Sent(text.qname, kTypeA));
    EXPECT_TRUE(verdict == ReplyVerdict::kNotOurs ||
                verdict == ReplyVerdict::kMalformed)
        << size;
  }
}

TEST(ReadReply, PointersOnlyLeadBack) {
  ReplyText text;
  text.answer = {"www.example.com. 60 IN A 192.0.2.1"};
  std::string reply = WriteReply(text);
  const size_t owner = kHeaderBytes + WireName(text.qname).size() + 4;
  for (size_t target : {owner, owner + 1, owner + 2, size_t{0}, size_t{2}}) {
    std::string looped = reply;
    looped[owner] = static_cast<char>(0xc0);
    looped[owner + 1] = static_cast<char>(target);
    EXPECT_EQ(Judge(looped, Sent(text.qname, kTypeA)), ReplyVerdict::kMalformed)
        << target;
  }
}

TEST(ReadReply, ATtlWithItsTopBitIsNone) {
  ReplyText text;
  text.answer = {"www.example.com. 60 IN A 192.0.2.1"};
  std::string reply = WriteReply(text);
  reply[reply.size() - 10] = static_cast<char>(0x80);
  UpstreamAnswer answer;
  ASSERT_EQ(
      ReadReply(WireBytes(reply), Sent(text.qname, kTypeA), false, &answer),
      ReplyVerdict::kAnswer);
  EXPECT_EQ(answer.ttl, 0u);
}

TEST(ReadReply, NamesInRdataSurviveWhateverTheirTypes) {
  const Texts records = {
      "www.example.com. 60 IN MX 10 mail.example.com.",
      "www.example.com. 60 IN SRV 1 2 3 t.example.com.",
      "www.example.com. 60 IN NS ns.example.com.",
      "www.example.com. 60 IN PTR www.example.com.",
      "www.example.com. 60 IN NAPTR 1 2 \"u\" \"sip\" \"\" r.example.com.",
      "www.example.com. 60 IN RP a.example.com. b.example.com.",
      "www.example.com. 60 IN AFSDB 1 a.example.com.",
      "www.example.com. 60 IN TXT \"a\" \"b\"",
      "www.example.com. 60 IN SOA ns.example.com. h.test. 1 2 3 4 5"};
  for (const std::string& record : records) {
    testing::Rr rr;
    ASSERT_EQ(testing::ParseRr(record, &rr), "") << record;
    ReplyText text;
    text.qtype = rr.type;
    text.answer = {record};
    const UpstreamAnswer answer = MustRead(text, Sent(text.qname, rr.type));
    const ClientQuery client(text.qname, rr.type);
    const Message got = ForClient(answer, client);
    ASSERT_EQ(got.answer.size(), 1u) << record;
    EXPECT_EQ(got.answer[0], rr) << record;
  }
}

}  // namespace
}  // namespace dnsd
