// UdpGro decides when a socket takes datagrams joined (UDP_GRO): many of one
// client and one size, as that client or the network card sent them, come in
// as one message. For such clients that is a third of the cost, for all others
// a tenth more, so it is tried now and then under load, and kept while it pays.
// HOT PATH
//
// Threads: one worker's; one for each socket.
// Errors:  a kernel without it is not asked again.
#ifndef DNSD_DNSD_SERVE_UDP_GRO_H_
#define DNSD_DNSD_SERVE_UDP_GRO_H_

#include <cstddef>
#include <cstdint>

namespace dnsd {

class UdpGro {
 public:
  // Full batches between two trials: at first, and doubled after each in vain.
  static constexpr uint32_t kPauseMin = 64;
  // The last is 65,536 queries, beside which a trial is nothing.
  static constexpr uint32_t kPauseMax = 1024;
  // Batches of a trial; afterwards it is judged again after as many.
  static constexpr uint32_t kTrial = 16;

  // Whether messages may hold several datagrams.
  [[nodiscard]] bool on() const { return on_; }

  // The socket `fd` was another process's before, which may have wanted it:
  // what is queued there may be joined.
  void Adopt(int fd);
  // What the last Receive() on the socket `fd` brought; switches the socket.
  void Judge(int fd, size_t messages, size_t datagrams, bool is_full);
  // Nothing is queued there: the moment to stop where some came joined, for
  // what the kernel has joined by then cannot be taken apart. (What comes in
  // the microsecond between is lost, and its client asks again.)
  void Idle(int fd);

 private:
  bool Switch(int fd, bool on);
  void Stop(int fd);

  bool on_ = false;
  bool pays_ = true;   // while on: what the last trial said
  bool works_ = true;  // the kernel has it
  uint32_t pause_ = kPauseMin;
  uint32_t count_ = 0;  // batches since the last decision
  size_t messages_ = 0;
  size_t datagrams_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_UDP_GRO_H_
