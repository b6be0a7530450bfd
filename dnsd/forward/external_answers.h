// ExternalAnswers knows the addresses that our own names lead to outside our
// zones: from the forwarder's cache, and from what the query that is being
// answered was told. HOT PATH: Find()
//
// A query that needs a name which is not known waits with the worker's
// ParkedQueries, which has it resolved by Lookup() and then asks again.
//
// Threads:   one worker's.
// Ownership: borrows the Forwarder, and what was told.
// Limits:    kRecordsMax records of an answer.
#ifndef DNSD_DNSD_FORWARD_EXTERNAL_ANSWERS_H_
#define DNSD_DNSD_FORWARD_EXTERNAL_ANSWERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/forward/forwarder.h"
#include "dnsd/forward/upstream_answer.h"
#include "zones/external_names.h"
#include "zones/responder.h"

namespace dnsd {

// What RespondContext::asked, which is kExternal, asks for.
[[nodiscard]] ForwardQuestion ExternalQuestion(const AskedKey& asked);

class ExternalAnswers final : public ExternalNames {
 public:
  static constexpr size_t kRecordsMax = 128;

  explicit ExternalAnswers(Forwarder* forwarder);

  [[nodiscard]] Known Find(std::span<const uint8_t> name, uint16_t type,
                           std::span<const Record>* records) override;

  // What became of questions; nullopt: nobody answered. The cache need not
  // have kept it.
  using Told =
      std::vector<std::pair<ForwardQuestion, std::optional<UpstreamAnswer>>>;

  // Has it asked for. False: there is no room, and nothing will be told.
  [[nodiscard]] bool Lookup(const ForwardQuestion& question) {
    return forwarder_->Resolve(question);
  }

  // For one query that has waited: what it was told, and whether the rest
  // counts as what nobody knows. Begin(nullptr, false) ends that.
  void Begin(const Told* told, bool gives_up) {
    told_ = told;
    gives_up_ = gives_up;
  }

 private:
  [[nodiscard]] std::span<const Record> Read(const UpstreamAnswer& answer,
                                             uint32_t age_s, bool is_stale);

  Forwarder* forwarder_;
  bool gives_up_ = false;
  const Told* told_ = nullptr;

  std::array<Record, kRecordsMax> records_;
  std::string name_;     // for one name, made once
  std::string targets_;  // of the CNAMEs, one after another
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_EXTERNAL_ANSWERS_H_
