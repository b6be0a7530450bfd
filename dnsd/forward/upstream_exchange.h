// UpstreamExchange is one query to one upstream over a socket of its own, and
// the wait for its reply. A fresh socket means a fresh port of the kernel's
// choice, and a connected one takes packets from that upstream only (RFC 5452
// section 9.2).
//
// Threads:   one worker's.
// Ownership: owns its socket; borrows loop, counters and random numbers. Not
//            to be destroyed from inside its callback.
// Errors:    the callback says how it ended, once; it is not called before
//            Start() has returned, nor after Stop(). Without a callback
//            nothing has come yet: timeouts are the owner's.
// Limits:    kForwardWrongRepliesMax wrong replies; one reply of 65,535 bytes.
#ifndef DNSD_DNSD_FORWARD_UPSTREAM_EXCHANGE_H_
#define DNSD_DNSD_FORWARD_UPSTREAM_EXCHANGE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "catalog/base/event_loop.h"
#include "dnsd/forward/forward_stats.h"
#include "dnsd/forward/secret_random.h"
#include "dnsd/forward/upstream_answer.h"
#include "dnsd/socket_address.h"

namespace dnsd {

enum class ExchangeEnd : uint8_t {
  kAnswer,        // see answer()
  kTruncated,     // over UDP; TCP has all of it
  kForged,        // too many wrong replies: only TCP can be trusted
  kWrongCase,     // as ReplyVerdict
  kNoEdns,        // as ReplyVerdict
  kServerFailed,  // as ReplyVerdict
  kMalformed,     // as ReplyVerdict
  kUnreachable,   // nobody there, or the connection broke
};

class UpstreamExchange {
 public:
  struct Mode {
    bool tcp = false;
    bool edns = true;
    bool mixed_case = true;  // over UDP only
  };
  using Done = std::function<void(ExchangeEnd)>;

  UpstreamExchange(EventLoop* loop, ForwardStats* stats, SecretRandom* random);
  UpstreamExchange(const UpstreamExchange&) = delete;
  UpstreamExchange& operator=(const UpstreamExchange&) = delete;

  // Sends. False when there is no way to the upstream at all; the callback
  // will not come then.
  [[nodiscard]] bool Start(const SocketAddress& to,
                           const ForwardQuestion& question, const Mode& mode,
                           Done done);
  void Stop();

  [[nodiscard]] const Mode& mode() const { return mode_; }
  // After kAnswer.
  [[nodiscard]] UpstreamAnswer& answer() { return answer_; }

 private:
  void OnReady(int events);
  void ReadUdp();
  void WriteTcp();
  void ReadTcp();
  [[nodiscard]] bool Judge(std::span<const uint8_t> reply);
  void End(ExchangeEnd end);
  void SpellName();

  EventLoop* loop_;
  ForwardStats* stats_;
  SecretRandom* random_;
  Mode mode_;
  SentQuery sent_;
  std::string out_;  // TCP: what is not written yet
  std::string in_;   // TCP: what has come of the reply
  int wrong_replies_ = 0;
  UpstreamAnswer answer_;
  Done done_;
  UniqueFd fd_;
  std::optional<Poll> poll_;  // destroyed before its descriptor
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_UPSTREAM_EXCHANGE_H_
