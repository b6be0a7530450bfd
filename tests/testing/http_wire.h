// HttpWire is one connection of an HTTP/1.1 client, ScriptedServer a server
// that answers with whatever bytes a test wants: for tests of what lies
// between the two, broken answers included.
//
// Threads:   an HttpWire has one owner. A ScriptedServer serves each
//            connection on a thread of its own, which calls the script.
// Ownership: sockets are closed and threads joined at the end.
// Limits:    reading has an end. The last answer of a connection that has no
//            length ends with the connection.
#ifndef DNSD_TESTS_TESTING_HTTP_WIRE_H_
#define DNSD_TESTS_TESTING_HTTP_WIRE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing/http_framing.h"
#include "tests/testing/process.h"

namespace dnsd::testing {

class HttpWire {
 public:
  // To 127.0.0.1.
  explicit HttpWire(uint16_t port);
  ~HttpWire();
  HttpWire(const HttpWire&) = delete;
  HttpWire& operator=(const HttpWire&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void Send(const std::string& request) const;
  void Get(const std::string& target) const;
  void Head(const std::string& target);

  // How the connection stands when a function below returns.
  enum class State : uint8_t { kOpen, kClosed, kReset };
  // Reads until the connection ends or the time is over.
  State Read(std::chrono::milliseconds timeout = kPatience);
  // Reads until an answer is complete.
  State ReadAnswer(std::chrono::milliseconds timeout = kPatience);

  // All that was read.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  // Of the last answer, complete or not.
  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] bool answered() const { return answered_; }

 private:
  State ReadSome(std::chrono::steady_clock::time_point deadline, bool* late);

  int fd_;
  bool connected_ = false;
  HttpFraming framing_{HttpFraming::Side::kResponses};
  std::deque<HttpPiece> pieces_;  // read, and of no answer yet
  std::string bytes_;
  std::string head_;
  std::string body_;
  bool answered_ = false;
};

class ScriptedServer {
 public:
  // From the head and the body of a request to the bytes of the answer: "" is
  // none, and "CLOSE" at the end ends the connection behind it.
  using Script =
      std::function<std::string(const std::string&, const std::string&)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // On 127.0.0.1. What begins like a TLS handshake comes back as it is.
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  void Accept();
  void Serve(int fd);

  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;  // both lists: the accepting thread's and the owner's
  std::vector<int> fds_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_HTTP_WIRE_H_
