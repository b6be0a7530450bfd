// The rows of the table "Two behaviours" in zones/README.md: where dnsd with
// compat = "rfc" says something else than Consul.
//
// Threads: plain values and pure functions.
#ifndef DNSD_TESTS_TESTING_CONSUL_RFC_ROWS_H_
#define DNSD_TESTS_TESTING_CONSUL_RFC_ROWS_H_

#include <cstdint>
#include <map>

namespace dnsd::testing {

// In the order of the table.
enum class RfcRow : uint8_t {
  kEmptyNonTerminal,
  kUnderscore,       // _tcp.service
  kNamelessService,  // _._tcp.service
  kShortSrvName,     // _web._tcp, types other than SRV
  kSoaNsBelowApex,
  kSoaAlone,
  kAnyAtApex,
  kNsName,
  kNegativeSoa,  // nodes and virtual names
  kNegativeTtl,
  kSoaSerial,
  kAltSoa,
  kServiceTxt,
  kCnameBesideAddress,
  kNodeCname,
  kChain,
  kAdditionalOnce,
  kAddrFamily,
  kVirtualType,
  kPtrType,
  kPtrTtl,
  kShortReverse,
  kForeignArpa,
  kUdpPlain,
  kUdpEdns,
  kTc,
  kOptOfTrimmed,
  kOptOfRefused,
  kOptSize,
  kDo,
  kBadVers,
  kClass,
  kNotify,
  kOpcode,
  kTransfer,
  kBytesLeft,
  // Found, and not in the table.
  kAddrSpelling,  // <hex>.addr is spelt as asked, not in lower case
  kChainLimit,    // a_record_limit does not hold behind a CNAME
  kOpcodeRd,      // NOTIMP has RD clear, not as asked
  kCount,
};
[[nodiscard]] const char* RfcRowName(RfcRow row);

// How often each row made a difference.
using RfcCounts = std::map<RfcRow, int>;

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_RFC_ROWS_H_
