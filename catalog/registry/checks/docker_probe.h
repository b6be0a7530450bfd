// DockerProbe runs a program in a container, through the API of the Docker
// daemon: exec create, start, inspect. Exit codes count as a script's.
//
// As Probe (probe.h) says.
// Limits:  answers other than the program's output kDockerAnswerBytesMax.
// Safety:  at a timeout the daemon is hung up on; what it runs goes on, for
//          its API has no way to end an exec.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_DOCKER_PROBE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_DOCKER_PROBE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/base/http_fetch.h"
#include "catalog/registry/checks/output_tail.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tools.h"

namespace dnsd {

inline constexpr size_t kDockerAnswerBytesMax = 64u << 10;

class DockerProbe : public Probe {
 public:
  DockerProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  ~DockerProbe() override;
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  [[nodiscard]] HttpFetch Request(const std::string& method,
                                  const std::string& path,
                                  const std::string& body) const;
  void OnCreated(const HttpFetched& fetched);
  void Start();
  void OnOutput(absl::string_view bytes);
  void OnStarted(const absl::Status& status);
  void OnInspected(const HttpFetched& fetched);
  // "WHAT for container ID"
  void Fail(absl::string_view text);
  [[nodiscard]] std::string Why(const absl::Status& status) const;

  ProbeTools* const tools_;
  const CheckDefinition& check_;
  const ProbeDone done_;
  std::string exec_id_;
  OutputTail output_;
  HttpHead start_head_;
  bool is_framed_ = false;  // output comes in frames, each with its stream
  std::string frame_head_;
  size_t frame_bytes_ = 0;  // of the frame, still to come
  HttpFetcher::Id running_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_DOCKER_PROBE_H_
