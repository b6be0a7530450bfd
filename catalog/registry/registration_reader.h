// RegistrationReader reads what EncodeCatalogRegistration() wrote, some five
// times as fast as what people write can be read: for the start, when there
// may be millions.
//
// Threads: one owner.
// Errors:  whatever is not as it is mostly written is not read:
//          DecodeCatalogRegistration() reads it, or says what is wrong.
#ifndef DNSD_CATALOG_REGISTRY_REGISTRATION_READER_H_
#define DNSD_CATALOG_REGISTRY_REGISTRATION_READER_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "catalog/registry/api_body.h"

namespace dnsd {

class RegistrationReader {
 public:
  RegistrationReader();
  ~RegistrationReader();
  RegistrationReader(const RegistrationReader&) = delete;
  RegistrationReader& operator=(const RegistrationReader&) = delete;

  // Whether it was read: if so, `registration`, which is empty before, is what
  // DecodeCatalogRegistration() makes of it. EncodeCatalogRegistration() must
  // have written it: what was judged then is not judged again.
  [[nodiscard]] bool Read(absl::string_view json,
                          CatalogRegistration* registration);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_REGISTRATION_READER_H_
