// DnstapSocket sends dnstap frames to a program that listens on a unix socket
// (Frame Streams with its handshake, by libfstrm). Whoever is not there is
// looked for again every second.
//
// Threads: one owner; the counts, any.
// Errors:  a frame that cannot be sent is lost and counted; that the other side
//          came or went is logged.
// Counts:  a frame is sent once the other side's socket has it, not when it is
//          gathered. Of a send that fails in the middle all frames are dropped
//          ones, for none of them is known to be of use.
// Limits:  kDnstapBufferBytes are gathered before they are sent. The other side
//          has kDnstapPatienceMs to take them or to answer: then it is gone.
#ifndef DNSD_DNSD_QUERYLOG_DNSTAP_SOCKET_H_
#define DNSD_DNSD_QUERYLOG_DNSTAP_SOCKET_H_

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/counter.h"
#include "dnsd/socket_address.h"

struct fstrm_writer;

namespace dnsd {

inline constexpr size_t kDnstapBufferBytes = 64u << 10;
// Rings hold what workers see meanwhile, or drop it.
inline constexpr int kDnstapPatienceMs = 200;
inline constexpr std::chrono::milliseconds kDnstapRetry{1000};

struct DnstapCounts {
  Counter sent;
  Counter dropped;
};

class DnstapSocket {
 public:
  // `counts` outlives it.
  DnstapSocket(std::string path, DnstapCounts* counts,
               int patience_ms = kDnstapPatienceMs);
  ~DnstapSocket();  // says that this was all
  DnstapSocket(const DnstapSocket&) = delete;
  DnstapSocket& operator=(const DnstapSocket&) = delete;

  // Connects when it is time to.
  void Write(absl::string_view frame);
  // Sends what was gathered.
  void Flush();

 private:
  struct Stream;

  void Connect();
  void Drop(absl::string_view why);

  const std::string path_;
  DnstapCounts* const counts_;
  std::unique_ptr<Stream> stream_;  // outlives the writer
  fstrm_writer* writer_ = nullptr;  // nullptr: not connected
  bool was_told_ = false;           // that nobody is there
  std::chrono::steady_clock::time_point next_try_{};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_DNSTAP_SOCKET_H_
