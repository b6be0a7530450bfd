// DotClient asks one upstream over TLS (RFC 7858): all questions over one
// connection, each as soon as it is there, answers in any order. The connection
// is made when there is something to ask, kept while it is used, and made again
// when it ends; a question that it takes along is asked once more.
//
// Nothing is ever sent in clear text: where the handshake fails, or the
// certificate is not the upstream's, there is no connection.
//
// Threads:   one worker's.
// Ownership: owns its connection; borrows loop, counters and askers. Not to be
//            destroyed from inside a callback.
// Errors:    OnBroken() of who waits; what fails in a handshake is counted, and
//            told to Options::on_failure, the same reason once in a minute.
// Limits:    DotLimits. Never blocks.
// Units:     milliseconds of the loop's clock.
#ifndef DNSD_DNSD_FORWARD_DOT_CLIENT_H_
#define DNSD_DNSD_FORWARD_DOT_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "catalog/base/event_loop.h"
#include "dnsd/forward/forward_stats.h"
#include "dnsd/forward/tls_stream.h"
#include "dnsd/forward/tls_trust.h"
#include "dnsd/forward/upstream_address.h"
#include "dnsd/limits.h"
#include "dnsd/socket_address.h"

namespace dnsd {

// dnsd/limits.h, in a form that tests can shorten.
struct DotLimits {
  size_t waiting_max = kForwardTlsWaitingMax;
  uint64_t handshake_ms = kForwardTlsHandshakeMs;
  uint64_t idle_ms = kForwardTlsIdleMs;
  uint64_t retry_ms = kForwardTlsRetryMs;
};

// Told of a handshake that failed, and why.
using OnTlsFailure = std::function<void(const UpstreamAddress& upstream,
                                        const std::string& reason)>;

class DotClient {
 public:
  // Who waits for a reply. Neither is called from inside Ask(), and both may
  // call Ask() and Forget(). After Forget() it must be there until the loop's
  // next turn, and may hear OnBroken() still.
  class Asker {
   public:
    // A message with the id of the question, which still waits.
    virtual void OnReply(std::span<const uint8_t> message) = 0;
    // None will come: the question waits no more.
    virtual void OnBroken() = 0;

   protected:
    ~Asker() = default;
  };

  struct Options {
    UpstreamAddress upstream;
    std::shared_ptr<const TlsTrust> trust;
    DotLimits limits;
    OnTlsFailure on_failure;
  };

  DotClient(EventLoop* loop, ForwardStats* stats, Options options);
  ~DotClient();
  DotClient(const DotClient&) = delete;
  DotClient& operator=(const DotClient&) = delete;

  // Whether a question with that id waits.
  [[nodiscard]] bool HasId(uint16_t id) const { return waiting_.contains(id); }
  // Sends `query`, which begins with `id`. False: there is no way to the
  // upstream, one has just failed, or too many wait.
  [[nodiscard]] bool Ask(uint16_t id, const std::string& query, Asker* asker);
  // The question waits no more.
  void Forget(uint16_t id);

  // Goes on by another one. What is under way is asked again over a new
  // connection. Not from inside a callback.
  void SetTrust(std::shared_ptr<const TlsTrust> trust);

 private:
  struct Waiting {
    Asker* asker = nullptr;
    std::string frame;      // the query behind its length
    int sent_count = 0;     // the connections that it was sent over
    bool answered = false;  // whatever the reply was
  };
  struct Connection {
    enum class State : uint8_t { kConnecting, kHandshake, kOpen };

    UniqueFd fd;
    State state = State::kConnecting;
    std::optional<TlsStream> stream;
    std::string out;  // not written yet
    std::string in;   // a part of a message
    bool has_replied = false;
    std::optional<Poll> poll;  // destroyed before its descriptor
  };

  [[nodiscard]] uint64_t now_ms() const { return uv_now(loop_->uv()); }
  [[nodiscard]] bool IsOpen() const {
    return connection_ && connection_->state == Connection::State::kOpen;
  }
  [[nodiscard]] bool Connect();
  void Disconnect();
  void OnReady(int events);
  void OnConnected();
  void Handshake();
  void OnOpen();
  void Send(Waiting* waiting);
  void Write();
  void Read();
  [[nodiscard]] bool TakeMessages(const Connection* from);
  void Watch();
  void OnTimer();
  void Fail(const std::string& reason);
  void Break();
  void GiveUp();

  EventLoop* loop_;
  ForwardStats* stats_;
  Options options_;
  absl::flat_hash_map<uint16_t, Waiting> waiting_;
  std::unique_ptr<Connection> connection_;
  TlsSessionPtr session_;     // to be resumed
  int given_up_count_ = 0;    // questions since the last reply
  uint64_t used_ms_ = 0;      // when the connection last was
  uint64_t retry_at_ms_ = 0;  // no connection before
  std::string told_;          // to on_failure
  uint64_t told_ms_ = 0;

  // What has ended, until no callback of it can be on the stack.
  std::vector<std::unique_ptr<Connection>> ended_;
  PrepareHook bury_;
  Timer timer_;  // of the handshake, then of being idle
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_DOT_CLIENT_H_
