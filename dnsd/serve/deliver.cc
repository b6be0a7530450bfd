#include "dnsd/serve/deliver.h"

#include <sys/socket.h>

#include <span>
#include <string>

#include "dnsd/serve/tcp_connection.h"

namespace dnsd {
namespace {

void Count(const WayBack& to, std::span<const uint8_t> message,
           TransportNumbers<Counter>* stats) {
  CountAnswer(QuestionType(message), message.data(), Outcome::kAnswered,
              &stats->answers[to.client.is_v6()]);
  stats->delay.Add(MonotonicNs() - to.since_ns);
}

// One system call each: those that wait are few.
void SendUdp(const WayBack& to, uint8_t* message, size_t size,
             TransportNumbers<Counter>* stats) {
  iovec bytes{message, size};
  SocketAddress client = to.client;
  std::string control = to.control;
  msghdr header{};
  header.msg_name = &client.sa;
  header.msg_namelen = client.size();
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.empty() ? nullptr : control.data();
  header.msg_controllen = control.size();
  if (sendmsg(to.fd, &header, MSG_DONTWAIT) < 0) {
    stats->send_errors.Add();
    return;
  }
  stats->sent.Add();
  stats->sent_bytes.Add(size);
}

}  // namespace

void DeliverAnswer(const WayBack& to, uint8_t* frame, size_t message_size,
                   ServeContext* context) {
  if (message_size > 0) {
    Count(
        to, {frame + kLengthBytes, message_size},
        to.connection == nullptr ? &context->stats->udp : &context->stats->tcp);
    if (context->sampler.IsDue()) {
      // The query is gone; its question is in the answer too.
      context->sampler.Take(
          {{},
           {frame + kLengthBytes, message_size},
           to.client,
           to.connection == nullptr ? Transport::kUdp : Transport::kTcp});
    }
  }
  if (to.connection == nullptr) {
    if (message_size > 0) {
      SendUdp(to, frame + kLengthBytes, message_size, &context->stats->udp);
    }
    return;
  }
  frame[0] = static_cast<uint8_t>(message_size >> 8);
  frame[1] = static_cast<uint8_t>(message_size & 0xff);
  to.connection->Deliver({frame, kLengthBytes + message_size});
}

}  // namespace dnsd
