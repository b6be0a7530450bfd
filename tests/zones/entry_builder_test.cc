#include "zones/entry_builder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dnsd {
namespace {

struct Freer {
  void operator()(const Entry* entry) const { Entry::Free(entry); }
};
using EntryPtr = std::unique_ptr<const Entry, Freer>;
using Texts = std::vector<std::string>;

EntryPtr Finish(const EntryBuilder& builder, const std::string& key) {
  return EntryPtr(builder.Finish(EntryKind::kService, 3, key, 0x1234));
}

std::string Text(const RrRecord& record) {
  return {reinterpret_cast<const char*>(record.bytes()), record.size};
}

// The records of a list.
Texts List(const Entry& entry, const EntrySet& set, ListKind kind) {
  Texts texts;
  const RrList list = entry.List(set, kind);
  for (uint32_t i = 0; i < list.count; ++i) {
    texts.push_back(Text(*entry.At<RrRecord>(entry.Index(list)[i])));
  }
  return texts;
}

std::string TagOf(const Entry& entry, const EntrySet& set) {
  const std::span<const uint8_t> tag = entry.Tag(set);
  return {tag.begin(), tag.end()};
}

TEST(EntryBuilder, AnEntryWithoutSetsIsItsKey) {
  const EntryPtr entry = Finish(EntryBuilder(), "\x03web");
  EXPECT_EQ(entry->set_count, 0);
  EXPECT_EQ(entry->hash, 0x1234u);
  EXPECT_EQ(entry->datacenter, 3);
  EXPECT_FALSE(entry->has_self_sets);
  const std::string key = "\x03web";
  const std::vector<uint8_t> bytes(key.begin(), key.end());
  EXPECT_TRUE(entry->Is(EntryKind::kService, 3, bytes));
  EXPECT_FALSE(entry->Is(EntryKind::kNode, 3, bytes));
  EXPECT_FALSE(entry->Is(EntryKind::kService, 2, bytes));
  EXPECT_FALSE(entry->Is(EntryKind::kService, 3, {bytes.data(), 3}));
}

TEST(EntryBuilder, ListsShareRecordsAndKeepTheirOrder) {
  EntryBuilder builder;
  const auto a = builder.AddRecord("record a");
  const auto b = builder.AddRecord("the record b", RrRecord::kChase, 7);
  EXPECT_EQ(builder.AddRecord("record a"), a) << "an equal one is added once";
  EntryBuilder::Lists all;
  all[kListA] = {b, a};
  all[kListAny] = {a, b, a};
  builder.AddSet("", "", all);
  EntryBuilder::Lists tagged;
  tagged[kListA] = {b};
  builder.AddSet("\x02v1", "", tagged);
  const EntryPtr entry = Finish(builder, "\x03web");

  ASSERT_EQ(entry->sets().size(), 2u);
  const EntrySet& first = entry->sets()[0];
  EXPECT_EQ(List(*entry, first, kListA), Texts({"the record b", "record a"}));
  EXPECT_EQ(List(*entry, first, kListAny),
            Texts({"record a", "the record b", "record a"}));
  EXPECT_EQ(List(*entry, first, kListSrv), Texts());
  EXPECT_EQ(first.tag_size, 0);

  const EntrySet& second = entry->sets()[1];
  EXPECT_EQ(TagOf(*entry, second), "\x02v1");
  const std::string tag = "\x02v1";
  EXPECT_EQ(second.tag_hash,
            TagHash({reinterpret_cast<const uint8_t*>(tag.data()), 3}));
  EXPECT_EQ(List(*entry, second, kListA), Texts({"the record b"}));
  const auto* record =
      entry->At<RrRecord>(entry->Index(entry->List(second, kListA))[0]);
  EXPECT_EQ(record->flags, RrRecord::kChase);
  EXPECT_EQ(record->split, 7);
}

// The sizes are those of the contract in entry.h.
TEST(EntryBuilder, WhatSetsHaveInCommonStandsInTheEntryOnce) {
  const auto size_of = [](const std::vector<std::vector<ListKind>>& sets) {
    EntryBuilder builder;
    const auto a = builder.AddRecord("abcd");
    for (const auto& kinds : sets) {
      EntryBuilder::Lists lists;
      for (const ListKind kind : kinds) lists[kind] = {a};
      builder.AddSet("", "", lists);
    }
    return Finish(builder, "key!")->size;
  };
  constexpr size_t kList = sizeof(RrList) + sizeof(uint32_t);
  const uint32_t none = size_of({{}});
  EXPECT_EQ(none, sizeof(Entry) + 4 + sizeof(EntrySet) + sizeof(RrRecord) + 4);
  EXPECT_EQ(size_of({{kListCnameAny}}), none + kList);
  EXPECT_EQ(size_of({{kListA, kListAny}}), none + kList) << "one list is both";
  EXPECT_EQ(size_of({{kListA, kListSrv}}), none + 2 * kList);
  EXPECT_EQ(size_of({{kListA, kListSrv}, {kListA, kListSrv}}),
            none + 2 * kList + sizeof(EntrySet));
  EXPECT_EQ(size_of({{kListA, kListSrv}, {kListSrv}}),
            none + 2 * kList + sizeof(EntrySet) + sizeof(RrList))
      << "the first list of two is another's";
}

TEST(EntryBuilder, SrvRecordsPointAtTheirAddressAndTexts) {
  EntryBuilder builder;
  const auto address = builder.AddRecord("address");
  const auto texts = builder.AddTexts("\x02n1", {"text one", "t2"});
  EXPECT_EQ(builder.AddTexts("\x02n1", {"text one", "t2"}), texts);
  const auto full =
      builder.AddSrv("n1", "srv", RrRecord::kInDomain, 5, address, texts);
  const auto bare = builder.AddSrv("n1", "srv", 0, 0, 0, 0);
  const auto other_target = builder.AddSrv("n2", "srv two", 0, 0, 0, 0);
  EXPECT_NE(full, bare) << "equal bytes, other references";
  EXPECT_EQ(builder.AddSrv("n1", "srv", 0, 0, 0, 0), bare);
  EntryBuilder::Lists lists;
  lists[kListSrv] = {full, bare, other_target};
  builder.AddSet("", "", lists);
  const EntryPtr entry = Finish(builder, "\x03web");

  const RrList list = entry->List(kListSrv);
  ASSERT_EQ(list.count, 3u);
  const auto* srv = entry->At<SrvRecord>(entry->Index(list)[0]);
  EXPECT_EQ(Text(srv->rr), "srv");
  EXPECT_EQ(srv->rr.split, 5);
  EXPECT_EQ(Text(*entry->At<RrRecord>(srv->address)), "address");
  const auto* block = entry->At<TextBlock>(srv->texts);
  ASSERT_EQ(block->count, 2);
  EXPECT_EQ(block->id, 0);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(block->owner()),
                        block->owner_size),
            "\x02n1");
  const uint8_t* at = block->owner() + block->owner_size;
  uint16_t size;
  std::memcpy(&size, at, sizeof(size));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(at) + 2, size),
            "text one");

  const auto* other = entry->At<SrvRecord>(entry->Index(list)[1]);
  EXPECT_EQ(other->address, 0u);
  EXPECT_EQ(other->texts, 0u);
  EXPECT_EQ(other->target_id, srv->target_id) << "the same target";
  EXPECT_NE(entry->At<SrvRecord>(entry->Index(list)[2])->target_id,
            srv->target_id);
}

TEST(EntryBuilder, SelfSetsAreMarked) {
  EntryBuilder builder;
  builder.AddSet("", "", {});
  const std::string self(
      "\x03web\x07service\x06"
      "consul\0",
      20);
  builder.AddSet("\x01t", self, {});
  const EntryPtr entry = Finish(builder, "\x03web");
  EXPECT_TRUE(entry->has_self_sets);
  const EntrySet& set = entry->sets()[1];
  EXPECT_EQ(TagOf(*entry, set), "\x01t");
  const std::span<const uint8_t> marked = entry->Self(set);
  EXPECT_EQ(std::string(marked.begin(), marked.end()), self);
}

// Offsets and alignments for keys and records of every size mod 8; UBSan
// sees a misaligned read.
TEST(EntryBuilder, EverythingIsAlignedAndInside) {
  for (size_t key_size = 0; key_size <= 9; ++key_size) {
    for (size_t size = 0; size <= 9; ++size) {
      EntryBuilder builder;
      const auto a = builder.AddRecord(std::string(size, 'a'));
      const auto texts = builder.AddTexts(std::string(size, 'o'), {"x", "yz"});
      const auto srv =
          builder.AddSrv("t", std::string(size, 's'), 0, 0, a, texts);
      EntryBuilder::Lists lists;
      lists[kListA] = {a};
      lists[kListSrv] = {srv, srv};
      builder.AddSet(std::string(size, 't'), "", lists);
      const EntryPtr entry = Finish(builder, std::string(key_size, 'k'));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(entry->sets().data()) % 4, 0u);
      const EntrySet& set = entry->sets()[0];
      EXPECT_EQ(List(*entry, set, kListA), Texts({std::string(size, 'a')}));
      const uint32_t offset = entry->Index(entry->List(kListSrv))[1];
      ASSERT_EQ(offset % 4, 0u);
      const auto* record = entry->At<SrvRecord>(offset);
      EXPECT_EQ(Text(record->rr), std::string(size, 's'));
      EXPECT_LE(offset + sizeof(SrvRecord) + size, entry->size);
      EXPECT_EQ(entry->At<TextBlock>(record->texts)->count, 2);
    }
  }
}

// A service with a tag per instance or per commit must not stop the process.
TEST(EntryBuilder, MoreTagsThan16BitsCountAreTaken) {
  constexpr uint32_t kSets = UINT16_MAX + 10u;
  EntryBuilder builder;
  for (uint32_t i = 0; i < kSets; ++i) {
    builder.AddSet(std::to_string(i), "", {});
  }
  const EntryPtr entry = Finish(builder, "k");
  ASSERT_EQ(entry->sets().size(), kSets);
  EXPECT_EQ(TagOf(*entry, entry->sets()[kSets - 1]), std::to_string(kSets - 1));
}

TEST(EntryBuilder, FinishMayBeCalledAgain) {
  EntryBuilder builder;
  EntryBuilder::Lists lists;
  lists[kListA] = {builder.AddRecord("r")};
  builder.AddSet("", "", lists);
  const EntryPtr one = Finish(builder, "k");
  const EntryPtr two = Finish(builder, "k");
  ASSERT_EQ(one->size, two->size);
  EXPECT_EQ(std::memcmp(one.get(), two.get(), one->size), 0);
}

TEST(EntryHash, DependsOnAllOfTheKeyAndTheSeed) {
  const std::vector<uint8_t> key = {3, 'w', 'e', 'b'};
  const uint64_t hash = EntryHash(1, EntryKind::kService, 0, key);
  EXPECT_EQ(hash, EntryHash(1, EntryKind::kService, 0, key));
  EXPECT_NE(hash, EntryHash(2, EntryKind::kService, 0, key));
  EXPECT_NE(hash, EntryHash(1, EntryKind::kNode, 0, key));
  EXPECT_NE(hash, EntryHash(1, EntryKind::kService, 1, key));
  EXPECT_NE(hash, EntryHash(1, EntryKind::kService, 0, {key.data(), 3}));
}

}  // namespace
}  // namespace dnsd
