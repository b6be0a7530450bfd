// What checks are run against in tests: real servers in processes of their
// own, and one that says what a path asks for.
//
// Threads:   one owner.
// Ownership: servers end with their object.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_CHECKS_PROBE_TARGETS_H_
#define DNSD_TESTS_CATALOG_REGISTRY_CHECKS_PROBE_TARGETS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/catalog/base/scripted_server.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// A certificate for test.local that signed itself.
class TestCertificate {
 public:
  TestCertificate();
  [[nodiscard]] std::string certificate() const { return dir_.Path("c.pem"); }
  [[nodiscard]] std::string key() const { return dir_.Path("k.pem"); }

 private:
  TempDir dir_;
};

// A program that prints `before` and then the port that it listens on.
class PortProcess {
 public:
  PortProcess(const std::vector<std::string>& argv, const std::string& before);
  // 0: it did not start.
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string Address() const;
  [[nodiscard]] Process& process() { return process_; }

 private:
  Process process_;
  uint16_t port_ = 0;
};

// grpc.health.v1 of the gRPC library; nullptr: without TLS.
[[nodiscard]] std::unique_ptr<PortProcess> StartGrpcServer(
    const TestCertificate* certificate);
// HTTP/2 by nghttpd; nullptr: without TLS. It takes no port 0: another program
// may be faster, then it ends.
class Nghttpd {
 public:
  explicit Nghttpd(const TestCertificate* certificate);
  [[nodiscard]] bool WaitUntilListening();
  [[nodiscard]] std::string Address() const;

 private:
  const uint16_t port_;
  Process process_;
};
// HTTPS of `openssl s_server`, with a page about the connection.
[[nodiscard]] std::unique_ptr<PortProcess> StartHttpsServer(
    const TestCertificate& certificate);

// A port of 127.0.0.1 that nobody listens on.
[[nodiscard]] uint16_t UnusedPort();

// HTTP: what the path asks for.
//   /echo /st/CODE /big /to/CODE /loop /noloc /ftp /slow /cut /stall /reason
//   /garbage /eof /reset
[[nodiscard]] ScriptedServer::Script HttpTargets();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_CHECKS_PROBE_TARGETS_H_
