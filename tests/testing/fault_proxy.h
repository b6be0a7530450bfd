// FaultProxy stands between a client and an HTTP server, a Consul mostly, and
// does to their connections what networks and servers do on bad days. What
// it does is changed while it runs.
//
//   client --> FaultProxy (listens on 127.0.0.1) --> upstream
//              mode: pass, refuse, black hole
//              delay of each direction
//              rules: answer itself, replace bodies, edit heads, corrupt, cut
//
// Each connection of a client has one of its own to upstream, made when its
// first request is passed on, so that the server's limits stay what they are.
// HTTP/1.1 with keep-alive is understood. A connection that begins with a TLS
// handshake is passed on as bytes: of the rules, it knows cuts, for all paths.
//
// Threads:   every function on any thread. The bytes move on a thread of the
//            proxy's own.
// Ownership: connections are reset at the end.
// Errors:    a client of an upstream that cannot be reached is reset. A
//            message that cannot be read resets its connection.
// Limits:    the requests in one connection are passed on one by one.
#ifndef DNSD_TESTS_TESTING_FAULT_PROXY_H_
#define DNSD_TESTS_TESTING_FAULT_PROXY_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dnsd::testing {

// What happens to some of the requests and their answers. All rules that fit
// apply, in the order they were added; of two answers, the first.
struct FaultRule {
  // In the request's target ("/v1/health/service/web?dc=dc2"); "": in all.
  std::string path_contains;
  // How many answers it is good for; below 0: until ClearRules().
  int times = -1;

  // Answered here; upstream does not see the request.
  struct Answer {
    int status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  std::optional<Answer> answer;

  // The others change upstream's answers, from the next head that comes: also
  // those to requests that were passed on before.
  std::optional<std::string> body;  // in place of upstream's, with its length
  std::vector<std::pair<std::string, std::string>> set_headers;
  std::vector<std::string> strip_headers;
  // 0: none, else the first and then every so-many-th byte of the content is
  // replaced by its complement, which is never ASCII where it was. Heads and
  // chunk lines stay whole.
  uint64_t corrupt_every = 0;
  // The connection is reset (RST) behind so many bytes of an answer, head
  // included. An answer that is not longer passes, and does not use the rule.
  std::optional<uint64_t> cut_after;
};

// Of the requests to one path, or to all that begin alike.
struct FaultCounts {
  uint64_t requests = 0;
  uint64_t answers = 0;  // complete ones
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;    // given to the client
  std::string last_request_head;  // of the last path, by their bytes
};

class FaultProxy {
 public:
  enum class Mode : uint8_t {
    kPass,
    // As when the server is killed: connections are reset, and new ones
    // refused because nobody listens.
    kRefuse,
    // As when the server hangs or the network swallows everything:
    // connections are accepted and nothing moves in any of them. What
    // waited goes on with kPass.
    kBlackHole,
  };

  FaultProxy(const std::string& upstream_ip, uint16_t upstream_port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] uint16_t port() const;
  // "http://127.0.0.1:PORT"
  [[nodiscard]] std::string Url() const;

  // For connections that are made from now on.
  void SetUpstream(const std::string& ip, uint16_t port);
  void SetMode(Mode mode);
  // What is read from now on moves so much later. Bytes keep their order.
  void SetDelay(std::chrono::milliseconds to_upstream,
                std::chrono::milliseconds to_client);
  // Resets the connections that are open now, whatever they wait for.
  void ResetConnections();

  void AddRule(FaultRule rule);
  void ClearRules();
  // Rules of one thing each.
  void Answer(const std::string& path_contains, int status,
              const std::string& body);
  void CutAfter(uint64_t response_bytes, int times = 1,
                const std::string& path_contains = "");
  void Corrupt(const std::string& path_contains, uint64_t every = 16);
  void SetHeader(const std::string& path_contains, const std::string& name,
                 const std::string& value);

  [[nodiscard]] size_t connections_open() const;
  // The most at one time, and all there were, since the last ResetCounts().
  [[nodiscard]] size_t connections_max() const;
  [[nodiscard]] uint64_t connections_total() const;
  // Requests that have no complete answer yet: long polls, for Consul.
  [[nodiscard]] size_t RequestsWaiting(const std::string& path_prefix) const;
  // Of paths without their query.
  [[nodiscard]] FaultCounts Counts(const std::string& path_prefix = "/") const;
  void ResetCounts();
  // Waits until Counts(path_prefix).answers is at least `answers`; false when
  // the time is over before that.
  [[nodiscard]] bool WaitForAnswers(const std::string& path_prefix,
                                    uint64_t answers,
                                    std::chrono::milliseconds timeout) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_FAULT_PROXY_H_
