#include "dnsd/querylog/query_line.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "zones/name.h"
#include "zones/rcode_text.h"
#include "zones/wire.h"
#include "zones/zone_rdata.h"

namespace dnsd {
namespace {

std::string ClassText(uint16_t qclass) {
  switch (qclass) {
    case kClassIn:
      return "IN";
    case 3:
      return "CH";
    case 4:
      return "HS";
    case kClassAny:
      return "ANY";
    default:
      return absl::StrCat("CLASS", qclass);
  }
}

std::string FlagsText(uint16_t flags) {
  struct FlagWord {
    uint16_t bit;
    const char* text;
  };
  static constexpr FlagWord kWords[] = {
      {kFlagQr, "qr"}, {kFlagAa, "aa"}, {kFlagTc, "tc"}, {kFlagRd, "rd"},
      {kFlagRa, "ra"}, {kFlagAd, "ad"}, {kFlagCd, "cd"},
  };
  std::string text;
  for (const FlagWord& word : kWords) {
    if ((flags & word.bit) == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : " ", word.text);
  }
  return text;
}

std::string ClientText(const SocketAddress& client) {
  const std::string ip = IpText(client);
  return client.is_v6() ? absl::StrCat("[", ip, "]:", client.port())
                        : absl::StrCat(ip, ":", client.port());
}

}  // namespace

std::string QueryLine(const SampleView& sample, bool json) {
  const std::string name = sample.Name(/*lower_case=*/false);
  const std::span<const uint8_t> question = sample.question();
  std::string type = "-";
  std::string qclass = "-";
  if (!name.empty()) {
    const uint8_t* const behind = question.data() + kHeaderBytes + name.size();
    type = TypeText(Load16(behind));
    qclass = ClassText(Load16(behind + 2));
  }
  const uint16_t flags =
      sample.response.size() >= kHeaderBytes ? Load16(&sample.response[2]) : 0;
  const bool is_tcp = sample.head.transport == Transport::kTcp;
  const auto format = json ? FormatLogJson : FormatLogText;
  return format({
      LogLevel::kInfo,
      "dns",
      "request served from client",
      {{"name", name.empty() ? "-" : NameToText(WireBytes(name))},
       {"type", type},
       {"class", qclass},
       {"rcode", RcodeText(RcodeOf(sample.response))},
       {"flags", FlagsText(flags)},
       {"size", sample.head.answer_size},
       {"client", ClientText(sample.head.client)},
       {"client_network", is_tcp ? "tcp" : "udp"}},
      sample.head.unix_ns / 1000,
  });
}

}  // namespace dnsd
