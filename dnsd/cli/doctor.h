// The checks of `dnsd doctor`: each looks at one thing of the machine or of the
// running agent and says what to do about it.
//
// Threads: the main thread; they block, each for seconds at most.
// Safety:  they change nothing. Packets go to addresses of this machine that
//          the agent listens on, to the agent's HTTP port and to the Consul
//          that the configuration names.
// Errors:  are findings. What a user may not see, and so not judge, is a
// warning
//          that says so: the agent is often another's.
#ifndef DNSD_DNSD_CLI_DOCTOR_H_
#define DNSD_DNSD_CLI_DOCTOR_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/config.h"
#include "dnsd/http_client.h"

namespace dnsd {

enum class DoctorVerdict : uint8_t { kOk, kWarn, kFail };

struct Finding {
  DoctorVerdict verdict = DoctorVerdict::kOk;
  std::string check;  // one word
  std::string what;
  std::string todo;  // may be empty
};

// The running agent, as it says of itself.
struct DoctorAgent {
  bool is_there = false;
  std::string address;  // asked for it
  std::string error;    // why it is not
  bool is_local = false;
  std::string version;
  std::string domain;
  std::vector<Endpoint> dns;
  std::map<std::string, std::map<std::string, std::string>> stats;
  uint64_t forward_loops = 0;
  int pid = 0;  // of who has the DNS port; 0: not to be seen
};

class Doctor {
 public:
  // `config` has no errors, or is that of defaults.
  Doctor(Config config, DoctorAgent agent)
      : config_(std::move(config)), agent_(std::move(agent)) {}

  // All checks, in the order of the way of a query.
  [[nodiscard]] std::vector<Finding> Examine();

 private:
  // doctor_machine.cc
  void CheckPorts();
  void CheckPort(const Endpoint& endpoint);
  void CheckLowPort(uint16_t port);
  void CheckBuffers();
  void CheckDescriptors();
  void CheckClock();
  void CheckDataDir();
  void CheckCertificate();
  // doctor_network.cc
  void CheckResolver();
  void CheckLoop();
  void CheckRecursion();
  void CheckAgent();
  void CheckAnswers();
  void CheckCatalog();
  // doctor_consul.cc
  void CheckConsul();

  // Where DNS is, or is to be.
  [[nodiscard]] const std::vector<Endpoint>& Listeners() const {
    return agent_.is_there ? agent_.dns : config_.dns_listen;
  }
  // It runs here, and this user does not see its process (doctor_machine.cc).
  [[nodiscard]] bool IsUnseen() const;
  void Add(DoctorVerdict verdict, absl::string_view check, std::string what,
           std::string todo = "");
  void Ok(absl::string_view check, std::string what) {
    Add(DoctorVerdict::kOk, check, std::move(what));
  }

  Config config_;
  DoctorAgent agent_;
  std::vector<Finding> findings_;
};

// What is found of a mirrored Consul (doctor_consul.cc). `now_s` is this
// machine's time.
[[nodiscard]] std::vector<Finding> ExamineConsul(const ConsulOptions& consul,
                                                 int64_t now_s);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_DOCTOR_H_
