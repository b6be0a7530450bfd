#include "dnsd/querylog/dnstap_message.h"

#include <span>

#include "absl/strings/string_view.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// Fields of dnstap.proto.
enum DnstapField : uint32_t {
  kIdentity = 1,
  kVersionText = 2,
  kMessage = 14,
  kDnstapType = 15,
};
enum MessageField : uint32_t {
  kType = 1,
  kSocketFamily = 2,
  kSocketProtocol = 3,
  kQueryAddress = 4,
  kQueryPort = 6,
  kQueryTimeSec = 8,
  kQueryTimeNsec = 9,
  kQueryMessage = 10,
  kResponseTimeSec = 12,
  kResponseTimeNsec = 13,
  kResponseMessage = 14,
};

constexpr uint64_t kTypeMessage = 1;  // Dnstap.Type MESSAGE
constexpr uint64_t kAuthQuery = 1;    // Message.Type; its response is next
constexpr uint64_t kClientQuery = 5;

// How a value is written (protobuf.dev, "Encoding").
enum WireType : uint32_t { kVarint = 0, kBytes = 2, kFixed32 = 5 };

class ProtoWriter {
 public:
  void Uint(uint32_t field, uint64_t value) {
    Tag(field, kVarint);
    Varint(value);
  }
  void Fixed32(uint32_t field, uint32_t value) {
    Tag(field, kFixed32);
    for (int shift = 0; shift < 32; shift += 8) {
      text_.push_back(static_cast<char>(value >> shift & 0xff));
    }
  }
  void Bytes(uint32_t field, absl::string_view bytes) {
    Tag(field, kBytes);
    Varint(bytes.size());
    text_.append(bytes.data(), bytes.size());
  }
  void Bytes(uint32_t field, std::span<const uint8_t> bytes) {
    Bytes(field, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  void Tag(uint32_t field, WireType type) { Varint(field << 3 | type); }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      text_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    }
    text_.push_back(static_cast<char>(value));
  }

  std::string text_;
};

bool IsOurs(const SampleView& sample) {
  return sample.response.size() >= kHeaderBytes &&
         (Load16(&sample.response[2]) & kFlagAa) != 0;
}

}  // namespace

std::string DnstapMessage(const DnstapOptions& options, DnstapKind kind,
                          const SampleView& sample) {
  const auto sec = static_cast<uint64_t>(sample.head.unix_ns / 1'000'000'000);
  const auto nsec = static_cast<uint32_t>(sample.head.unix_ns % 1'000'000'000);
  const bool is_response = kind == DnstapKind::kResponse;
  ProtoWriter message;
  message.Uint(kType, (IsOurs(sample) ? kAuthQuery : kClientQuery) +
                          (is_response ? 1 : 0));
  message.Uint(kSocketFamily, sample.head.client.is_v6() ? 2 : 1);
  message.Uint(kSocketProtocol,
               sample.head.transport == Transport::kTcp ? 2 : 1);
  message.Bytes(kQueryAddress, sample.head.client.ip_bytes());
  message.Uint(kQueryPort, sample.head.client.port());
  if (is_response) {
    message.Uint(kResponseTimeSec, sec);
    message.Fixed32(kResponseTimeNsec, nsec);
    message.Bytes(kResponseMessage, sample.response);
  } else {
    message.Uint(kQueryTimeSec, sec);
    message.Fixed32(kQueryTimeNsec, nsec);
    message.Bytes(kQueryMessage, sample.query);
  }
  ProtoWriter frame;
  if (!options.identity.empty()) frame.Bytes(kIdentity, options.identity);
  if (!options.version.empty()) frame.Bytes(kVersionText, options.version);
  frame.Bytes(kMessage, message.Take());
  frame.Uint(kDnstapType, kTypeMessage);
  return frame.Take();
}

}  // namespace dnsd
