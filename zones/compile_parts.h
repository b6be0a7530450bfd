// What the files behind compile.h share.
//
// Threads: as compile.h.
#ifndef DNSD_ZONES_COMPILE_PARTS_H_
#define DNSD_ZONES_COMPILE_PARTS_H_

#include <cstdint>
#include <string>

#include "zones/address_choice.h"
#include "zones/compile.h"
#include "zones/entry.h"
#include "zones/entry_builder.h"

namespace dnsd {

// Where the records for each family of address go.
inline constexpr struct {
  Accept accept;
  ListKind addresses;
  ListKind cnames;
} kQuestions[kAcceptCount] = {{kAcceptA, kListA, kListCnameA},
                              {kAcceptAaaa, kListAaaa, kListCnameAaaa},
                              {kAcceptAny, kListAny, kListCnameAny}};

// In kRfc a CNAME stands alone (RFC 1034 section 3.6.2): none beside
// addresses. Consul decides for each question.
void DropCnamesBesideAddresses(const ZonePolicy& policy,
                               EntryBuilder::Lists* lists);

// Whether addresses of this datacenter are seen from another one.
[[nodiscard]] bool UsesWan(const CompileContext& context,
                           const std::string& datacenter);

// Whether the name lies in a domain of the catalog's.
[[nodiscard]] bool IsOurs(const ZonePolicy& policy, const std::string& wire);

// Bytes of a record whose name rdata lacks the domain: rdlength counts it.
[[nodiscard]] std::string MakeInDomain(uint16_t type, uint32_t ttl,
                                       std::string rdata,
                                       const std::string& domain_wire);

[[nodiscard]] const Entry* Seal(const CompileContext& context,
                                const EntryBuilder& builder, EntryKind kind,
                                uint8_t dc, const std::string& key);

}  // namespace dnsd

#endif  // DNSD_ZONES_COMPILE_PARTS_H_
