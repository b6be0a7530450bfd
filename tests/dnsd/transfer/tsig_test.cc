// TSIG against another implementation, ldns: what either signs the other
// verifies, single messages and streams of them. And what RFC 8945 section 5.2
// says about signatures that are not right.
#include "dnsd/transfer/tsig.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/testing/rr_text.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr char kName[] = "xfr.example.";
constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

uint64_t Now() { return static_cast<uint64_t>(std::time(nullptr)); }

Bytes MakeQuery() {
  const std::string query =
      testing::BuildQuery("example.test.", kTypeSoa, testing::QueryOptions());
  return {query.begin(), query.end()};
}

TsigKey MakeKey(TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256) {
  return {testing::WireName(kName), algorithm, kSecret};
}

// The message, signed by us.
Bytes Signed(Bytes message, TsigSession* session, uint64_t time = Now()) {
  const size_t size = message.size();
  message.resize(size + kTsigBytesMax);
  message.resize(AppendTsig(session, time, message.data(), size));
  return message;
}

// A question signed by us in a session of its own.
Bytes SignedQuery(const TsigKey& key, TsigSession* session,
                  uint64_t time = Now()) {
  session->key = &key;
  return Signed(MakeQuery(), session, time);
}

// The session refers to the keys.
TsigSession Verified(std::span<const TsigKey> keys, const Bytes& message,
                     uint64_t now = Now()) {
  TsigRecord record;
  TsigSession session;
  EXPECT_EQ(ParseTsig(message, &record), TsigParse::kSigned);
  VerifyQuestion(keys, message, record, now, &session);
  return session;
}

// A packet as ldns has it.
class LdnsPacket {
 public:
  explicit LdnsPacket(const Bytes& wire) {
    if (ldns_wire2pkt(&packet_, wire.data(), wire.size()) != LDNS_STATUS_OK) {
      packet_ = nullptr;
    }
  }
  ~LdnsPacket() { ldns_pkt_free(packet_); }
  LdnsPacket(const LdnsPacket&) = delete;
  LdnsPacket& operator=(const LdnsPacket&) = delete;

  [[nodiscard]] ldns_pkt* get() const { return packet_; }
  [[nodiscard]] bool ok() const { return packet_ != nullptr; }

  [[nodiscard]] Bytes Wire() const {
    uint8_t* wire = nullptr;
    size_t size = 0;
    EXPECT_EQ(ldns_pkt2wire(&wire, packet_, &size), LDNS_STATUS_OK);
    const Bytes bytes(wire, wire + size);
    LDNS_FREE(wire);
    return bytes;
  }

 private:
  ldns_pkt* packet_ = nullptr;
};

// A MAC in ldns' form: its length in front.
std::unique_ptr<ldns_rdf, void (*)(ldns_rdf*)> MacOf(const std::string& mac) {
  Bytes data(2 + mac.size());
  Store16(data.data(), static_cast<uint32_t>(mac.size()));
  std::memcpy(data.data() + 2, mac.data(), mac.size());
  return {
      ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, data.size(), data.data()),
      ldns_rdf_deep_free};
}

struct Algorithm {
  TsigAlgorithm ours;
  const char* theirs;
};

// ldns knows no hmac-sha224 and hmac-sha384.
class TsigLdnsTest : public ::testing::TestWithParam<Algorithm> {
 protected:
  const TsigKey key_ = MakeKey(GetParam().ours);
  const std::string secret_ = absl::Base64Escape(kSecret);
};

TEST_P(TsigLdnsTest, VerifiesWhatLdnsSigns) {
  const LdnsPacket packet(MakeQuery());
  ASSERT_TRUE(packet.ok());
  ASSERT_EQ(ldns_pkt_tsig_sign(packet.get(), kName, secret_.c_str(), 300,
                               GetParam().theirs, nullptr),
            LDNS_STATUS_OK);
  EXPECT_EQ(Verified({&key_, 1}, packet.Wire()).error, kTsigOk);
}

TEST_P(TsigLdnsTest, LdnsVerifiesAQuestion) {
  TsigSession session;
  const Bytes wire = SignedQuery(key_, &session);
  const LdnsPacket packet(wire);
  ASSERT_TRUE(packet.ok());
  EXPECT_TRUE(ldns_pkt_tsig_verify(packet.get(), wire.data(), wire.size(),
                                   kName, secret_.c_str(), nullptr));
}

TEST_P(TsigLdnsTest, LdnsVerifiesAStream) {
  TsigSession client;
  TsigSession server = Verified({&key_, 1}, SignedQuery(key_, &client));
  std::string mac = client.mac;
  for (int i = 0; i < 4; ++i) {
    const Bytes wire = Signed(MakeQuery(), &server);
    const LdnsPacket packet(wire);
    ASSERT_TRUE(packet.ok());
    EXPECT_TRUE(ldns_pkt_tsig_verify_next(packet.get(), wire.data(),
                                          wire.size(), kName, secret_.c_str(),
                                          MacOf(mac).get(), i > 0 ? 1 : 0))
        << i;
    mac = server.mac;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Algorithms, TsigLdnsTest,
    ::testing::Values(Algorithm{TsigAlgorithm::kHmacSha1, "hmac-sha1."},
                      Algorithm{TsigAlgorithm::kHmacSha256, "hmac-sha256."},
                      Algorithm{TsigAlgorithm::kHmacSha512, "hmac-sha512."}));

TEST(TsigTest, EveryAlgorithmGoesBothWays) {
  for (const char* name : {"hmac-sha1", "HMAC-SHA224", "hmac-sha256.",
                           "hmac-sha384", "hmac-sha512"}) {
    const auto algorithm = ParseTsigAlgorithm(name);
    ASSERT_TRUE(algorithm) << name;
    const TsigKey key = MakeKey(*algorithm);
    TsigSession client;
    TsigSession server = Verified({&key, 1}, SignedQuery(key, &client));
    EXPECT_EQ(server.error, kTsigOk) << name;
    for (int i = 0; i < 3; ++i) {
      const Bytes answer = Signed(MakeQuery(), &server);
      TsigRecord record;
      ASSERT_EQ(ParseTsig(answer, &record), TsigParse::kSigned);
      EXPECT_TRUE(VerifyAnswer(answer, record, Now(), &client)) << name;
    }
  }
  EXPECT_FALSE(ParseTsigAlgorithm("hmac-md5"));
}

TEST(TsigTest, AMessageOfAStreamThatIsMissingIsNoticed) {
  const TsigKey key = MakeKey();
  TsigSession client;
  TsigSession server = Verified({&key, 1}, SignedQuery(key, &client));
  const Bytes first = Signed(MakeQuery(), &server);
  const Bytes second = Signed(MakeQuery(), &server);
  TsigRecord record;
  ASSERT_EQ(ParseTsig(second, &record), TsigParse::kSigned);
  EXPECT_FALSE(VerifyAnswer(second, record, Now(), &client));
}

TEST(TsigTest, UnknownKeyOrAlgorithmIsBadKey) {
  const TsigKey key = MakeKey();
  TsigSession client;
  const Bytes query = SignedQuery(key, &client);
  TsigKey other = key;
  other.name = testing::WireName("other.");
  for (const std::vector<TsigKey>& keys :
       {std::vector<TsigKey>(), std::vector<TsigKey>{other},
        std::vector<TsigKey>{MakeKey(TsigAlgorithm::kHmacSha512)}}) {
    TsigSession server = Verified(keys, query);
    EXPECT_EQ(server.error, kBadKey);
    // RFC 8945 5.3.2: said without a MAC.
    const Bytes answer = Signed(MakeQuery(), &server);
    TsigRecord record;
    ASSERT_EQ(ParseTsig(answer, &record), TsigParse::kSigned);
    EXPECT_EQ(record.error, kBadKey);
    EXPECT_TRUE(record.mac.empty());
    EXPECT_FALSE(VerifyAnswer(answer, record, Now(), &client));
  }
}

TEST(TsigTest, AnyBitThatIsChangedIsNoticed) {
  const TsigKey key = MakeKey();
  TsigSession client;
  const Bytes query = SignedQuery(key, &client);
  for (size_t i = 0; i < query.size() * 8; ++i) {
    Bytes changed = query;
    changed[i / 8] ^= static_cast<uint8_t>(1u << i % 8);
    TsigRecord record;
    if (ParseTsig(changed, &record) != TsigParse::kSigned) continue;
    TsigSession server;
    VerifyQuestion({&key, 1}, changed, record, Now(), &server);
    // The digest has the original id, not the header's (section 4.3.2), and
    // names in lower case.
    const bool is_id = i < 16;
    const bool is_letter_case =
        i % 8 == 5 && i / 8 >= record.offset && (query[i / 8] | 0x20) >= 'a';
    if (is_id || is_letter_case) continue;
    EXPECT_NE(server.error, kTsigOk) << "bit " << i;
  }
}

TEST(TsigTest, ClocksThatDifferAreBadTime) {
  const TsigKey key = MakeKey();
  const uint64_t now = Now();
  for (const uint64_t time : {now - kTsigFudge - 1, now + kTsigFudge + 1}) {
    TsigSession client;
    TsigSession server =
        Verified({&key, 1}, SignedQuery(key, &client, time), now);
    EXPECT_EQ(server.error, kBadTime);
    const Bytes answer = Signed(MakeQuery(), &server, now);
    TsigRecord record;
    ASSERT_EQ(ParseTsig(answer, &record), TsigParse::kSigned);
    EXPECT_EQ(record.error, kBadTime);
    // Section 5.2.3: signed, with the client's time and ours.
    EXPECT_EQ(record.time, time);
    ASSERT_EQ(record.other.size(), 6u);
    EXPECT_EQ(Load32(record.other.data() + 2), static_cast<uint32_t>(now));
    EXPECT_EQ(record.mac.size(), 32u);
  }
  TsigSession client;
  EXPECT_EQ(
      Verified({&key, 1}, SignedQuery(key, &client, now - kTsigFudge), now)
          .error,
      kTsigOk);
}

// The query with a MAC of so many bytes.
Bytes Shortened(const Bytes& query, size_t mac_bytes) {
  TsigRecord record;
  EXPECT_EQ(ParseTsig(query, &record), TsigParse::kSigned);
  const auto mac_at = static_cast<size_t>(record.mac.data() - query.data());
  const size_t cut = record.mac.size() - mac_bytes;
  Bytes shorter = query;
  shorter.erase(
      shorter.begin() + static_cast<ptrdiff_t>(mac_at + mac_bytes),
      shorter.begin() + static_cast<ptrdiff_t>(mac_at + record.mac.size()));
  Store16(&shorter[mac_at - 2], static_cast<uint32_t>(mac_bytes));
  const size_t rdlength_at = record.offset + record.key.size + 8;
  Store16(&shorter[rdlength_at],
          Load16(&shorter[rdlength_at]) - static_cast<uint32_t>(cut));
  return shorter;
}

TEST(TsigTest, ShortMacsAreBad) {
  const TsigKey key = MakeKey();
  TsigSession client;
  const Bytes query = SignedQuery(key, &client);
  EXPECT_EQ(Verified({&key, 1}, Shortened(query, 16)).error, kBadTrunc);
  EXPECT_EQ(Verified({&key, 1}, Shortened(query, 15)).error, kBadSig);
  EXPECT_EQ(Verified({&key, 1}, Shortened(query, 0)).error, kBadSig);
}

TEST(TsigTest, EveryPrefixIsMalformedOrUnsigned) {
  const TsigKey key = MakeKey();
  TsigSession client;
  const Bytes query = SignedQuery(key, &client);
  for (size_t size = 0; size < query.size(); ++size) {
    TsigRecord record;
    EXPECT_EQ(ParseTsig({query.data(), size}, &record), TsigParse::kFormErr)
        << size;
  }
  Bytes longer = query;
  longer.push_back(0);
  TsigRecord record;
  EXPECT_EQ(ParseTsig(longer, &record), TsigParse::kFormErr);
  EXPECT_EQ(ParseTsig(MakeQuery(), &record), TsigParse::kNone);
}

TEST(TsigTest, TheRecordMustBeTheLast) {
  const TsigKey key = MakeKey();
  TsigSession client;
  Bytes query = SignedQuery(key, &client);
  const Bytes opt = {0, 0, kTypeOpt, 4, 208, 0, 0, 0, 0, 0, 0};
  query.insert(query.end(), opt.begin(), opt.end());
  Store16(&query[10], 2);
  TsigRecord record;
  EXPECT_EQ(ParseTsig(query, &record), TsigParse::kFormErr);
}

}  // namespace
}  // namespace dnsd
