// ScriptedTlsUpstream is a resolver on loopback, over TLS, one connection at a
// time. It answers as ScriptedUpstream over TCP does; a question whose name
// begins with "after" is answered behind the next one. On its port nobody
// answers over UDP.
//
// Threads: one of its own; everything may be asked by any.
#ifndef DNSD_TESTS_DNSD_FORWARD_SCRIPTED_TLS_UPSTREAM_H_
#define DNSD_TESTS_DNSD_FORWARD_SCRIPTED_TLS_UPSTREAM_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dnsd/socket_address.h"
#include "tests/dnsd/forward/scripted_upstream.h"
#include "tests/testing/authority.h"

namespace dnsd::testing {

enum class TlsManner {
  kAnswers,
  kSilent,        // takes questions and says nothing
  kCloses,        // after each answer
  kClosesUnsaid,  // instead of each answer
  kNoHandshake,   // takes the connection and says nothing
  kNoTls,         // says something else
};

class ScriptedTlsUpstream {
 public:
  ScriptedTlsUpstream(const Authority& authority, const std::string& name,
                      TlsManner manner = TlsManner::kAnswers)
      : manner_(manner), context_(SSL_CTX_new(TLS_server_method())) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL's sockets raise it
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_.get(),
                                           authority.certificate(name).c_str(),
                                           SSL_FILETYPE_PEM),
              1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(context_.get(), authority.key(name).c_str(),
                                    SSL_FILETYPE_PEM),
        1);
    Bind();
    thread_ = std::thread([this] { Run(); });
  }
  ~ScriptedTlsUpstream() {
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  void SetManner(TlsManner manner) { manner_ = manner; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int open() const { return open_; }
  [[nodiscard]] int questions() const { return questions_; }
  // Of all questions, without the two bytes before each.
  [[nodiscard]] std::vector<size_t> sizes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sizes_;
  }
  // What kNoTls and kNoHandshake have read.
  [[nodiscard]] std::string clear_text() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return clear_text_;
  }
  [[nodiscard]] int datagrams() const { return datagrams_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void Bind() {
    for (int i = 0; i < 16; ++i) {
      udp_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      tcp_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      address_ = SocketAddress();
      address_.v4.sin_family = AF_INET;
      address_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof(address_);
      if (bind(udp_.get(), &address_.sa, address_.size()) == 0 &&
          getsockname(udp_.get(), &address_.sa, &size) == 0 &&
          bind(tcp_.get(), &address_.sa, address_.size()) == 0 &&
          listen(tcp_.get(), 16) == 0) {
        return;
      }
    }
    FAIL() << "no port";
  }

  // Whether there is something to read, before the end.
  [[nodiscard]] bool Await(int fd) {
    while (!stop_) {
      pollfd ready[] = {{fd, POLLIN, 0}, {udp_.get(), POLLIN, 0}};
      if (poll(ready, 2, 10) <= 0) continue;
      if ((ready[1].revents & POLLIN) != 0) {
        char byte = 0;
        if (recv(udp_.get(), &byte, 1, 0) >= 0) ++datagrams_;
      }
      if (ready[0].revents != 0) return true;
    }
    return false;
  }

  void Run() {
    while (Await(tcp_.get())) {
      const UniqueFd fd(accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) continue;
      ++connections_;
      ++open_;
      Serve(fd.get());
      --open_;
    }
  }

  void Serve(int fd) {
    const TlsManner manner = manner_;
    if (manner == TlsManner::kNoTls || manner == TlsManner::kNoHandshake) {
      if (manner == TlsManner::kNoTls) {
        const std::string hello = "220 this is no TLS\r\n";
        send(fd, hello.data(), hello.size(), MSG_NOSIGNAL);
      }
      while (Await(fd)) {
        char bytes[4096];
        const ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
        if (count <= 0) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        clear_text_.append(bytes, static_cast<size_t>(count));
      }
      return;
    }
    const std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    // Nobody in these tests stops in the middle of a record.
    if (!Await(fd) || SSL_accept(ssl.get()) != 1) return;
    std::string in;
    while (SSL_pending(ssl.get()) > 0 || Await(fd)) {
      char bytes[4096];
      const int count = SSL_read(ssl.get(), bytes, sizeof(bytes));
      if (count <= 0) return;
      in.append(bytes, static_cast<size_t>(count));
      if (!AnswerAll(ssl.get(), &in)) {
        SSL_shutdown(ssl.get());
        return;
      }
    }
  }

  // False: and the connection is to be closed.
  [[nodiscard]] bool AnswerAll(SSL* ssl, std::string* in) {
    for (;;) {
      const auto* const bytes = reinterpret_cast<const uint8_t*>(in->data());
      if (in->size() < 2) return true;
      const auto size = static_cast<size_t>(bytes[0] << 8 | bytes[1]);
      if (in->size() < 2 + size) return true;
      const std::string query = in->substr(2, size);
      in->erase(0, 2 + size);
      ++questions_;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        sizes_.push_back(size);
      }
      const TlsManner manner = manner_;
      if (manner == TlsManner::kSilent) continue;
      if (manner == TlsManner::kClosesUnsaid) return false;
      std::string reply = ScriptedUpstream::Answer(query, true);
      reply.insert(0, {static_cast<char>(reply.size() >> 8),
                       static_cast<char>(reply.size() & 0xff)});
      if (ScriptedUpstream::Label(query).starts_with("after")) {
        held_ += reply;
        continue;
      }
      reply += held_;
      held_.clear();
      SSL_write(ssl, reply.data(), static_cast<int>(reply.size()));
      if (manner == TlsManner::kCloses) return false;
    }
  }

  std::atomic<TlsManner> manner_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> open_{0};
  std::atomic<int> questions_{0};
  std::atomic<int> datagrams_{0};
  mutable std::mutex mutex_;  // guards what is not atomic
  std::vector<size_t> sizes_;
  std::string clear_text_;
  std::string held_;
  SocketAddress address_;
  UniqueFd udp_;
  UniqueFd tcp_;
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DNSD_FORWARD_SCRIPTED_TLS_UPSTREAM_H_
