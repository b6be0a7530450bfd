// Value is a parsed configuration document, JSON or HCL, with the line each
// part stands on. It is what ParseJson() and ParseHcl() return and what
// configuration and service definitions are decoded from.
//
// Threads:   a plain value; share it only as const.
// Ownership: owns everything below it.
// Order:     members keep the order of the file and may repeat a key, because
//            HCL repeats blocks and a repeated JSON key must be reportable.
#ifndef DNSD_CATALOG_BASE_VALUE_H_
#define DNSD_CATALOG_BASE_VALUE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace dnsd {

struct Member;

struct Value {
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kInt,
    kDouble,
    kString,
    kList,
    kObject,
  };

  Kind kind = Kind::kNull;
  int line = 0;                 // 1-based line where the value begins
  bool boolean = false;         // kBool
  int64_t integer = 0;          // kInt
  double real = 0;              // kDouble
  std::string text;             // kString: decoded bytes; kInt, kDouble: as
                                // written in the file, for error messages
  std::vector<Value> items;     // kList
  std::vector<Member> members;  // kObject
};

struct Member {
  std::string key;
  int line = 0;  // 1-based line of the key
  Value value;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_VALUE_H_
