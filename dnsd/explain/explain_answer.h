// AskResponder() asks the responder as a client does, and reads its answer
// through ldns.
//
// Threads: any that may read the view.
// Errors:  what ldns cannot read is said in the explanation's steps.
#ifndef DNSD_DNSD_EXPLAIN_EXPLAIN_ANSWER_H_
#define DNSD_DNSD_EXPLAIN_EXPLAIN_ANSWER_H_

#include <cstdint>
#include <string>

#include "dnsd/explain/explain.h"
#include "dnsd/explain/explanation.h"
#include "zones/responder.h"

namespace dnsd {

// The packet of the question.
[[nodiscard]] std::string ExplainPacket(const ExplainQuestion& question);

// Fills name, type, rcode, is_truncated and the sections, and what is waited
// for.
[[nodiscard]] Outcome AskResponder(const ExplainContext& context,
                                   const ExplainQuestion& question,
                                   Explanation* explanation);

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_EXPLAIN_ANSWER_H_
