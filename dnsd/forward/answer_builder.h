// AnswerBuilder writes the records of a reply that are passed on into an
// UpstreamAnswer. Names are read from the reply, so that no pointer of it is
// left, and compressed anew: those that end like the question point there, and
// so take on the letters of each client.
//
// Threads:   a value of one owner.
// Ownership: the records and the answer are the caller's and outlive it.
// Errors:    false; the answer is then of no use.
// Limits:    kAnswerBytesMax.
#ifndef DNSD_DNSD_FORWARD_ANSWER_BUILDER_H_
#define DNSD_DNSD_FORWARD_ANSWER_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/forward/reply_records.h"
#include "dnsd/forward/upstream_answer.h"

namespace dnsd {

// Leaves room for an OPT with a cookie and an extended error in a message of
// 65,535 bytes.
inline constexpr size_t kAnswerBytesMax = 65535 - 64;

class AnswerBuilder {
 public:
  // `flags`: the second word of the header.
  AnswerBuilder(const ForwardQuestion& question, uint16_t flags,
                const ReplyRecords* records, UpstreamAnswer* answer);

  // False when its rdata is not what its type has, or there is no room.
  [[nodiscard]] bool Add(const ReplyRecord& rr, uint32_t ttl);
  // The records added from now on are of AUTHORITY.
  void BeginAuthority() { count_at_ = 8; }

  // Of the record added last.
  [[nodiscard]] uint16_t rdata_at() const { return rdata_at_; }

 private:
  void PutName(const std::string& name, bool may_point);
  [[nodiscard]] size_t PointerTo(const std::string& lower, size_t label) const;
  [[nodiscard]] bool PutRdata(const ReplyRecord& rr);
  [[nodiscard]] bool PutNames(const ReplyRecord& rr, size_t at, size_t count,
                              bool may_point, size_t* end);
  void Put16(uint32_t value);

  const ReplyRecords* records_;
  UpstreamAnswer* answer_;
  size_t qname_size_;
  size_t count_at_ = 6;
  uint16_t rdata_at_ = 0;
  // Names in lower case and where they are written.
  std::vector<std::pair<std::string, uint16_t>> known_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_ANSWER_BUILDER_H_
