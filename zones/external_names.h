// ExternalNames knows the addresses of names outside our zones that our own
// data points to: a service whose address is a name, a CNAME in a zone file.
//
// Threads:   one worker's.
// Ownership: the implementation's; zones only asks it (dnsd/forward has it).
// Cost:      on the way of an answer: allocates nothing, waits for nothing.
#ifndef DNSD_ZONES_EXTERNAL_NAMES_H_
#define DNSD_ZONES_EXTERNAL_NAMES_H_

#include <cstdint>
#include <span>

namespace dnsd {

class ExternalNames {
 public:
  enum class Known : uint8_t {
    kYes,
    kNotYet,  // it has to be asked for first: Outcome::kPending
    kNobody,  // who was asked gave no answer
  };
  struct Record {
    uint16_t type = 0;  // CNAME, A or AAAA
    uint32_t ttl = 0;
    std::span<const uint8_t> rdata;  // names in full
  };

  // What `name` (wire form, lower case) leads to by the addresses of
  // `type`, A or AAAA: the CNAMEs from it on, in order, then the addresses of
  // the last name. None for a name that has none or does not exist. Good until
  // the next call.
  [[nodiscard]] virtual Known Find(std::span<const uint8_t> name, uint16_t type,
                                   std::span<const Record>* records) = 0;

 protected:
  ~ExternalNames() = default;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_EXTERNAL_NAMES_H_
