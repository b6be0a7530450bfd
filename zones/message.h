// Message assembles one response in a caller's buffer. HOT PATH
//
// Sections must be written in order. Owner names are pointers: to the
// question, or to a name written before; names too far for a pointer
// (beyond 14 bits) are written in full.
//
// Threads: one owner, on its stack.
// Errors:  a record that does not fit below `limit` is not written and the
//          call returns false; nothing before it is touched.
#ifndef DNSD_ZONES_MESSAGE_H_
#define DNSD_ZONES_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "zones/cookie.h"
#include "zones/entry.h"
#include "zones/query.h"
#include "zones/view.h"
#include "zones/wire.h"

namespace dnsd {

class Message {
 public:
  enum Section : uint8_t { kAnswer, kAuthority, kAdditional };

  // Copies header and question. `limit` bounds the message without its OPT.
  Message(const Query& query, const View& view, uint8_t* out, size_t limit);

  // The domain the question was asked under: names stored without it get it
  // as the question spells it.
  void SetSuffix(const Domain& domain);
  // The same without a question under our domain (reverse names): the
  // primary domain in lower case.
  void SetPrimarySuffix();

  // A record whose owner is the question's name, or the name written at
  // `owner` when that is not 0.
  bool Add(Section section, const RrRecord& record, size_t owner = 0);
  // The address record of an SRV's or NS's target, which is at `target_at`, or
  // is not in the message when that is 0.
  bool AddTargetAddress(const RrRecord& target, size_t target_at,
                        const RrRecord& address);
  // Where the rdata's name of the record just added begins.
  [[nodiscard]] size_t last_name_at(size_t name_offset) const {
    return last_record_ + name_offset + (last_owner_size_ - 2);
  }

  // SOA of the domain asked (RFC 2308 section 3 in AUTHORITY).
  bool AddSoa(Section section, uint32_t serial, uint32_t ttl);

  // The TXT records of a block under <node>.node.<dc>.<domain>, or under the
  // name at `owner`. Those that do not fit are left out. Where the owner was
  // written is remembered for the next block of the node.
  void AddTexts(const TextBlock& block, std::span<const uint8_t> datacenter,
                size_t owner);

  // One record from its parts. `owner` is 0 for the question's name, else
  // the place of a name in the message: of a label of the question, or of a
  // name in rdata.
  bool AddRaw(Section section, size_t owner, uint16_t type, uint32_t ttl,
              std::span<const uint8_t> rdata);
  // The same for the question's name as Consul spells it where it makes the
  // name anew: lower case left of the domain. kRfc echoes it as it is.
  bool AddLowered(Section section, uint16_t type, uint32_t ttl,
                  std::span<const uint8_t> rdata);

  // Drops everything after the question, to assemble anew.
  void Rewind();

  [[nodiscard]] size_t size() const { return at_; }
  [[nodiscard]] size_t uncompressed_size() const { return at_ + saved_; }
  [[nodiscard]] uint16_t count(Section section) const {
    return counts_[section];
  }
  // The whole name written at `at`, read back.
  [[nodiscard]] std::span<const uint8_t> NameAt(size_t at) const;
  // Whether something was left out for the limit since the last Rewind().
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] size_t suffix_size() const { return suffix_size_; }
  void set_limit(size_t limit) { limit_ = limit; }
  void set_ttl_override(bool on, uint32_t ttl) {
    override_ttl_ = on;
    ttl_ = ttl;
  }
  // Records what the SRV just added makes available for later names.
  void NoteTarget(const RrRecord& record, size_t target_at);

  uint16_t flags = 0;  // AA, TC, RA: or-ed into the header
  Rcode rcode = kNoError;
  bool want_opt = false;
  uint16_t opt_udp_size = 0;
  bool opt_dnssec_ok = false;

  // Options of the OPT record, to be asked for before records are added: the
  // query's ECS with scope 0, a cookie, and "Stale Answer" (RFC 8914).
  void EchoEcs() {
    echo_ecs_ = true;
    opt_options_size_ += query_.ecs_size;
  }
  // The cookie that the query is to get, if there is one.
  void AddCookie() {
    if (query_.cookie_reply != nullptr) {
      opt_options_size_ += kCookieOptionBytes;
    }
  }
  // How long we keep an idle connection, in units of 100 ms (RFC 7828).
  void AddKeepalive(uint16_t timeout) {
    keepalive_ = timeout;
    opt_options_size_ += kKeepaliveOptionBytes;
  }
  void MarkStale() {
    mark_stale_ = true;
    opt_options_size_ += kStaleOptionBytes;
  }

  // Bytes the OPT record will take.
  [[nodiscard]] size_t opt_size() const {
    return want_opt ? kOptBytes + opt_options_size_ : 0;
  }
  // Writes OPT and header; the message's size.
  size_t Finish();

 private:
  static constexpr size_t kOptBytes = 11;         // without options
  static constexpr size_t kStaleOptionBytes = 6;  // without text
  static constexpr size_t kCookieOptionBytes = 4 + kCookieBytes;
  static constexpr size_t kKeepaliveOptionBytes = 6;

  void PutOptionsSlow();
  [[nodiscard]] size_t OwnerSize(size_t owner) const;
  void PutOwner(size_t owner);
  void Begin(Section section, size_t owner);
  void PutHead(uint16_t type, uint32_t ttl, size_t rdata_size);
  void Put(std::span<const uint8_t> bytes) {
    std::memcpy(out_ + at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  // Whether so many bytes more fit; remembers when they do not.
  [[nodiscard]] bool Fits(size_t size) {
    if (at_ + size <= limit_) return true;
    overflowed_ = true;
    return false;
  }
  void PutNodeName(const TextBlock& block, std::span<const uint8_t> datacenter);
  void PutPointer(size_t at) {
    Store16(out_ + at_, static_cast<uint32_t>(0xc000 | at));
    at_ += 2;
  }
  // Pointers reach names written below kPointerMax only.
  [[nodiscard]] bool CanPoint(size_t at) const {
    return compress_ && at != 0 && at <= kPointerMax;
  }

  const Query& query_;
  const View& view_;
  uint8_t* out_;
  size_t at_;
  size_t limit_;
  size_t saved_ = 0;  // bytes that pointers saved so far
  uint16_t counts_[3] = {0, 0, 0};
  bool compress_;
  bool overflowed_ = false;
  bool override_ttl_ = false;
  bool echo_ecs_ = false;
  bool mark_stale_ = false;
  uint16_t keepalive_ = 0;
  size_t opt_options_size_ = 0;
  uint32_t ttl_ = 0;
  const uint8_t* suffix_ = nullptr;  // domain with root label
  size_t suffix_size_ = 0;
  size_t suffix_at_ = 0;  // where a pointer finds it; 0: nowhere
  size_t primary_size_;   // what rdlength was compiled for
  size_t node_at_ = 0;    // "node.<dc>.<domain>" in the message, or 0
  size_t addr_at_ = 0;    // "addr.<dc>.<domain>"
  size_t dc_at_ = 0;      // "<dc>.<domain>"
  // Where the owners of the TextBlocks with the lowest ids were written.
  static constexpr size_t kTextOwnersMax = 64;
  uint16_t text_owner_at_[kTextOwnersMax];
  bool text_owners_known_ = false;
  size_t last_record_ = 0;  // where the last record begins
  size_t last_owner_size_ = 2;
  const Domain* domain_ = nullptr;  // the one asked under
};

}  // namespace dnsd

#endif  // DNSD_ZONES_MESSAGE_H_
