// Records in wire form from catalog values: the bytes EntryBuilder takes.
//
// Threads: pure functions; cold code.
// Form:    owner pointer C0 0C, type, class IN, TTL, rdlength, rdata.
#ifndef DNSD_ZONES_RECORD_H_
#define DNSD_ZONES_RECORD_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dnsd {

// What an address field of the catalog holds.
struct ParsedAddress {
  enum class Kind : uint8_t { kNone, kV4, kV6, kName };
  Kind kind = Kind::kNone;
  std::string bytes;  // 4 or 16 address bytes, or the name in wire form

  [[nodiscard]] bool is_ip() const {
    return kind == Kind::kV4 || kind == Kind::kV6;
  }
};

// kNone when the text is empty or neither an address nor a DNS name. An
// IPv4-mapped IPv6 address is IPv4, as Go's net.IP has it.
[[nodiscard]] ParsedAddress ParseAddress(const std::string& text);

[[nodiscard]] std::string MakeRecord(uint16_t type, uint32_t ttl,
                                     const std::string& rdata);
// The A or AAAA record of an IP address.
[[nodiscard]] std::string MakeAddressRecord(const ParsedAddress& address,
                                            uint32_t ttl);

// "7f000001" or 32 digits: the label of an .addr. name.
[[nodiscard]] std::string HexLabel(const ParsedAddress& address);

// A label with its length byte.
[[nodiscard]] std::string Label(const std::string& text);

// TXT rdata: the text in strings of at most 255 bytes (RFC 1035 3.3.14).
[[nodiscard]] std::string TextRdata(const std::string& text);

// Node meta as Consul's TXT texts (consul.md 1.12): the value alone for keys
// that begin with "rfc1035-", else RFC 1464's key=value.
[[nodiscard]] std::vector<std::string> MetaTexts(
    const std::map<std::string, std::string>& meta);

}  // namespace dnsd

#endif  // DNSD_ZONES_RECORD_H_
