// ParseCatalogName() reads a name under our domain by Consul's grammar
// (consul.md sections 1.1 and 1.2): <tag>.<service>.service.<dc>, RFC 2782
// forms, node, addr, connect, ingress, virtual, query. HOT PATH
//
// Threads: pure function.
// Errors:  a name outside the grammar is kUnknown; a datacenter nobody knows
//          is kNoSuchDatacenter. Existence of the service is not looked up.
#ifndef DNSD_ZONES_SERVICE_NAMES_H_
#define DNSD_ZONES_SERVICE_NAMES_H_

#include <cstdint>
#include <span>

#include "zones/name.h"
#include "zones/view.h"

namespace dnsd {

enum class NameKind : uint8_t {
  kUnknown,
  kNoSuchDatacenter,
  kApex,
  kEmptyNonTerminal,  // "service.<domain>", "<dc>.<domain>": nothing there,
                      // but names below
  kService,
  kUnnamedService,  // "_._tcp.service.<domain>", "_._tcp.query.<domain>"
  kConnect,
  kIngress,
  kVirtual,
  kNode,
  kQuery,  // a prepared query's name, of any number of labels
  kAddr,
  kNameserver,  // "ns.<domain>", the SOA's MNAME
};

struct CatalogName {
  NameKind kind = NameKind::kUnknown;
  uint8_t datacenter = 0;  // index in View
  bool has_tag = false;
  // "_web._tcp.<domain>", which Consul knows for SRV only.
  bool is_short_srv = false;
  // One label that begins with '_': RFC 2782 names stand below it.
  bool is_underscored = false;
  // kNoSuchDatacenter: what was asked for there.
  NameKind sought = NameKind::kUnknown;
  // Labels of the service, node, prepared query or address.
  std::span<const uint8_t> key;
  std::span<const uint8_t> tag;       // labels of the tag
  uint8_t key_buffer[kNameBytesMax];  // RFC 2782: key without its '_'
  uint8_t tag_buffer[kLabelBytesMax + 1];
};

// `name` ends in `domain`. `out` refers to `name` and to itself: neither may
// move while it is used.
void ParseCatalogName(const Name& name, const Domain& domain, const View& view,
                      uint16_t qtype, CatalogName* out);

}  // namespace dnsd

#endif  // DNSD_ZONES_SERVICE_NAMES_H_
