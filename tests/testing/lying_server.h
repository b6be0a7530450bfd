// LyingServer is a DNS server on loopback, UDP and TCP on one port, whose
// answers are a script's: true ones, lies, several of them, or none.
//
// Threads:   the script runs on a thread of the server's own, for one question
//            after another; everything else may be called by any.
// Ownership: sockets are closed and the thread joined at the end.
// Errors:    a server that cannot listen ends the test program. What cannot be
//            sent is lost.
#ifndef DNSD_TESTS_TESTING_LYING_SERVER_H_
#define DNSD_TESTS_TESTING_LYING_SERVER_H_

#include <netinet/in.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing/dns_client.h"

namespace dnsd::testing {

// A question, and the way back.
class Asked {
 public:
  // Lower case, "www.example.".
  [[nodiscard]] const std::string& name() const { return name_; }
  // Letters as they came; `wire` is all of it.
  [[nodiscard]] const DnsReply& query() const { return query_; }
  [[nodiscard]] bool over_tcp() const { return over_tcp_; }
  // UDP: who asked.
  [[nodiscard]] const sockaddr_in& client() const { return client_; }

  // From the address that was asked, as often as one likes.
  void Say(const Bytes& message) const;

 private:
  friend class LyingServer;

  int fd_ = -1;
  bool over_tcp_ = false;
  sockaddr_in client_{};
  DnsReply query_;
  std::string name_;
};

// A reply that is the question's, with these records as text.
struct Said {
  std::vector<std::string> answer = {};
  std::vector<std::string> authority = {};
  std::vector<std::string> additional = {};
  int rcode = 0;
  bool tc = false;
};
[[nodiscard]] Bytes MakeReply(const Asked& asked, const Said& said);
// The same with one address, TTL 60.
[[nodiscard]] Bytes AddressReply(const Asked& asked,
                                 const std::string& address);

class LyingServer {
 public:
  using Script = std::function<void(const Asked&)>;

  // On a free port of 127.0.0.1.
  explicit LyingServer(Script script);
  ~LyingServer();
  LyingServer(const LyingServer&) = delete;
  LyingServer& operator=(const LyingServer&) = delete;

  // From the next question on; no script of before runs any more when it
  // returns.
  void Tell(Script script);

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string Address() const;  // "127.0.0.1:5353"
  // How often a name was asked for, in lower case: in all, and over TCP.
  [[nodiscard]] int Count(const std::string& name) const;
  [[nodiscard]] int TcpCount(const std::string& name) const;

 private:
  [[nodiscard]] bool Listen();
  void Run();
  void ServeUdp();
  void ServeTcp();
  void Answer(Asked asked, const Bytes& query);

  int udp_ = -1;
  int tcp_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex running_;        // held while a script runs; taken before mutex_
  mutable std::mutex mutex_;  // guards what the threads share
  Script script_;
  std::map<std::string, int> counts_;
  std::map<std::string, int> tcp_counts_;
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_LYING_SERVER_H_
