#include "tests/catalog/registry/checks/probe_targets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "catalog/base/check.h"
#include "tests/testing/consul_api.h"

namespace dnsd::testing {
namespace {

// The request, its header lines sorted, for clients order them differently.
std::string Sorted(const std::string& request) {
  const size_t end = request.find("\r\n\r\n");
  std::vector<std::string> lines =
      absl::StrSplit(request.substr(0, end), "\r\n");
  std::sort(lines.begin() + 1, lines.end());
  return absl::StrCat(absl::StrJoin(lines, "\n"), "\n",
                      request.substr(end + 4));
}

void Answer(ScriptedServer::Connection* connection, const std::string& status,
            const std::string& headers, const std::string& body,
            bool has_body) {
  connection->Write(absl::StrCat("HTTP/1.1 ", status, "\r\n", headers,
                                 "Content-Length: ", body.size(), "\r\n\r\n",
                                 has_body ? body : ""));
}

std::string Big() {
  std::string body;
  for (int i = 10'000; i < 12'000; ++i) absl::StrAppend(&body, i, "|");
  return body;
}

void AnswerPath(ScriptedServer::Connection* connection, const std::string& path,
                const std::string& request) {
  const bool has_body = !absl::StartsWith(request, "HEAD");
  const auto say = [&](const std::string& status, const std::string& headers,
                       const std::string& body) {
    Answer(connection, status, headers, body, has_body);
  };
  if (path == "/echo") {
    say("200 OK", "", Sorted(request));
  } else if (absl::StartsWith(path, "/st/")) {
    say(absl::StrCat(path.substr(4), " Some Reason"), "", "hello");
  } else if (path == "/big") {
    say("200 OK", "", Big());
  } else if (absl::StartsWith(path, "/to/")) {
    say(absl::StrCat(path.substr(4), " Moved"), "Location: /echo\r\n", "moved");
  } else if (path == "/loop") {
    say("302 Found", "Location: /loop\r\n", "");
  } else if (path == "/noloc") {
    say("302 Found", "", "");
  } else if (path == "/ftp") {
    say("302 Found", "Location: ftp://127.0.0.1/x\r\n", "");
  } else if (path == "/cut") {
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
  } else if (path == "/stall") {
    connection->Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    connection->WaitForClose();
  } else if (path == "/slow") {
    connection->WaitForClose();
  } else if (path == "/garbage") {
    connection->Write("garbage\r\n\r\n");
  } else if (path == "/reset") {
    connection->Reset();
  }  // "/eof": nothing
}

uint16_t BindAnyPort(bool keep) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof(address);
  DNSD_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address), bytes) == 0);
  DNSD_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) ==
             0);
  // Bound but not listening, nobody else gets it and it refuses.
  if (!keep) close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

TestCertificate::TestCertificate() {
  const Finished made =
      RunToEnd({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key(),
                "-out", certificate(), "-days", "30", "-subj", "/CN=test",
                "-addext", "subjectAltName=DNS:test.local"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
}

PortProcess::PortProcess(const std::vector<std::string>& argv,
                         const std::string& before)
    : process_(argv) {
  (void)WaitUntil([&] {
    const std::string output = process_.output();
    const size_t found = output.find(before);
    if (found == output.npos) return false;
    const size_t end = output.find('\n', found);
    int port = 0;
    if (end == output.npos ||
        !absl::SimpleAtoi(
            output.substr(found + before.size(), end - found - before.size()),
            &port)) {
      return false;
    }
    port_ = static_cast<uint16_t>(port);
    return true;
  });
  EXPECT_NE(port_, 0) << process_.output();
}

std::string PortProcess::Address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

std::unique_ptr<PortProcess> StartGrpcServer(
    const TestCertificate* certificate) {
  std::vector<std::string> argv = {DNSD_GRPC_HEALTH_SERVER};
  if (certificate != nullptr) {
    argv.insert(argv.end(), {certificate->certificate(), certificate->key()});
  }
  return std::make_unique<PortProcess>(argv, "port: ");
}

Nghttpd::Nghttpd(const TestCertificate* certificate)
    : port_(BindAnyPort(false)), process_([&] {
        std::vector<std::string> argv = {"nghttpd", "-a", "127.0.0.1", "-v",
                                         absl::StrCat(port_)};
        if (certificate == nullptr) {
          argv.push_back("--no-tls");
        } else {
          argv.insert(argv.end(),
                      {certificate->key(), certificate->certificate()});
        }
        return argv;
      }()) {}

bool Nghttpd::WaitUntilListening() { return process_.WaitForOutput("listen"); }

std::string Nghttpd::Address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

std::unique_ptr<PortProcess> StartHttpsServer(
    const TestCertificate& certificate) {
  return std::make_unique<PortProcess>(
      std::vector<std::string>{"openssl", "s_server", "-accept", "127.0.0.1:0",
                               "-cert", certificate.certificate(), "-key",
                               certificate.key(), "-www"},
      "ACCEPT 127.0.0.1:");
}

uint16_t UnusedPort() { return BindAnyPort(true); }

ScriptedServer::Script HttpTargets() {
  return [](ScriptedServer::Connection* connection) {
    const std::string request = connection->ReadRequest();
    const std::vector<std::string> words =
        absl::StrSplit(request.substr(0, request.find('\r')), ' ');
    if (words.size() == 3) AnswerPath(connection, words[1], request);
  };
}

}  // namespace dnsd::testing
