// The decoders of registering requests on any bytes: the first byte selects
// one, the rest is the body. They must end, with a value or with a text; what
// they take must be taken again once it is encoded, and be encoded the same.

#include <cstddef>
#include <cstdint>
#include <string>

#include "catalog/base/check.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/registration_reader.h"

namespace dnsd {
namespace {

template <typename T>
void ThereAndBack(const absl::StatusOr<T>& value,
                  absl::StatusOr<T> (*decode)(absl::string_view),
                  std::string (*encode)(const T&)) {
  if (!value.ok()) {
    DNSD_CHECK(!value.status().message().empty());
    return;
  }
  const std::string encoded = encode(*value);
  const absl::StatusOr<T> again = decode(encoded);
  DNSD_CHECK(again.ok());
  DNSD_CHECK(encode(*again) == encoded);
}

// What is kept is read by another decoder, where it can.
void ReadAgain(absl::string_view body) {
  RegistrationReader reader;
  CatalogRegistration read;
  (void)reader.Read(body, &read);
  const absl::StatusOr<CatalogRegistration> value =
      DecodeCatalogRegistration(body);
  if (!value.ok()) return;
  const std::string encoded = EncodeCatalogRegistration(*value);
  CatalogRegistration again;
  if (reader.Read(encoded, &again)) {
    DNSD_CHECK(EncodeCatalogRegistration(again) == encoded);
  }
}

void Run(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const absl::string_view body(reinterpret_cast<const char*>(data) + 1,
                               size - 1);
  switch (data[0] % 6) {
    case 0:
      ThereAndBack(DecodeServiceBody(body), DecodeServiceBody, EncodeService);
      break;
    case 1:
      ThereAndBack(DecodeCheckBody(body), DecodeCheckBody, EncodeCheck);
      break;
    case 2:
      ThereAndBack(DecodeCatalogRegistration(body), DecodeCatalogRegistration,
                   EncodeCatalogRegistration);
      ReadAgain(body);
      break;
    case 3:
      ThereAndBack(DecodeQueryBody(body), DecodeQueryBody, EncodeQuery);
      break;
    case 4:
      (void)DecodeCatalogDeregistration(body);
      break;
    default:
      (void)DecodeCheckUpdate(body);
  }
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dnsd::Run(data, size);
  return 0;
}
