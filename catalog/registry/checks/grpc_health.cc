#include "catalog/registry/checks/grpc_health.h"

#include <array>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

constexpr size_t kFrameHeadBytes = 5;    // compressed or not, length
constexpr uint8_t kServiceField = 0x0a;  // 1, length-delimited
constexpr uint8_t kStatusField = 0x08;   // 1, varint

constexpr std::array<const char*, 17> kCodeNames = {"OK",
                                                    "Canceled",
                                                    "Unknown",
                                                    "InvalidArgument",
                                                    "DeadlineExceeded",
                                                    "NotFound",
                                                    "AlreadyExists",
                                                    "PermissionDenied",
                                                    "ResourceExhausted",
                                                    "FailedPrecondition",
                                                    "Aborted",
                                                    "OutOfRange",
                                                    "Unimplemented",
                                                    "Internal",
                                                    "Unavailable",
                                                    "DataLoss",
                                                    "Unauthenticated"};

constexpr std::array<const char*, 4> kServingNames = {
    "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

std::string RpcError(absl::string_view code, absl::string_view why) {
  return absl::StrCat("rpc error: code = ", code, " desc = ", why);
}

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

std::optional<uint64_t> TakeVarint(absl::string_view* bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

// Passes over a field that nobody here knows.
bool Skip(uint64_t tag, absl::string_view* bytes) {
  size_t size = 0;
  switch (tag & 7) {
    case 0:
      return TakeVarint(bytes).has_value();
    case 1:
      size = 8;
      break;
    case 5:
      size = 4;
      break;
    case 2: {
      const auto length = TakeVarint(bytes);
      if (!length.has_value()) return false;
      size = *length;
      break;
    }
    default:
      return false;
  }
  if (size > bytes->size()) return false;
  bytes->remove_prefix(size);
  return true;
}

// HealthCheckResponse's status; an absent field is 0, UNKNOWN.
std::optional<uint64_t> ReadStatus(absl::string_view message) {
  uint64_t status = 0;
  while (!message.empty()) {
    const auto tag = TakeVarint(&message);
    if (!tag.has_value()) return std::nullopt;
    if (*tag == kStatusField) {
      const auto value = TakeVarint(&message);
      if (!value.has_value()) return std::nullopt;
      status = *value;
    } else if (!Skip(*tag, &message)) {
      return std::nullopt;
    }
  }
  return status;
}

// grpc-message is percent-encoded.
std::string Decoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

std::string Header(const H2Answer& answer, const char* name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "" : found->second;
}

// An answer without grpc-status: no gRPC server.
std::string HttpError(const H2Answer& answer) {
  const std::string status = Header(answer, ":status");
  if (status.empty()) {
    return GrpcUnavailable("connection closed");
  }
  const char* code = status == "401"   ? "Unauthenticated"
                     : status == "403" ? "PermissionDenied"
                     : status == "404" ? "Unimplemented"
                     : status == "429" || absl::StartsWith(status, "50")
                         ? "Unavailable"
                         : "Unknown";
  return RpcError(code,
                  absl::StrCat("unexpected HTTP status code received from "
                               "server: ",
                               status,
                               "; transport: received unexpected "
                               "content-type ",
                               GoQuoted(Header(answer, "content-type"))));
}

}  // namespace

std::string GrpcHealthRequest(absl::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.push_back(static_cast<char>(kServiceField));
    AppendVarint(service.size(), &message);
    message.append(service.data(), service.size());
  }
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    framed.push_back(static_cast<char>((message.size() >> shift) & 0xff));
  }
  return framed + message;
}

std::string GrpcHealthError(const H2Answer& answer, absl::string_view target) {
  size_t code = 0;
  if (!absl::SimpleAtoi(Header(answer, "grpc-status"), &code)) {
    return HttpError(answer);
  }
  if (code != 0) {
    return RpcError(code < kCodeNames.size() ? std::string(kCodeNames[code])
                                             : absl::StrCat("Code(", code, ")"),
                    Decoded(Header(answer, "grpc-message")));
  }
  absl::string_view data = answer.data;
  if (data.size() < kFrameHeadBytes || data[0] != 0) {
    return RpcError("Internal", "an answer without a message");
  }
  data.remove_prefix(kFrameHeadBytes);
  const auto status = ReadStatus(data);
  if (!status.has_value()) {
    return RpcError("Internal", "an answer that is no HealthCheckResponse");
  }
  if (*status == 1) return "";
  return absl::StrCat("gRPC ", target, " serving status: ",
                      *status < kServingNames.size()
                          ? std::string(kServingNames[*status])
                          : absl::StrCat(*status));
}

std::string GrpcUnavailable(absl::string_view why) {
  return RpcError("Unavailable", why);
}

}  // namespace dnsd
