// Puts one whole response together out of what the reference allows: either
// any one, or the one that a given response looks like.
//
// Tested by: reference_responder_test, responder_diff_test.
// Threads:   pure functions.
#ifndef DNSD_TESTS_TESTING_RESPONSE_ASSEMBLY_H_
#define DNSD_TESTS_TESTING_RESPONSE_ASSEMBLY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/testing/reference_responder.h"
#include "tests/testing/reference_truncation.h"

namespace dnsd::testing {

// What the response does not tell: in which order the records that it left
// out came, and, when a node's TXT stand before its address, which of the two
// Consul's trimming kept.
struct HiddenOrder {
  bool large_first = false;
  bool addresses_first = false;
};

struct Assembly {
  std::string error;         // "" or what in the response nothing allows
  RefPacket packet;          // before anything is cut off
  size_t matched_count = 0;  // answers of the response that were recognised
  // What the slots bring, and which answers are one CNAME chain.
  std::vector<Rr> addresses;
  std::vector<Rr> texts;
  size_t chain_size = 0;
  // ADDITIONAL has draws of random subsets: any of `possible` may come.
  bool additional_is_drawn = false;
  std::vector<Rr> possible;
};

// The response's records first, in its order; then the rest. `chain` selects
// one of the reference's chains, if it has any. An empty `like` gives an
// arbitrary response.
[[nodiscard]] Assembly Assemble(const ZonePolicy& policy,
                                const ReferenceAnswer& reference,
                                const Message& like, size_t chain,
                                HiddenOrder order);

// The OPT that belongs in the response, as a record.
[[nodiscard]] Rr ExpectedOpt(const ZonePolicy& policy,
                             const ReferenceAnswer& reference);

// Cuts as Consul does, if the reference says that Consul would.
TrimResult CutLikeConsul(const ZonePolicy& policy,
                         const ReferenceAnswer& reference, RefPacket* packet);

// The most bytes a response may have in kRfc.
[[nodiscard]] size_t RfcBytesMax(const ZonePolicy& policy,
                                 const ReferenceAnswer& reference);

// One response the reference is content with.
[[nodiscard]] Message Realize(const ZonePolicy& policy,
                              const ReferenceAnswer& reference);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_RESPONSE_ASSEMBLY_H_
