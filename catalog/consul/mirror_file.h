// The mirror of a Consul on disk: one file per datacenter, so that a dnsd
// that starts while Consul is away serves what it last knew.
//
// Format:  a line "dnsd-mirror 2 BYTES XXH64\n" (the size of what follows in
//          decimal, its XXH64 as 16 hex digits), then one JSON object
//          {"Version":2,"Datacenter":..,"Local":..,"SavedUnixMs":..,
//          "Nodes":[..],"Queries":[..],"Gateways":{..}} whose Nodes have the
//          shape of /v1/internal/ui/nodes, so that one decoder reads both.
//          Members that are empty, 0, false or null are left out, and so
//          are Proxy, Connect and Definition that say nothing. Version 1 had
//          of them only the proxy's destination and whether connect is
//          native, and no {} beside null; it is read too.
// Threads: any; Write and Read block on the disk: call them on libuv's pool.
// Errors:  Write: kUnavailable or kPermissionDenied with path and reason; the
//          file before is still there then. ParseMirror: kDataLoss when the
//          text is damaged or of another version.
// Limits:  a file above kMirrorFileBytesMax (limits.h) is neither written nor
//          read.
// Safety:  written aside, synced, renamed, the directory synced: a crash
//          leaves the old file or the new one.
#ifndef DNSD_CATALOG_CONSUL_MIRROR_FILE_H_
#define DNSD_CATALOG_CONSUL_MIRROR_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/consul/report.h"
#include "catalog/prepared_query.h"

namespace dnsd {

// All that is known of one datacenter.
struct MirrorImage {
  std::string datacenter;
  bool is_local = false;  // the datacenter of the agent that was asked
  int64_t saved_unix_ms = 0;
  std::vector<NodeReport> nodes;
  std::vector<PreparedQuery> queries;
  // Ingress gateways: the gateway's service name to the services it lets in.
  std::map<std::string, std::vector<std::string>> gateways;
};

// The path of a datacenter's file: DATA_DIR/consul-mirror/DATACENTER.json,
// with what is not a letter, digit, '-' or '_' as %XX.
[[nodiscard]] std::string MirrorPath(const std::string& data_dir,
                                     const std::string& datacenter);

// As text and back; for tests, fuzzing and the two below.
[[nodiscard]] std::string FormatMirror(const MirrorImage& image);
[[nodiscard]] absl::StatusOr<MirrorImage> ParseMirror(std::string text);

// Makes DATA_DIR/consul-mirror (mode 0700) when it is not there.
[[nodiscard]] absl::Status WriteMirror(const std::string& data_dir,
                                       const MirrorImage& image);
// Every datacenter that has a file; damaged ones are reported in `errors`, a
// text each, and renamed to *.damaged so that they are kept.
[[nodiscard]] std::vector<MirrorImage> ReadMirrors(
    const std::string& data_dir, std::vector<std::string>* errors);

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_MIRROR_FILE_H_
