// TransferConnection is a secondary's TCP connection from its first granted
// transfer on: it writes zone images as the client reads, and answers what
// else is asked on it.
//
// Threads:   the transfer thread.
// Ownership: owns its descriptor and a share of the image it sends.
// Errors:    OnReady() is false when the connection is over.
// Limits:    one message unwritten, one frame unanswered; kWritesPerTurn.
// Units:     milliseconds of the loop's clock.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_CONNECTION_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/socket_address.h"
#include "dnsd/transfer/transfer_options.h"
#include "dnsd/transfer/transfer_stats.h"
#include "dnsd/transfer/transfer_taker.h"
#include "dnsd/transfer/zone_image.h"

namespace dnsd {

// What connections need of the service.
class TransferHost {
 public:
  virtual ~TransferHost() = default;
  // The zone as it is now; nullptr when it cannot be transferred.
  virtual std::shared_ptr<const ZoneImage> ImageOf(const std::string& apex) = 0;
  // See TransferTaker::Answer().
  virtual TransferVerdict Answer(std::span<const uint8_t> frame,
                                 const SocketAddress& client, uint8_t* out) = 0;
  // Seconds since 1970.
  [[nodiscard]] virtual uint64_t UnixTime() const = 0;
  virtual TransferStats* stats() = 0;
};

class TransferConnection {
 public:
  TransferConnection(Handover handover, TransferHost* host, uint64_t now_ms);
  TransferConnection(const TransferConnection&) = delete;
  TransferConnection& operator=(const TransferConnection&) = delete;
  ~TransferConnection();

  void Watch(EventLoop* loop, std::function<void(int)> on_ready);
  void Unwatch();

  [[nodiscard]] bool OnReady(int events, uint64_t now_ms);
  [[nodiscard]] bool Expired(const TransferLimits& limits,
                             uint64_t now_ms) const;

 private:
  enum class Step : uint8_t { kAgain, kWaitWritable, kWaitReadable, kOver };

  Step NextStep();
  Step Write();
  Step Read();
  void Begin(std::unique_ptr<TransferRequest> request);
  void PutMessage();
  void AnswerFrame(size_t size);
  [[nodiscard]] bool has_frame(size_t* size) const;

  UniqueFd fd_;
  SocketAddress client_;
  TransferHost* host_;
  std::vector<uint8_t> input_;
  std::vector<uint8_t> output_;  // from output_begin_
  size_t output_begin_ = 0;

  std::unique_ptr<TransferRequest> request_;  // the transfer that runs
  std::shared_ptr<const ZoneImage> image_;
  size_t next_message_ = 0;
  uint64_t sent_bytes_ = 0;

  uint64_t now_ms_;
  uint64_t last_active_ms_;
  std::optional<Poll> poll_;  // destroyed before its descriptor
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_CONNECTION_H_
