// UpstreamExchange is one query to one upstream, and the wait for its reply:
// over a socket of its own, or over TLS together with others. A fresh socket
// means a fresh port of the kernel's choice, and a connected one takes packets
// from that upstream only (RFC 5452 section 9.2).
//
// Threads:   one worker's.
// Ownership: owns its socket; borrows loop, counters, random numbers and the
//            DotClient, until it is stopped. Not to be destroyed before the
//            loop's next turn after its callback or Stop().
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
#include "dnsd/forward/dot_client.h"
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

enum class UpstreamTransport : uint8_t { kUdp, kTcp, kTls };

class UpstreamExchange final : private DotClient::Asker {
 public:
  struct Mode {
    UpstreamTransport over = UpstreamTransport::kUdp;
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
  // The same over TLS, which `mode` says.
  [[nodiscard]] bool StartTls(DotClient* client,
                              const ForwardQuestion& question, const Mode& mode,
                              Done done);
  void Stop();

  [[nodiscard]] const Mode& mode() const { return mode_; }
  // After kAnswer.
  [[nodiscard]] UpstreamAnswer& answer() { return answer_; }

 private:
  void OnReply(std::span<const uint8_t> message) override;
  void OnBroken() override;
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
  std::optional<Poll> poll_;     // destroyed before its descriptor
  DotClient* client_ = nullptr;  // over TLS, while it waits there
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_UPSTREAM_EXCHANGE_H_
