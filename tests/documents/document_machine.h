// DocumentMachine is a machine of its own for the commands of one page: a
// network with nothing but loopback, so that every port is free and nobody else
// is reached, and an /etc, /run, /var and working directory of its own. dnsd
// and the programs that `./dev` fetched are in its PATH; so commands are run as
// they stand.
//
// Threads:   one owner.
// Ownership: what was started ends with it.
// Errors:    ask WhyNot() before; Run() and Start() say what went wrong.
// Limits:    needs root.
#ifndef DNSD_TESTS_DOCUMENTS_DOCUMENT_MACHINE_H_
#define DNSD_TESTS_DOCUMENTS_DOCUMENT_MACHINE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/testing/network_namespace.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

class DocumentMachine {
 public:
  // "" where this process can make one, else what is missing.
  [[nodiscard]] static std::string WhyNot();

  DocumentMachine();

  // "" or what failed while it was made.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool HasProgram(const std::string& name) const;

  // A script, to its end, which any failing command is.
  [[nodiscard]] Finished Run(const std::string& script) const;
  // A command that goes on. "" once its output has `until`, else its output.
  [[nodiscard]] std::string Start(const std::string& command,
                                  const std::string& until);
  // Ends what was started of this program. False: nothing was.
  [[nodiscard]] bool Stop(const std::string& program);
  // A file of it; relative to the working directory.
  void Write(const std::string& path, const std::string& text) const;

  // What all that was started has printed.
  [[nodiscard]] std::string Output() const;

 private:
  [[nodiscard]] std::vector<std::string> Shell(const std::string& script) const;

  TempDir dir_;
  NetworkNamespace machine_;
  std::string error_;
  struct Started {
    std::string command;
    std::unique_ptr<Process> process;
  };
  std::vector<Started> started_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DOCUMENTS_DOCUMENT_MACHINE_H_
