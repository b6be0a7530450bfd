#include "bench/bench_data.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/check.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd::bench {
namespace {

constexpr size_t kBatchChanges = 10000;

void Append16(std::string* packet, unsigned value) {
  packet->push_back(static_cast<char>(value >> 8));
  packet->push_back(static_cast<char>(value));
}

}  // namespace

std::string ServiceName(size_t index) {
  return absl::StrFormat("service-%06d", index);
}

std::string NodeName(size_t index) {
  return absl::StrFormat("node-%05d", index);
}

std::string NodeAddress(size_t index) {
  return absl::StrCat("10.", index >> 16, ".", index >> 8 & 255, ".",
                      index & 255);
}

Place MakePlace(size_t service, size_t instance, size_t node_count) {
  Place place;
  place.node_index = (service + instance * 7919) % node_count;
  place.node = {"dc1", NodeName(place.node_index)};
  place.instance.name = ServiceName(service);
  place.instance.id = absl::StrCat(*place.instance.name, "-", instance);
  place.instance.port = static_cast<uint16_t>(20000 + instance);
  return place;
}

void FillState(CatalogSize size, State* state) {
  ChangeBatch batch;
  Dirty dirty;
  auto flush = [&] {
    DNSD_CHECK(state->Apply(batch, &dirty).ok());
    batch.changes.clear();
    dirty = {};
  };
  for (size_t i = 0; i < size.node_count(); ++i) {
    Node node;
    node.name = NodeName(i);
    node.datacenter = "dc1";
    node.address = NodeAddress(i);
    batch.changes.emplace_back(UpsertNode{std::move(node)});
    if (batch.changes.size() == kBatchChanges) flush();
  }
  flush();
  for (size_t i = 0; i < size.services; ++i) {
    for (size_t j = 0; j < size.instances; ++j) {
      Place place = MakePlace(i, j, size.node_count());
      batch.changes.emplace_back(
          UpsertInstance{std::move(place.node), std::move(place.instance)});
    }
    if (batch.changes.size() >= kBatchChanges) flush();
  }
  flush();
}

ZonePolicy MakePolicy(Compat compat) {
  ZonePolicy policy;
  policy.compat = compat;
  return policy;
}

std::string MakeQuery(const QueryShape& shape) {
  std::string packet("\x12\x34\x01\0\0\x01\0\0\0\0\0\0", kHeaderBytes);
  std::string name;
  DNSD_CHECK(NameToWire(shape.name, &name));
  packet += name;
  Append16(&packet, shape.type);
  Append16(&packet, kClassIn);
  if (shape.edns_bytes == 0) return packet;
  packet[11] = 1;
  packet.push_back('\0');
  Append16(&packet, kTypeOpt);
  Append16(&packet, shape.edns_bytes);
  packet += std::string(6, '\0');
  return packet;
}

}  // namespace dnsd::bench
