// The reference responder: what the answer to a query must be, worked out
// slowly and plainly from the catalog with the rules of reference/consul.md.
//
// THIS CODE MUST NEVER SERVE: it walks the whole catalog per question. It is
// linked into tests only, and every fast answer is compared with it.
//
// Tested by: reference_responder_test (the answers captured from a real
//            Consul 1.8.7), scenario_test.
// Threads:   pure function of its arguments.
// Random:    Consul shuffles and picks; so the result is not one message but
//            what may be in it. ResponseCheck decides if a message fits.
#ifndef DNSD_TESTS_TESTING_REFERENCE_RESPONDER_H_
#define DNSD_TESTS_TESTING_REFERENCE_RESPONDER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/state.h"
#include "tests/testing/reference_records.h"
#include "tests/testing/rr_text.h"
#include "zones/policy.h"
#include "zones/responder.h"

namespace dnsd::testing {

// One record that is answered, in one of several spellings (instances that
// Consul takes for the same differ in weight), and what it brings along.
struct RefSlot {
  std::vector<Rr> records;    // one of these
  std::vector<Chain> extras;  // one of these, in ADDITIONAL; may be empty
  std::vector<Rr> texts;      // TXT in ADDITIONAL
};

enum class RefOpt : uint8_t { kForbidden, kRequired, kOptional };
enum class RefSoa : uint8_t { kForbidden, kRequired, kOptional };

struct ReferenceAnswer {
  // The query as it was read.
  bool dropped = false;  // send nothing
  bool parsed = false;   // the question is valid
  Message query;
  Transport transport = Transport::kUdp;
  RefName name;

  // Where the rules leave a choice, more than one rcode fits.
  std::set<uint16_t> rcodes;
  bool aa = false;
  bool loose_header = false;  // an error response: flags are not compared
  bool bare_allowed = false;  // 12 bytes without the question will do
  RefOpt opt = RefOpt::kForbidden;

  // ANSWER: `slots_max` of the slots, and exactly one of the chains if there
  // are any.
  std::vector<RefSlot> slots;
  size_t slots_max = std::numeric_limits<size_t>::max();
  std::vector<Chain> chains;
  // kRfc: records of a chain that are not of the asked type may be missing.
  bool chain_by_type = false;
  // Besides the slots, any of these may be answered (ANY at the apex).
  std::vector<RefSlot> any_subset;

  // AUTHORITY: up to three of the name servers, or a SOA.
  std::vector<RefSlot> name_servers;
  RefSoa soa = RefSoa::kForbidden;
  Rr soa_record;

  // ADDITIONAL, besides what slots bring.
  std::vector<Rr> extras;
  std::vector<Rr> optional_extras;

  bool cut_like_consul = false;  // PTR answers are never cut by Consul
};

// `packet` must be a query that ldns can read, or one that must be refused as
// malformed; see response_check.h for what is compared.
[[nodiscard]] ReferenceAnswer AskReference(const State& state,
                                           const ZonePolicy& policy,
                                           std::span<const uint8_t> packet,
                                           Transport transport);

// The two behaviours; AskReference() has read the question into `answer`.
void AnswerLikeConsul(const State& state, const ZonePolicy& policy,
                      ReferenceAnswer* answer);
void AnswerByRfc(const State& state, const ZonePolicy& policy,
                 ReferenceAnswer* answer);

// Shared by the two.
[[nodiscard]] RefQuestion QuestionOf(const ReferenceAnswer& answer);
// The name servers of the zone, each with its glue.
[[nodiscard]] std::vector<RefSlot> NameServers(const RefRecords& records,
                                               const ZonePolicy& policy,
                                               const ReferenceAnswer& answer,
                                               std::vector<const Node*>* nodes);
// SRV slots of the lookup's instances.
[[nodiscard]] std::vector<RefSlot> SrvSlots(const RefRecords& records,
                                            const ZonePolicy& policy,
                                            const RefLookup& lookup,
                                            const RefQuestion& question);
// Address slots and CNAME chains of the lookup's instances.
void AddressSlots(const RefRecords& records, const ZonePolicy& policy,
                  const RefLookup& lookup, const RefQuestion& question,
                  std::vector<RefSlot>* slots, std::vector<Chain>* chains);
// PTR records that would do for the reverse name asked for: one slot with
// all candidates, or none.
[[nodiscard]] std::vector<RefSlot> PtrSlots(const RefRecords& records,
                                            const ZonePolicy& policy,
                                            const ReferenceAnswer& answer,
                                            uint32_t ttl);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_REFERENCE_RESPONDER_H_
