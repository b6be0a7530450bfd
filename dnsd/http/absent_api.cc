#include "dnsd/http/absent_api.h"

#include "dnsd/http/api_reply.h"

namespace dnsd {
namespace {

struct Absent {
  const char* path;
  int status;
  const char* text;
};

constexpr int kOff = 401;
constexpr int kMissing = 501;
constexpr const char* kMethods[] = {"GET", "PUT", "POST", "DELETE"};
constexpr char kStaticAcl[] =
    "dnsd's tokens and policies stand in its configuration: acl";
constexpr char kMesh[] = "dnsd has no Connect: no CA and no intentions";
constexpr char kNoConfig[] = "dnsd has no configuration entries";

constexpr Absent kAbsent[] = {
    {"/v1/agent/connect/", kMissing, kMesh},
    {"/v1/agent/token/", kMissing,
     "dnsd's tokens stand in its configuration: acl.tokens"},
    {"/v1/config", kMissing, kNoConfig},
    {"/v1/config/", kMissing, kNoConfig},
    {"/v1/connect/", kMissing, kMesh},
    {"/v1/coordinate/", kOff, "Coordinate support disabled"},
    {"/v1/discovery-chain/", kMissing, kMesh},
    {"/v1/event/", kMissing, "dnsd has no events"},
    {"/v1/kv/", kMissing, "dnsd has no key-value store"},
    {"/v1/operator/", kMissing, "dnsd is no cluster: there is no operator API"},
    {"/v1/session/", kMissing, "dnsd has no sessions"},
    {"/v1/snapshot", kMissing, "dnsd has no snapshots: its state is data_dir"},
    {"/v1/txn", kMissing, "dnsd has no transactions"},
};

}  // namespace

std::vector<Route> AbsentRoutes(RequestAcl::Current acl) {
  std::vector<Route> routes;
  for (const char* method : kMethods) {
    routes.push_back({method, "/v1/acl/",
                      [acl](const HttpRequest&, HttpServer::Reply reply) {
                        if (acl()->enabled()) {
                          return ReplyText(kMissing, kStaticAcl, reply);
                        }
                        ReplyText(kOff, "ACL support disabled", reply);
                      }});
  }
  for (const Absent& absent : kAbsent) {
    for (const char* method : kMethods) {
      routes.push_back({method, absent.path,
                        [&absent](const HttpRequest&, HttpServer::Reply reply) {
                          ReplyText(absent.status, absent.text, reply);
                        }});
    }
  }
  return routes;
}

}  // namespace dnsd
