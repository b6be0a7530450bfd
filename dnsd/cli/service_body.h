// A service definition as people write it, as the body that an agent's
// PUT /v1/agent/service/register takes: keys in Consul's spelling, checks in
// one list, a one-element list of HCL as the object it stands for.
//
// Threads: any; no shared state.
// Caller:  has let DecodeService() look for what is wrong. What is not known
//          here is left out.
#ifndef DNSD_DNSD_CLI_SERVICE_BODY_H_
#define DNSD_DNSD_CLI_SERVICE_BODY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/base/value.h"

namespace dnsd {

// As an object; the order of members is that of Consul's own body.
[[nodiscard]] Value ServiceBody(const Value& definition);

// The definitions of a configuration document: `service` first, then
// `services`.
[[nodiscard]] std::vector<Value> ServicesOfDocument(const Value& document);

// The text of a definition's key ("id", "name"), or "".
[[nodiscard]] std::string DefinitionText(const Value& definition,
                                         const std::string& key);

// Short ways to make values.
[[nodiscard]] Value TextValue(const std::string& text);
[[nodiscard]] Value IntValue(int64_t number);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_SERVICE_BODY_H_
