// Every limit of the data plane and of the HTTP server, each with its reason.
#ifndef DNSD_DNSD_LIMITS_H_
#define DNSD_DNSD_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace dnsd {

inline constexpr int kWorkersMax = 256;  // with dnsd-xfr, Qsbr::kReadersMax

// --- UDP, per worker ---

// Messages per recvmmsg and sendmmsg. 32 and 64 measure the same; 64 leaves
// more to group by client.
inline constexpr size_t kUdpBatchMessages = 64;

// A query fits a fraction of this even with EDNS options, cookies and TSIG.
// What is longer is not a query; it is counted and dropped.
inline constexpr size_t kUdpQueryBytesMax = 4096;

// Answers of one batch lie one after another in here. Enough for a whole
// batch at the usual 1232 bytes and the room Respond() wants for one more.
inline constexpr size_t kUdpArenaBytes = 256u << 10;

// Longer answers do not leave together with others: what fits every path
// without fragments (RFC 9715) is all that the kernel may be asked to cut.
inline constexpr size_t kUdpSegmentBytesMax = 1400;

// Batches answered before TCP and posted tasks get their turn: about 3 ms of
// work. Returning after each batch would cost 6 %, after 16 it is lost in the
// noise.
inline constexpr int kUdpBatchesPerTurn = 16;

// A last drain when the worker stops answers what the receive buffer can hold
// (4 MiB are about 5,500 small packets); more only if clients keep sending.
inline constexpr int kUdpBatchesAtStop = 128;

// The system's default holds 277 small packets, 3 ms at 100,000 a second, and
// loses some at any rate.
inline constexpr int kUdpReceiveBufferBytes = 4 << 20;

// Several batches of large answers while the network card is busy.
inline constexpr int kUdpSendBufferBytes = 1 << 20;

// Networks and names whose answers are counted where their rate is limited, 16
// bytes each. With more of them than that at a time the quietest are forgotten.
inline constexpr uint32_t kRateTableSize = 1u << 16;

// How long a full send buffer may hold the worker, once per batch. Waiting
// moves the pressure to the receive buffer, which is larger; waiting longer
// would starve TCP.
inline constexpr int kUdpSendWaitMs = 1;

// --- TCP, per worker ---

// Connections to wait in the kernel until accepted; others drop SYNs at 32.
inline constexpr int kTcpBacklog = 4096;

// Above it the longest-idle connection makes room for the new one. A quiet
// connection costs under 1 KiB here and a few in the kernel.
inline constexpr size_t kTcpConnectionsMax = 4096;

// One client must not push out all others. IPv6 clients own a /64.
inline constexpr size_t kTcpConnectionsPerClientMax = 100;

// Accepted in one go before UDP gets its turn.
inline constexpr int kTcpAcceptsPerTurn = 64;

// How long to leave the accept queue alone when descriptors or memory ran out
// and there is no connection to close instead.
inline constexpr uint64_t kTcpAcceptPauseMs = 100;

// RFC 7766 6.2.3 asks for a few seconds; 10 keeps resolvers' reuse working.
inline constexpr uint64_t kTcpIdleMs = 10'000;

// From a frame's first byte to its last. An honest client writes a frame at
// once; this leaves room for a retransmission.
inline constexpr uint64_t kTcpFrameMs = 2'000;

// A client that takes nothing of its answers for so long is gone; long enough
// for several retransmissions.
inline constexpr uint64_t kTcpNotReadingMs = 10'000;

// Read at once from one connection: hundreds of pipelined queries, and well
// under a millisecond of work.
inline constexpr size_t kTcpReadBytes = 64u << 10;

// Answers collected before they are written, and so the most that one
// connection leaves unsent: reading stops until the client has taken it. A
// write happens when the longest frame (64 KiB) no longer fits.
inline constexpr size_t kTcpArenaBytes = 128u << 10;

// Writes per turn of one connection whose queries have long answers. The rest
// waits for the next turn, so that one connection cannot hold up UDP.
inline constexpr int kTcpWritesPerTurn = 4;

// Buffers of all connections together: partial and blocked frames, unsent
// answers. One connection may need 256 KiB; all of them must not need 1 GiB.
inline constexpr size_t kTcpBufferedBytesMax = 32u << 20;

// A connection keeps an empty buffer up to this size for its next use: most
// partial frames fit, and all connections together keep little.
inline constexpr size_t kTcpBufferKeptBytes = 1024;

// The timer that looks for expired connections: a quarter of the shortest
// timeout, but not more often than this.
inline constexpr uint64_t kTcpSweepMsMin = 10;

// How often a stopping worker looks whether its clients have read everything.
inline constexpr uint64_t kStopCheckMs = 5;

// --- Queries that wait for the catalog, per worker ---

// What clients ask in three seconds while a datacenter is being loaded, not
// what a flood would: at the usual 100 bytes a query it is 0.5 MiB, at the
// very worst (kUdpQueryBytesMax) 4.5 MiB.
inline constexpr size_t kParkedQueriesMax = 1024;

// Stub resolvers try the next server after 5 s, so they are told before; a
// round trip to another datacenter, retries included, takes less.
inline constexpr uint64_t kParkedMs = 3'000;

// What a parked query waits for is told to the sync thread again after this:
// the ring may have been full, or the first request have failed.
inline constexpr uint64_t kParkedRepeatMs = 1'000;

// The timer behind these two: a quarter of the shorter, but not more often.
inline constexpr uint64_t kParkedTickMsMin = 10;

// How many names outside our zones one query may have asked for in turn: an
// SRV answer has as many as it has targets. The rest is left out.
inline constexpr int kExternalLookupsMax = 8;

// --- Names of others, forwarded, per worker ---

// Clients that wait for an upstream. At 1,000 a second that take the whole
// time until they are told, 5,000 wait; 4,096 at the usual 200 bytes each are
// under 1 MiB, at the very worst (kUdpQueryBytesMax) 17 MiB.
inline constexpr size_t kForwardWaitingMax = 4096;

// Of them with one question. Who has more clients than that behind one address
// has a cache there; others are a flood.
inline constexpr size_t kForwardWaitingPerQuestionMax = 256;

// Sockets to upstreams. A question has one, two where the first is slow.
inline constexpr size_t kForwardSocketsMax = 1024;

// A client's whole wait: stub resolvers try the next server after 5 s.
inline constexpr uint64_t kForwardTotalMs = 5'000;

// A second upstream is asked beside the first when that is so much slower than
// usual (times its mean round trip), but not before this.
inline constexpr uint64_t kForwardHedgeRtts = 3;
inline constexpr uint64_t kForwardHedgeMsMin = 50;

// Failures in a row that make an upstream be asked last, and how often it is
// tried by a query of its own from then on; the interval doubles.
inline constexpr int kForwardFailuresMax = 3;
inline constexpr uint64_t kForwardProbeMsMin = 1'000;
inline constexpr uint64_t kForwardProbeMsMax = 30'000;

// Messages to one socket that answer something else. By accident there is a
// late one at times; many are somebody who guesses ids, so TCP is used.
inline constexpr int kForwardWrongRepliesMax = 20;

// Replies in another letter case that TCP then confirmed: the upstream does
// not keep it, and is asked without for a while.
inline constexpr int kForwardWrongCaseMax = 3;

// How long an upstream is asked without EDNS, or mixed case, before it is tried
// again: it may have been replaced.
inline constexpr uint64_t kForwardFallbackMs = 3'600'000;

// How often an upstream that does not answer is looked at for a loop: a second
// query where it was silent, and one in a minute is not noticed.
inline constexpr uint64_t kForwardLoopProbeMs = 60'000;

// Rows of a dump of the cache: what is asked for by default, and at most. One
// is some 150 bytes of JSON.
inline constexpr size_t kForwardDumpRows = 1'000;
inline constexpr size_t kForwardDumpRowsMax = 10'000;

// Questions that wait on one TLS connection to an upstream: as many as there
// may be sockets.
inline constexpr size_t kForwardTlsWaitingMax = kForwardSocketsMax;

// From connect() to the end of the handshake; and how long the upstream's
// kernel may leave data unacknowledged.
inline constexpr uint64_t kForwardTlsHandshakeMs = 4'000;

// A TLS connection without questions. Servers close theirs after 10 to 60 s.
inline constexpr uint64_t kForwardTlsIdleMs = 30'000;

// After a failed handshake the next waits so long, or each question would cost
// one; and the log hears of the same failure so often.
inline constexpr uint64_t kForwardTlsRetryMs = 250;
inline constexpr uint64_t kForwardTlsTellMs = 60'000;

// What our OPT to upstreams says (DNS flag day 2020): not fragmented.
inline constexpr uint16_t kForwardUdpSize = 1232;

// --- Reports of names that are asked for, per worker ---

// One slot remembers one name: 8 KiB in all. With 10,000 names in use several
// share a slot and are reported more often than they need be.
inline constexpr size_t kAskedSlots = 1024;

// A name that is asked all the time is reported so often. Who watches it keeps
// doing so for much longer.
inline constexpr uint64_t kAskedRepeatMs = 10'000;

static_assert(kTcpArenaBytes > 2 + 65535, "the longest frame fits");
static_assert(kUdpArenaBytes > 65535, "Respond() finds its room");

// --- HTTP, on the sync thread ---

// Request line and headers together; a longer head is answered 431. Consul's
// clients send a few hundred bytes, a token and a filter expression included.
inline constexpr size_t kHttpHeadBytesMax = 16u << 10;

// Header fields of one request: each costs two strings, so bytes alone would
// let 16 KiB of one-letter headers cost 16 times that.
inline constexpr size_t kHttpHeadersMax = 128;

// Consul's own limits for a value of its KV store and for a transaction.
inline constexpr size_t kConsulBodyBytesMax = 512u << 10;

// What an agent by itself takes: its largest body is such a value.
inline constexpr size_t kHttpBodyBytesMax = kConsulBodyBytesMax;

// Chunk sizes, extensions and trailers: what a chunked body may cost beside
// its bytes, per byte of body and in all. One-byte chunks cost 5.
inline constexpr size_t kHttpChunkOverheadPerByte = 8;
inline constexpr size_t kHttpChunkOverheadBytes = 16u << 10;

// Consul's limits.http_max_conns_per_client.
inline constexpr size_t kHttpConnectionsPerClientMax = 200;

// 20,000 parked requests with room to spare; a connection without unread data
// costs about 1.5 KiB.
inline constexpr size_t kHttpConnectionsMax = 32'768;

// Connections that only wait for their 429 to be read; more are closed unread.
inline constexpr size_t kHttpRejectedMax = 64;

// Requests in flight of one client, and of all: what waits for the disk, for a
// reload, for a slow reader of a long answer. Parked requests are none. Each
// may hold a body, so all of them 2 GiB at the worst.
inline constexpr size_t kHttpRequestsPerClientMax = 512;
inline constexpr size_t kHttpRequestsMax = 4'096;

// Waiting in the kernel until accepted.
inline constexpr int kHttpBacklog = 1024;

// Consul's limits.https_handshake_timeout: until a TLS handshake is through.
inline constexpr uint64_t kHttpHandshakeMs = 5'000;

// From a request's first byte (or the connection's start) to the end of its
// head. Honest clients write it at once; slow ones must not collect sockets.
inline constexpr uint64_t kHttpHeadMs = 10'000;

// Between requests, for a whole body, and for a client that takes nothing of
// its answer: longer than the 30 s that Go's and Java's pools keep a socket.
inline constexpr uint64_t kHttpIdleMs = 60'000;

// After a client's FIN, for an answer that is still being made (its
// registration waits for the disk); a parked request ends with this.
inline constexpr uint64_t kHttpHalfCloseMs = 2'000;

// After our FIN, for the client to read and to close: closing at once would
// reset the connection and could take the answer with it.
inline constexpr uint64_t kHttpLingerMs = 1'000;

// How often the timeouts are looked at, at most: a quarter of the shortest.
inline constexpr uint64_t kHttpSweepMsMin = 10;
inline constexpr uint64_t kHttpSweepMsMax = 1'000;

// One read buffer for all connections: they are served one after another.
inline constexpr size_t kHttpReadBytes = 64u << 10;

// Pipelined bytes behind a parked request, per connection; then reading stops
// until it is answered.
inline constexpr size_t kHttpPipelinedBytesMax = 16u << 10;

// Unsent answers of one connection; above it the next pipelined request waits
// until the client has read some. One answer may be longer than that.
inline constexpr size_t kHttpUnsentBytesMax = 256u << 10;

// --- HTTP passed through to Consul ---

// Requests with Consul at a time, each of which holds a connection over plain
// HTTP. Consul takes 200 from one client; 150 are the mirror's, and 5 are left
// for whoever else asks from this address.
inline constexpr size_t kPassthroughRequestsMax = 45;

// Bodies are collected before they are passed on. Consul has endpoints that
// take more than a value (it refuses long values itself): configuration
// entries, certificates, snapshots. It is what any one connection may hold, so
// longer snapshots are better restored at a Consul.
inline constexpr size_t kPassthroughBodyBytesMax = 16u << 20;

static_assert(kHttpLingerMs < kHttpIdleMs && kHttpHeadMs <= kHttpIdleMs,
              "the idle timeout is the long one");

}  // namespace dnsd

#endif  // DNSD_DNSD_LIMITS_H_
