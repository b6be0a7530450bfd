// Published<T> hands the newest T from one writer to many readers. HOT PATH
//
// Threads:   Exchange() on the writer's thread; Read() by any registered
//            Qsbr::Reader on its own thread. Wait-free.
// Ownership: owns the current T. A pointer from Read() is valid until the
//            reader goes offline; never store it.
// Cost:      Read() is one load. Exchange() never waits for readers.
#ifndef DNSD_CATALOG_PUBLISHED_H_
#define DNSD_CATALOG_PUBLISHED_H_

#include <atomic>
#include <memory>

#include "catalog/qsbr.h"

namespace dnsd {

template <typename T>
class Published {
 public:
  explicit Published(Qsbr* qsbr) : qsbr_(qsbr) {}
  ~Published() {
    std::unique_ptr<const T> last(root_.load(std::memory_order_relaxed));
  }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // The newest T, or nullptr before the first Exchange().
  [[nodiscard]] const T* Read(Qsbr::Reader& reader) const {
    reader.Online();
    return root_.load(std::memory_order_seq_cst);
  }

  // The newest T on the writer's thread.
  [[nodiscard]] const T* current() const {
    return root_.load(std::memory_order_relaxed);
  }

  // Makes `next` visible to every Read() from now on and retires the one
  // before. Call Qsbr::Reclaim() after it.
  void Exchange(std::unique_ptr<const T> next) {
    const T* old = root_.exchange(next.release(), std::memory_order_seq_cst);
    if (old != nullptr) qsbr_->Retire(old);
  }

 private:
  Qsbr* qsbr_;
  std::atomic<const T*> root_{nullptr};
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_PUBLISHED_H_
