// What a DnstapSocket calls sent and dropped, with a reader that comes and
// goes.
#include "dnsd/querylog/dnstap_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <thread>

#include "catalog/base/check.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

// Longer than other work keeps a thread of the test waiting.
constexpr int kPatienceMs = 2000;

// One that greets as Frame Streams wants it, and then reads what it is told to.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    DNSD_CHECK(path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, path.data(), path.size());
    DNSD_CHECK(bind(listener_.get(),
                    reinterpret_cast<const sockaddr*>(&address),
                    sizeof(address)) == 0);
    DNSD_CHECK(listen(listener_.get(), 1) == 0);
    thread_ = std::thread([this] { Greet(); });
  }
  ~Reader() { Join(); }

  // It has greeted.
  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  void Go() {
    Join();
    client_.Reset();
    listener_.Reset();
  }
  // Frames are between a "start" and what is not read yet.
  [[nodiscard]] std::string Read() const {
    std::string bytes(1000, '\0');
    const ssize_t size =
        recv(client_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return bytes;
  }

 private:
  void Greet() {
    client_ = UniqueFd(accept(listener_.get(), nullptr, nullptr));
    const std::string type = "protobuf:dnstap.Dnstap";
    // READY, in one piece: an escape, its size, itself and one content type.
    std::string ready(4 + 4 + 4 + 8 + type.size(), '\0');
    EXPECT_EQ(recv(client_.get(), ready.data(), ready.size(), MSG_WAITALL),
              static_cast<ssize_t>(ready.size()));
    ready[11] = 1;  // ACCEPT is the same with another number
    EXPECT_EQ(send(client_.get(), ready.data(), ready.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(ready.size()));
  }

  UniqueFd listener_;
  UniqueFd client_;
  std::thread thread_;
};

TEST(DnstapSocket, CountsWhatTheReadersSocketTook) {
  const testing::TempDir dir;
  const std::string path = dir.Path("tap.sock");
  DnstapCounts counts;
  DnstapSocket tap(path, &counts, kPatienceMs);
  Reader reader(path);
  tap.Write("one");
  tap.Write("two");
  reader.Join();
  EXPECT_EQ(counts.sent.value(), 0u) << "they are only gathered";
  tap.Flush();
  EXPECT_EQ(counts.sent.value(), 2u);
  EXPECT_NE(reader.Read().find("two"), std::string::npos);
  tap.Write("three");
  reader.Go();
  tap.Write("four");
  EXPECT_EQ(counts.dropped.value(), 0u);
  tap.Flush();
  EXPECT_EQ(counts.sent.value(), 2u);
  EXPECT_EQ(counts.dropped.value(), 2u) << "nobody was there to take them";
  tap.Write("five");
  EXPECT_EQ(counts.dropped.value(), 3u);
}

TEST(DnstapSocket, CountsWhatItsEndSendsOrNot) {
  for (const bool is_there : {true, false}) {
    const testing::TempDir dir;
    const std::string path = dir.Path("tap.sock");
    DnstapCounts counts;
    {
      Reader reader(path);
      DnstapSocket tap(path, &counts, kPatienceMs);
      tap.Write("one");
      if (!is_there) reader.Go();
    }
    EXPECT_EQ(counts.sent.value(), is_there ? 1u : 0u);
    EXPECT_EQ(counts.dropped.value(), is_there ? 0u : 1u);
  }
}

}  // namespace
}  // namespace dnsd
