// FaultConnection is one client of a FaultProxy with its connection to
// upstream: bytes in from either side, bytes out to the other, changed as the
// rules say.
//
// Threads:   the proxy's, which holds the proxy's lock.
// Ownership: owns both sockets. Borrows the state, which must outlive it.
// Errors:    done() is true once it is over, for whatever reason.
#ifndef DNSD_TESTS_TESTING_FAULT_CONNECTION_H_
#define DNSD_TESTS_TESTING_FAULT_CONNECTION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/testing/fault_proxy.h"
#include "tests/testing/http_framing.h"

namespace dnsd::testing {

// What the test sets and reads, shared by all connections.
struct FaultState {
  std::string upstream_ip;
  uint16_t upstream_port = 0;
  FaultProxy::Mode mode = FaultProxy::Mode::kPass;
  std::chrono::milliseconds delay_to_upstream{0};
  std::chrono::milliseconds delay_to_client{0};
  // By number, so that a rule that was cleared meanwhile is not found again.
  std::map<uint64_t, FaultRule> rules;
  uint64_t next_rule = 0;
  std::map<std::string, FaultCounts> counts;  // by path

  // Takes one use off the rule; false when it has none left.
  bool Use(uint64_t rule);
};

// Bytes on their way to a socket, each with the time it may leave.
class DelayedBytes {
 public:
  using Clock = std::chrono::steady_clock;

  void Push(absl::string_view bytes, std::chrono::milliseconds delay);
  // Sends what is due; false when the socket is broken. A broken pipe is the
  // end of it all; EAGAIN is not.
  [[nodiscard]] bool Send(int fd);

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool due() const;
  // Milliseconds until something is due; nothing when there is nothing.
  [[nodiscard]] std::optional<int> WaitMs() const;

 private:
  std::deque<std::pair<Clock::time_point, std::string>> parts_;
  size_t size_ = 0;
};

class FaultConnection {
 public:
  // Takes the accepted socket.
  FaultConnection(int client_fd, FaultState* state);
  // Resets what is still open.
  ~FaultConnection();
  FaultConnection(const FaultConnection&) = delete;
  FaultConnection& operator=(const FaultConnection&) = delete;

  // What poll() is to wait for; a descriptor of -1 waits for nothing.
  struct Wanted {
    int fd = -1;
    short events = 0;
  };
  [[nodiscard]] Wanted ClientWanted() const;
  [[nodiscard]] Wanted UpstreamWanted() const;
  // Milliseconds until something is due; nothing when there is nothing.
  [[nodiscard]] std::optional<int> WaitMs() const;

  // Moves what can be moved; the events are what poll() returned.
  void Turn(short client_events, short upstream_events);
  [[nodiscard]] bool done() const { return done_; }
  // The path of the request that waits for its answer, or "".
  [[nodiscard]] const std::string& waiting() const { return path_; }

 private:
  enum class Ending : uint8_t { kNone, kClose, kReset };

  void ReadClient();
  void ReadUpstream();
  void FlushClient();
  void TakeRequests();
  void TakeResponses(std::vector<HttpPiece>* pieces);

  void BeginRequest(const std::string& head);
  void AnswerItself();
  void BeginResponse(const std::string& head);
  void GiveContent(std::string bytes);
  void EndExchange();

  void ConnectUpstream();
  void CloseUpstream();
  void ToUpstream(absl::string_view bytes);
  void ToClient(absl::string_view bytes);
  void EndAfterOutput(Ending ending);

  FaultState* state_;
  int client_fd_;
  int upstream_fd_ = -1;
  bool done_ = false;
  bool raw_ = false;   // bytes only
  bool fresh_ = true;  // the client has not said anything yet
  Ending ending_ = Ending::kNone;
  DelayedBytes to_client_;
  DelayedBytes to_upstream_;
  HttpFraming requests_{HttpFraming::Side::kRequests};
  HttpFraming responses_{HttpFraming::Side::kResponses};
  std::deque<HttpPiece> asked_;  // not yet looked at

  // The exchange under way; path_ is empty between two.
  std::string path_;
  std::string target_;
  bool head_request_ = false;
  std::optional<FaultRule::Answer> answer_;
  bool replaced_ = false;  // the body of the answer
  uint64_t corrupt_every_ = 0;
  uint64_t content_bytes_ = 0;
  uint64_t response_bytes_ = 0;
  std::optional<std::pair<uint64_t, uint64_t>> cut_;  // bytes, rule
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_FAULT_CONNECTION_H_
