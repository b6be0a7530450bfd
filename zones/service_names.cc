#include "zones/service_names.h"

#include <cstring>

namespace dnsd {
namespace {

NameKind KeywordOf(const Name& name, size_t label) {
  const uint8_t* bytes = name.LabelBytes(label);
  switch (name.LabelSize(label)) {
    case 4:
      if (std::memcmp(bytes, "node", 4) == 0) return NameKind::kNode;
      if (std::memcmp(bytes, "addr", 4) == 0) return NameKind::kAddr;
      break;
    case 5:
      if (std::memcmp(bytes, "query", 5) == 0) return NameKind::kQuery;
      break;
    case 7:
      if (std::memcmp(bytes, "service", 7) == 0) return NameKind::kService;
      if (std::memcmp(bytes, "connect", 7) == 0) return NameKind::kConnect;
      if (std::memcmp(bytes, "virtual", 7) == 0) return NameKind::kVirtual;
      if (std::memcmp(bytes, "ingress", 7) == 0) return NameKind::kIngress;
      break;
    default:
      break;
  }
  return NameKind::kUnknown;
}

bool IsUnderscored(const Name& name, size_t label) {
  return name.LabelSize(label) > 0 && *name.LabelBytes(label) == '_';
}

// The datacenter named by labels [begin, end), between keyword and domain:
// none, <dc>, or pairs <dc>.dc of which Consul takes the last. False when the
// labels are no such thing (kUnknown) or nobody knows it (kNoSuchDatacenter).
bool ParseDatacenter(const Name& name, size_t begin, size_t end,
                     const View& view, CatalogName* out) {
  size_t count = end - begin;
  if (count == 0) return true;
  size_t label = begin;
  if (count == 2 || count == 4) {
    bool peer = false;
    bool dc = false;
    for (size_t pair = begin; pair < end; pair += 2) {
      peer = peer || name.LabelIs(pair + 1, "peer", 4);
      dc = dc || name.LabelIs(pair + 1, "dc", 2);
      if (!name.LabelIs(pair + 1, "peer", 4) &&
          !name.LabelIs(pair + 1, "dc", 2)) {
        peer = dc = true;
      }
      label = pair;
    }
    if (peer) {
      // We know no peers; both at once is no name.
      out->kind = dc ? NameKind::kUnknown : NameKind::kNoSuchDatacenter;
      return false;
    }
  } else if (count != 1) {
    out->kind = NameKind::kUnknown;
    return false;
  }
  int found =
      view.FindDatacenter({name.LabelBytes(label), name.LabelSize(label)});
  if (found == View::kNoDatacenter) {
    out->kind = NameKind::kNoSuchDatacenter;
    return false;
  }
  out->datacenter = static_cast<uint8_t>(found);
  return true;
}

// "_web" as the label "web", copied to `buffer`.
std::span<const uint8_t> WithoutUnderscore(const Name& name, size_t label,
                                           uint8_t* buffer) {
  size_t size = name.LabelSize(label) - 1;
  buffer[0] = static_cast<uint8_t>(size);
  std::memcpy(buffer + 1, name.LabelBytes(label) + 1, size);
  return {buffer, size + 1};
}

// Labels [0, parts) left of "service": a service, perhaps with a tag.
void ParseServiceParts(const Name& name, size_t parts, CatalogName* out) {
  if (parts == 2 && IsUnderscored(name, 0) && IsUnderscored(name, 1)) {
    out->key = WithoutUnderscore(name, 0, out->key_buffer);
    if (out->key.size() == 1) {
      out->kind = NameKind::kUnnamedService;
      return;
    }
    // "_web._" has an empty tag: none.
    if (!name.LabelIs(1, "_tcp", 4) && name.LabelSize(1) > 1) {
      out->tag = WithoutUnderscore(name, 1, out->tag_buffer);
      out->has_tag = true;
    }
    return;
  }
  out->key = name.Labels(parts - 1, parts);
  out->is_underscored = parts == 1 && IsUnderscored(name, 0);
  if (parts > 1) {
    out->tag = name.Labels(0, parts - 1);
    out->has_tag = true;
  }
}

// Labels [0, parts) left of "query": all of them are the name. RFC 2782 names
// begin with '_', and the last label, which does too, does not matter.
void ParseQueryParts(const Name& name, size_t parts, CatalogName* out) {
  if (parts < 2 || !IsUnderscored(name, 0) || !IsUnderscored(name, parts - 1)) {
    out->key = name.Labels(0, parts);
    out->is_underscored = parts == 1 && IsUnderscored(name, 0);
    return;
  }
  std::span<const uint8_t> first = WithoutUnderscore(name, 0, out->key_buffer);
  if (first.size() == 1) {
    // Nothing has a name that begins with a dot.
    out->kind = parts == 2 ? NameKind::kUnnamedService : NameKind::kUnknown;
    return;
  }
  std::span<const uint8_t> rest = name.Labels(1, parts - 1);
  if (!rest.empty()) {
    std::memcpy(out->key_buffer + first.size(), rest.data(), rest.size());
  }
  out->key = {out->key_buffer, first.size() + rest.size()};
}

// No keyword in labels [0, count): the few names that exist all the same.
void ParseWithoutKeyword(const Name& name, size_t count, const View& view,
                         CatalogName* out) {
  if (!view.rfc()) return;
  if (count == 1) {
    if (name.LabelIs(0, "ns", 2)) {
      out->kind = NameKind::kNameserver;
    } else if (name.LabelIs(0, "dc", 2)) {
      out->kind = NameKind::kEmptyNonTerminal;
    }
  }
  if (out->kind == NameKind::kUnknown &&
      ParseDatacenter(name, 0, count, view, out)) {
    out->kind = NameKind::kEmptyNonTerminal;
  }
  if (out->kind == NameKind::kNoSuchDatacenter) {
    out->kind = NameKind::kUnknown;
  }
}

}  // namespace

void ParseCatalogName(const Name& name, const Domain& domain, const View& view,
                      uint16_t qtype, CatalogName* out) {
  size_t count = name.label_count - domain.label_count;
  if (count == 0) {
    out->kind = NameKind::kApex;
    return;
  }
  size_t keyword = count;
  size_t parts = 0;
  while (keyword > 0) {
    --keyword;
    out->kind = KeywordOf(name, keyword);
    parts = keyword;
    if (out->kind != NameKind::kUnknown) break;
    // Consul takes "_web._tcp.consul" for SRV only. For other types the name
    // exists all the same, which kRfc admits.
    if (IsUnderscored(name, keyword) && (qtype == kTypeSrv || view.rfc())) {
      out->kind = NameKind::kService;
      out->is_short_srv = true;
      parts = keyword + 1;
      break;
    }
  }
  if (out->kind == NameKind::kUnknown) {
    ParseWithoutKeyword(name, count, view, out);
    return;
  }
  NameKind kind = out->kind;
  // Queries have no form with pairs, "dc1.dc".
  if (kind == NameKind::kQuery && count - keyword > 2) {
    out->kind = NameKind::kUnknown;
    return;
  }
  // The suffix of an address name is not looked at.
  if (kind != NameKind::kAddr &&
      !ParseDatacenter(name, keyword + 1, count, view, out)) {
    if (parts > 0) out->sought = kind;
    return;
  }
  if (parts == 0) {
    out->kind = view.rfc() ? NameKind::kEmptyNonTerminal : NameKind::kUnknown;
    return;
  }
  switch (kind) {
    case NameKind::kService:
      ParseServiceParts(name, parts, out);
      break;
    case NameKind::kNode:
      out->key = name.Labels(0, parts);
      break;
    case NameKind::kAddr:
      out->key = name.Labels(0, 1);
      if (parts != 1) out->kind = NameKind::kUnknown;
      break;
    case NameKind::kVirtual:
      // What stands right of "virtual" would be a peer; we know none.
      if (keyword + 1 != count) {
        out->kind = NameKind::kNoSuchDatacenter;
        out->sought = kind;
      }
      out->key = name.Labels(parts - 1, parts);
      break;
    case NameKind::kQuery:
      ParseQueryParts(name, parts, out);
      break;
    default:
      out->key = name.Labels(parts - 1, parts);
      break;
  }
}

}  // namespace dnsd
