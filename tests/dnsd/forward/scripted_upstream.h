// ScriptedUpstream is a resolver on loopback, UDP and TCP, that answers by what
// the first label of a question begins with:
//   drop   not at all               fail    SERVFAIL
//   late   after 200 ms             nx      NXDOMAIN
//   big    TC over UDP, 100 addresses over TCP
//   wrong  30 replies with another id first
//   plain  FORMERR to EDNS          lower   in lower case
//   mute   not at all to EDNS
// and everything else with one address.
//
// Threads: one of its own; questions() may be asked by any.
#ifndef DNSD_TESTS_DNSD_FORWARD_SCRIPTED_UPSTREAM_H_
#define DNSD_TESTS_DNSD_FORWARD_SCRIPTED_UPSTREAM_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "dnsd/socket_address.h"

namespace dnsd::testing {

class ScriptedUpstream {
 public:
  // `answers`: else nothing is said at all.
  explicit ScriptedUpstream(bool answers = true) : answers_(answers) {
    // A port may be taken over TCP that was free over UDP.
    for (int i = 0; i < 16 && !Bind(); ++i) {
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~ScriptedUpstream() {
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  [[nodiscard]] int questions() const { return questions_; }
  [[nodiscard]] int tcp_questions() const { return tcp_questions_; }
  // Of those, with a first label of 16 bytes: they look for a loop.
  [[nodiscard]] int loop_questions() const { return loop_questions_; }
  void SetAnswers(bool answers) { answers_ = answers; }
  // Before each answer.
  void SetDelay(std::chrono::milliseconds delay) { delay_ = delay; }

  // The first label of a query's name, and what is said to it.
  static std::string Lower(std::string text) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return text;
  }
  static std::string Label(const std::string& query) {
    return Lower(query.substr(13, static_cast<uint8_t>(query[12])));
  }

  static std::string Answer(const std::string& query, bool tcp) {
    size_t end = 12;
    while (query[end] != 0) end += static_cast<uint8_t>(query[end]) + 1u;
    std::string question = query.substr(12, end + 5 - 12);
    const std::string label = Label(query);
    char flags[] = {static_cast<char>(0x81), static_cast<char>(0x80)};
    int count = 1;
    if (label.starts_with("big")) {
      count = tcp ? 100 : 0;
      if (!tcp) flags[0] = static_cast<char>(flags[0] | 2);
    }
    if (label.starts_with("fail"))
      flags[1] = static_cast<char>(0x82), count = 0;
    if (label.starts_with("nx")) flags[1] = static_cast<char>(0x83), count = 0;
    if (label.starts_with("plain") && query[11] == 1) {
      flags[1] = static_cast<char>(0x81), count = 0;
    }
    if (label.starts_with("lower")) question = Lower(question);
    std::string reply = query.substr(0, 2);
    reply.append(flags, 2);
    reply += {0, 1, 0, static_cast<char>(count), 0, 0, 0, 0};
    reply += question;
    for (int i = 0; i < count; ++i) {
      reply += {static_cast<char>(0xc0), 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
      reply += {10, 0, 0, static_cast<char>(i)};
    }
    return reply;
  }

 private:
  bool Bind() {
    udp_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tcp_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_ = SocketAddress();
    address_.v4.sin_family = AF_INET;
    address_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    return bind(udp_.get(), &address_.sa, address_.size()) == 0 &&
           getsockname(udp_.get(), &address_.sa, &size) == 0 &&
           bind(tcp_.get(), &address_.sa, address_.size()) == 0 &&
           listen(tcp_.get(), 16) == 0;
  }

  void Run() {
    while (!stop_) {
      pollfd ready[] = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      if (poll(ready, 2, 10) <= 0) continue;
      if ((ready[0].revents & POLLIN) != 0) ServeUdp();
      if ((ready[1].revents & POLLIN) != 0) ServeTcp();
    }
  }

  void ServeUdp() {
    char bytes[4096];
    SocketAddress from;
    socklen_t size = sizeof(from);
    const ssize_t count =
        recvfrom(udp_.get(), bytes, sizeof(bytes), 0, &from.sa, &size);
    if (count < 17) return;
    const std::string query(bytes, static_cast<size_t>(count));
    ++questions_;
    const std::string label = Label(query);
    if (label.size() == 16) ++loop_questions_;
    if (!answers_ || label.starts_with("drop")) return;
    if (label.starts_with("mute") && query[11] == 1) return;
    if (label.starts_with("late")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    std::this_thread::sleep_for(delay_.load());
    std::string reply = Answer(query, false);
    const auto send = [&] {
      sendto(udp_.get(), reply.data(), reply.size(), 0, &from.sa, size);
    };
    if (label.starts_with("wrong")) {
      reply[0] = static_cast<char>(reply[0] ^ 0x55);
      for (int i = 0; i < 30; ++i) send();
      return;
    }
    send();
  }

  void ServeTcp() {
    const UniqueFd fd(accept(tcp_.get(), nullptr, nullptr));
    uint8_t length[2];
    if (recv(fd.get(), length, 2, MSG_WAITALL) != 2) return;
    std::string query(static_cast<size_t>(length[0] << 8 | length[1]), '\0');
    recv(fd.get(), query.data(), query.size(), MSG_WAITALL);
    ++questions_;
    ++tcp_questions_;
    std::string reply = Answer(query, true);
    reply.insert(0, {static_cast<char>(reply.size() >> 8),
                     static_cast<char>(reply.size() & 0xff)});
    send(fd.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  std::atomic<bool> answers_;
  std::atomic<std::chrono::milliseconds> delay_{std::chrono::milliseconds(0)};
  std::atomic<bool> stop_{false};
  std::atomic<int> questions_{0};
  std::atomic<int> tcp_questions_{0};
  std::atomic<int> loop_questions_{0};
  SocketAddress address_;
  UniqueFd udp_;
  UniqueFd tcp_;
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DNSD_FORWARD_SCRIPTED_UPSTREAM_H_
