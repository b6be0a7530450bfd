#include "dnsd/cli/service_body.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

enum class KeyKind : uint8_t {
  kPlain,     // as it is
  kDuration,  // a number is nanoseconds
  kObject,    // of `members`
  kObjects,   // a list of those
  kMap,       // from any name to an object of `members`
  kOpaque,    // whatever it is, its keys untouched
};

struct BodyKey {
  const char* name;  // Consul's in bodies
  KeyKind kind = KeyKind::kPlain;
  std::span<const BodyKey> members = {};
  const char* alias = nullptr;  // as it may be written, plainly
};

constexpr BodyKey kCheckKeys[] = {
    {"CheckID", KeyKind::kPlain, {}, "id"},
    {"Name"},
    {"Args", KeyKind::kPlain, {}, "scriptargs"},
    {"DockerContainerID"},
    {"Shell"},
    {"Interval", KeyKind::kDuration},
    {"Timeout", KeyKind::kDuration},
    {"TTL", KeyKind::kDuration},
    {"HTTP"},
    {"Header", KeyKind::kOpaque},
    {"Method"},
    {"Body"},
    {"DisableRedirects"},
    {"TCP"},
    {"TCPUseTLS"},
    {"UDP"},
    {"Status"},
    {"Notes"},
    {"TLSServerName"},
    {"TLSSkipVerify"},
    {"GRPC"},
    {"GRPCUseTLS"},
    {"H2PING"},
    {"H2PingUseTLS"},
    {"OSService"},
    {"AliasNode"},
    {"AliasService"},
    {"SuccessBeforePassing"},
    {"FailuresBeforeWarning"},
    {"FailuresBeforeCritical"},
    {"OutputMaxSize"},
    {"DeregisterCriticalServiceAfter", KeyKind::kDuration},
};

constexpr BodyKey kAddressKeys[] = {{"Address"}, {"Port"}};
constexpr BodyKey kWeightKeys[] = {{"Passing"}, {"Warning"}};
constexpr BodyKey kMeshGatewayKeys[] = {{"Mode"}};

constexpr BodyKey kUpstreamKeys[] = {
    {"DestinationType"},
    {"DestinationNamespace"},
    {"DestinationName"},
    {"Datacenter"},
    {"LocalBindAddress"},
    {"LocalBindPort"},
    {"LocalBindSocketPath"},
    {"LocalBindSocketMode"},
    {"Config", KeyKind::kOpaque},
    {"MeshGateway", KeyKind::kObject, kMeshGatewayKeys},
};

constexpr BodyKey kExposePathKeys[] = {
    {"ListenerPort"}, {"Path"}, {"LocalPathPort"}, {"Protocol"}};
constexpr BodyKey kExposeKeys[] = {
    {"Checks"}, {"Paths", KeyKind::kObjects, kExposePathKeys}};

constexpr BodyKey kProxyKeys[] = {
    {"DestinationServiceName"},
    {"DestinationServiceID"},
    {"LocalServiceAddress"},
    {"LocalServicePort"},
    {"LocalServiceSocketPath"},
    {"Mode"},
    {"TransparentProxy", KeyKind::kOpaque},
    {"Config", KeyKind::kOpaque},
    {"Upstreams", KeyKind::kObjects, kUpstreamKeys},
    {"MeshGateway", KeyKind::kObject, kMeshGatewayKeys},
    {"Expose", KeyKind::kObject, kExposeKeys},
};

// What a service and its sidecar have in common.
constexpr BodyKey kSidecarKeys[] = {
    {"Kind"},
    {"Name"},
    {"Tags"},
    {"Port"},
    {"Address"},
    {"SocketPath"},
    {"TaggedAddresses", KeyKind::kMap, kAddressKeys},
    {"EnableTagOverride"},
    {"Meta", KeyKind::kOpaque},
    {"Weights", KeyKind::kObject, kWeightKeys},
    {"Check", KeyKind::kObject, kCheckKeys},
    {"Checks", KeyKind::kObjects, kCheckKeys},
    {"Proxy", KeyKind::kObject, kProxyKeys},
};

constexpr BodyKey kConnectKeys[] = {
    {"Native"}, {"SidecarService", KeyKind::kObject, kSidecarKeys}};

constexpr BodyKey kServiceKeys[] = {
    {"Kind"},
    {"ID"},
    {"Name"},
    {"Tags"},
    {"Port"},
    {"Address"},
    {"SocketPath"},
    {"TaggedAddresses", KeyKind::kMap, kAddressKeys},
    {"EnableTagOverride"},
    {"Meta", KeyKind::kOpaque},
    {"Weights", KeyKind::kObject, kWeightKeys},
    {"Check", KeyKind::kObject, kCheckKeys},
    {"Checks", KeyKind::kObjects, kCheckKeys},
    {"Proxy", KeyKind::kObject, kProxyKeys},
    {"Connect", KeyKind::kObject, kConnectKeys},
    {"Namespace"},
};

// Without case and underscores: "check_id", "CheckID" and "checkid" are one.
std::string Plainly(absl::string_view key) {
  std::string plain;
  for (const char c : key) {
    if (c != '_') plain += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return plain;
}

// The last of several, as the decoder has it; nullptr for null too.
const Value* FindWritten(const Value& object, absl::string_view name,
                         const char* alias) {
  const std::string plain = Plainly(name);
  const Value* found = nullptr;
  for (const Member& member : object.members) {
    const std::string key = Plainly(member.key);
    if (key == plain || (alias != nullptr && key == alias)) {
      found = member.value.kind == Value::Kind::kNull ? nullptr : &member.value;
    }
  }
  return found;
}

Value Plain(const Value& value) {
  const Value& one =
      value.items.size() == 1 && value.items[0].kind == Value::Kind::kObject
          ? value.items[0]
          : value;
  Value plain = one;
  for (Value& item : plain.items) item = Plain(item);
  for (Member& member : plain.members) member.value = Plain(member.value);
  return plain;
}

Value Object(const Value& written, std::span<const BodyKey> keys);

Value Objects(const Value& written, std::span<const BodyKey> keys) {
  Value list;
  list.kind = Value::Kind::kList;
  if (written.kind == Value::Kind::kObject) {
    list.items.push_back(Object(written, keys));
  }
  for (const Value& item : written.items) {
    list.items.push_back(Object(item, keys));
  }
  return list;
}

Value Convert(const Value& written, const BodyKey& key) {
  switch (key.kind) {
    case KeyKind::kPlain:
      return written;
    case KeyKind::kDuration:
      return written.kind == Value::Kind::kInt
                 ? TextValue(absl::StrCat(written.integer, "ns"))
                 : written;
    case KeyKind::kObject:
      return Object(written, key.members);
    case KeyKind::kObjects:
      return Objects(written, key.members);
    case KeyKind::kOpaque:
      return Plain(written);
    case KeyKind::kMap: {
      Value map = Unwrap(written);
      for (Member& member : map.members) {
        member.value = Object(member.value, key.members);
      }
      return map;
    }
  }
  return written;
}

Value Object(const Value& written, std::span<const BodyKey> keys) {
  const Value& one = Unwrap(written);
  Value object;
  object.kind = Value::Kind::kObject;
  for (const BodyKey& key : keys) {
    const Value* const value = FindWritten(one, key.name, key.alias);
    if (value == nullptr) continue;
    object.members.push_back({key.name, 0, Convert(*value, key)});
  }
  return object;
}

Value* FindKey(Value* object, absl::string_view key) {
  for (Member& member : object->members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

// Puts the one check before the others; an empty one is none.
void JoinChecks(Value* service) {
  Value* const one = FindKey(service, "Check");
  if (one == nullptr) return;
  Value check = std::move(*one);
  std::erase_if(service->members,
                [](const Member& member) { return member.key == "Check"; });
  if (check.members.empty()) return;
  Value* list = FindKey(service, "Checks");
  if (list == nullptr) {
    Value empty;
    empty.kind = Value::Kind::kList;
    service->members.push_back({"Checks", 0, std::move(empty)});
    list = &service->members.back().value;
  }
  list->items.insert(list->items.begin(), std::move(check));
}

}  // namespace

Value ServiceBody(const Value& definition) {
  Value body = Object(definition, kServiceKeys);
  JoinChecks(&body);
  if (Value* const connect = FindKey(&body, "Connect")) {
    if (Value* const sidecar = FindKey(connect, "SidecarService")) {
      JoinChecks(sidecar);
    }
  }
  return body;
}

std::vector<Value> ServicesOfDocument(const Value& document) {
  std::vector<Value> services;
  for (const char* key : {"service", "services"}) {
    for (const Member& member : document.members) {
      if (Plainly(member.key) != key) continue;
      if (member.value.kind == Value::Kind::kObject) {
        services.push_back(member.value);
      }
      services.insert(services.end(), member.value.items.begin(),
                      member.value.items.end());
    }
  }
  return services;
}

std::string DefinitionText(const Value& definition, const std::string& key) {
  const Value* const value = FindWritten(Unwrap(definition), key, nullptr);
  return value == nullptr ? "" : value->text;
}

Value TextValue(const std::string& text) {
  Value value;
  value.kind = Value::Kind::kString;
  value.text = text;
  return value;
}

Value IntValue(int64_t number) {
  Value value;
  value.kind = Value::Kind::kInt;
  value.integer = number;
  return value;
}

}  // namespace dnsd
