// What the files behind compile.h share.
//
// Threads: as compile.h.
#ifndef DNSD_ZONES_COMPILE_PARTS_H_
#define DNSD_ZONES_COMPILE_PARTS_H_

#include <cstdint>
#include <string>

#include "zones/compile.h"
#include "zones/entry.h"

namespace dnsd {

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
