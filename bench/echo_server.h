// What the kernel alone costs a server that takes many questions and sends many
// answers at once: it sends each question back, as long as a real answer to it
// would be, and does nothing else.
//
// Threads: Serve() takes the calling one and makes one for TCP.
// Limits:  TCP: it waits for a client that does not read its answers.
#ifndef DNSD_BENCH_ECHO_SERVER_H_
#define DNSD_BENCH_ECHO_SERVER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/serve/question_kind.h"

namespace dnsd::testing {

struct EchoSizes {
  // Of an answer without and with EDNS, by QuestionKind.
  std::array<std::array<uint16_t, 2>, kQuestionKinds> bytes{};

  [[nodiscard]] size_t Of(std::span<const uint8_t> question) const {
    return bytes[static_cast<size_t>(KindOf(question))]
                [HasOpt(question) ? 1 : 0];
  }
};

struct EchoOptions {
  // What of UDP comes and goes in buffers of many datagrams. kNone: one
  // datagram a question, 32 with a system call.
  enum class Segments : uint8_t {
    kNone,
    kSent,  // UDP_SEGMENT
    kBoth,  // UDP_GRO, too
  };

  EchoSizes sizes;
  Segments segments = Segments::kNone;
};

// Serves both descriptors until it is killed: a UDP socket, and a TCP one that
// listens.
[[noreturn]] void ServeEcho(const EchoOptions& options, int udp, int tcp);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_ECHO_SERVER_H_
