#include "zones/entry_builder.h"

#include <memory>
#include <utility>

#include "catalog/base/check.h"
#include "zones/name.h"

namespace dnsd {
namespace {

constexpr size_t kAlign = alignof(uint32_t);

void Pad(std::string* bytes, size_t align) {
  while (bytes->size() % align != 0) bytes->push_back('\0');
}

template <typename T>
void AppendPod(std::string* bytes, const T& value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

EntryBuilder::Ref EntryBuilder::Append(const void* head, size_t head_size,
                                       const std::string& bytes) {
  Pad(&records_, kAlign);
  Ref ref = static_cast<Ref>(records_.size() + 1);
  records_.append(static_cast<const char*>(head), head_size);
  records_ += bytes;
  return ref;
}

EntryBuilder::Ref EntryBuilder::AddRecord(const std::string& bytes,
                                          uint8_t flags, uint8_t split) {
  DNSD_CHECK(bytes.size() <= UINT16_MAX);
  Ref& ref = plain_[bytes];
  if (ref == 0) {
    RrRecord head{static_cast<uint16_t>(bytes.size()), flags, split};
    ref = Append(&head, sizeof(head), bytes);
  }
  return ref;
}

EntryBuilder::Ref EntryBuilder::AddSrv(const std::string& target,
                                       const std::string& bytes, uint8_t flags,
                                       uint8_t split, Ref address, Ref texts) {
  DNSD_CHECK(bytes.size() <= UINT16_MAX);
  std::string key = bytes;
  AppendPod(&key, address);
  AppendPod(&key, texts);
  Ref& ref = srvs_[key];
  if (ref != 0) return ref;
  // Ids past 16 bits wrap: then equal ids may mean different targets, whose
  // additional records are left out. No message holds so many.
  auto next_id = static_cast<uint16_t>(target_ids_.size());
  SrvRecord head;
  head.address = address;
  head.texts = texts;
  head.target_id = target_ids_.emplace(target, next_id).first->second;
  head.rr = {static_cast<uint16_t>(bytes.size()), flags, split};
  ref = Append(&head, sizeof(head), bytes);
  fixups_.push_back({ref - 1 + offsetof(SrvRecord, address)});
  fixups_.push_back({ref - 1 + offsetof(SrvRecord, texts)});
  return ref;
}

EntryBuilder::Ref EntryBuilder::AddTexts(
    const std::string& owner_labels, const std::vector<std::string>& records,
    const std::string& datacenter) {
  Ref& ref = texts_[{datacenter, owner_labels}];
  if (ref == 0) {
    TextBlock head{static_cast<uint16_t>(owner_labels.size()),
                   static_cast<uint16_t>(records.size()),
                   static_cast<uint16_t>(texts_.size() - 1),
                   static_cast<uint16_t>(datacenter.size())};
    std::string bytes = owner_labels + datacenter;
    for (const std::string& record : records) {
      AppendPod(&bytes, static_cast<uint16_t>(record.size()));
      bytes += record;
    }
    ref = Append(&head, sizeof(head), bytes);
  }
  return ref;
}

void EntryBuilder::AddSet(const std::string& tag, const std::string& self,
                          Lists lists) {
  sets_.push_back({tag, self, std::move(lists)});
}

const Entry* EntryBuilder::Finish(EntryKind kind, uint8_t datacenter,
                                  const std::string& key, uint64_t hash) const {
  DNSD_CHECK(key.size() <= UINT8_MAX);
  Entry entry;
  entry.hash = hash;
  entry.kind = kind;
  entry.datacenter = datacenter;
  entry.key_size = static_cast<uint8_t>(key.size());
  entry.has_texts = !texts_.empty();
  entry.set_count = static_cast<uint32_t>(sets_.size());
  std::string block(sizeof(Entry), '\0');
  block += key;
  Pad(&block, kAlign);
  entry.sets_offset = static_cast<uint32_t>(block.size());

  // Sizes are known before anything is placed: sets, index arrays, names,
  // records follow each other.
  Places places;
  places.index = block.size() + sets_.size() * sizeof(EntrySet);
  places.names = places.index;
  for (const Set& set : sets_) {
    for (const auto& list : set.lists) {
      places.names += list.size() * sizeof(uint32_t);
    }
  }
  places.records = places.names;
  for (const Set& set : sets_) {
    places.records += set.tag.size() + set.self.size();
    if (!set.self.empty()) entry.has_self_sets = true;
  }
  places.records = (places.records + kAlign - 1) / kAlign * kAlign;

  AppendSets(places, &block);
  Pad(&block, kAlign);
  DNSD_CHECK(block.size() == places.records);
  block += records_;
  for (const Fixup& fixup : fixups_) {
    Ref ref;
    std::memcpy(&ref, &records_[fixup.at], sizeof(ref));
    ref = places.Of(ref);
    std::memcpy(&block[places.records + fixup.at], &ref, sizeof(ref));
  }
  DNSD_CHECK(block.size() <= UINT32_MAX);
  entry.size = static_cast<uint32_t>(block.size());
  std::memcpy(block.data(), &entry, sizeof(entry));

  auto words = std::make_unique<uint64_t[]>((block.size() + 7) / 8);
  std::memcpy(words.get(), block.data(), block.size());
  return reinterpret_cast<const Entry*>(words.release());
}

void EntryBuilder::AppendSets(const Places& places, std::string* block) const {
  std::string index;
  std::string names;
  for (const Set& set : sets_) {
    EntrySet out;
    out.tag_size = static_cast<uint16_t>(set.tag.size());
    out.self_size = static_cast<uint16_t>(set.self.size());
    out.tag_offset = static_cast<uint32_t>(places.names + names.size());
    names += set.tag;
    out.self_offset = static_cast<uint32_t>(places.names + names.size());
    names += set.self;
    out.tag_hash = TagHash(WireBytes(set.tag));
    for (size_t kind = 0; kind < kListCount; ++kind) {
      const std::vector<Ref>& list = set.lists[kind];
      out.lists[kind] = {static_cast<uint32_t>(places.index + index.size()),
                         static_cast<uint32_t>(list.size())};
      for (Ref ref : list) AppendPod(&index, places.Of(ref));
    }
    AppendPod(block, out);
  }
  *block += index;
  *block += names;
}

}  // namespace dnsd
