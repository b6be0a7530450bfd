#include "dnsd/transfer/transfer_connection.h"

#include <errno.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

#include "catalog/base/log.h"
#include "zones/name.h"
#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr int kStepsPerTurn = 32;
constexpr size_t kLengthBytes = 2;
constexpr size_t kOptBytes = 11;
// Our answers to a secondary are no datagrams: any size will do.
constexpr uint16_t kOptUdpSize = 1232;

}  // namespace

TransferConnection::TransferConnection(Handover handover, TransferHost* host,
                                       uint64_t now_ms)
    : fd_(std::move(handover.fd)),
      client_(handover.client),
      host_(host),
      input_(std::move(handover.unread)),
      output_(std::move(handover.unsent)),
      now_ms_(now_ms),
      last_active_ms_(now_ms) {
  Begin(std::move(handover.request));
}

TransferConnection::~TransferConnection() {
  if (request_ != nullptr) host_->stats()->broken.Add();
}

void TransferConnection::Watch(EventLoop* loop,
                               std::function<void(int)> on_ready) {
  poll_.emplace(loop, fd_.get(), std::move(on_ready));
  poll_->Start(UV_WRITABLE);
}

void TransferConnection::Unwatch() {
  if (poll_) poll_->Stop();
}

bool TransferConnection::Expired(const TransferLimits& limits,
                                 uint64_t now_ms) const {
  const bool is_writing = request_ != nullptr || !output_.empty();
  return now_ms - last_active_ms_ >=
         (is_writing ? limits.not_reading_ms : limits.idle_ms);
}

bool TransferConnection::OnReady(int events, uint64_t now_ms) {
  if (events < 0) return false;
  now_ms_ = now_ms;
  Step step = Step::kAgain;
  for (int i = 0; i < kStepsPerTurn && step == Step::kAgain; ++i) {
    step = NextStep();
  }
  if (step == Step::kOver) return false;
  // Who has more to do gets its next turn from a socket that can be written.
  poll_->Start(step == Step::kWaitReadable ? UV_READABLE : UV_WRITABLE);
  return true;
}

TransferConnection::Step TransferConnection::NextStep() {
  if (!output_.empty()) return Write();
  if (request_ != nullptr) {
    PutMessage();
    return Step::kAgain;
  }
  size_t size = 0;
  if (has_frame(&size)) {
    if (size < kHeaderBytes) return Step::kOver;
    AnswerFrame(size);
    return Step::kAgain;
  }
  return Read();
}

TransferConnection::Step TransferConnection::Write() {
  const size_t left = output_.size() - output_begin_;
  const ssize_t count = send(fd_.get(), output_.data() + output_begin_, left,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    return WouldBlock(errno) ? Step::kWaitWritable : Step::kOver;
  }
  last_active_ms_ = now_ms_;
  host_->stats()->bytes.Add(static_cast<uint64_t>(count));
  output_begin_ += static_cast<size_t>(count);
  if (output_begin_ < output_.size()) return Step::kWaitWritable;
  output_.clear();
  output_begin_ = 0;
  return Step::kAgain;
}

TransferConnection::Step TransferConnection::Read() {
  std::array<uint8_t, 4096> bytes;
  const ssize_t count =
      recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0) {
    return WouldBlock(errno) ? Step::kWaitReadable : Step::kOver;
  }
  if (count == 0) return Step::kOver;
  input_.insert(input_.end(), bytes.begin(), bytes.begin() + count);
  return Step::kAgain;
}

bool TransferConnection::has_frame(size_t* size) const {
  if (input_.size() < kLengthBytes) return false;
  *size = Load16(input_.data());
  return input_.size() >= kLengthBytes + *size || *size < kHeaderBytes;
}

void TransferConnection::AnswerFrame(size_t size) {
  last_active_ms_ = now_ms_;
  output_.resize(kLengthBytes + kResponseBytesMax);
  TransferVerdict verdict =
      host_->Answer({input_.data() + kLengthBytes, size}, client_,
                    output_.data() + kLengthBytes);
  input_.erase(input_.begin(),
               input_.begin() + static_cast<ptrdiff_t>(kLengthBytes + size));
  output_.resize(verdict.size == 0 ? 0 : kLengthBytes + verdict.size);
  if (verdict.size > 0) {
    Store16(output_.data(), static_cast<uint32_t>(verdict.size));
  }
  if (verdict.granted != nullptr) Begin(std::move(verdict.granted));
}

void TransferConnection::Begin(std::unique_ptr<TransferRequest> request) {
  request_ = std::move(request);
  image_ = host_->ImageOf(request_->apex);
  next_message_ = 0;
  sent_bytes_ = 0;
  host_->stats()->started.Add();
  LogInfo("transfer", "Zone transfer started",
          {{"zone", NameToText(WireBytes(request_->apex))},
           {"client", IpText(client_)},
           {"serial", image_ == nullptr ? 0u : image_->serial},
           {"key", request_->tsig.key == nullptr
                       ? std::string("none")
                       : NameToText(WireBytes(request_->tsig.key->name))}});
}

// The next message, for this client.
void TransferConnection::PutMessage() {
  std::string text;
  if (image_ == nullptr) {
    // It was there when the transfer was granted.
    text.assign(kHeaderBytes, '\0');
    text.append(request_->question.begin(), request_->question.end());
    auto* header = reinterpret_cast<uint8_t*>(text.data());
    Store16(header + 2, kFlagQr | kServFail);
    Store16(header + 4, 1);
  } else {
    text = image_->messages[next_message_];
  }
  output_.resize(kLengthBytes + text.size() + kOptBytes + kTsigBytesMax);
  uint8_t* message = output_.data() + kLengthBytes;
  std::memcpy(message, text.data(), text.size());
  size_t size = text.size();
  Store16(message, request_->id);
  if (request_->rd) Store16(message + 2, Load16(message + 2) | kFlagRd);
  if (next_message_ == 0) {
    std::memcpy(message + kHeaderBytes, request_->question.data(),
                request_->question.size());
  }
  if (request_->has_opt) {
    const std::array<uint8_t, kOptBytes> opt = {
        0, 0, kTypeOpt, kOptUdpSize >> 8, kOptUdpSize & 0xff};
    std::memcpy(message + size, opt.data(), opt.size());
    size += opt.size();
    Store16(message + 10, 1);
  }
  size = AppendTsig(&request_->tsig, host_->UnixTime(), message, size);
  Store16(output_.data(), static_cast<uint32_t>(size));
  output_.resize(kLengthBytes + size);
  host_->stats()->messages.Add();
  sent_bytes_ += size;
  ++next_message_;
  if (image_ != nullptr && next_message_ < image_->messages.size()) return;
  LogInfo(
      "transfer",
      image_ == nullptr ? "Zone transfer failed" : "Zone transfer completed",
      {{"zone", NameToText(WireBytes(request_->apex))},
       {"client", IpText(client_)},
       {"records", image_ == nullptr ? 0u : image_->record_count},
       {"messages", next_message_},
       {"bytes", sent_bytes_}});
  (image_ == nullptr ? host_->stats()->broken : host_->stats()->completed)
      .Add();
  request_.reset();
  image_.reset();
}

}  // namespace dnsd
