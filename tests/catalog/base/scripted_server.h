// ScriptedServer is a TCP or unix socket server that says whatever a test
// wants, right or wrong. A thread per connection runs the test's script.
//
// Threads:   one owner; scripts run on threads of their own.
// Ownership: its end shuts down all connections and waits for the scripts, so
//            a script must return once its connection is closed.
// Errors:    a server that cannot listen ends the test program.
#ifndef DNSD_TESTS_CATALOG_BASE_SCRIPTED_SERVER_H_
#define DNSD_TESTS_CATALOG_BASE_SCRIPTED_SERVER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd::testing {

class ScriptedServer {
 public:
  class Connection {
   public:
    // Head and body of the next request; "" when there is none any more.
    [[nodiscard]] std::string ReadRequest();
    // False when the client is gone.
    bool Write(absl::string_view bytes);
    // "HTTP/1.1 200 OK" with this body, and its length.
    bool WriteOk(absl::string_view body);
    // Until the client closes the connection; reads what it says.
    void WaitForClose();
    // Reset instead of an orderly close.
    void Reset();
    // 1 for the first connection of the server.
    [[nodiscard]] size_t number() const { return number_; }

   private:
    friend class ScriptedServer;
    bool Read();

    int fd_ = -1;
    size_t number_ = 0;
    std::string unread_;
  };
  using Script = std::function<void(Connection*)>;

  // On a free port of 127.0.0.1.
  explicit ScriptedServer(Script script);
  ScriptedServer(const std::string& unix_path, Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // A script that answers every request with `body`.
  [[nodiscard]] static Script Ok(const std::string& body);

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string Url(absl::string_view path) const;

  [[nodiscard]] size_t accepted_count() const;
  // Whose scripts run: those the client has closed too, for a moment.
  [[nodiscard]] size_t open_count() const;

 private:
  void Start(int fd);
  void Accept();
  void Serve(size_t slot);
  void JoinFinished();

  const Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;      // guards what the threads share
  std::vector<int> fds_;          // -1: closed
  std::vector<size_t> finished_;  // slots
  size_t open_count_ = 0;
  bool closing_ = false;
  // Of the acceptor: one per slot, joined when it has finished.
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Holds scripts back until the test opens it.
class Gate {
 public:
  void Open();
  // With an end, so that a failing test ends too.
  void Wait();

 private:
  std::mutex mutex_;  // guards is_open_
  std::condition_variable opened_;
  bool is_open_ = false;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_BASE_SCRIPTED_SERVER_H_
