#include "dnsd/serve/udp_listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "dnsd/forward/forwarder.h"
#include "dnsd/serve/parked_queries.h"
#include "dnsd/transfer/transfer_taker.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

RateClass ClassOf(Outcome outcome) {
  if (outcome == Outcome::kNxdomain) return RateClass::kNxdomain;
  return outcome <= Outcome::kTruncated ? RateClass::kAnswer
                                        : RateClass::kError;
}

}  // namespace

UdpListener::UdpListener(EventLoop* loop, ListenSocket socket, UdpBatch* batch,
                         ServeContext* context)
    : socket_(std::move(socket)),
      batch_(batch),
      context_(context),
      stats_(&context->stats->udp),
      answers_(&stats_->answers[socket_.address.is_v6()]),
      poll_(loop, socket_.fd.get(), [this](int events) { OnReady(events); }) {
  gro_.Adopt(socket_.fd.get());
  poll_.Start(UV_READABLE);
}

void UdpListener::OnReady(int events) {
  if (events < 0) {
    // libuv has stopped watching. The pending error, if it is the socket's, is
    // cleared by reading it; without this the loop would spin.
    stats_->receive_errors.Add();
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket_.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    poll_.Start(UV_READABLE);
  }
  // What is left after that many batches wakes the loop again at once.
  Drain(kUdpBatchesPerTurn);
}

void UdpListener::Drain(int batches_max) {
  const int fd = socket_.fd.get();
  // Queries, for a batch of joined ones holds many times as many.
  size_t left = static_cast<size_t>(batches_max) * kUdpBatchMessages;
  while (left > 0) {
    // Until nothing is left, not until a batch was short: while it was
    // answered more came in, and a trip through the loop costs more than one
    // call in vain.
    const int received = batch_->Receive(fd, gro_.on());
    if (received == 0) return gro_.Idle(fd);
    if (received < 0) {
      stats_->receive_errors.Add();
      return;
    }
    const auto count = static_cast<size_t>(received);
    AnswerBatch(count);
    gro_.Judge(fd, batch_->message_count(), count, batch_->is_full());
    left -= std::min(left, batch_->is_joined() ? count : kUdpBatchMessages);
  }
}

void UdpListener::AnswerBatch(size_t count) {
  const View& view = context_->BeginBatch();
  stats_->received.Add(count);
  for (size_t i = 0; i < count; ++i) {
    stats_->received_bytes.Add(batch_->packet(i).size());
    switch (batch_->Inspect(i, socket_.address)) {
      case UdpArrival::kGood:
        AnswerMessage(i, view);
        break;
      case UdpArrival::kTooLong:
        stats_->dropped_too_long.Add();
        break;
      case UdpArrival::kAddress:
        stats_->dropped_address.Add();
        break;
    }
  }
  Send();
}

inline void UdpListener::Reply(size_t index, size_t size, Outcome outcome) {
  if (size == 0) return;
  CountAnswer(context_->respond.qtype, batch_->room(), outcome, answers_);
  if (context_->sampler.IsDue()) [[unlikely]]
    Sample(index, size);
  batch_->Reply(index, size);
}

void UdpListener::AnswerMessage(size_t index, const View& view) {
  if (!batch_->has_room()) Send();
  context_->SetClient(batch_->client(index));
  const Response response = Respond(batch_->packet(index), Transport::kUdp,
                                    view, &context_->respond, batch_->room());
  stats_->outcomes[static_cast<size_t>(response.outcome)].Add();
  context_->CountCookie(stats_);
  size_t size = response.size;
  if (context_->rate_limiter != nullptr && size > 0) {
    size = LimitSlow(index, view, ClassOf(response.outcome), size);
  }
  Reply(index, size, response.outcome);
  // One test for both: what waits, and what somebody wants to know of.
  if (context_->respond.asked.kind != AskedKey::kNothing)
    NoteAsked(index, view);
}

// What is left of a response that may be one too many: its size in room().
// Split off: most servers have no limit.
[[gnu::noinline]] size_t UdpListener::LimitSlow(size_t index, const View& view,
                                                RateClass kind, size_t size) {
  const RespondContext& respond = context_->respond;
  if (respond.cookie == CookieState::kGood) return size;  // no forgery
  const std::span<const uint8_t> packet = batch_->packet(index);
  const CountedName counted = respond.counted;
  WorkerStats& stats = *context_->stats;
  switch (context_->rate_limiter->Judge(
      batch_->client(index), kind, packet.subspan(counted.at, counted.size),
      respond.unix_time)) {
    case RateVerdict::kSend:
      return size;
    case RateVerdict::kExceeded:
      stats.rate_passed.Add();
      return size;
    case RateVerdict::kSlip:
      stats.rate_slipped.Add();
      // An error is as short, and TCP would have no other; nor would it for
      // what asks for a cookie alone.
      if (kind == RateClass::kError || counted.size == 0) return size;
      return TruncatedResponse(packet, view, respond, batch_->room());
    case RateVerdict::kDrop:
      stats.rate_dropped.Add();
      return 0;
  }
  return size;
}

void UdpListener::NoteAsked(size_t index, const View& view) {
  if (context_->respond.asked.kind == AskedKey::kService) {
    return context_->ReportService();
  }
  const ReturnPath path{nullptr, socket_.fd.get(), batch_->client(index),
                        batch_->control(index), context_->began_ns};
  const std::span<const uint8_t> packet = batch_->packet(index);
  if (context_->respond.asked.kind == AskedKey::kOthers) {
    const ForwardResult result = context_->forwarder->Ask(
        packet, Transport::kUdp, path, view.policy, batch_->room());
    // Who may ask gets what others say; who may not must not be flooded by it.
    if (result.size > 0 && (batch_->room()[3] & 0xf) == kRefused) {
      return ReplyLimited(index, view, result.size);
    }
    return Reply(index, result.size, Outcome::kForward);
  }
  if (context_->respond.asked.kind == AskedKey::kTransfer) {
    const TransferVerdict verdict =
        context_->transfers->Answer(packet, Transport::kUdp, path.client, view,
                                    false, &context_->respond, batch_->room());
    if (verdict.is_verified) {
      return Reply(index, verdict.size, Outcome::kTransfer);
    }
    return ReplyLimited(index, view, verdict.size);
  }
  const ParkResult parked = context_->parked->Park(path, packet, view);
  if (parked != ParkResult::kRefused) return;
  ReplyLimited(
      index, view,
      ServfailResponse(packet, view, context_->respond, batch_->room()));
}

[[gnu::noinline]] void UdpListener::Sample(size_t index, size_t size) {
  context_->sampler.Take({batch_->packet(index),
                          {batch_->room(), size},
                          batch_->client(index),
                          Transport::kUdp});
}

// Of what others wrote into room(): by its rcode.
void UdpListener::ReplyLimited(size_t index, const View& view, size_t size) {
  if (context_->rate_limiter != nullptr && size > 0) {
    const int rcode = batch_->room()[3] & 0xf;
    const RateClass kind = rcode == kNoError    ? RateClass::kAnswer
                           : rcode == kNxDomain ? RateClass::kNxdomain
                                                : RateClass::kError;
    size = LimitSlow(index, view, kind, size);
  }
  Reply(index, size, Outcome::kForward);
}

void UdpListener::Send() {
  const UdpSendResult result = batch_->Send(socket_.fd.get());
  stats_->sent.Add(result.sent);
  stats_->sent_bytes.Add(result.sent_bytes);
  stats_->send_errors.Add(result.failed);
  stats_->delay.Add(MonotonicNs() - context_->began_ns, result.sent);
}

}  // namespace dnsd
