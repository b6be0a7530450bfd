// Queries and upstream replies for tests, written from text.
//
// Threads: plain functions.
// Errors:  text that is no record fails the test; names must be names.
#ifndef DNSD_TESTS_DNSD_FORWARD_UPSTREAM_PACKETS_H_
#define DNSD_TESTS_DNSD_FORWARD_UPSTREAM_PACKETS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnsd/forward/upstream_answer.h"
#include "tests/testing/rr_text.h"
#include "zones/query.h"

namespace dnsd::testing {

// A reply, its records uncompressed.
struct ReplyText {
  std::string qname = "www.example.com.";
  uint16_t qtype = 1;
  uint16_t id = 0x1234;
  uint16_t flags = 0x8180;  // QR RD RA
  std::vector<std::string> answer;
  std::vector<std::string> authority;
  std::vector<std::string> additional;
};
[[nodiscard]] std::string WriteReply(const ReplyText& text);

[[nodiscard]] SentQuery Sent(const std::string& name, uint16_t qtype);

// A client's query; the packet lives as long as it does.
struct ClientQuery {
  std::string packet;
  Query query;

  ClientQuery(const std::string& name, uint16_t qtype,
              const QueryOptions& options = {});
  ClientQuery(const ClientQuery&) = delete;
  ClientQuery& operator=(const ClientQuery&) = delete;
};

// ReadReply() of what must be kAnswer.
[[nodiscard]] UpstreamAnswer MustRead(const ReplyText& text,
                                      const SentQuery& sent);
[[nodiscard]] ReplyVerdict Judge(const std::string& reply,
                                 const SentQuery& sent);

// What a client gets, read back by ldns.
[[nodiscard]] Message ForClient(const UpstreamAnswer& answer,
                                const ClientQuery& client,
                                const ClientAnswerOptions& options = {},
                                Transport transport = Transport::kUdp,
                                uint64_t seed = 1);

// Every ttl_at is where a TTL is, and there are as many as records; "" or what
// is wrong.
[[nodiscard]] std::string CheckTtls(const UpstreamAnswer& answer);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DNSD_FORWARD_UPSTREAM_PACKETS_H_
