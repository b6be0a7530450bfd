// ReplyRecords reads the records of an upstream's reply, in all sections, as
// they lie there: bounds and owner names are checked, rdata is not.
//
// Threads:   a value of one owner.
// Ownership: the reply is the caller's and has to outlive it.
// Errors:    false, or 0, for what cannot be read.
// Limits:    names of 255 bytes; a compression pointer points backwards, in
//            front of all that was read for the name so far (RFC 1035 4.1.4),
//            so no name costs more than 128 jumps.
#ifndef DNSD_DNSD_FORWARD_REPLY_RECORDS_H_
#define DNSD_DNSD_FORWARD_REPLY_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dnsd {

// Types that only others' answers have (RFC 3403, 6672, 4034, 5155).
inline constexpr uint16_t kTypeNaptr = 35;
inline constexpr uint16_t kTypeDname = 39;
inline constexpr uint16_t kTypeRrsig = 46;
inline constexpr uint16_t kTypeNsec = 47;
inline constexpr uint16_t kTypeNsec3 = 50;

enum class ReplySection : uint8_t { kAnswer, kAuthority, kAdditional };

struct ReplyRecord {
  uint32_t name_at = 0;  // see ReplyRecords::owner()
  uint16_t name_size = 0;
  uint16_t type = 0;
  uint16_t rclass = 0;
  uint16_t rdata_at = 0;  // in the reply
  uint16_t rdata_size = 0;
  uint32_t ttl = 0;  // with the top bit set: 0 (RFC 2181 section 8)
  ReplySection section = ReplySection::kAnswer;
};

// Writes the name at `at` without compression, letter case kept, to `name`.
// Returns its size in place, pointer included, or 0 when it cannot be read.
[[nodiscard]] size_t ExpandName(std::span<const uint8_t> message, size_t at,
                                std::string* name);

// Letters in lower case; the lengths of labels, at most 63, are no letters.
void LowerName(std::string* name);

// Whether `name` is `ancestor` or lies below it; both in lower case.
[[nodiscard]] bool IsAtOrBelow(std::span<const uint8_t> name,
                               std::span<const uint8_t> ancestor);

class ReplyRecords {
 public:
  // Reads as many as the header counts, the first at `at`.
  [[nodiscard]] bool Read(std::span<const uint8_t> reply, size_t at);

  [[nodiscard]] const std::vector<ReplyRecord>& all() const { return all_; }
  // Uncompressed and in lower case.
  [[nodiscard]] std::span<const uint8_t> owner(const ReplyRecord& rr) const {
    return {reinterpret_cast<const uint8_t*>(names_.data()) + rr.name_at,
            rr.name_size};
  }
  [[nodiscard]] std::span<const uint8_t> rdata(const ReplyRecord& rr) const {
    return reply_.subspan(rr.rdata_at, rr.rdata_size);
  }
  [[nodiscard]] std::span<const uint8_t> reply() const { return reply_; }
  // The upper bits of the rcode, from the OPT (RFC 6891 6.1.3).
  [[nodiscard]] uint8_t extended_rcode() const { return extended_rcode_; }

 private:
  [[nodiscard]] size_t ReadOne(size_t at, ReplySection section);

  std::span<const uint8_t> reply_;
  std::vector<ReplyRecord> all_;
  std::string names_;
  uint8_t extended_rcode_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_REPLY_RECORDS_H_
