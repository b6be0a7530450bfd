// A stand-in for zones/responder.cc in the tests of the sockets, which are
// about bytes, not about DNS: the answer is the query with QR set. A first
// label "big60000" asks for an answer of 60,000 bytes. "wait5" is answered
// from a view with serial 5 on; before that it waits for datacenter 5. "ask5"
// waits for the prepared query of this name. A view that wants_asked_names is
// told of the service "web" for everything else. "rcode3" is answered with that
// RCODE, and with 11 or more by the outcomes of those that no header can say.
//
// Link it before (or without) the zones library's responder.
#include <string.h>

#include <algorithm>

#include "dnsd/serve/answer_numbers.h"
#include "zones/entry.h"
#include "zones/responder.h"
#include "zones/view.h"

namespace dnsd {
namespace {

constexpr size_t kHeader = 12;
constexpr uint8_t kQr = 0x80;

// The number behind `word` at the beginning of the first label, or -1.
int NumberAfter(std::span<const uint8_t> packet, const char* word) {
  const size_t size = strlen(word);
  if (packet.size() < kHeader + 1 + size) return -1;
  if (memcmp(&packet[kHeader + 1], word, size) != 0) return -1;
  const size_t end = std::min(packet.size(), kHeader + 1 + packet[kHeader]);
  int number = 0;
  for (size_t i = kHeader + 1 + size; i < end; ++i) {
    number = number * 10 + (packet[i] - '0');
  }
  return number;
}

// Whether the query has to wait; notes why.
bool IsPending(std::span<const uint8_t> packet, const View& view,
               AskedKey* asked) {
  const int datacenter = NumberAfter(packet, "wait");
  if (datacenter > static_cast<int>(view.serial)) {
    asked->kind = AskedKey::kDatacenter;
    asked->datacenter = static_cast<uint8_t>(datacenter);
    return true;
  }
  if (NumberAfter(packet, "ask") > static_cast<int>(view.serial)) {
    asked->kind = AskedKey::kQuery;
    asked->datacenter = 0;
    asked->name_size = static_cast<uint8_t>(packet[kHeader] + 1);
    memcpy(asked->name, &packet[kHeader], asked->name_size);
    return true;
  }
  return false;
}

// An entry with its key behind it, as the table has them.
struct WebEntry {
  Entry entry;
  uint8_t key[8];
};
constexpr WebEntry kWeb = {{.hash = 0x1234'5678'9abc'def0,
                            .size = sizeof(WebEntry),
                            .key_size = 4,
                            .datacenter = 3},
                           {3, 'w', 'e', 'b'}};

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
                 const View& view, RespondContext* context, uint8_t* out) {
  context->asked.kind = AskedKey::kNothing;
  context->qtype = QuestionType(packet);
  if (packet.size() < kHeader) return {Outcome::kDroppedShort, 0};
  if ((packet[2] & kQr) != 0) return {Outcome::kDroppedResponse, 0};
  if (IsPending(packet, view, &context->asked)) return {Outcome::kPending, 0};
  if (view.wants_asked_names) {
    context->asked.kind = AskedKey::kService;
    context->asked.entry = &kWeb.entry;
  }
  const size_t size = AnswerSize(packet);
  memcpy(out, packet.data(), packet.size());
  memset(out + packet.size(), 0, size - packet.size());
  out[2] |= kQr;
  const int rcode = NumberAfter(packet, "rcode");
  if (rcode == kCountedBadVers) return {Outcome::kBadVers, size};
  if (rcode == kCountedBadCookie) return {Outcome::kBadCookie, size};
  if (rcode > 0) out[3] |= static_cast<uint8_t>(rcode);
  return {Outcome::kAnswered, size};
}

size_t ServfailResponse(std::span<const uint8_t> packet, const View& /*view*/,
                        const RespondContext& /*context*/, uint8_t* out) {
  memcpy(out, packet.data(), packet.size());
  out[2] |= kQr;
  out[3] = 2;
  return packet.size();
}

size_t TruncatedResponse(std::span<const uint8_t> packet, const View& /*view*/,
                         const RespondContext& /*context*/, uint8_t* out) {
  memcpy(out, packet.data(), packet.size());
  out[2] |= kQr | 2;
  return packet.size();
}

}  // namespace dnsd
