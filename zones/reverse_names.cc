#include "zones/reverse_names.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace dnsd {
namespace {

constexpr size_t kV4Bytes = 4;
constexpr char kMapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
constexpr size_t kMappedBytes = sizeof(kMapped) - 1;

}  // namespace

AddressKey ToAddressKey(const ParsedAddress& address) {
  AddressKey key;
  auto* bytes = reinterpret_cast<char*>(key.data());
  if (address.kind == ParsedAddress::Kind::kV4) {
    std::memcpy(bytes, kMapped, kMappedBytes);
    bytes += kMappedBytes;
  }
  std::memcpy(bytes, address.bytes.data(), address.bytes.size());
  return key;
}

std::string AddressBytes(const AddressKey& key) {
  const std::string bytes(reinterpret_cast<const char*>(key.data()),
                          sizeof(key));
  const bool is_v4 = std::memcmp(bytes.data(), kMapped, kMappedBytes) == 0;
  return is_v4 ? bytes.substr(bytes.size() - kV4Bytes) : bytes;
}

void ReverseNames::AddNode(const AddressKey& address, const std::string& name,
                           const std::string& target) {
  nodes_[address][name] = target;
  if (!tells_all_) changed_.push_back(address);
}

void ReverseNames::RemoveNode(const AddressKey& address,
                              const std::string& name) {
  const auto it = nodes_.find(address);
  if (it == nodes_.end()) return;
  it->second.erase(name);
  if (it->second.empty()) nodes_.erase(it);
  changed_.push_back(address);
}

const std::string* ReverseNames::Shared(const std::string& target) {
  return &targets_.try_emplace(target, 0).first->first;
}

void ReverseNames::Add(const Claim& claim) {
  added_.push_back(claim);
  ++targets_.find(*claim.target)->second;
  if (!tells_all_) changed_.push_back(claim.address);
}

void ReverseNames::Insert() {
  std::sort(added_.begin(), added_.end(), Before());
  for (const Claim& claim : added_) claims_.insert(claims_.end(), claim);
  added_ = {};
}

void ReverseNames::Remove(const Claim& claim) {
  Insert();
  claims_.erase(claims_.find(claim));
  const auto target = targets_.find(*claim.target);
  if (--target->second == 0) targets_.erase(target);
  changed_.push_back(claim.address);
}

void ReverseNames::SetService(const NameKey& service,
                              std::vector<Claim> claims) {
  const auto known = services_.find(service);
  if (claims.empty() && known == services_.end()) return;
  const std::string* given = nullptr;
  const std::string* shared = nullptr;
  for (Claim& claim : claims) {
    // Instances of a service mostly spell it alike.
    if (given != claim.target) shared = Shared(*claim.target);
    given = std::exchange(claim.target, shared);
  }
  std::sort(claims.begin(), claims.end(), Before());
  const std::vector<Claim> before = known == services_.end()
                                        ? std::vector<Claim>()
                                        : std::exchange(known->second, {});
  std::vector<Claim> changed;
  std::set_difference(claims.begin(), claims.end(), before.begin(),
                      before.end(), std::back_inserter(changed), Before());
  for (const Claim& claim : changed) Add(claim);
  changed.clear();
  std::set_difference(before.begin(), before.end(), claims.begin(),
                      claims.end(), std::back_inserter(changed), Before());
  for (const Claim& claim : changed) Remove(claim);
  if (claims.empty()) {
    services_.erase(service);
  } else {
    claims.shrink_to_fit();
    services_[service] = std::move(claims);
  }
}

void ReverseNames::ForEachService(
    const std::function<void(const NameKey&)>& visit) const {
  for (const auto& [service, claims] : services_) visit(service);
}

const std::string* ReverseNames::TargetOf(const AddressKey& address) const {
  const auto node = nodes_.find(address);
  if (node != nodes_.end()) return &node->second.begin()->second;
  const std::string lowest;
  const auto claim = claims_.lower_bound(Claim{address, &lowest});
  const bool is_there = claim != claims_.end() && claim->address == address;
  return is_there ? claim->target : nullptr;
}

void ReverseNames::TellAllThereIs(std::vector<Claim>* told) const {
  auto node = nodes_.begin();
  const auto tell_nodes_to = [&](const AddressKey* end) {
    for (; node != nodes_.end() && (end == nullptr || node->first <= *end);
         ++node) {
      told->push_back({node->first, &node->second.begin()->second});
    }
  };
  for (const Claim& claim : claims_) {
    tell_nodes_to(&claim.address);
    if (told->empty() || told->back().address != claim.address) {
      told->push_back(claim);
    }
  }
  tell_nodes_to(nullptr);
}

std::vector<ReverseNames::Claim> ReverseNames::TakeChanged() {
  Insert();
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  const bool tells_all = std::exchange(tells_all_, false);
  std::vector<Claim> told;
  told.reserve(changed_.size() + (tells_all ? claims_.size() : 0));
  for (const AddressKey& address : changed_) {
    const std::string* target = TargetOf(address);
    if (target == nullptr || !tells_all) told.push_back({address, target});
  }
  changed_ = {};
  if (tells_all) TellAllThereIs(&told);
  return told;
}

}  // namespace dnsd
