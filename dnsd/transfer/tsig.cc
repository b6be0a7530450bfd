#include "dnsd/transfer/tsig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kRecordHeadBytes = 10;  // type, class, TTL, rdlength
constexpr size_t kTimersBytes = 8;       // time and fudge
// RFC 8945 5.2.2.1: no shorter MAC is looked at.
constexpr size_t kMacBytesMin = 10;

struct AlgorithmRow {
  TsigAlgorithm algorithm;
  const char* name;
  const EVP_MD* (*digest)();
};
constexpr AlgorithmRow kAlgorithms[] = {
    {TsigAlgorithm::kHmacSha1, "hmac-sha1", EVP_sha1},
    {TsigAlgorithm::kHmacSha224, "hmac-sha224", EVP_sha224},
    {TsigAlgorithm::kHmacSha256, "hmac-sha256", EVP_sha256},
    {TsigAlgorithm::kHmacSha384, "hmac-sha384", EVP_sha384},
    {TsigAlgorithm::kHmacSha512, "hmac-sha512", EVP_sha512},
};

const AlgorithmRow& RowOf(TsigAlgorithm algorithm) {
  return kAlgorithms[static_cast<size_t>(algorithm)];
}

std::string AlgorithmWire(TsigAlgorithm algorithm) {
  std::string wire;
  DNSD_CHECK(NameToWire(RowOf(algorithm).name, &wire));
  return wire;
}

std::string NameWire(const Name& name) {
  return {reinterpret_cast<const char*>(name.lower), name.size};
}

void Put(std::span<const uint8_t> bytes, std::string* out) {
  out->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}
void Put16(uint32_t value, std::string* out) {
  out->push_back(static_cast<char>(value >> 8 & 0xff));
  out->push_back(static_cast<char>(value & 0xff));
}
void PutTime(uint64_t time, std::string* out) {
  Put16(static_cast<uint16_t>(time >> 32), out);
  Put16(static_cast<uint16_t>(time >> 16), out);
  Put16(static_cast<uint16_t>(time), out);
}

uint64_t LoadTime(const uint8_t* at) {
  return uint64_t{Load16(at)} << 32 | Load32(at + 2);
}

// What a digest covers besides messages (RFC 8945 section 4.3.3).
struct Variables {
  uint64_t time = 0;
  uint16_t fudge = 0;
  uint16_t error = 0;
  std::string other;
};

// `message` is without its TSIG record, as its header says too.
std::string Mac(const TsigSession& session, std::span<const uint8_t> message,
                const Variables& variables) {
  std::string text;
  text.reserve(message.size() + 512);
  if (!session.mac.empty()) {
    Put16(static_cast<uint32_t>(session.mac.size()), &text);
    text += session.mac;
  }
  Put(message, &text);
  if (session.is_continued) {
    PutTime(variables.time, &text);
    Put16(variables.fudge, &text);
  } else {
    text += session.key->name;
    Put16(kClassAny, &text);
    text.append(4, '\0');  // TTL
    text += AlgorithmWire(session.key->algorithm);
    PutTime(variables.time, &text);
    Put16(variables.fudge, &text);
    Put16(variables.error, &text);
    Put16(static_cast<uint32_t>(variables.other.size()), &text);
    text += variables.other;
  }
  std::array<uint8_t, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  const std::string& secret = session.key->secret;
  HMAC(RowOf(session.key->algorithm).digest(), secret.data(),
       static_cast<int>(secret.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), mac.data(),
       &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

// Walks over a name that may end in a pointer; its end, or 0.
size_t SkipName(std::span<const uint8_t> message, size_t at) {
  const size_t begin = at;
  while (at < message.size() && at - begin < kNameBytesMax) {
    const uint8_t size = message[at];
    if (size == 0) return at + 1;
    if (size >= 0xc0) return at + 2 <= message.size() ? at + 2 : 0;
    if (size > kLabelBytesMax) return 0;
    at += 1u + size;
  }
  return 0;
}

// The end of the record at `at`, or 0.
size_t SkipRecord(std::span<const uint8_t> message, size_t at) {
  at = SkipName(message, at);
  if (at == 0 || message.size() - at < kRecordHeadBytes) return 0;
  const size_t rdata_size = Load16(&message[at + 8]);
  at += kRecordHeadBytes;
  return message.size() - at < rdata_size ? 0 : at + rdata_size;
}

// Whether the record at `at`, which is whole, is a TSIG.
bool IsTsig(std::span<const uint8_t> message, size_t at) {
  return Load16(&message[SkipName(message, at)]) == kTypeTsig;
}

// Reads the TSIG record at `at`, which ends the message.
bool ReadRecord(std::span<const uint8_t> message, size_t at,
                TsigRecord* record) {
  record->offset = at;
  // RFC 8945 4.2: neither name is compressed. Some compress the key's all the
  // same; nobody has to read that.
  size_t size = ParseName(message.subspan(at), &record->key);
  if (size == 0) return false;
  at += size;
  if (Load16(&message[at + 2]) != kClassAny || Load32(&message[at + 4]) != 0) {
    return false;
  }
  at += kRecordHeadBytes;
  size = ParseName(message.subspan(at), &record->algorithm);
  if (size == 0) return false;
  at += size;
  std::span<const uint8_t> rest = message.subspan(at);
  if (rest.size() < kTimersBytes + 2) return false;
  record->time = LoadTime(rest.data());
  record->fudge = Load16(&rest[6]);
  const size_t mac_size = Load16(&rest[8]);
  rest = rest.subspan(kTimersBytes + 2);
  if (rest.size() < mac_size + 6) return false;
  record->mac = rest.first(mac_size);
  rest = rest.subspan(mac_size);
  record->original_id = Load16(rest.data());
  record->error = Load16(&rest[2]);
  const size_t other_size = Load16(&rest[4]);
  record->other = rest.subspan(6);
  return record->other.size() == other_size;
}

bool IsTimely(const TsigRecord& record, uint64_t now) {
  const uint64_t apart =
      now > record.time ? now - record.time : record.time - now;
  return apart <= record.fudge;
}

// Whether the record's MAC is right for the session's key. Shorter ones than
// the digest's (RFC 8945 5.2.2.1) are compared as far as they go.
bool MacIsRight(std::span<const uint8_t> message, const TsigRecord& record,
                const TsigSession& session, size_t* full_size) {
  Variables variables{record.time, record.fudge, record.error, ""};
  Put(record.other, &variables.other);
  const std::string mac = Mac(session, WithoutTsig(message, record), variables);
  *full_size = mac.size();
  return record.mac.size() >= std::max(kMacBytesMin, mac.size() / 2) &&
         record.mac.size() <= mac.size() &&
         CRYPTO_memcmp(mac.data(), record.mac.data(), record.mac.size()) == 0;
}

}  // namespace

std::optional<TsigAlgorithm> ParseTsigAlgorithm(const std::string& text) {
  absl::string_view name = text;
  if (absl::EndsWith(name, ".")) name.remove_suffix(1);
  for (const AlgorithmRow& row : kAlgorithms) {
    if (absl::EqualsIgnoreCase(name, row.name)) return row.algorithm;
  }
  return std::nullopt;
}

TsigParse ParseTsig(std::span<const uint8_t> message, TsigRecord* record) {
  if (message.size() < kHeaderBytes) return TsigParse::kFormErr;
  size_t at = kHeaderBytes;
  for (size_t i = Load16(&message[4]); i > 0; --i) {
    at = SkipName(message, at);
    if (at == 0 || message.size() - at < 4) return TsigParse::kFormErr;
    at += 4;
  }
  const size_t records =
      size_t{Load16(&message[6])} + Load16(&message[8]) + Load16(&message[10]);
  for (size_t i = records; i > 0; --i) {
    const size_t end = SkipRecord(message, at);
    if (end == 0) return TsigParse::kFormErr;
    if (IsTsig(message, at)) {
      const bool is_last = i == 1 && end == message.size();
      if (!is_last || Load16(&message[10]) == 0 ||
          !ReadRecord(message, at, record)) {
        return TsigParse::kFormErr;
      }
      return TsigParse::kSigned;
    }
    at = end;
  }
  return TsigParse::kNone;
}

std::vector<uint8_t> WithoutTsig(std::span<const uint8_t> message,
                                 const TsigRecord& record) {
  std::vector<uint8_t> bare(
      message.begin(), message.begin() + static_cast<ptrdiff_t>(record.offset));
  Store16(bare.data(), record.original_id);
  Store16(&bare[10], Load16(&bare[10]) - 1u);
  return bare;
}

void VerifyQuestion(std::span<const TsigKey> keys,
                    std::span<const uint8_t> message, const TsigRecord& record,
                    uint64_t now, TsigSession* session) {
  *session = TsigSession();
  const std::string name = NameWire(record.key);
  const std::string algorithm = NameWire(record.algorithm);
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& k) {
    return k.name == name && AlgorithmWire(k.algorithm) == algorithm;
  });
  if (key == keys.end()) {
    session->error = kBadKey;
  } else {
    session->key = &*key;
    size_t full_size = 0;
    if (!MacIsRight(message, record, *session, &full_size)) {
      session->error = kBadSig;
    } else if (!IsTimely(record, now)) {
      session->error = kBadTime;
    } else if (record.mac.size() < full_size) {
      session->error = kBadTrunc;
    }
  }
  if (session->error == kBadKey || session->error == kBadSig) {
    // RFC 8945 5.3.2: the answer is not signed.
    session->key = nullptr;
    session->echo_key = name;
    session->echo_algorithm = algorithm;
    return;
  }
  session->client_time = record.time;
  session->client_fudge = record.fudge;
  Put(record.mac, &session->mac);
}

bool VerifyAnswer(std::span<const uint8_t> message, const TsigRecord& record,
                  uint64_t now, TsigSession* session) {
  if (NameWire(record.key) != session->key->name ||
      NameWire(record.algorithm) != AlgorithmWire(session->key->algorithm)) {
    return false;
  }
  size_t full_size = 0;
  if (!MacIsRight(message, record, *session, &full_size) ||
      record.mac.size() != full_size || !IsTimely(record, now) ||
      record.error != kTsigOk) {
    return false;
  }
  session->mac.clear();
  Put(record.mac, &session->mac);
  session->is_continued = true;
  return true;
}

size_t AppendTsig(TsigSession* session, uint64_t now, uint8_t* message,
                  size_t size) {
  if (!session->is_signed()) return size;
  Variables variables{now, kTsigFudge, session->error, ""};
  if (session->error == kBadTime) {
    // RFC 8945 5.2.3: the client's time where its own is, ours behind it.
    PutTime(now, &variables.other);
    variables.time = session->client_time;
    variables.fudge = session->client_fudge;
  }
  const bool is_question = session->mac.empty();
  std::string mac;
  if (session->key != nullptr) {
    mac = Mac(*session, {message, size}, variables);
    session->mac = mac;
    session->is_continued = !is_question;
  }
  std::string record =
      session->key != nullptr ? session->key->name : session->echo_key;
  Put16(kTypeTsig, &record);
  Put16(kClassAny, &record);
  record.append(4, '\0');  // TTL
  std::string rdata = session->key != nullptr
                          ? AlgorithmWire(session->key->algorithm)
                          : session->echo_algorithm;
  PutTime(variables.time, &rdata);
  Put16(variables.fudge, &rdata);
  Put16(static_cast<uint32_t>(mac.size()), &rdata);
  rdata += mac;
  Put16(Load16(message), &rdata);  // original id
  Put16(variables.error, &rdata);
  Put16(static_cast<uint32_t>(variables.other.size()), &rdata);
  rdata += variables.other;
  Put16(static_cast<uint32_t>(rdata.size()), &record);
  record += rdata;
  std::memcpy(message + size, record.data(), record.size());
  Store16(message + 10, Load16(message + 10) + 1u);
  return size + record.size();
}

}  // namespace dnsd
