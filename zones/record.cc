#include "zones/record.h"

#include <arpa/inet.h>

#include <algorithm>

#include "catalog/types.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

void Append16(std::string* bytes, size_t value) {
  bytes->push_back(static_cast<char>(value >> 8));
  bytes->push_back(static_cast<char>(value));
}

// RFC 1464 as Consul writes it: `quoted` is the character a backquote goes
// before, besides the backquote itself.
std::string Quote(const std::string& text, bool is_key) {
  size_t lead = 0;
  size_t trail = text.size();
  if (is_key) {
    while (lead < text.size() && text[lead] == ' ') ++lead;
    while (trail > lead && text[trail - 1] == ' ') --trail;
  }
  std::string quoted;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool outer_space = is_key && c == ' ' && (i < lead || i >= trail);
    if (c == '`' || (is_key && c == '=') || outer_space) quoted += '`';
    quoted += c;
  }
  return quoted;
}

}  // namespace

ParsedAddress ParseAddress(const std::string& text) {
  ParsedAddress parsed;
  uint8_t bytes[16];
  if (text.empty()) return parsed;
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) {
    parsed.kind = ParsedAddress::Kind::kV4;
    parsed.bytes.assign(reinterpret_cast<char*>(bytes), 4);
  } else if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0,    0,
                                            0, 0, 0, 0, 0xff, 0xff};
    bool mapped = std::equal(kMapped, kMapped + 12, bytes);
    parsed.kind = mapped ? ParsedAddress::Kind::kV4 : ParsedAddress::Kind::kV6;
    parsed.bytes.assign(reinterpret_cast<char*>(bytes) + (mapped ? 12 : 0),
                        mapped ? 4 : 16);
  } else if (NameToWire(text, &parsed.bytes) && parsed.bytes.size() > 1) {
    parsed.kind = ParsedAddress::Kind::kName;
  }
  return parsed;
}

std::string MakeRecord(uint16_t type, uint32_t ttl, const std::string& rdata) {
  std::string record;
  Append16(&record, kPointerToQname);
  Append16(&record, type);
  Append16(&record, kClassIn);
  Append16(&record, ttl >> 16);
  Append16(&record, ttl & 0xffff);
  Append16(&record, rdata.size());
  return record + rdata;
}

std::string MakeAddressRecord(const ParsedAddress& address, uint32_t ttl) {
  uint16_t type = address.kind == ParsedAddress::Kind::kV4 ? kTypeA : kTypeAaaa;
  return MakeRecord(type, ttl, address.bytes);
}

std::string HexLabel(const ParsedAddress& address) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (char c : address.bytes) {
    auto byte = static_cast<uint8_t>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return Label(hex);
}

std::string Label(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

std::string TextRdata(const std::string& text) {
  std::string rdata;
  size_t at = 0;
  do {
    size_t size = std::min<size_t>(text.size() - at, 255);
    rdata.push_back(static_cast<char>(size));
    rdata.append(text, at, size);
    at += size;
  } while (at < text.size());
  return rdata;
}

std::vector<std::string> MetaTexts(
    const std::map<std::string, std::string>& meta) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : meta) {
    if (AsciiLower(key.substr(0, 8)) == "rfc1035-") {
      texts.push_back(value);
    } else {
      texts.push_back(Quote(key, true) + "=" + Quote(value, false));
    }
  }
  return texts;
}

}  // namespace dnsd
