// TcpConnection is one client's TCP connection: frames in, answers out.
//
// It reads what is there into a buffer shared by the worker, answers every
// whole frame into a shared arena and writes that at once. It owns memory only
// for what could not be finished: the partial frame at the end, and what the
// client has not taken yet. While something is unsent it does not read.
//
// A query that has to wait (ParkedQueries) is overtaken by those behind it
// (RFC 7766 section 7). Meanwhile the connection is not idle, and a client
// that ends its sending side is waited for.
//
// Threads:   one worker's.
// Ownership: owns its descriptor and its Poll; borrows the buffers.
// Errors:    OnReady() says why the connection is over; the owner removes it,
//            but not from inside the Poll's callback or Deliver().
// Limits:    kTcpArenaBytes unsent, besides answers to parked queries; one
//            frame or kTcpReadBytes unanswered. No allocation per query that
//            is not parked.
// Units:     times in milliseconds of the loop's clock.
#ifndef DNSD_DNSD_SERVE_TCP_CONNECTION_H_
#define DNSD_DNSD_SERVE_TCP_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/serve/client_limits.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/serve_context.h"

namespace dnsd {

struct TransferRequest;

// The buffers that all connections of a worker use in turn.
struct TcpBuffers {
  std::unique_ptr<uint8_t[]> input = std::make_unique<uint8_t[]>(kTcpReadBytes);
  std::unique_ptr<uint8_t[]> arena =
      std::make_unique<uint8_t[]>(kTcpArenaBytes);
};

// Who a connection counts for: an IPv4 address, or an IPv6 /64.
struct TcpClient {
  uint64_t address = 0;
  bool is_v6 = false;

  [[nodiscard]] static TcpClient Of(const SocketAddress& address);
  bool operator==(const TcpClient&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const TcpClient& client) {
    return H::combine(std::move(hash), client.address, client.is_v6);
  }
};

class TcpConnection {
 public:
  // `limits` outlives the connection and may change.
  TcpConnection(UniqueFd fd, const SocketAddress& address,
                const TcpLimits* limits, TcpBuffers* buffers,
                ServeContext* context, uint64_t now_ms);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Starts to read. `on_ready` gets what OnReady() takes.
  void Watch(EventLoop* loop, std::function<void(int)> on_ready);
  // Stops for good. The descriptor is closed with the object.
  void Unwatch();

  // Does what can be done now. `events` as from Poll. Returns why the
  // connection is over, or nothing.
  [[nodiscard]] std::optional<TcpClose> OnReady(int events, uint64_t now_ms);

  // Whether a timeout has passed.
  [[nodiscard]] std::optional<TcpClose> Expired(uint64_t now_ms) const;

  // Takes the answer, as a frame, to a query that was parked.
  void Deliver(std::span<const uint8_t> frame);

  // Answers what has been received, then ends the sending side and throws
  // away what still comes in. Returns as OnReady().
  [[nodiscard]] std::optional<TcpClose> BeginDrain(uint64_t now_ms);
  // Nothing is left to send, and the client's kernel has all of it.
  [[nodiscard]] bool drained() const;

  [[nodiscard]] const TcpClient& client() const { return client_; }
  [[nodiscard]] uint64_t last_active_ms() const { return last_active_ms_; }
  [[nodiscard]] size_t buffered_bytes() const {
    return input_.capacity() + unsent_.capacity();
  }

 private:
  enum class Write : uint8_t { kDone, kBlocked, kFailed };

  void Read();
  void Discard();
  // It has asked as often as one connection may.
  [[nodiscard]] bool is_full() const;
  std::span<const uint8_t> CompleteFrame(std::span<const uint8_t> bytes);
  size_t AnswerFrames(std::span<const uint8_t> bytes);
  void AnswerFrame(std::span<const uint8_t> frame, const View& view);
  size_t NoteAsked(std::span<const uint8_t> frame, const View& view,
                   const Response& response, uint8_t* out);
  void AnswerBlocked();
  void HandOver(std::span<const uint8_t> unread);
  void WriteArena();
  void WriteDelivery();
  void WriteUnsent();
  void WriteBytes(std::span<const uint8_t> bytes);
  Write Send(std::span<const uint8_t> bytes, size_t* sent_bytes);
  void UpdateInterest();

  UniqueFd fd_;
  SocketAddress address_;
  TcpClient client_;
  const TcpLimits* limits_;
  TcpBuffers* buffers_;
  ServeContext* context_;
  TransportNumbers<Counter>* stats_;
  AnswerStats* answers_;

  // Received and not answered: a partial frame, or, if blocked_, whole frames
  // that wait until answers can be written.
  std::vector<uint8_t> input_;
  std::vector<uint8_t> unsent_;  // from unsent_begin_
  size_t unsent_begin_ = 0;
  size_t arena_used_ = 0;   // of the shared arena; 0 between calls
  size_t arena_count_ = 0;  // answers in it
  int writes_left_ = 0;     // in this turn

  bool blocked_ = false;
  bool half_closed_ = false;  // the client's sending side has ended
  bool draining_ = false;
  bool ended_ = false;  // our sending side is shut down
  std::optional<TcpClose> over_;

  size_t query_count_ = 0;
  // A zone transfer that was granted: the connection is to go with it.
  std::unique_ptr<TransferRequest> granted_;

  size_t pending_count_ = 0;  // in ParkedQueries and the Forwarder
  std::span<const uint8_t> delivery_;

  uint64_t now_ms_;
  uint64_t last_active_ms_;  // a frame answered, or answers taken
  uint64_t partial_since_ms_ = 0;
  uint64_t last_taken_ms_ = 0;  // a first write, or some of unsent_ taken

  std::function<void(int)> on_ready_;
  int interest_ = 0;
  std::optional<Poll> poll_;  // destroyed before its descriptor
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_TCP_CONNECTION_H_
