#include "tests/testing/udp_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr int kLookMs = 10;  // whether to stop
constexpr size_t kIdBytes = 2;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

uint16_t IdOf(const Bytes& message) {
  return static_cast<uint16_t>(message[0] << 8 | message[1]);
}
void SetId(Bytes* message, uint16_t id) {
  message->at(0) = static_cast<uint8_t>(id >> 8);
  message->at(1) = static_cast<uint8_t>(id & 0xff);
}

}  // namespace

UdpProxy::UdpProxy(uint16_t to, const Delay& delay, uint64_t seed)
    : delay_(delay), random_(seed) {
  near_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  far_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in near = Loopback(0);
  const sockaddr_in far = Loopback(to);
  socklen_t size = sizeof(near);
  DNSD_CHECK(
      bind(near_, reinterpret_cast<sockaddr*>(&near), sizeof(near)) == 0 &&
      getsockname(near_, reinterpret_cast<sockaddr*>(&near), &size) == 0 &&
      connect(far_, reinterpret_cast<const sockaddr*>(&far), sizeof(far)) == 0);
  port_ = ntohs(near.sin_port);
  thread_ = std::thread([this] { Run(); });
}

UdpProxy::~UdpProxy() {
  stop_ = true;
  thread_.join();
  close(near_);
  close(far_);
}

std::string UdpProxy::Address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

void UdpProxy::Run() {
  while (!stop_) {
    int wait_ms = kLookMs;
    if (!held_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          held_.begin()->first - Clock::now());
      wait_ms = std::clamp(static_cast<int>(left.count()), 0, kLookMs);
    }
    pollfd ready[] = {{near_, POLLIN, 0}, {far_, POLLIN, 0}};
    poll(ready, 2, wait_ms);
    if ((ready[0].revents & POLLIN) != 0) TakeQuestion();
    if ((ready[1].revents & (POLLIN | POLLERR)) != 0) TakeReply();
    PassDue();
  }
}

void UdpProxy::TakeQuestion() {
  Bytes message(UINT16_MAX);
  Question question;
  socklen_t size = sizeof(question.client);
  const ssize_t count =
      recvfrom(near_, message.data(), message.size(), 0,
               reinterpret_cast<sockaddr*>(&question.client), &size);
  if (count < static_cast<ssize_t>(kIdBytes)) return;
  message.resize(static_cast<size_t>(count));
  question.id = IdOf(message);
  question.number = ++questions_;
  const auto id = static_cast<uint16_t>(question.number);
  asked_[id] = question;
  SetId(&message, id);
  send(far_, message.data(), message.size(), MSG_NOSIGNAL);
}

void UdpProxy::TakeReply() {
  Bytes message(UINT16_MAX);
  const ssize_t count = recv(far_, message.data(), message.size(), 0);
  if (count < static_cast<ssize_t>(kIdBytes)) return;
  message.resize(static_cast<size_t>(count));
  const Question& question = asked_[IdOf(message)];
  SetId(&message, question.id);
  std::uniform_int_distribution<int64_t> chance(delay_.min.count(),
                                                delay_.max.count());
  held_.emplace(Clock::now() + std::chrono::milliseconds(chance(random_)),
                Reply{question, std::move(message)});
}

void UdpProxy::PassDue() {
  while (!held_.empty() && held_.begin()->first <= Clock::now()) {
    const Reply& reply = held_.begin()->second;
    sendto(near_, reply.message.data(), reply.message.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&reply.to.client),
           sizeof(reply.to.client));
    ++passed_;
    if (reply.to.number < latest_passed_) ++overtaken_;
    latest_passed_ = std::max(latest_passed_, reply.to.number);
    held_.erase(held_.begin());
  }
}

}  // namespace dnsd::testing
