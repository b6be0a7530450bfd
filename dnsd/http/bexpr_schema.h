// BexprField says what one name of a filter's selectors means: its type and
// how it is read from an object. Tables of them are constants:
//
//   constexpr BexprField kNode[] = {bexpr::Leaf<&Node::name>("Node"), ...};
//   constexpr BexprSchema<Node> kNodeSchema = {kNode};
//
// Types of members are found by the compiler; what an object has behind a
// pointer is reached by a longer path, Leaf<&CheckRow::check, &Check::name>.
//
// Threads:   constants.
// Ownership: readers return views of the object they are given.
// Caller:    BexprSchema<Row> has fields that read a Row. Nothing else checks
//            that: below it, objects are `const void*`.
#ifndef DNSD_DNSD_HTTP_BEXPR_SCHEMA_H_
#define DNSD_DNSD_HTTP_BEXPR_SCHEMA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/shared.h"
#include "catalog/base/short_text.h"

namespace dnsd {

enum class BexprType : uint8_t {
  kString,
  kInt,
  kBool,
  kStrings,     // list<string>
  kStringMap,   // map<string, string>
  kStruct,      // has no operators of its own
  kStructList,  // a selector below it is true when it is of any element
  kStructMap,   // map<string, struct>
};

// The elements of a list of structs, one after another.
struct BexprList {
  const void* first = nullptr;
  size_t count = 0;
  size_t element_size = 0;
};

struct BexprField {
  using Strings = std::vector<std::string>;
  using StringMap = std::map<std::string, std::string>;

  absl::string_view name;
  BexprType type = BexprType::kString;
  std::span<const BexprField> fields = {};  // of the struct, element or value

  // The reader of the type. What an object lacks is nullptr or empty.
  absl::string_view (*string)(const void*) = nullptr;
  int64_t (*integer)(const void*) = nullptr;
  bool (*boolean)(const void*) = nullptr;
  const Strings* (*strings)(const void*) = nullptr;
  const StringMap* (*string_map)(const void*) = nullptr;
  const void* (*object)(const void*) = nullptr;  // never nullptr
  BexprList (*list)(const void*) = nullptr;
  size_t (*count)(const void*) = nullptr;  // kStructMap
  const void* (*find)(const void*, const std::string& key) = nullptr;

  // Instead of these: the JSON of an object that has a member of this name,
  // as have all below it. Missing members are empty, 0 and false.
  absl::string_view (*json)(const void*) = nullptr;
};

template <typename Row>
struct BexprSchema {
  std::span<const BexprField> fields;
};

namespace bexpr_internal {

template <typename T>
struct MemberOf;
template <typename T, typename C>
struct MemberOf<T C::*> {
  using Class = C;
};

template <typename T>
const T& Plain(const T& value) {
  return value;
}
template <typename T>
const T& Plain(const Shared<T>& value) {
  return *value;
}

template <auto First, auto... Rest, typename Object>
const auto& Reach(const Object& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return Plain(object.*First);
  } else if constexpr (std::is_pointer_v<
                           std::decay_t<decltype(object.*First)>>) {
    return Reach<Rest...>(*(object.*First));
  } else {
    return Reach<Rest...>(Plain(object.*First));
  }
}

template <auto First, auto... Rest>
const auto& Read(const void* object) {
  using Class = typename MemberOf<decltype(First)>::Class;
  return Reach<First, Rest...>(*static_cast<const Class*>(object));
}

}  // namespace bexpr_internal

// What tables are written with.
namespace bexpr {

// A string, integer, bool, list or map of strings.
template <auto... kPath>
constexpr BexprField Leaf(absl::string_view name) {
  using T = std::decay_t<decltype(bexpr_internal::Read<kPath...>(nullptr))>;
  BexprField field;
  field.name = name;
  if constexpr (std::is_same_v<T, std::string> ||
                std::is_same_v<T, ShortText>) {
    field.type = BexprType::kString;
    field.string = [](const void* object) -> absl::string_view {
      return bexpr_internal::Read<kPath...>(object);
    };
  } else if constexpr (std::is_same_v<T, bool>) {
    field.type = BexprType::kBool;
    field.boolean = [](const void* object) -> bool {
      return bexpr_internal::Read<kPath...>(object);
    };
  } else if constexpr (std::is_integral_v<T>) {
    field.type = BexprType::kInt;
    field.integer = [](const void* object) -> int64_t {
      return bexpr_internal::Read<kPath...>(object);
    };
  } else if constexpr (std::is_same_v<T, BexprField::Strings>) {
    field.type = BexprType::kStrings;
    field.strings = [](const void* object) {
      return &bexpr_internal::Read<kPath...>(object);
    };
  } else {
    static_assert(std::is_same_v<T, BexprField::StringMap>);
    field.type = BexprType::kStringMap;
    field.string_map = [](const void* object) {
      return &bexpr_internal::Read<kPath...>(object);
    };
  }
  return field;
}

// A string that is no member.
constexpr BexprField Computed(absl::string_view name,
                              absl::string_view (*string)(const void*)) {
  BexprField field;
  field.name = name;
  field.type = BexprType::kString;
  field.string = string;
  return field;
}

// Fields of the object itself under a name of their own.
constexpr BexprField Within(absl::string_view name,
                            std::span<const BexprField> fields) {
  BexprField field;
  field.name = name;
  field.type = BexprType::kStruct;
  field.fields = fields;
  field.object = [](const void* object) { return object; };
  return field;
}

// Fields of what a member is, or points to.
template <auto... kPath>
constexpr BexprField Struct(absl::string_view name,
                            std::span<const BexprField> fields) {
  BexprField field = Within(name, fields);
  field.object = [](const void* object) -> const void* {
    const auto& member = bexpr_internal::Read<kPath...>(object);
    if constexpr (std::is_pointer_v<std::decay_t<decltype(member)>>) {
      return member;
    } else {
      return &member;
    }
  };
  return field;
}

// A span or vector of structs.
template <auto... kPath>
constexpr BexprField List(absl::string_view name,
                          std::span<const BexprField> fields) {
  BexprField field;
  field.name = name;
  field.type = BexprType::kStructList;
  field.fields = fields;
  field.list = [](const void* object) {
    const auto& list = bexpr_internal::Read<kPath...>(object);
    return BexprList{list.data(), list.size(), sizeof(list[0])};
  };
  return field;
}

// A std::map of structs by string.
template <auto... kPath>
constexpr BexprField StructMap(absl::string_view name,
                               std::span<const BexprField> fields) {
  BexprField field;
  field.name = name;
  field.type = BexprType::kStructMap;
  field.fields = fields;
  field.count = [](const void* object) {
    return bexpr_internal::Read<kPath...>(object).size();
  };
  field.find = [](const void* object, const std::string& key) -> const void* {
    const auto& map = bexpr_internal::Read<kPath...>(object);
    const auto at = map.find(key);
    return at == map.end() ? nullptr : &at->second;
  };
  return field;
}

// A member of the JSON that `json` finds. Those below it have no reader.
constexpr BexprField Json(absl::string_view name, BexprType type,
                          absl::string_view (*json)(const void*),
                          std::span<const BexprField> fields = {}) {
  BexprField field;
  field.name = name;
  field.type = type;
  field.fields = fields;
  field.json = json;
  return field;
}

}  // namespace bexpr
}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_SCHEMA_H_
