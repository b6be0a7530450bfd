#include "zones/compile_parts.h"

#include "zones/name.h"
#include "zones/record.h"

namespace dnsd {

bool UsesWan(const CompileContext& context, const std::string& datacenter) {
  return context.policy.translate_wan_addrs &&
         context.policy.datacenter != datacenter;
}

namespace {

bool IsUnder(const std::string& wire, const std::string& domain_text) {
  std::string domain;
  if (domain_text.empty() || !NameToWire(domain_text, &domain)) return false;
  std::string lower = AsciiLower(wire);
  size_t at = 0;
  while (at < lower.size()) {
    if (lower.compare(at, std::string::npos, domain) == 0) return true;
    if (lower[at] == 0) break;
    at += 1u + static_cast<uint8_t>(lower[at]);
  }
  return false;
}

}  // namespace

bool IsOurs(const ZonePolicy& policy, const std::string& wire) {
  return IsUnder(wire, policy.domain) || IsUnder(wire, policy.alt_domain);
}

std::string MakeInDomain(uint16_t type, uint32_t ttl, std::string rdata,
                         const std::string& domain_wire) {
  std::string record = MakeRecord(type, ttl, rdata += domain_wire);
  record.resize(record.size() - domain_wire.size());
  return record;
}

void DropCnamesBesideAddresses(const ZonePolicy& policy,
                               EntryBuilder::Lists* lists) {
  if (policy.compat != Compat::kRfc ||
      ((*lists)[kListA].empty() && (*lists)[kListAaaa].empty())) {
    return;
  }
  for (const auto& question : kQuestions) (*lists)[question.cnames].clear();
}

const Entry* Seal(const CompileContext& context, const EntryBuilder& builder,
                  EntryKind kind, uint8_t dc, const std::string& key) {
  return builder.Finish(kind, dc, key,
                        EntryHash(context.seed, kind, dc, WireBytes(key)));
}

}  // namespace dnsd
