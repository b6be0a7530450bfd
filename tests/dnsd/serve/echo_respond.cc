// A stand-in for zones/responder.cc in the tests of the sockets, which are
// about bytes, not about DNS: the answer is the query with QR set. A first
// label "big60000" asks for an answer of 60,000 bytes.
//
// Link it before (or without) the zones library's responder.
#include <string.h>

#include <algorithm>

#include "zones/responder.h"

namespace dnsd {
namespace {

constexpr size_t kHeader = 12;
constexpr uint8_t kQr = 0x80;

size_t AnswerSize(std::span<const uint8_t> packet) {
  if (packet.size() < kHeader + 4) return packet.size();
  const size_t label_end =
      std::min(packet.size(), kHeader + 1 + packet[kHeader]);
  if (memcmp(&packet[kHeader + 1], "big", 3) != 0) return packet.size();
  size_t size = 0;
  for (size_t i = kHeader + 4; i < label_end; ++i) {
    size = size * 10 + (packet[i] - size_t{'0'});
  }
  return std::clamp(size, packet.size(), kResponseBytesMax);
}

}  // namespace

Response Respond(std::span<const uint8_t> packet, Transport /*transport*/,
                 const View& /*view*/, RespondContext* /*context*/,
                 uint8_t* out) {
  if (packet.size() < kHeader) return {Outcome::kDroppedShort, 0};
  if ((packet[2] & kQr) != 0) return {Outcome::kDroppedResponse, 0};
  const size_t size = AnswerSize(packet);
  memcpy(out, packet.data(), packet.size());
  memset(out + packet.size(), 0, size - packet.size());
  out[2] |= kQr;
  return {Outcome::kAnswered, size};
}

}  // namespace dnsd
