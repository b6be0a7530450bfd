// How many records of a list go into a response, and what of ADDITIONAL.
// HOT PATH
//
// kRfc:    answers until the next does not fit (TC), then the targets'
//          addresses, then TXT, as far as they fit (RFC 2181 section 9).
// kConsul: Consul's trimUDPResponse and trimTCPResponse (consul.md 1.9).
#include <algorithm>

#include "zones/answer.h"
#include "zones/rr_order.h"

namespace dnsd {
namespace {

constexpr uint32_t kUdpAnswersMax = 8;  // Consul's maxUDPAnswerLimit
constexpr int kUdpAnswerLimitDefault = 3;
constexpr size_t kUdpHeaderBytes = 8;  // Consul subtracts it since 1.8.15
constexpr size_t kUdpBytesMax = 65467;
constexpr size_t kTcpBytesMax = 65523;
constexpr uint32_t kSrvMax = 1024;  // more do not fit 64 KiB
constexpr uint32_t kOthersMax = 4096;

// Ids of an entry seen so far. Ids beyond its size count as new: no message
// holds so many records.
class IdSet {
 public:
  [[nodiscard]] bool Insert(size_t id) {
    if (id >= kIdsMax) return true;
    uint64_t bit = uint64_t{1} << (id % 64);
    bool is_new = (words_[id / 64] & bit) == 0;
    words_[id / 64] |= bit;
    return is_new;
  }

 private:
  static constexpr size_t kIdsMax = 4096;
  uint64_t words_[kIdsMax / 64] = {};
};

// One list, in one order, written as often as it takes.
struct Batch {
  Answer* answer;
  const Entry& entry;
  const RrList& list;
  bool is_srv;
  RrOrder order;
  // The smallest number of records that could not be written, for kConsul.
  bool overflow = false;

  const RrRecord& Record(uint32_t at) const {
    uint32_t offset = entry.Index(list)[at];
    return is_srv ? entry.At<SrvRecord>(offset)->rr
                  : *entry.At<RrRecord>(offset);
  }

  // Writes up to `count` answers; how many were written.
  uint32_t WriteAnswers(uint32_t count) {
    Message& message = answer->message;
    uint32_t at = order.First();
    for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) {
      const RrRecord& record = Record(at);
      if (!message.Add(Message::kAnswer, record)) return i;
      if (is_srv) {
        message.NoteTarget(record, message.last_name_at(kSrvTargetOffset));
      }
    }
    return count;
  }

  // Where the targets of the answers written are: they follow each other.
  template <typename Visit>
  void ForEachTarget(uint32_t count, Visit visit) const {
    const Query& query = answer->query;
    size_t owner_size =
        answer->view.policy.disable_compression ? query.qname.size : 2u;
    size_t suffix_size = answer->message.suffix_size();
    size_t place = kHeaderBytes + query.question_size();
    uint32_t at = order.First();
    for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) {
      const auto* srv = entry.At<SrvRecord>(entry.Index(list)[at]);
      visit(*srv, place + owner_size - 2 + kSrvTargetOffset);
      place += owner_size - 2 + srv->rr.size;
      if ((srv->rr.flags & RrRecord::kInDomain) != 0) place += suffix_size;
    }
  }

  // As Consul does it: all of it for every answer, repeated or not.
  void WriteTargets(uint32_t count, bool texts) {
    ForEachTarget(count, [&](const SrvRecord& srv, size_t target_at) {
      AddTarget(answer, entry, srv, target_at, true, texts);
    });
  }

  // The addresses of every different target, or the texts of every node.
  void WriteDistinctTargets(uint32_t count) {
    IdSet seen;
    ForEachTarget(count, [&](const SrvRecord& srv, size_t target_at) {
      if (!seen.Insert(srv.target_id)) return;
      AddTarget(answer, entry, srv, target_at, true, false);
    });
  }
  void WriteDistinctTexts(uint32_t count) {
    IdSet seen;
    ForEachTarget(count, [&](const SrvRecord& srv, size_t target_at) {
      if (srv.texts == 0) return;
      if (!seen.Insert(entry.At<TextBlock>(srv.texts)->id)) return;
      AddTarget(answer, entry, srv, target_at, false, true);
    });
  }
};

uint32_t CapAddresses(const Answer& answer, bool is_srv, uint32_t count) {
  int cap = answer.view.policy.a_record_limit;
  if (is_srv || cap <= 0) return count;
  return std::min(count, static_cast<uint32_t>(cap));
}

void FitRfc(Answer* answer, Batch* batch, uint32_t count) {
  Message& message = answer->message;
  const ZonePolicy& policy = answer->view.policy;
  uint32_t wanted = count;
  if (policy.udp_answer_limit && answer->transport == Transport::kUdp &&
      !answer->query.has_opt) {
    wanted = std::min(count, static_cast<uint32_t>(*policy.udp_answer_limit));
  }
  message.set_limit(answer->limit - message.opt_size());
  uint32_t written = batch->WriteAnswers(wanted);
  if (written < count) {
    message.flags |= kFlagTc;
    answer->outcome = Outcome::kTruncated;
  }
  if (!batch->is_srv) return;
  batch->WriteDistinctTargets(written);
  if (batch->entry.has_texts) batch->WriteDistinctTexts(written);
}

// The size Consul compares with its limit, after writing `count` answers.
// `in_sync`: ADDITIONAL has been cut to one address per target, which also
// loses the OPT.
size_t WriteConsul(Batch* batch, uint32_t count, bool in_sync,
                   bool uncompressed) {
  Answer* answer = batch->answer;
  Message& message = answer->message;
  message.Rewind();
  batch->overflow = batch->WriteAnswers(count) < count;
  if (batch->is_srv) {
    if (in_sync) {
      batch->WriteDistinctTargets(count);
    } else {
      batch->WriteTargets(count, true);
    }
  }
  if (batch->overflow) return SIZE_MAX;
  size_t size = uncompressed ? message.uncompressed_size() : message.size();
  return in_sync ? size : size + message.opt_size();
}

void FitConsul(Answer* answer, Batch* batch, uint32_t all) {
  Message& message = answer->message;
  const ZonePolicy& policy = answer->view.policy;
  message.set_limit(kResponseBytesMax - message.opt_size());
  uint32_t count = std::min(all, batch->is_srv ? kSrvMax : kOthersMax);
  bool udp = answer->transport == Transport::kUdp;
  size_t size_max = kTcpBytesMax;
  bool in_sync = false;
  bool uncompressed = false;
  bool has_extra = batch->is_srv || message.want_opt;
  if (udp) {
    size_t size = std::min(
        std::max<size_t>(kUdpPlainMax,
                         answer->query.has_opt ? answer->query.udp_size : 0),
        kUdpBytesMax);
    uint32_t cap = std::min(
        kUdpAnswersMax, static_cast<uint32_t>(policy.udp_answer_limit.value_or(
                            kUdpAnswerLimitDefault)));
    if (size == kUdpPlainMax && all > cap) {
      count = cap;
      in_sync = uncompressed = true;
    }
    size_max = size - kUdpHeaderBytes;
  }
  bool cut = false;
  size_t size = WriteConsul(batch, count, in_sync, uncompressed);
  if (count > 1 && size > size_max) {
    in_sync = cut = true;
    uint32_t fits = 1;
    uint32_t too_many = count;
    while (too_many - fits > 1) {
      uint32_t middle = fits + (too_many - fits) / 2;
      if (WriteConsul(batch, middle, true, uncompressed) <= size_max) {
        fits = middle;
      } else {
        too_many = middle;
      }
    }
    WriteConsul(batch, fits, true, uncompressed);
    count = fits;
  }
  if (in_sync && has_extra) message.want_opt = false;
  if (udp ? count < all : cut) {
    answer->outcome = Outcome::kTruncated;
    if (policy.enable_truncate) message.flags |= kFlagTc;
  }
}

}  // namespace

void AnswerRecords(Answer* answer, const Entry& entry, const RrList& list,
                   bool is_srv) {
  Batch batch{answer, entry, list, is_srv,
              RrOrder(list.count, &answer->context.random)};
  uint32_t count = CapAddresses(*answer, is_srv, list.count);
  if (answer->view.rfc()) {
    FitRfc(answer, &batch, count);
  } else {
    FitConsul(answer, &batch, count);
  }
}

}  // namespace dnsd
