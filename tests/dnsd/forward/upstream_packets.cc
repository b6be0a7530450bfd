#include "tests/dnsd/forward/upstream_packets.h"

#include <gtest/gtest.h>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

void Append16(std::string* out, size_t value) {
  *out += static_cast<char>(value >> 8);
  *out += static_cast<char>(value);
}

void AppendRecords(std::string* out, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    Rr rr;
    EXPECT_EQ(ParseRr(text, &rr), "") << text;
    *out += rr.owner;
    Append16(out, rr.type);
    Append16(out, rr.rclass);
    Append16(out, rr.ttl >> 16);
    Append16(out, rr.ttl);
    Append16(out, rr.rdata.size());
    *out += rr.rdata;
  }
}

// The end of the name at `at`; 0 when there is none.
size_t EndOfName(std::span<const uint8_t> bytes, size_t at) {
  while (at < bytes.size()) {
    if (bytes[at] >= 0xc0) return at + 2;
    if (bytes[at] == 0) return at + 1;
    at += 1u + bytes[at];
  }
  return 0;
}

}  // namespace

std::string WriteReply(const ReplyText& text) {
  std::string out;
  Append16(&out, text.id);
  Append16(&out, text.flags);
  Append16(&out, 1);
  Append16(&out, text.answer.size());
  Append16(&out, text.authority.size());
  Append16(&out, text.additional.size());
  out += WireName(text.qname);
  Append16(&out, text.qtype);
  Append16(&out, 1);
  AppendRecords(&out, text.answer);
  AppendRecords(&out, text.authority);
  AppendRecords(&out, text.additional);
  return out;
}

SentQuery Sent(const std::string& name, uint16_t qtype) {
  SentQuery sent;
  sent.question.name = LowerName(WireName(name));
  sent.question.qtype = qtype;
  sent.question.qclass = kClassIn;
  sent.id = 0x1234;
  sent.udp_size = 1232;
  return sent;
}

ClientQuery::ClientQuery(const std::string& name, uint16_t qtype,
                         const QueryOptions& options)
    : packet(BuildQuery(name, qtype, options)) {
  EXPECT_EQ(ParseQuery(WireBytes(packet), &query), ParseResult::kOk) << name;
}

UpstreamAnswer MustRead(const ReplyText& text, const SentQuery& sent) {
  const std::string reply = WriteReply(text);
  UpstreamAnswer answer;
  EXPECT_EQ(ReadReply(WireBytes(reply), sent, false, &answer),
            ReplyVerdict::kAnswer);
  EXPECT_EQ(CheckTtls(answer), "");
  return answer;
}

ReplyVerdict Judge(const std::string& reply, const SentQuery& sent) {
  UpstreamAnswer answer;
  const ReplyVerdict verdict =
      ReadReply(WireBytes(reply), sent, false, &answer);
  if (verdict != ReplyVerdict::kAnswer) {
    EXPECT_TRUE(answer.bytes.empty());
  }
  return verdict;
}

Message ForClient(const UpstreamAnswer& answer, const ClientQuery& client,
                  const ClientAnswerOptions& options, Transport transport,
                  uint64_t seed) {
  std::vector<uint8_t> out(kResponseBytesMax);
  Random random(seed);
  const size_t size = WriteForClient(answer, client.query, transport, options,
                                     &random, out.data());
  Message message;
  EXPECT_EQ(ParseMessage({out.data(), size}, &message), "");
  return message;
}

std::string CheckTtls(const UpstreamAnswer& answer) {
  const std::span<const uint8_t> bytes = WireBytes(answer.bytes);
  size_t at = EndOfName(bytes, kHeaderBytes) + 4;
  for (size_t i = 0; i < answer.ttl_at.size(); ++i) {
    at = EndOfName(bytes, at);
    if (at == 0 || at + 10 > bytes.size()) return "a record is cut off";
    if (answer.ttl_at[i] != at + 4) return "not where the TTL is";
    at += 10u + Load16(&bytes[at + 8]);
  }
  const size_t records = size_t{Load16(&bytes[6])} + Load16(&bytes[8]);
  if (records != answer.ttl_at.size()) return "not as many as records";
  return at == bytes.size() ? "" : "bytes behind the last record";
}

}  // namespace dnsd::testing
