// The web UI's files, as they were built in (dnsd/ui/README.md).
//
//   GET /ui/               the page; asked for again each time (ETag)
//   GET /ui/BUILD/app.js   what it is made of; BUILD is a hash of all files, so
//                          that they may be kept for ever
//   GET /ui/licenses.txt   of the libraries among them
//   GET /, /ui             lead to /ui/
//
// Rights:    none are asked for: the files are the same for everybody, and what
//            they show they ask of the API with the token of who looks.
// Safety:    the page may load scripts and styles from here alone, ask here
//            alone, and stand in no frame (kUiPolicy).
// Threads:   the sync thread.
#ifndef DNSD_DNSD_HTTP_UI_FILES_H_
#define DNSD_DNSD_HTTP_UI_FILES_H_

#include <functional>
#include <vector>

#include "dnsd/http/routes.h"

namespace dnsd {

// `is_on` is asked at each request: while it says no, all of them are 404.
[[nodiscard]] std::vector<Route> UiFileRoutes(std::function<bool()> is_on);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_UI_FILES_H_
