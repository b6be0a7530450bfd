// ShortText is a text in sixteen bytes: up to fifteen characters stand in it,
// more on the heap. It is for what there are a million of, where std::string
// takes twice as much. Whoever works with the text takes a view or a string.
//
// Threads:   as a std::string.
// Ownership: of its characters.
// Limits:    4 GiB.
#ifndef DNSD_CATALOG_BASE_SHORT_TEXT_H_
#define DNSD_CATALOG_BASE_SHORT_TEXT_H_

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "catalog/base/check.h"

namespace dnsd {

class ShortText {
 public:
  ShortText() = default;
  ShortText(absl::string_view text) {  // NOLINT: as a string
    if (text.size() <= kShortMax) {
      if (!text.empty()) std::memcpy(bytes_.data(), text.data(), text.size());
      bytes_.back() = static_cast<char>(kShortMax - text.size());
      return;
    }
    DNSD_CHECK(text.size() <= UINT32_MAX);
    auto chars = std::make_unique_for_overwrite<char[]>(text.size());
    std::memcpy(chars.get(), text.data(), text.size());
    Put(Long{chars.release(), static_cast<uint32_t>(text.size())});
  }
  template <typename T>
  requires std::convertible_to<const T&, absl::string_view> ShortText(
      const T& text)  // NOLINT: as a string
      : ShortText(absl::string_view(text)) {}
  ShortText(const ShortText& other) : ShortText(other.view()) {}
  ShortText(ShortText&& other) noexcept { std::swap(bytes_, other.bytes_); }
  ShortText& operator=(ShortText other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~ShortText() {
    if (is_long()) std::unique_ptr<char[]>{Get().chars};
  }

  [[nodiscard]] absl::string_view view() const {
    if (!is_long()) {
      return {bytes_.data(), kShortMax - static_cast<size_t>(bytes_.back())};
    }
    const Long text = Get();
    return {text.chars, text.size};
  }
  [[nodiscard]] std::string str() const { return std::string(view()); }
  operator absl::string_view() const { return view(); }  // NOLINT: as a string
  operator std::string() const { return str(); }         // NOLINT: as a string

  [[nodiscard]] size_t size() const { return view().size(); }
  [[nodiscard]] bool empty() const { return bytes_.back() == kShortMax; }

  friend bool operator==(const ShortText& a, const ShortText& b) {
    return a.view() == b.view();
  }
  template <typename T>
  requires std::convertible_to<const T&, absl::string_view>
  friend bool operator==(const ShortText& a, const T& b) {
    return a.view() == absl::string_view(b);
  }
  friend std::strong_ordering operator<=>(const ShortText& a,
                                          const ShortText& b) {
    return a.view().compare(b.view()) <=> 0;
  }
  template <typename H>
  friend H AbslHashValue(H h, const ShortText& text) {
    return H::combine(std::move(h), text.view());
  }
  friend std::ostream& operator<<(std::ostream& out, const ShortText& text) {
    return out << text.view();
  }

 private:
  static constexpr char kShortMax = 15;
  static constexpr char kLong = kShortMax + 1;

  struct Long {
    char* chars;
    uint32_t size;
  };

  [[nodiscard]] bool is_long() const { return bytes_.back() == kLong; }
  [[nodiscard]] Long Get() const {
    Long text;
    std::memcpy(&text.chars, bytes_.data(), sizeof(text.chars));
    std::memcpy(&text.size, bytes_.data() + sizeof(text.chars),
                sizeof(text.size));
    return text;
  }
  void Put(Long text) {
    std::memcpy(bytes_.data(), &text.chars, sizeof(text.chars));
    std::memcpy(bytes_.data() + sizeof(text.chars), &text.size,
                sizeof(text.size));
    bytes_.back() = kLong;
  }

  // Characters, or a Long. The last says how many more there would be room
  // for, or kLong.
  alignas(8) std::array<char, 16> bytes_ = {
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, kShortMax}};
};
static_assert(sizeof(ShortText) == 16);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_SHORT_TEXT_H_
