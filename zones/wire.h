// Big-endian loads and stores, and the DNS constants that appear in packets
// (RFC 1035 section 4, RFC 6891 section 6). HOT PATH
//
// Threads: pure functions.
// Errors:  none; the caller has checked the bounds.
#ifndef DNSD_ZONES_WIRE_H_
#define DNSD_ZONES_WIRE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dnsd {

inline uint16_t Load16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof(value));
  return __builtin_bswap16(value);
}
inline uint32_t Load32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return __builtin_bswap32(value);
}
inline void Store16(uint8_t* at, uint32_t value) {
  uint16_t swapped = __builtin_bswap16(static_cast<uint16_t>(value));
  std::memcpy(at, &swapped, sizeof(swapped));
}
inline void Store32(uint8_t* at, uint32_t value) {
  uint32_t swapped = __builtin_bswap32(value);
  std::memcpy(at, &swapped, sizeof(swapped));
}
static_assert(std::endian::native == std::endian::little);

inline constexpr size_t kHeaderBytes = 12;
inline constexpr size_t kNameBytesMax = 255;  // RFC 1035 2.3.4
// Of a record behind its owner: type, class, TTL, rdlength (RFC 1035 3.2.1).
inline constexpr size_t kRecordHeadBytes = 10;
inline constexpr size_t kLabelBytesMax = 63;
inline constexpr size_t kLabelsMax = 127;
inline constexpr size_t kPointerMax = 0x3fff;  // a pointer has 14 bits
inline constexpr size_t kUdpPlainMax = 512;    // RFC 1035 4.2.1

// Header flag bits, as the 16-bit word at offset 2.
inline constexpr uint16_t kFlagQr = 0x8000;
inline constexpr uint16_t kFlagAa = 0x0400;
inline constexpr uint16_t kFlagTc = 0x0200;
inline constexpr uint16_t kFlagRd = 0x0100;
inline constexpr uint16_t kFlagRa = 0x0080;
inline constexpr uint16_t kFlagAd = 0x0020;
inline constexpr uint16_t kFlagCd = 0x0010;
inline constexpr uint16_t kOpcodeMask = 0x7800;
inline constexpr int kOpcodeShift = 11;

enum Opcode : uint8_t { kOpQuery = 0, kOpNotify = 4 };

enum Rcode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kNotAuth = 9,
  kBadVers = 16,
  kBadCookie = 23,  // RFC 7873
};

enum RrType : uint16_t {
  kTypeA = 1,
  kTypeNs = 2,
  kTypeCname = 5,
  kTypeSoa = 6,
  kTypePtr = 12,
  kTypeMx = 15,
  kTypeTxt = 16,
  kTypeAaaa = 28,
  kTypeSrv = 33,
  kTypeOpt = 41,
  kTypeDs = 43,
  kTypeTsig = 250,
  kTypeIxfr = 251,
  kTypeAxfr = 252,
  kTypeAny = 255,
};

inline constexpr uint16_t kClassIn = 1;
inline constexpr uint16_t kClassAny = 255;

// EDNS Client Subnet (RFC 7871).
inline constexpr uint16_t kOptionEcs = 8;
// Extended DNS errors (RFC 8914 sections 2 and 4.4).
inline constexpr uint8_t kOptionEde = 15;
inline constexpr uint8_t kEdeStaleAnswer = 3;
// DNS cookies (RFC 7873) and edns-tcp-keepalive (RFC 7828).
inline constexpr uint8_t kOptionCookie = 10;
inline constexpr uint8_t kOptionKeepalive = 11;

// A pointer to the question's name, which always starts at offset 12.
inline constexpr uint16_t kPointerToQname = 0xc00c;

}  // namespace dnsd

#endif  // DNSD_ZONES_WIRE_H_
