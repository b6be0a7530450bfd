#include "dnsd/cli/watch_shape.h"

#include <algorithm>
#include <span>
#include <utility>

#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

// What a member is when it is not given: null, 0, false, "", "0s", an object
// of such, or nothing at all.
enum class Kind : uint8_t {
  kList,
  kMap,
  kNumber,
  kBool,
  kText,
  kDuration,
  kObject,
  kPointer,
  kObjects,
  kObjectMap,
};

struct Field {
  const char* name;
  Kind kind = Kind::kText;
  bool omit_empty = false;
  std::span<const Field> fields = {};
};

constexpr Field kNode[] = {{"ID"},
                           {"Node"},
                           {"Address"},
                           {"Datacenter"},
                           {"TaggedAddresses", Kind::kMap},
                           {"Meta", Kind::kMap},
                           {"CreateIndex", Kind::kNumber},
                           {"ModifyIndex", Kind::kNumber}};

constexpr Field kDefinition[] = {
    {"Interval", Kind::kDuration},
    {"Timeout", Kind::kDuration},
    {"DeregisterCriticalServiceAfter", Kind::kDuration},
    {"HTTP"},
    {"Header", Kind::kMap},
    {"Method"},
    {"Body"},
    {"TLSSkipVerify", Kind::kBool},
    {"TCP"}};

constexpr Field kCheck[] = {{"Node"},
                            {"CheckID"},
                            {"Name"},
                            {"Status"},
                            {"Notes"},
                            {"Output"},
                            {"ServiceID"},
                            {"ServiceName"},
                            {"ServiceTags", Kind::kList},
                            {"Type"},
                            {"Namespace", Kind::kText, true},
                            {"Definition", Kind::kObject, false, kDefinition},
                            {"CreateIndex", Kind::kNumber},
                            {"ModifyIndex", Kind::kNumber}};

constexpr Field kAddress[] = {{"Address"}, {"Port", Kind::kNumber}};
constexpr Field kWeights[] = {{"Passing", Kind::kNumber},
                              {"Warning", Kind::kNumber}};
constexpr Field kMeshGateway[] = {{"Mode", Kind::kText, true}};

constexpr Field kUpstream[] = {
    {"DestinationType", Kind::kText, true},
    {"DestinationNamespace", Kind::kText, true},
    {"DestinationName"},
    {"Datacenter", Kind::kText, true},
    {"LocalBindAddress", Kind::kText, true},
    {"LocalBindPort", Kind::kNumber, true},
    {"Config", Kind::kMap, true},
    {"MeshGateway", Kind::kObject, false, kMeshGateway}};

constexpr Field kExposePath[] = {{"ListenerPort", Kind::kNumber, true},
                                 {"Path", Kind::kText, true},
                                 {"LocalPathPort", Kind::kNumber, true},
                                 {"Protocol", Kind::kText, true},
                                 {"ParsedFromCheck", Kind::kBool}};
constexpr Field kExpose[] = {{"Checks", Kind::kBool, true},
                             {"Paths", Kind::kObjects, true, kExposePath}};

constexpr Field kProxy[] = {{"DestinationServiceName", Kind::kText, true},
                            {"DestinationServiceID", Kind::kText, true},
                            {"LocalServiceAddress", Kind::kText, true},
                            {"LocalServicePort", Kind::kNumber, true},
                            {"Config", Kind::kMap, true},
                            {"Upstreams", Kind::kObjects, true, kUpstream},
                            {"MeshGateway", Kind::kObject, false, kMeshGateway},
                            {"Expose", Kind::kObject, false, kExpose}};

constexpr Field kConnect[] = {{"Native", Kind::kBool, true}};

constexpr Field kService[] = {
    {"Kind", Kind::kText, true},
    {"ID"},
    {"Service"},
    {"Tags", Kind::kList},
    {"Meta", Kind::kMap},
    {"Port", Kind::kNumber},
    {"Address"},
    {"TaggedAddresses", Kind::kObjectMap, true, kAddress},
    {"Weights", Kind::kObject, false, kWeights},
    {"EnableTagOverride", Kind::kBool},
    {"CreateIndex", Kind::kNumber, true},
    {"ModifyIndex", Kind::kNumber, true},
    {"ContentHash", Kind::kText, true},
    {"Proxy", Kind::kPointer, true, kProxy},
    {"Connect", Kind::kPointer, true, kConnect},
    {"Namespace", Kind::kText, true}};

constexpr Field kInstance[] = {{"Node", Kind::kObject, false, kNode},
                               {"Service", Kind::kObject, false, kService},
                               {"Checks", Kind::kObjects, false, kCheck}};

constexpr Field kEvent[] = {{"ID"},
                            {"Name"},
                            {"Payload", Kind::kList},
                            {"NodeFilter"},
                            {"ServiceFilter"},
                            {"TagFilter"},
                            {"Version", Kind::kNumber},
                            {"LTime", Kind::kNumber}};

constexpr Field kPair[] = {{"Key"},
                           {"CreateIndex", Kind::kNumber},
                           {"ModifyIndex", Kind::kNumber},
                           {"LockIndex", Kind::kNumber},
                           {"Flags", Kind::kNumber},
                           {"Value", Kind::kList},
                           {"Session"}};

bool IsEmpty(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return !value.boolean;
    case Value::Kind::kInt:
      return value.integer == 0;
    case Value::Kind::kDouble:
      return value.real == 0;
    case Value::Kind::kString:
      return value.text.empty();
    case Value::Kind::kList:
      return value.items.empty();
    case Value::Kind::kObject:
      return value.members.empty();
  }
  return true;
}

Value Object(const Value& given, std::span<const Field> fields);

Value Nothing(const Field& field) {
  Value value;
  switch (field.kind) {
    case Kind::kNumber:
      value.kind = Value::Kind::kInt;
      break;
    case Kind::kBool:
      value.kind = Value::Kind::kBool;
      break;
    case Kind::kText:
    case Kind::kDuration:
      value.kind = Value::Kind::kString;
      if (field.kind == Kind::kDuration) value.text = "0s";
      break;
    case Kind::kObject:
      return Object(value, field.fields);
    default:
      break;
  }
  return value;
}

// By key, as Go prints maps.
Value SortedMap(Value map) {
  std::stable_sort(
      map.members.begin(), map.members.end(),
      [](const Member& a, const Member& b) { return a.key < b.key; });
  return map;
}

Value Objects(Value list, std::span<const Field> fields) {
  for (Value& item : list.items) item = Object(item, fields);
  return list;
}

Value Shaped(const Value& given, const Field& field) {
  switch (field.kind) {
    case Kind::kObject:
    case Kind::kPointer:
      return Object(given, field.fields);
    case Kind::kObjects:
      return Objects(given, field.fields);
    case Kind::kMap:
      return SortedMap(given);
    case Kind::kObjectMap: {
      Value map = SortedMap(given);
      for (Member& member : map.members) {
        member.value = Object(member.value, field.fields);
      }
      return map;
    }
    case Kind::kDuration:
      return IsEmpty(given) ? Nothing(field) : given;
    default:
      return given;
  }
}

Value Object(const Value& given, std::span<const Field> fields) {
  Value object;
  object.kind = Value::Kind::kObject;
  for (const Field& field : fields) {
    const Value* value = FindMember(given, field.name);
    const bool is_null = value == nullptr || value->kind == Value::Kind::kNull;
    // Go never calls an object empty that a pointer leads to.
    const bool is_empty =
        is_null || (field.kind != Kind::kPointer && IsEmpty(*value));
    if (field.omit_empty && is_empty) continue;
    object.members.push_back(
        {field.name, 0, is_null ? Nothing(field) : Shaped(*value, field)});
  }
  return object;
}

}  // namespace

Value ShapedAnswer(WatchShape shape, const Value& answer) {
  switch (shape) {
    case WatchShape::kServices:
      return SortedMap(answer);
    case WatchShape::kNodes:
      return Objects(answer, kNode);
    case WatchShape::kInstances:
      return Objects(answer, kInstance);
    case WatchShape::kChecks:
      return Objects(answer, kCheck);
    case WatchShape::kEvents:
      return Objects(answer, kEvent);
    case WatchShape::kKeys:
      return Objects(answer, kPair);
    case WatchShape::kKey:
      return answer.items.empty() ? Value() : Object(answer.items[0], kPair);
  }
  return answer;
}

}  // namespace dnsd
