// ConsulPair is a real Consul and a dnsd with the same catalog: what the
// differential tests ask. dnsd has it from the same configuration directory
// or, as a mirror, from Consul itself.
//
// Threads:   one owner.
// Ownership: both processes end with the pair.
// Errors:    Start() says what is wrong; nothing else may be called then.
#ifndef DNSD_TESTS_INTEGRATION_CONSUL_PAIR_H_
#define DNSD_TESTS_INTEGRATION_CONSUL_PAIR_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/consul_peer.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/consul_rfc.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct PairSetup {
  // Where dnsd has its catalog from.
  enum class Source : uint8_t { kConfig, kMirror };

  std::string compat = "consul";
  Source source = Source::kConfig;
  // Mirror only: what only the HTTP API can make is there as well.
  bool http_shapes = false;
  ReleaseConfig config;
  std::string dns_config;       // more of it than `config` says
  std::string dnsd_dns_config;  // what only dnsd knows
  std::string more;             // top-level keys
  std::string node_status = "passing";
  // Left out, it is 3 for Consul and no limit in "rfc".
  bool sets_udp_answer_limit = true;
  int a_record_limit = 0;
};

class ConsulPair {
 public:
  explicit ConsulPair(const std::string& consul_binary);

  // Starts both and waits until both know everything; "" or what is wrong.
  [[nodiscard]] std::string Start(const PairSetup& setup);

  [[nodiscard]] ConsulProcess& consul() { return *consul_; }
  [[nodiscard]] AgentProcess& dnsd() { return *dnsd_; }
  // `setup.config` with what the data of the tests say.
  [[nodiscard]] const ReleaseConfig& config() const { return config_; }
  // What is registered, by Consul's HTTP API.
  [[nodiscard]] std::optional<RfcCatalog> ReadCatalog();
  // Names of what only the HTTP API makes: those of the file, and the ids of
  // prepared queries.
  [[nodiscard]] std::vector<std::string> ShapeNames();

 private:
  [[nodiscard]] std::string StartConfigured(
      const PairSetup& setup, const std::vector<std::string>& both);
  [[nodiscard]] std::string StartMirror(const PairSetup& setup);
  // Sends what is in the file of requests.
  [[nodiscard]] std::string LoadHttpShapes();

  std::string binary_;
  TempDir dir_;
  ReleaseConfig config_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
};

// Names that both servers know, one for each line of a file of names.
[[nodiscard]] std::vector<std::string> PairNames();

[[nodiscard]] DiffQuestion MakeDiffQuestion(const std::string& name,
                                            const std::string& type);
[[nodiscard]] EdnsOptions EdnsOfSize(uint16_t udp_size);
// Every other letter in upper case.
[[nodiscard]] std::string MixedCase(const std::string& name);
// Headers and options one by one: flags, opcodes, classes, EDNS.
[[nodiscard]] std::vector<QueryOptions> HeaderVariants();

// A packet that need not be a question.
struct OddPacket {
  std::string what;
  std::string packet;
  bool broken = false;      // Consul takes it for a question all the same
  bool bytes_left = false;  // there is more behind the message
};
[[nodiscard]] std::vector<OddPacket> OddPackets();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CONSUL_PAIR_H_
