// Qsbr: quiescent-state-based reclamation, tied to event loops. HOT PATH
//
// One writer retires objects that readers may still hold; an object is freed
// once every reader has been quiescent after its retirement. A reader that
// sleeps in epoll is offline and holds nothing back.
//
// Protocol: the epoch counts up from 1. A reader's slot is 0 while offline,
// else the epoch it last saw. The writer unlinks an object (exchanges the
// root), then advances the epoch to E and remembers (object, E); it frees the
// object when every slot is 0 or >= E. A reader goes online by storing the
// epoch to its slot and only then loads a root. All these operations are
// seq_cst, so in their single total order either the reader's store precedes
// the writer's scan (the scan sees the slot), or the reader's root load
// follows the exchange (it sees the new root). Stand-alone fences are avoided
// because ThreadSanitizer does not model them.
//
// Threads:   Reader: its own thread. Retire(), Reclaim(): the writer's thread.
//            Register and destroy readers while no writer runs, or on the
//            writer's thread.
// Ownership: owns what was retired and not yet freed.
// Limits:    kReadersMax readers.
#ifndef DNSD_CATALOG_QSBR_H_
#define DNSD_CATALOG_QSBR_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dnsd {

class Qsbr {
 public:
  static constexpr size_t kReadersMax = 257;

  class Reader {
   public:
    Reader() = default;

    // Online: pointers read from now on stay valid until Quiescent() or
    // Offline(). Cheap to repeat: one load when already online.
    void Online() {
      if (slot_->load(std::memory_order_relaxed) == 0) {
        slot_->store(epoch_->load(std::memory_order_seq_cst),
                     std::memory_order_seq_cst);
      }
    }
    // Holds no pointer now and is about to sleep.
    void Offline() { slot_->store(0, std::memory_order_seq_cst); }

   private:
    friend class Qsbr;
    std::atomic<uint64_t>* slot_ = nullptr;
    const std::atomic<uint64_t>* epoch_ = nullptr;
  };

  Qsbr() = default;
  ~Qsbr();  // every reader must be offline
  Qsbr(const Qsbr&) = delete;
  Qsbr& operator=(const Qsbr&) = delete;

  // A slot of its own for one reader thread. Stops the process past
  // kReadersMax: the number of workers is bounded by configuration.
  [[nodiscard]] Reader Register();

  // Gives up ownership of an object that no new reader can reach any more.
  // Freed by Reclaim() or by the destructor.
  template <typename T>
  void Retire(const T* object) {
    RetireWith(object, [](const void* p) {
      std::default_delete<const T>()(static_cast<const T*>(p));
    });
  }
  // The same for what is freed in its own way.
  void RetireWith(const void* object, void (*free)(const void*)) {
    pending_.push_back({object, free});
  }

  // Ends one publication: everything retired since the last call gets the
  // next epoch, and what no reader can hold any more is freed. Returns how
  // many objects still wait.
  size_t Reclaim();

  [[nodiscard]] size_t waiting() const { return waiting_; }

  // What was retired together is freed together, after a grace period: how
  // many of those there were, and how long they took in all. As Reclaim() sees
  // it, so no finer than it is called.
  struct Grace {
    uint64_t count = 0;
    uint64_t sum_ns = 0;
  };
  [[nodiscard]] const Grace& grace() const { return grace_; }
  // For how long the one that is waited for the longest is; 0: none is.
  [[nodiscard]] uint64_t oldest_wait_ns() const;

 private:
  struct Retired {
    const void* object;
    void (*free)(const void*);
  };
  struct Batch {
    uint64_t epoch;
    uint64_t retired_ns;
    std::vector<Retired> objects;
  };
  struct alignas(128) Slot {  // two lines: the adjacent-line prefetcher
    std::atomic<uint64_t> seen{0};
  };

  alignas(128) std::atomic<uint64_t> epoch_{1};
  std::array<Slot, kReadersMax> slots_;
  size_t reader_count_ = 0;
  std::vector<Retired> pending_;
  std::vector<Batch> batches_;
  size_t waiting_ = 0;
  Grace grace_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_QSBR_H_
