#include "zones/entry_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "catalog/base/check.h"
#include "zones/name.h"

namespace dnsd {
namespace {

constexpr size_t kAlign = alignof(uint32_t);

size_t Aligned(size_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

template <typename T>
void AppendPod(std::string* bytes, const T& value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint16_t BytesOf(const RrRecord& head) { return head.size; }
uint16_t BytesOf(const SrvRecord& head) { return head.rr.size; }

void Copy(absl::string_view bytes, uint8_t* to) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

}  // namespace

template <typename Head>
absl::string_view EntryBuilder::Bytes<Head>::Of(Ref ref) const {
  Head head;
  std::memcpy(&head, records->data() + ref - 1, sizeof(head));
  return {records->data() + ref - 1, sizeof(head) + BytesOf(head)};
}

EntryBuilder::EntryBuilder()
    : plain_(0, Bytes<RrRecord>{&records_}, Bytes<RrRecord>{&records_}),
      srvs_(0, Bytes<SrvRecord>{&records_}, Bytes<SrvRecord>{&records_}) {}

void EntryBuilder::Clear() {
  plain_.clear();
  srvs_.clear();
  records_.clear();
  target_ids_.clear();
  texts_.clear();
  sets_.clear();
  lists_.clear();
  index_.clear();
  names_.clear();
}

EntryBuilder::Ref EntryBuilder::Append(const void* head, size_t head_size,
                                       absl::string_view bytes) {
  records_.resize(Aligned(records_.size()));
  const Ref ref = static_cast<Ref>(records_.size() + 1);
  records_.append(static_cast<const char*>(head), head_size);
  records_.append(bytes.data(), bytes.size());
  return ref;
}

template <typename Head>
EntryBuilder::Ref EntryBuilder::AppendUnique(const Head& head,
                                             absl::string_view bytes,
                                             Refs<Head>* refs) {
  const size_t before = records_.size();
  const auto [ref, is_new] = refs->insert(Append(&head, sizeof(head), bytes));
  if (!is_new) records_.resize(before);
  return *ref;
}

EntryBuilder::Ref EntryBuilder::AddRecord(absl::string_view bytes,
                                          uint8_t flags, uint8_t split) {
  DNSD_CHECK(bytes.size() <= UINT16_MAX);
  const RrRecord head{static_cast<uint16_t>(bytes.size()), flags, split};
  return AppendUnique(head, bytes, &plain_);
}

EntryBuilder::Ref EntryBuilder::AddSrv(absl::string_view target,
                                       absl::string_view bytes, uint8_t flags,
                                       uint8_t split, Ref address, Ref texts) {
  DNSD_CHECK(bytes.size() <= UINT16_MAX);
  // Ids past 16 bits wrap: then equal ids may mean different targets, whose
  // additional records are left out. No message holds so many.
  const auto next_id = static_cast<uint16_t>(target_ids_.size());
  SrvRecord head;
  head.address = address;
  head.texts = texts;
  head.target_id = target_ids_.try_emplace(target, next_id).first->second;
  head.rr = {static_cast<uint16_t>(bytes.size()), flags, split};
  return AppendUnique(head, bytes, &srvs_);
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

RrList EntryBuilder::ListOf(const Set& set, ListKind kind) const {
  const uint32_t place = set.Place(kind);
  return place == 0 ? RrList() : lists_[set.lists_offset + place - 1];
}

RrList EntryBuilder::AddList(const std::vector<Ref>& list, ListKind kind) {
  const auto size = static_cast<uint32_t>(list.size());
  if (!sets_.empty()) {
    const RrList first = ListOf(sets_.front(), kind);
    if (first.count == size &&
        std::equal(list.begin(), list.end(), index_.begin() + first.offset)) {
      return first;
    }
  }
  const RrList added{static_cast<uint32_t>(index_.size()), size};
  index_.insert(index_.end(), list.begin(), list.end());
  return added;
}

// Most sets of an entry list the same: one without a tag, and one for each tag
// that all instances have.
void EntryBuilder::AddLists(const Lists& lists, Set* set) {
  const size_t before = lists_.size();
  for (uint32_t kind = 0; kind < kListCount; ++kind) {
    if (lists[kind].empty()) continue;
    uint32_t place = set->Place(kListA);
    if (kind != kListAny || lists[kListAny] != lists[kListA]) {
      lists_.push_back(AddList(lists[kind], static_cast<ListKind>(kind)));
      place = static_cast<uint32_t>(lists_.size() - before);
    }
    set->list_places |= place << (Set::kPlaceBits * kind);
  }
  const auto added = lists_.begin() + static_cast<ptrdiff_t>(before);
  if (before > 0 && static_cast<size_t>(lists_.end() - added) <= before &&
      std::equal(added, lists_.end(), lists_.begin())) {
    lists_.resize(before);
    set->lists_offset = 0;
  } else {
    set->lists_offset = static_cast<uint32_t>(before);
  }
}

void EntryBuilder::AddSet(absl::string_view tag, absl::string_view self,
                          const Lists& lists) {
  Set set;
  set.tag_size = static_cast<uint16_t>(tag.size());
  set.self_size = static_cast<uint16_t>(self.size());
  set.names_offset = static_cast<uint32_t>(names_.size());
  names_.append(tag.data(), tag.size());
  names_.append(self.data(), self.size());
  set.tag_hash =
      TagHash({reinterpret_cast<const uint8_t*>(tag.data()), tag.size()});
  AddLists(lists, &set);
  sets_.push_back(set);
}

const Entry* EntryBuilder::Finish(EntryKind kind, uint8_t datacenter,
                                  const std::string& key, uint64_t hash) const {
  DNSD_CHECK(key.size() <= UINT8_MAX);
  // Sets, lists, index arrays, names, records follow each other.
  const size_t sets = Aligned(sizeof(Entry) + key.size());
  Places places;
  places.lists = sets + sets_.size() * sizeof(EntrySet);
  places.index = places.lists + lists_.size() * sizeof(RrList);
  places.names = places.index + index_.size() * sizeof(Ref);
  places.records = Aligned(places.names + names_.size());
  const size_t size = places.records + records_.size();
  DNSD_CHECK(size <= UINT32_MAX);

  Entry entry;
  entry.hash = hash;
  entry.size = static_cast<uint32_t>(size);
  entry.sets_offset = static_cast<uint32_t>(sets);
  entry.set_count = static_cast<uint32_t>(sets_.size());
  entry.key_size = static_cast<uint8_t>(key.size());
  entry.kind = kind;
  entry.datacenter = datacenter;
  entry.has_self_sets =
      std::any_of(sets_.begin(), sets_.end(),
                  [](const Set& set) { return set.self_size != 0; });
  entry.has_texts = !texts_.empty();

  auto words = std::make_unique<uint64_t[]>((size + 7) / 8);
  auto* const block = reinterpret_cast<uint8_t*>(words.get());
  std::memcpy(block, &entry, sizeof(entry));
  Copy(key, block + sizeof(entry));
  PlaceSets(places, block + sets);
  Copy(names_, block + places.names);
  Copy(records_, block + places.records);
  for (const Ref srv : srvs_) {
    auto* const head =
        reinterpret_cast<SrvRecord*>(block + places.records + srv - 1);
    head->address = places.Of(head->address);
    head->texts = places.Of(head->texts);
  }
  return reinterpret_cast<const Entry*>(words.release());
}

// The sets, and the lists and index arrays behind them.
void EntryBuilder::PlaceSets(const Places& places, uint8_t* block) const {
  const auto place = [&block](const auto& part) {
    std::memcpy(block, &part, sizeof(part));
    block += sizeof(part);
  };
  for (Set set : sets_) {
    set.names_offset += static_cast<uint32_t>(places.names);
    set.lists_offset =
        static_cast<uint32_t>(places.lists + set.lists_offset * sizeof(RrList));
    place(set);
  }
  for (RrList list : lists_) {
    list.offset =
        static_cast<uint32_t>(places.index + list.offset * sizeof(Ref));
    place(list);
  }
  for (const Ref ref : index_) place(places.Of(ref));
}

}  // namespace dnsd
