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

constexpr size_t kUdpHeaderBytes = 8;  // Consul subtracts it since 1.8.15
constexpr size_t kUdpBytesMax = 65467;
constexpr size_t kTcpBytesMax = 65523;
// Consul counts down by one until it is over by more than this, then it
// searches, until no record could fit in what is left.
constexpr size_t kSearchFromBytes = 100;
constexpr size_t kCloseEnoughBytes = 10;
constexpr uint32_t kTcpSrvMax = 1024;  // more do not fit 64 KiB
constexpr uint32_t kTcpOthersMax = 4096;

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
  RrList list;
  AnswerKind kind;
  RrOrder order;

  [[nodiscard]] bool is_srv() const { return kind == AnswerKind::kSrv; }

  const RrRecord& Record(uint32_t at) const {
    uint32_t offset = entry.Index(list)[at];
    return is_srv() ? entry.At<SrvRecord>(offset)->rr
                    : *entry.At<RrRecord>(offset);
  }

  // Writes up to `count` answers; how many were written.
  uint32_t WriteAnswers(uint32_t count) {
    Message& message = answer->message;
    uint32_t at = order.First();
    for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) {
      const RrRecord& record = Record(at);
      if (!message.Add(Message::kAnswer, record)) return i;
      if (is_srv()) {
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
      AddTarget(answer, entry, srv, target_at,
                {.addresses = true, .texts = texts});
    });
  }

  // Consul caps the answers of TCP without their additional records: those of
  // the answers left out stay.
  void WriteTargetsLeftOut(uint32_t count) {
    uint32_t at = order.First();
    for (uint32_t i = 0; i < list.count; ++i, at = order.Next(at)) {
      const auto* srv = entry.At<SrvRecord>(entry.Index(list)[at]);
      if (i < count || srv->address == 0) continue;
      if (!answer->message.AddTargetAddress(
              srv->rr, 0, *entry.At<RrRecord>(srv->address))) {
        return;
      }
    }
  }

  // The addresses of every different target, or the texts of every node.
  // `first_only` is Consul's syncExtra: one record per target.
  void WriteDistinctTargets(uint32_t count, bool first_only) {
    IdSet seen;
    ForEachTarget(count, [&](const SrvRecord& srv, size_t target_at) {
      if (!seen.Insert(srv.target_id)) return;
      AddTarget(answer, entry, srv, target_at,
                {.addresses = true, .first_only = first_only});
    });
  }
  void WriteDistinctTexts(uint32_t count) {
    IdSet seen;
    ForEachTarget(count, [&](const SrvRecord& srv, size_t target_at) {
      if (srv.texts == 0) return;
      if (!seen.Insert(entry.At<TextBlock>(srv.texts)->id)) return;
      AddTarget(answer, entry, srv, target_at, {.texts = true});
    });
  }
};

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
    answer->Truncated();
  }
  if (!batch->is_srv()) return;
  batch->WriteDistinctTargets(written, false);
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
  batch->WriteAnswers(count);
  if (batch->is_srv()) {
    if (in_sync) {
      batch->WriteDistinctTargets(count, true);
    } else {
      batch->WriteTargets(count, true);
      if (count < batch->list.count) batch->WriteTargetsLeftOut(count);
    }
  }
  if (message.overflowed()) return SIZE_MAX;
  size_t size = uncompressed ? message.uncompressed_size() : message.size();
  return in_sync ? size : size + message.opt_size();
}

// Consul's dnsBinaryTruncate: how many answers fit `bytes_max`, give or take
// its short cut.
uint32_t SearchConsul(Batch* batch, uint32_t count, size_t bytes_max,
                      bool uncompressed) {
  uint32_t low = 0;
  uint32_t high = count + 1;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    size_t size = WriteConsul(batch, middle, true, uncompressed);
    if (size > bytes_max) {
      high = middle;
    } else if (bytes_max - size < kCloseEnoughBytes) {
      return middle;
    } else {
      low = middle;
    }
  }
  return low;
}

void FitConsul(Answer* answer, Batch* batch, uint32_t all) {
  Message& message = answer->message;
  message.set_limit(kResponseBytesMax - message.opt_size());
  bool udp = answer->transport == Transport::kUdp;
  uint32_t count = all;
  if (!udp) count = std::min(all, batch->is_srv() ? kTcpSrvMax : kTcpOthersMax);
  ConsulLimits limits = ConsulLimitsOf(*answer);
  bool in_sync = false;
  bool uncompressed = false;
  if (all > limits.answers_max) {
    count = limits.answers_max;
    in_sync = uncompressed = true;
  }
  size_t size = WriteConsul(batch, count, in_sync, uncompressed);
  bool cut = false;
  while (count > 1 && size > limits.bytes_max) {
    cut = in_sync = true;
    if (size > limits.search_bytes_max + kSearchFromBytes) {
      count = SearchConsul(batch, count, limits.search_bytes_max, uncompressed);
    } else {
      --count;
    }
    size = WriteConsul(batch, count, true, uncompressed);
  }
  if (in_sync) message.want_opt = false;
  if (udp ? count < all : cut) answer->Truncated();
}

}  // namespace

uint32_t CapAddresses(const ZonePolicy& policy, uint32_t count) {
  if (policy.a_record_limit <= 0) return count;
  return std::min(count, static_cast<uint32_t>(policy.a_record_limit));
}

ConsulLimits ConsulLimitsOf(const Answer& answer) {
  if (answer.transport == Transport::kTcp) {
    return {kTcpBytesMax, kTcpBytesMax, UINT32_MAX};
  }
  size_t offered = answer.query.has_opt ? answer.query.udp_size : 0;
  size_t size = std::min(std::max(kUdpPlainMax, offered), kUdpBytesMax);
  uint32_t answers_max = UINT32_MAX;
  if (size == kUdpPlainMax) {
    answers_max = ConsulUdpAnswersMax(answer.view.policy);
  }
  return {size - kUdpHeaderBytes, size, answers_max};
}

void AnswerRecords(Answer* answer, const Entry& entry, RrList list,
                   AnswerKind kind) {
  RrOrder order = kind == AnswerKind::kNode
                      ? RrOrder(list.count)
                      : RrOrder(list.count, &answer->context.random);
  Batch batch{answer, entry, list, kind, order};
  uint32_t count = list.count;
  if (kind == AnswerKind::kAddresses) {
    count = CapAddresses(answer->view.policy, count);
  }
  if (answer->view.rfc()) {
    FitRfc(answer, &batch, count);
  } else {
    FitConsul(answer, &batch, count);
  }
}

}  // namespace dnsd
