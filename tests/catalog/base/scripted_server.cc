#include "tests/catalog/base/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kAcceptAgain{1};

}  // namespace

bool ScriptedServer::Connection::Read() {
  std::array<char, 16384> bytes{};
  const ssize_t count = recv(fd_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  unread_.append(bytes.data(), static_cast<size_t>(count));
  return true;
}

std::string ScriptedServer::Connection::ReadRequest() {
  size_t head = unread_.find("\r\n\r\n");
  while (head == unread_.npos) {
    if (!Read()) return "";
    head = unread_.find("\r\n\r\n");
  }
  size_t wanted = head + 4;
  const std::string lower = absl::AsciiStrToLower(unread_.substr(0, head + 2));
  const std::string name = "\r\ncontent-length:";
  const size_t length = lower.find(name);
  if (length != lower.npos) {
    const size_t value = length + name.size();
    size_t bytes = 0;
    DNSD_CHECK(absl::SimpleAtoi(
        lower.substr(value, lower.find('\r', value) - value), &bytes));
    wanted += bytes;
  }
  while (unread_.size() < wanted) {
    if (!Read()) return "";
  }
  std::string request = unread_.substr(0, wanted);
  unread_.erase(0, wanted);
  return request;
}

bool ScriptedServer::Connection::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool ScriptedServer::Connection::WriteOk(absl::string_view body) {
  return Write(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(),
                            "\r\n\r\n", body));
}

void ScriptedServer::Connection::WaitForClose() {
  while (Read()) unread_.clear();
}

void ScriptedServer::Connection::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  DNSD_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) == 0);
  socklen_t bytes = sizeof(address);
  DNSD_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) ==
             0);
  port_ = ntohs(address.sin_port);
  Start(fd);
}

ScriptedServer::ScriptedServer(const std::string& unix_path, Script script)
    : script_(std::move(script)) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  DNSD_CHECK(unix_path.size() < sizeof(address.sun_path));
  std::copy(unix_path.begin(), unix_path.end(), address.sun_path);
  DNSD_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) == 0);
  Start(fd);
}

ScriptedServer::~ScriptedServer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    for (const int fd : fds_) {
      if (fd >= 0) shutdown(fd, SHUT_RDWR);
    }
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  close(listener_);
}

ScriptedServer::Script ScriptedServer::Ok(const std::string& body) {
  return [body](Connection* connection) {
    while (!connection->ReadRequest().empty()) {
      if (!connection->WriteOk(body)) return;
    }
  };
}

std::string ScriptedServer::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

size_t ScriptedServer::accepted_count() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return fds_.size();
}

size_t ScriptedServer::open_count() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return open_count_;
}

void ScriptedServer::Start(int fd) {
  DNSD_CHECK(listen(fd, kBacklog) == 0);
  listener_ = fd;
  acceptor_ = std::thread([this] { Accept(); });
}

void ScriptedServer::Accept() {
  for (;;) {
    // accept() takes a number before it waits, and gives up when there is
    // none: not before somebody is there.
    pollfd listening{.fd = listener_, .events = POLLIN, .revents = 0};
    poll(&listening, 1, -1);
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    JoinFinished();
    std::unique_lock<std::mutex> lock(mutex_);
    if (closing_) {
      if (fd >= 0) close(fd);
      return;
    }
    if (fd < 0) {
      // A client that is gone again, or no descriptor for it right now.
      lock.unlock();
      std::this_thread::sleep_for(kAcceptAgain);
      continue;
    }
    fds_.push_back(fd);
    ++open_count_;
    threads_.emplace_back([this, slot = fds_.size() - 1] { Serve(slot); });
  }
}

void ScriptedServer::Serve(size_t slot) {
  Connection connection;
  connection.number_ = slot + 1;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    connection.fd_ = fds_[slot];
  }
  script_(&connection);
  std::lock_guard<std::mutex> lock(mutex_);
  fds_[slot] = -1;
  finished_.push_back(slot);
  --open_count_;
  close(connection.fd_);
}

// A test may have thousands of connections; a thread that nobody joined keeps
// its stack.
void ScriptedServer::JoinFinished() {
  std::vector<size_t> finished;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    finished.swap(finished_);
  }
  for (const size_t slot : finished) threads_[slot].join();
}

void Gate::Open() {
  std::lock_guard<std::mutex> lock(mutex_);
  is_open_ = true;
  opened_.notify_all();
}

void Gate::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  opened_.wait_for(lock, std::chrono::seconds(30), [this] { return is_open_; });
}

}  // namespace dnsd::testing
