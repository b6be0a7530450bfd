// H2Client is one HTTP/2 connection of a probe: nghttp2 on a ByteStream. It
// sends one request, or a PING.
//
// Threads:   the loop's thread only.
// Ownership: owns its connection. Not to be destroyed inside its callbacks.
// Errors:    on_error, once, with Go's text.
// Limits:    an answer's headers and trailers kH2HeaderBytesMax, its data
//            kH2DataBytesMax: more is cut off.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_H2_CLIENT_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_H2_CLIENT_H_

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/registry/checks/byte_stream.h"

namespace dnsd {

inline constexpr size_t kH2HeaderBytesMax = 64u << 10;
inline constexpr size_t kH2DataBytesMax = 64u << 10;

struct H2Answer {
  // Headers and trailers; of a name that comes twice, the last.
  std::map<std::string, std::string> headers;
  std::string data;
  uint32_t error_code = 0;  // of RST_STREAM
};

class H2Client {
 public:
  struct Callbacks {
    std::function<void()> on_open;  // now Ping() or Request()
    std::function<void()> on_pong;  // the answer to Ping()
    std::function<void(const H2Answer&)> on_answer;
    std::function<void(const std::string&)> on_error;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  H2Client(std::unique_ptr<PolledSocket> socket, const StreamTls* tls,
           Callbacks callbacks);
  H2Client(const H2Client&) = delete;
  H2Client& operator=(const H2Client&) = delete;

  void Ping();
  void Request(const Headers& headers, std::string body);

  // The server has said that it speaks HTTP/2.
  [[nodiscard]] bool has_settings() const { return has_settings_; }
  [[nodiscard]] bool failed_handshake() const {
    return stream_.failed_handshake();
  }

 private:
  struct FreeSession {
    void operator()(nghttp2_session* session) const {
      nghttp2_session_del(session);
    }
  };

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame,
                     void* user);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_bytes,
                      const uint8_t* value, size_t value_bytes, uint8_t flags,
                      void* user);
  static int OnData(nghttp2_session* session, uint8_t flags, int32_t id,
                    const uint8_t* data, size_t bytes, void* user);
  static int OnClose(nghttp2_session* session, int32_t id, uint32_t error,
                     void* user);
  static ssize_t ReadBody(nghttp2_session* session, int32_t id, uint8_t* out,
                          size_t bytes_max, uint32_t* flags,
                          nghttp2_data_source* source, void* user);

  void Start();
  void OnBytes(absl::string_view bytes);
  void Push();
  void Fail(const std::string& error);

  const Callbacks callbacks_;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  std::string body_;
  size_t body_sent_bytes_ = 0;
  size_t header_bytes_ = 0;
  H2Answer answer_;
  int32_t stream_id_ = -1;
  bool has_settings_ = false;
  bool has_pong_ = false;
  bool has_answer_ = false;
  bool is_over_ = false;
  ByteStream stream_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_H2_CLIENT_H_
