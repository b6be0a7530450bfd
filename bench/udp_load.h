// UdpLoad keeps a fixed number of questions on their way to one server over
// some UDP sockets, and looks at every answer.
//
// Threads: one owner; it works in the calling thread, which sleeps while
//          nothing has come.
// Errors:  what cannot be sent is lost, and counted so.
// Limits:  a run ends after its time and kPatience for what is on its way, or
//          after its questions, whichever is first. What has not come by then
//          is lost; what comes later is nobody's.
#ifndef DNSD_BENCH_UDP_LOAD_H_
#define DNSD_BENCH_UDP_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace dnsd::testing {

struct UdpLoadOptions {
  uint16_t port = 0;      // of 127.0.0.1
  size_t sockets = 4;     // with a port of their own each
  size_t in_flight = 32;  // of each socket
  std::chrono::milliseconds time_max{400};
  size_t questions_max = 1u << 30;
  // Writes the next question, its id left out, and says its size, which is
  // UdpLoad::kQuestionBytesMax at most.
  std::function<size_t(uint8_t* message)> next_question;
  // Whether that is a right answer; it has the id and the sender of one.
  std::function<bool(std::span<const uint8_t> question,
                     std::span<const uint8_t> answer)>
      is_right;
};

struct UdpLoadResult {
  size_t right = 0;
  size_t wrong = 0;
  size_t lost = 0;
  double seconds = 0;  // from the first question to the last answer
  std::vector<uint32_t> delays_ns;  // of right answers, as they came

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(right) / seconds : 0;
  }
};

class UdpLoad {
 public:
  static constexpr size_t kQuestionBytesMax = 300;
  static constexpr std::chrono::milliseconds kPatience{1'000};

  explicit UdpLoad(UdpLoadOptions options);
  ~UdpLoad();
  UdpLoad(const UdpLoad&) = delete;
  UdpLoad& operator=(const UdpLoad&) = delete;

  // Once.
  [[nodiscard]] UdpLoadResult Run();

 private:
  using Clock = std::chrono::steady_clock;
  class Socket;

  [[nodiscard]] bool MayAsk() const;
  void Drain(Socket* socket);
  void Fill(Socket* socket);

  UdpLoadOptions options_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  Clock::time_point end_;   // nothing is asked from then on
  Clock::time_point last_;  // when the last answer came
  size_t asked_ = 0;
  UdpLoadResult result_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_UDP_LOAD_H_
