#include "dnsd/serve/udp_gro.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>

namespace dnsd {

void UdpGro::Adopt(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  on_ = getsockopt(fd, SOL_UDP, UDP_GRO, &value, &size) == 0 && value == 1;
}

void UdpGro::Judge(int fd, size_t messages, size_t datagrams, bool is_full) {
  if (!on_) {
    if (!is_full || !works_ || ++count_ < pause_) return;
    works_ = Switch(fd, true);
    return;
  }
  messages_ += messages;
  datagrams_ += datagrams;
  if (++count_ < kTrial) return;
  // Where none came joined there is none to lose, and the socket of a server
  // that is asked for more than it can answer is never empty.
  if (datagrams_ == messages_) return Stop(fd);
  pays_ = datagrams_ >= 2 * messages_;
  if (pays_) pause_ = kPauseMin;
  count_ = 0;
  messages_ = datagrams_ = 0;
}

void UdpGro::Idle(int fd) {
  if (on_ && !pays_) Stop(fd);
}

void UdpGro::Stop(int fd) {
  if (Switch(fd, false)) pause_ = std::min(2 * pause_, kPauseMax);
}

bool UdpGro::Switch(int fd, bool on) {
  const int value = on ? 1 : 0;
  if (setsockopt(fd, SOL_UDP, UDP_GRO, &value, sizeof(value)) != 0) {
    return false;
  }
  on_ = on;
  pays_ = true;
  count_ = 0;
  messages_ = datagrams_ = 0;
  return true;
}

}  // namespace dnsd
