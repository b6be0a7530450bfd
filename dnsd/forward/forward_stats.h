// ForwardNumbers counts what became of queries for other people's names.
//
// Threads: as dnsd/counter.h.
// Units:   queries, unless a name says otherwise.
#ifndef DNSD_DNSD_FORWARD_FORWARD_STATS_H_
#define DNSD_DNSD_FORWARD_FORWARD_STATS_H_

#include <cstdint>

#include "dnsd/counter.h"

namespace dnsd {

// `Number` is Counter inside a worker and uint64_t in a sum.
template <typename Number>
struct ForwardNumbers {
  Number queries{};     // of clients
  Number cache_hits{};  // answered from the cache, within their time
  Number stale{};       // answered from it past their time
  Number coalesced{};   // joined a question that was being asked already
  Number refused{};     // REFUSED: not an allowed network, or RD is not set
  Number table_full{};  // SERVFAIL: too many wait
  Number failed{};      // SERVFAIL: no upstream answered in time
  Number loops{};       // our own queries for loops that came back
  Number external{};    // lookups of names that our own data leads to

  Number sent{};               // queries to upstreams, probes included
  Number sent_tcp{};           // of those over TCP
  Number sent_tls{};           // of those over TLS
  Number hedged{};             // of those beside one that was slow
  Number timeouts{};           // upstreams that did not answer in time
  Number upstream_failures{};  // SERVFAIL, REFUSED, unreadable, unreachable
  Number wrong_replies{};      // messages with another id or question
  Number wrong_case{};         // replies that lost the question's letter case
  Number foreign_records{};    // of ANSWER, and of names nobody asked for
  Number no_edns{};            // upstreams found not to know EDNS

  Number tls_connections{};         // begun
  Number tls_handshakes{};          // of those, with a good certificate
  Number tls_resumed{};             // of those, by an earlier one's session
  Number tls_handshake_failures{};  // connections without
};

using ForwardStats = ForwardNumbers<Counter>;
using ForwardTotals = ForwardNumbers<uint64_t>;

// Those that neither the cache answered nor a rule refused.
[[nodiscard]] inline uint64_t CacheMisses(const ForwardTotals& totals) {
  const uint64_t other = totals.cache_hits + totals.stale + totals.refused;
  return totals.queries > other ? totals.queries - other : 0;
}

inline void AddTo(const ForwardStats& from, ForwardTotals* to) {
  to->queries += from.queries.value();
  to->cache_hits += from.cache_hits.value();
  to->stale += from.stale.value();
  to->coalesced += from.coalesced.value();
  to->refused += from.refused.value();
  to->table_full += from.table_full.value();
  to->failed += from.failed.value();
  to->external += from.external.value();
  to->loops += from.loops.value();
  to->sent += from.sent.value();
  to->sent_tcp += from.sent_tcp.value();
  to->sent_tls += from.sent_tls.value();
  to->hedged += from.hedged.value();
  to->timeouts += from.timeouts.value();
  to->upstream_failures += from.upstream_failures.value();
  to->wrong_replies += from.wrong_replies.value();
  to->wrong_case += from.wrong_case.value();
  to->foreign_records += from.foreign_records.value();
  to->no_edns += from.no_edns.value();
  to->tls_connections += from.tls_connections.value();
  to->tls_handshakes += from.tls_handshakes.value();
  to->tls_resumed += from.tls_resumed.value();
  to->tls_handshake_failures += from.tls_handshake_failures.value();
}

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARD_STATS_H_
