// NetworkNamespace is a machine of its own as far as network and mounts go: its
// addresses are nobody else's, and its /etc/resolv.conf may be another one.
// Programs and threads are put into it.
//
// Threads:   one owner; Inside() uses a thread of its own.
// Ownership: it lives as long as the object, which has a process in it that
//            does nothing; links to others end with either.
// Errors:    what root may do and is refused is a failure of the test. Ask
//            WhyNot() before.
#ifndef DNSD_TESTS_TESTING_NETWORK_NAMESPACE_H_
#define DNSD_TESTS_TESTING_NETWORK_NAMESPACE_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/testing/process.h"

namespace dnsd::testing {

class NetworkNamespace {
 public:
  // "" where this process can make them, else what is missing.
  [[nodiscard]] static std::string WhyNot();

  // With loopback up.
  NetworkNamespace();

  // A link to another one; `prefix` is the length of both addresses' network.
  void Link(const std::string& link, const std::string& address,
            const NetworkNamespace& other, const std::string& other_address,
            int prefix = 24) const;
  // Who reads `path` in here reads `file`. `path` has to exist.
  void Replace(const std::string& path, const std::string& file) const;

  // What runs a command in here, for Process and others; paths in it are
  // absolute.
  [[nodiscard]] std::vector<std::string> Prefix() const;
  [[nodiscard]] std::vector<std::string> Command(
      const std::vector<std::string>& argv) const;
  [[nodiscard]] Finished Run(const std::vector<std::string>& argv) const;

  // Runs `body` in this network, and returns when it has. Sockets that it makes
  // stay in the network; mounts are the test's.
  void Inside(const std::function<void()>& body) const;

 private:
  void Must(const std::vector<std::string>& argv) const;

  Process holder_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_NETWORK_NAMESPACE_H_
