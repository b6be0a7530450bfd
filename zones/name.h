// Wire names (RFC 1035 section 3.1): lower-cased copies with their label
// offsets for the hot path, and text forms for cold code. HOT PATH
//
// Threads: pure functions.
// Names:   compared without ASCII case only (RFC 4343); \000 and '.' inside a
//          label are ordinary bytes.
#ifndef DNSD_ZONES_NAME_H_
#define DNSD_ZONES_NAME_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "zones/wire.h"

namespace dnsd {

inline uint8_t LowerByte(uint8_t byte) {
  return static_cast<uint8_t>(byte - 'A') < 26
             ? static_cast<uint8_t>(byte + ('a' - 'A'))
             : byte;
}

// A name, lower case, with the offset of each label's length byte.
struct Name {
  uint16_t size = 0;              // wire bytes including the root label
  uint8_t label_count = 0;        // without the root label
  uint8_t label[kLabelsMax + 1];  // label[label_count] is the root label
  uint8_t lower[kNameBytesMax + 1];

  // The bytes of a label, without its length byte.
  [[nodiscard]] const uint8_t* LabelBytes(size_t index) const {
    return lower + label[index] + 1;
  }
  [[nodiscard]] size_t LabelSize(size_t index) const {
    return lower[label[index]];
  }
  [[nodiscard]] bool LabelIs(size_t index, const char* text,
                             size_t size_of_text) const {
    return LabelSize(index) == size_of_text &&
           std::memcmp(LabelBytes(index), text, size_of_text) == 0;
  }
  // Wire bytes from this label up to, not including, the label `end`.
  [[nodiscard]] std::span<const uint8_t> Labels(size_t begin,
                                                size_t end) const {
    return {lower + label[begin],
            static_cast<size_t>(label[end] - label[begin])};
  }
};

// The bytes of wire data kept in a string.
inline std::span<const uint8_t> WireBytes(const std::string& wire) {
  return {reinterpret_cast<const uint8_t*>(wire.data()), wire.size()};
}

// Reads an uncompressed name from `bytes`. Returns its wire size, or 0 when
// it is truncated, compressed or too long.
[[nodiscard]] size_t ParseName(std::span<const uint8_t> bytes, Name* name);

// "a.b.c." or "a.b.c" to wire form, case kept; false when a label is empty or
// longer than 63 bytes or the name longer than 255. "" and "." are the root.
// No escapes: a dot always separates.
[[nodiscard]] bool NameToWire(const std::string& text, std::string* wire);

// One or more dotted labels without the root label: "a.b" to \1a\1b.
[[nodiscard]] bool LabelsToWire(const std::string& text, std::string* wire);

// Master-file text of an uncompressed wire name, for messages and tests.
[[nodiscard]] std::string NameToText(std::span<const uint8_t> wire);

}  // namespace dnsd

#endif  // DNSD_ZONES_NAME_H_
