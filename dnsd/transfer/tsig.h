// TSIG (RFC 8945): messages signed with a shared key, the ones of a zone
// transfer included, where each digest covers the MAC before it.
//
// Threads:   pure functions; a TsigSession has one owner.
// Ownership: keys outlive the sessions that name them.
// Errors:    by value. A secret is in no message.
// Units:     times in seconds since 1970.
#ifndef DNSD_DNSD_TRANSFER_TSIG_H_
#define DNSD_DNSD_TRANSFER_TSIG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zones/name.h"

namespace dnsd {

enum class TsigAlgorithm : uint8_t {
  kHmacSha1,
  kHmacSha224,
  kHmacSha256,
  kHmacSha384,
  kHmacSha512,
};

// "hmac-sha256", of any case, with or without the final dot.
[[nodiscard]] std::optional<TsigAlgorithm> ParseTsigAlgorithm(
    const std::string& text);

struct TsigKey {
  std::string name;  // wire form, lower case
  TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256;
  std::string secret;  // its bytes

  bool operator==(const TsigKey&) const = default;
};

// RFC 8945 section 3.
enum TsigError : uint16_t {
  kTsigOk = 0,
  kBadSig = 16,
  kBadKey = 17,
  kBadTime = 18,
  kBadTrunc = 22,
};

// How far apart the clocks of client and server may be (RFC 8945 section 10).
inline constexpr uint16_t kTsigFudge = 300;

// The most that AppendTsig() adds.
inline constexpr size_t kTsigBytesMax = 2 * kNameBytesMax + 10 + 16 + 64 + 6;

// The TSIG record of a message. Its bytes are the message's.
struct TsigRecord {
  size_t offset = 0;  // of the record: the message without it ends here
  Name key;
  Name algorithm;
  uint64_t time = 0;
  uint16_t fudge = 0;
  std::span<const uint8_t> mac;
  uint16_t original_id = 0;
  uint16_t error = 0;
  std::span<const uint8_t> other;
};

enum class TsigParse : uint8_t {
  kNone,    // not signed
  kSigned,  // the record is read, and not verified
  kFormErr,
};

// Looks for a TSIG record, which stands at the message's end or is an error
// (RFC 8945 section 5.2).
[[nodiscard]] TsigParse ParseTsig(std::span<const uint8_t> message,
                                  TsigRecord* record);

// The message without its TSIG record: as the signer's DNS made it.
[[nodiscard]] std::vector<uint8_t> WithoutTsig(std::span<const uint8_t> message,
                                               const TsigRecord& record);

// What the MACs of one question and its answers have in common.
struct TsigSession {
  const TsigKey* key = nullptr;  // nullptr: nothing is signed
  TsigError error = kTsigOk;     // what answers have to say
  std::string mac;               // the last one of either side
  bool is_continued = false;     // the next message is not the first answer
  uint64_t client_time = 0;      // of a question whose time was bad
  uint16_t client_fudge = 0;
  std::string echo_key;  // kBadKey, kBadSig: names to echo, wire form
  std::string echo_algorithm;

  // Whether answers carry a TSIG record.
  [[nodiscard]] bool is_signed() const {
    return key != nullptr || !echo_key.empty();
  }
};

// Verifies a question with a key among `keys` (RFC 8945 section 5.2). What is
// wrong is session->error; answers are to say NOTAUTH then.
void VerifyQuestion(std::span<const TsigKey> keys,
                    std::span<const uint8_t> message, const TsigRecord& record,
                    uint64_t now, TsigSession* session);

// Verifies the answer to what was signed in this session. Answers of several
// messages must all be signed.
[[nodiscard]] bool VerifyAnswer(std::span<const uint8_t> message,
                                const TsigRecord& record, uint64_t now,
                                TsigSession* session);

// Signs a message in place, which has room for kTsigBytesMax more: a question,
// when nothing was signed before in the session, or an answer. Returns its
// size, which is the old one when the session is not signed.
[[nodiscard]] size_t AppendTsig(TsigSession* session, uint64_t now,
                                uint8_t* message, size_t size);

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TSIG_H_
