// UiServicesRoute is /v1/internal/ui/services: each service of the datacenter
// with what its instances come to.
//
// Threads: the sync thread's.
// Cost:    a pass over all instances and their checks.
#ifndef DNSD_DNSD_HTTP_UI_SERVICES_H_
#define DNSD_DNSD_HTTP_UI_SERVICES_H_

#include "dnsd/http/api_context.h"
#include "dnsd/http/routes.h"

namespace dnsd {

[[nodiscard]] Route UiServicesRoute(const SharedApiContext& context);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_UI_SERVICES_H_
