// SampleRing carries what a worker saw of queries to the thread that tells of
// them: a ring of bytes without locks. HOT PATH
//
// A record lies in one piece: what does not fit before the ring's end begins
// again at its start, behind a filler.
//
// Threads:   Reserve(), Commit() by one worker; Front(), Pop() by one other
//            thread; dropped() by any. Wait-free.
// Errors:    a record for which there is no room is dropped and counted.
// Limits:    kSampleRingBytes; a record of at most half of that.
#ifndef DNSD_DNSD_SERVE_SAMPLE_RING_H_
#define DNSD_DNSD_SERVE_SAMPLE_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "dnsd/counter.h"

namespace dnsd {

// Five thousand questions, or a thousand whole messages both ways: what a busy
// worker sees in the 10 ms until the ring is looked at. What nobody writes
// takes no memory.
inline constexpr size_t kSampleRingBytes = 512u << 10;

class SampleRing {
 public:
  // Not zeroed: see above.
  SampleRing()
      : bytes_(std::make_unique_for_overwrite<uint8_t[]>(kSampleRingBytes)) {}
  SampleRing(const SampleRing&) = delete;
  SampleRing& operator=(const SampleRing&) = delete;

  // Room for a record of `size` bytes, aligned to 8; nullptr: there is none.
  [[nodiscard]] uint8_t* Reserve(size_t size) {
    const size_t bytes = RecordBytes(size);
    size_t head = head_.load(std::memory_order_relaxed);
    const size_t to_end = kSampleRingBytes - head % kSampleRingBytes;
    const size_t filler = to_end < bytes ? to_end : 0;
    if (size > kSampleBytesMax || !HasRoom(head, filler + bytes)) {
      dropped_.Add();
      return nullptr;
    }
    if (filler > 0) {
      WriteSize(head, kFiller);
      head += filler;
    }
    WriteSize(head, static_cast<uint32_t>(size));
    reserved_ = head + bytes;
    return bytes_.get() + head % kSampleRingBytes + kPrefixBytes;
  }
  // The record is written.
  void Commit() {
    // Publishes its bytes to Front().
    head_.store(reserved_, std::memory_order_release);
  }

  // The oldest record, until Pop(); empty: there is none.
  [[nodiscard]] std::span<const uint8_t> Front() {
    size_t tail = tail_.load(std::memory_order_relaxed);
    const size_t head = head_.load(std::memory_order_acquire);
    if (tail != head && SizeAt(tail) == kFiller) {
      tail += kSampleRingBytes - tail % kSampleRingBytes;
      tail_.store(tail, std::memory_order_release);
    }
    if (tail == head) return {};
    return {bytes_.get() + tail % kSampleRingBytes + kPrefixBytes,
            SizeAt(tail)};
  }
  void Pop() {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    // The bytes have been read: pairs with HasRoom().
    tail_.store(tail + RecordBytes(SizeAt(tail)), std::memory_order_release);
  }

  [[nodiscard]] uint64_t dropped() const { return dropped_.value(); }

  static constexpr size_t kSampleBytesMax = kSampleRingBytes / 2;

 private:
  // A record's size stands before it. All positions are multiples of 8, so
  // there is room for that much wherever one may begin.
  static constexpr size_t kPrefixBytes = 8;
  static constexpr uint32_t kFiller = UINT32_MAX;
  static_assert((kSampleRingBytes & (kSampleRingBytes - 1)) == 0);

  static size_t RecordBytes(size_t size) {
    return (kPrefixBytes + size + 7) / 8 * 8;
  }
  [[nodiscard]] bool HasRoom(size_t head, size_t bytes) {
    if (head + bytes - seen_tail_ <= kSampleRingBytes) return true;
    // Pairs with Pop(): what is overwritten has been read.
    seen_tail_ = tail_.load(std::memory_order_acquire);
    return head + bytes - seen_tail_ <= kSampleRingBytes;
  }
  void WriteSize(size_t at, uint32_t size) {
    std::memcpy(bytes_.get() + at % kSampleRingBytes, &size, sizeof(size));
  }
  [[nodiscard]] uint32_t SizeAt(size_t at) const {
    uint32_t size = 0;
    std::memcpy(&size, bytes_.get() + at % kSampleRingBytes, sizeof(size));
    return size;
  }

  const std::unique_ptr<uint8_t[]> bytes_;
  // Written by the worker.
  alignas(64) std::atomic<size_t> head_{0};
  size_t reserved_ = 0;   // head_ after Commit()
  size_t seen_tail_ = 0;  // what tail_ was at least
  Counter dropped_;
  // Written by the other thread.
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_SAMPLE_RING_H_
