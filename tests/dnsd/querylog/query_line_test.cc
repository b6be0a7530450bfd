// Lines of the query log, and payloads of dnstap frames.
#include "dnsd/querylog/query_line.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "dnsd/querylog/dnstap_message.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Message(uint16_t flags, const std::string& wire_name, uint16_t type) {
  Bytes bytes = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  Store16(&bytes[2], flags);
  bytes.insert(bytes.end(), wire_name.begin(), wire_name.end());
  bytes.insert(bytes.end(), {0, 0, 0, 1});
  Store16(&bytes[bytes.size() - 4], type);
  return bytes;
}

// The messages must outlive it.
SampleView Sample(const Bytes& query, const Bytes& response) {
  SampleView sample;
  // 2026-11-21T04:12:11.044321Z.
  sample.head.unix_ns = 1'795'234'331'044'321'000;
  sample.head.client.v4.sin_family = AF_INET;
  sample.head.client.v4.sin_port = htons(5353);
  sample.head.client.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sample.head.answer_size = 97;
  sample.query = query;
  sample.response = response;
  return sample;
}

const std::string kWeb("\3Web\7service\6consul\0", 20);

TEST(QueryLine, IsConsulsWithMore) {
  const Bytes query = Message(kFlagRd, kWeb, kTypeSrv);
  const Bytes response = Message(kFlagQr | kFlagAa | kFlagRd, kWeb, kTypeSrv);
  EXPECT_EQ(QueryLine(Sample(query, response), false),
            "2026-11-21T04:12:11.044Z [INFO]  dns: request served from client: "
            "name=Web.service.consul. type=SRV class=IN rcode=NOERROR "
            "flags=\"qr aa rd\" size=97 client=127.0.0.1:5353 "
            "client_network=udp");
  EXPECT_EQ(
      QueryLine(Sample(query, response), true),
      "{\"@level\":\"info\",\"@message\":\"request served from client\","
      "\"@module\":\"dns\",\"@timestamp\":\"2026-11-21T04:12:11.044321Z\","
      "\"name\":\"Web.service.consul.\",\"type\":\"SRV\",\"class\":\"IN\","
      "\"rcode\":\"NOERROR\",\"flags\":\"qr aa rd\",\"size\":97,"
      "\"client\":\"127.0.0.1:5353\",\"client_network\":\"udp\"}");
}

TEST(QueryLine, NeedsNoQuery) {
  const Bytes response = Message(kFlagQr | kFlagRa | kNxDomain, kWeb, 65280);
  const std::string line = QueryLine(Sample({}, response), false);
  EXPECT_TRUE(absl::StrContains(
      line, "name=Web.service.consul. type=TYPE65280 class=IN rcode=NXDOMAIN "))
      << line;
}

TEST(QueryLine, EveryNameIsOneLineOfPrintableText) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = std::string(1, 3) + "a" + static_cast<char>(byte) +
                             "b" + std::string(1, '\0');
    const Bytes query = Message(kFlagRd, name, kTypeA);
    for (const bool json : {false, true}) {
      const std::string line = QueryLine(Sample(query, query), json);
      for (const char c : line) {
        ASSERT_TRUE(c >= 0x20 && c < 0x7f) << byte << " in " << line;
      }
    }
  }
}

TEST(QueryLine, BytesThatAreNoQuestionHaveNone) {
  const Bytes query = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c};
  const std::string line = QueryLine(Sample({}, query), false);
  EXPECT_TRUE(absl::StrContains(line, "name=- type=- class=- ")) << line;
}

// Field numbers and wire types as `protoc --decode_raw` would show them.
TEST(DnstapMessage, IsProtocolBuffers) {
  const Bytes query = Message(kFlagRd, kWeb, kTypeA);
  const Bytes response = Message(kFlagQr | kFlagAa, kWeb, kTypeA);
  DnstapOptions options;
  options.identity = "n1";
  const std::string frame =
      DnstapMessage(options, DnstapKind::kResponse, Sample(query, response));
  // identity = 1, bytes.
  EXPECT_TRUE(absl::StartsWith(frame, "\x0a\x02n1\x72")) << "14 is bytes too";
  EXPECT_TRUE(absl::EndsWith(frame, "\x78\x01")) << "type = 15: MESSAGE";
  const std::string inner = frame.substr(6, frame.size() - 8);
  EXPECT_EQ(static_cast<uint8_t>(frame[5]), inner.size());
  // AUTH_RESPONSE, INET, UDP, 127.0.0.1.
  EXPECT_TRUE(absl::StartsWith(
      inner,
      absl::string_view("\x08\x02\x10\x01\x18\x01\x22\x04\x7f\0\0\1", 12)));
  EXPECT_TRUE(absl::EndsWith(
      inner, absl::string_view(reinterpret_cast<const char*>(response.data()),
                               response.size())));
}

}  // namespace
}  // namespace dnsd
