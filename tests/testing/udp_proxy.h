// UdpProxy passes DNS questions on to a server and its replies back, each after
// a time of chance, so that they overtake one another.
//
// Threads:   one of its own; the numbers may be asked for by any.
// Ownership: sockets are closed and the thread joined at the end; what is on
//            its way then is lost.
// Errors:    a proxy that cannot listen ends the test program.
// Limits:    65,536 questions on their way.
#ifndef DNSD_TESTS_TESTING_UDP_PROXY_H_
#define DNSD_TESTS_TESTING_UDP_PROXY_H_

#include <netinet/in.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "tests/testing/dns_client.h"

namespace dnsd::testing {

class UdpProxy {
 public:
  struct Delay {
    std::chrono::milliseconds min{0};
    std::chrono::milliseconds max{0};
  };

  // On a free port of 127.0.0.1; `to` is on loopback, too.
  UdpProxy(uint16_t to, const Delay& delay, uint64_t seed);
  ~UdpProxy();
  UdpProxy(const UdpProxy&) = delete;
  UdpProxy& operator=(const UdpProxy&) = delete;

  [[nodiscard]] std::string Address() const;  // "127.0.0.1:5353"
  // Replies passed back, and those of them that came after one to a later
  // question.
  [[nodiscard]] int passed() const { return passed_; }
  [[nodiscard]] int overtaken() const { return overtaken_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Question {
    sockaddr_in client{};
    uint16_t id = 0;
    uint64_t number = 0;
  };
  struct Reply {
    Question to;
    Bytes message;
  };

  void Run();
  void TakeQuestion();
  void TakeReply();
  void PassDue();

  int near_ = -1;  // to clients
  int far_ = -1;   // to the server
  uint16_t port_ = 0;
  Delay delay_;
  std::mt19937_64 random_;
  uint64_t questions_ = 0;
  uint64_t latest_passed_ = 0;
  std::array<Question, 65536> asked_;  // by the id that the server sees
  std::multimap<Clock::time_point, Reply> held_;
  std::atomic<int> passed_{0};
  std::atomic<int> overtaken_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_UDP_PROXY_H_
