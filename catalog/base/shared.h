// Shared<T> is a text, a container or another thing that may be empty(), which
// its copies share: a change of one makes a copy of its own first. SharedPool
// makes equal ones share, too.
//
// Threads:   a Shared as its T; what it shares may be in use on other threads.
// Ownership: the last one frees the value. One that was never given any has
//            none to free.
#ifndef DNSD_CATALOG_BASE_SHARED_H_
#define DNSD_CATALOG_BASE_SHARED_H_

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace dnsd {

template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(T value) {  // NOLINT: as a T
    if (!value.empty()) block_ = NewBlock(std::move(value));
  }
  template <typename U>
  requires(!std::same_as<std::decay_t<U>, T> &&
           !std::same_as<std::decay_t<U>, Shared> && std::convertible_to<U, T>)
      Shared(U&& value)  // NOLINT: as a T
      : Shared(T(std::forward<U>(value))) {}
  template <typename U = T>
  Shared(std::initializer_list<typename U::value_type> items)
      : Shared(T(items)) {}
  Shared(const Shared& other) : block_(other.block_) {
    if (block_ != nullptr) {
      block_->count.fetch_add(1, std::memory_order_relaxed);
    }
  }
  Shared(Shared&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Shared() {
    if (block_ != nullptr &&
        block_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      std::unique_ptr<Block>{block_};
    }
  }

  [[nodiscard]] const T& operator*() const {
    static const T kEmpty;
    return block_ == nullptr ? kEmpty : block_->value;
  }
  [[nodiscard]] const T* operator->() const { return &**this; }
  operator const T&() const { return **this; }  // NOLINT: as a T
  operator absl::string_view() const            // NOLINT: as a T
      requires std::same_as<T, std::string> {
    return **this;
  }

  // The value, which is this one's alone then.
  [[nodiscard]] T& Edit() {
    if (block_ == nullptr) {
      block_ = NewBlock(T());
    } else if (!is_alone()) {
      *this = Shared(NewBlock(block_->value));
    }
    return block_->value;
  }
  [[nodiscard]] bool is_alone() const {
    return block_ == nullptr ||
           block_->count.load(std::memory_order_acquire) == 1;
  }

  [[nodiscard]] bool empty() const { return (*this)->empty(); }
  [[nodiscard]] size_t size() const { return (*this)->size(); }
  [[nodiscard]] auto begin() const { return (*this)->begin(); }
  [[nodiscard]] auto end() const { return (*this)->end(); }
  [[nodiscard]] auto find(const auto& key) const { return (*this)->find(key); }
  [[nodiscard]] const auto& operator[](size_t index) const {
    return (**this)[index];
  }
  template <typename Key>
  [[nodiscard]] auto& operator[](Key&& key) {
    return Edit()[std::forward<Key>(key)];
  }
  void push_back(auto&& item) {
    Edit().push_back(std::forward<decltype(item)>(item));
  }
  void clear() { *this = Shared(); }

  bool operator==(const Shared& other) const {
    return block_ == other.block_ || **this == *other;
  }
  template <typename U>
  requires(!std::same_as<U, Shared> && std::equality_comparable_with<T, U>) bool
  operator==(const U& other) const {
    return **this == other;
  }

  template <typename H>
  friend H AbslHashValue(H h, const Shared& shared) {
    return H::combine(std::move(h), *shared);
  }

 private:
  struct Block {
    explicit Block(T v) : value(std::move(v)) {}
    T value;
    std::atomic<uint32_t> count{1};
  };

  [[nodiscard]] static Block* NewBlock(T value) {
    return std::make_unique<Block>(std::move(value)).release();
  }
  explicit Shared(Block* block) : block_(block) {}

  Block* block_ = nullptr;
};

// Those that were seen, each value once.
//
// Threads: one owner.
template <typename T>
class SharedPool {
 public:
  // Makes it share its value with those that came before; most of all with the
  // one that it replaces, if there is one.
  void Unite(Shared<T>* shared, const Shared<T>* replaced = nullptr) {
    if (replaced != nullptr && *shared == *replaced) {
      *shared = *replaced;
      return;
    }
    if (shared->empty()) return shared->clear();
    if (pool_.size() >= sweep_size_) Sweep();
    *shared = *pool_.insert(*shared).first;
  }

  // Forgets what nobody else has any more. It happens by itself when as many
  // came as were left the last time.
  void Sweep() {
    absl::erase_if(pool_,
                   [](const Shared<T>& shared) { return shared.is_alone(); });
    sweep_size_ = std::max(kSweepSize, 2 * pool_.size());
  }

  [[nodiscard]] size_t size() const { return pool_.size(); }

 private:
  static constexpr size_t kSweepSize = 1024;

  absl::flat_hash_set<Shared<T>> pool_;
  size_t sweep_size_ = kSweepSize;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_SHARED_H_
