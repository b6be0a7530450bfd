#include "tests/testing/consul_rfc_rows.h"

namespace dnsd::testing {
namespace {

struct RowText {
  RfcRow row;
  const char* text;
};

constexpr RowText kRowTexts[] = {
    {RfcRow::kEmptyNonTerminal, "apex and empty non-terminals"},
    {RfcRow::kUnderscore, "labels that begin with _ above an RFC 2782 name"},
    {RfcRow::kNamelessService, "a service without a name"},
    {RfcRow::kShortSrvName, "_web._tcp for types other than SRV"},
    {RfcRow::kSoaNsBelowApex, "SOA, NS below the apex"},
    {RfcRow::kSoaAlone, "SOA answer"},
    {RfcRow::kAnyAtApex, "ANY at the apex"},
    {RfcRow::kNsName, "the SOA's MNAME"},
    {RfcRow::kNegativeSoa, "negative answers for node names and virtual names"},
    {RfcRow::kNegativeTtl, "negative TTL"},
    {RfcRow::kSoaSerial, "SOA serial"},
    {RfcRow::kAltSoa, "SOA for an alt domain"},
    {RfcRow::kServiceTxt, "TXT of a service"},
    {RfcRow::kCnameBesideAddress, "CNAME beside addresses"},
    {RfcRow::kNodeCname, "node with a name as address, TXT and ANY"},
    {RfcRow::kChain, "chain behind a CNAME to a name of ours"},
    {RfcRow::kAdditionalOnce,
     "ADDITIONAL of SRV answers that share a target or a node"},
    {RfcRow::kAddrFamily, "addr of the other family"},
    {RfcRow::kVirtualType, "virtual, other types than the address's"},
    {RfcRow::kPtrType, "PTR: other types of an existing reverse name"},
    {RfcRow::kPtrTtl, "PTR TTL"},
    {RfcRow::kShortReverse, "reverse names shorter than an address"},
    {RfcRow::kForeignArpa, "arpa outside in-addr and ip6"},
    {RfcRow::kUdpPlain, "UDP without EDNS"},
    {RfcRow::kUdpEdns, "UDP with EDNS"},
    {RfcRow::kTc, "TC"},
    {RfcRow::kOptOfTrimmed, "OPT of a trimmed answer"},
    {RfcRow::kOptOfRefused, "OPT of REFUSED"},
    {RfcRow::kOptSize, "our OPT's size"},
    {RfcRow::kDo, "DO"},
    {RfcRow::kBadVers, "EDNS version above 0"},
    {RfcRow::kClass, "class other than IN or ANY"},
    {RfcRow::kNotify, "NOTIFY"},
    {RfcRow::kOpcode, "other opcodes"},
    {RfcRow::kTransfer, "AXFR, IXFR"},
    {RfcRow::kBytesLeft, "bytes after the message"},
    {RfcRow::kAddrSpelling,
     "spelling of <hex>.addr in answers (not in the table)"},
    {RfcRow::kChainLimit, "a_record_limit behind a CNAME (not in the table)"},
    {RfcRow::kOpcodeRd, "RD of NOTIMP (not in the table)"},
};

}  // namespace

const char* RfcRowName(RfcRow row) {
  for (const RowText& named : kRowTexts) {
    if (named.row == row) return named.text;
  }
  return "";
}

}  // namespace dnsd::testing
