#include "catalog/registry/registration_reader.h"

#include <simdjson.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/registry/body_parts.h"

namespace dnsd {
namespace {

namespace ondemand = simdjson::ondemand;

// Each is false when the value is something else.

bool Get(ondemand::value value, std::string* out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  out->assign(text.data(), text.size());
  return true;
}

bool Get(ondemand::value value, ShortText* out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  *out = absl::string_view(text.data(), text.size());
  return true;
}

bool Get(ondemand::value value, bool* out) {
  return value.get_bool().get(*out) == simdjson::SUCCESS;
}

template <typename Int>
bool GetInt(ondemand::value value, Int* out) {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) return false;
  *out = static_cast<Int>(number);
  return *out == number;
}

// Calls `take(key, value)` for each member, until it says false.
template <typename Take>
bool ForEachMember(ondemand::value value, Take take) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto element : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(element).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS ||
        !take(key, field.value())) {
      return false;
    }
  }
  return true;
}

template <typename Take>
bool ForEachItem(ondemand::value value, Take take) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    ondemand::value item;
    if (element.get(item) != simdjson::SUCCESS || !take(item)) return false;
  }
  return true;
}

bool Get(ondemand::value value, std::vector<std::string>* out) {
  return ForEachItem(value, [out](ondemand::value item) {
    return Get(item, &out->emplace_back());
  });
}

bool Get(ondemand::value value, std::map<std::string, std::string>* out) {
  return ForEachMember(value,
                       [out](std::string_view key, ondemand::value member) {
                         return Get(member, &(*out)[std::string(key)]);
                       });
}

bool Get(ondemand::value value, Weights* out) {
  return ForEachMember(value,
                       [out](std::string_view key, ondemand::value member) {
                         if (key == "Passing")
                           return GetInt(member, &out->passing);
                         if (key == "Warning")
                           return GetInt(member, &out->warning);
                         return false;
                       });
}

bool Get(ondemand::value value, HealthStatus* out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  const auto status = ParseHealthStatus({text.data(), text.size()});
  if (status.has_value()) *out = *status;
  return status.has_value();
}

// As it stands there.
bool GetRaw(ondemand::value value, std::string* out) {
  ondemand::object object;
  std::string_view raw;
  if (value.get_object().get(object) != simdjson::SUCCESS ||
      object.raw_json().get(raw) != simdjson::SUCCESS) {
    return false;
  }
  out->assign(raw.data(), raw.size());
  return true;
}

// Services of the mesh, and tagged addresses, are left to the other decoder.
bool Get(ondemand::value value, ServiceInstance* out) {
  return ForEachMember(value,
                       [out](std::string_view key, ondemand::value member) {
                         if (key == "Service")
                           return Get(member, &out->name.Edit());
                         if (key == "ID") return Get(member, &out->id);
                         if (key == "Tags")
                           return Get(member, &out->tags.Edit());
                         if (key == "Address")
                           return Get(member, &out->address);
                         if (key == "Port") return GetInt(member, &out->port);
                         if (key == "Weights")
                           return Get(member, &out->weights);
                         if (key == "EnableTagOverride") {
                           return Get(member, &out->enable_tag_override);
                         }
                         if (key != "Meta") return false;
                         out->has_meta = true;
                         return Get(member, &out->meta.Edit());
                       }) &&
         !out->id.empty() && !out->name.empty();
}

bool Get(ondemand::value value, Check* out) {
  bool has_status = false;
  const bool is_read =
      ForEachMember(value, [&](std::string_view key, ondemand::value member) {
        if (key == "CheckID") return Get(member, &out->id);
        if (key == "Name") return Get(member, &out->name.Edit());
        if (key == "Notes") return Get(member, &out->notes.Edit());
        if (key == "Output") return Get(member, &out->output.Edit());
        if (key == "ServiceID") return Get(member, &out->service_id);
        if (key == "Type") return Get(member, &out->type.Edit());
        if (key == "Definition") {
          return GetRaw(member, &out->definition_json.Edit());
        }
        has_status = key == "Status";
        return has_status && Get(member, &out->status);
      });
  // The definition of a check without a type may give it one.
  const bool is_whole = out->definition_json.empty() || !out->type.empty();
  return is_read && has_status && is_whole && !out->id.empty();
}

bool Get(ondemand::value value, CatalogRegistration* out) {
  Node& node = out->node;
  const auto take = [&](std::string_view key, ondemand::value member) {
    if (key == "Datacenter") return Get(member, &node.datacenter);
    if (key == "ID") return Get(member, &node.id);
    if (key == "Node") return Get(member, &node.name);
    if (key == "Address") return Get(member, &node.address);
    if (key == "SkipNodeUpdate") return Get(member, &out->skip_node_update);
    if (key == "Service") return Get(member, &out->service.emplace());
    if (key == "Checks") {
      return ForEachItem(member, [out](ondemand::value item) {
        return Get(item, &out->checks.emplace_back());
      });
    }
    if (key == "TaggedAddresses") {
      node.has_tagged_addresses = true;
      return Get(member, &node.tagged_addresses);
    }
    if (key != "NodeMeta") return false;
    node.has_meta = true;
    return Get(member, &node.meta);
  };
  return ForEachMember(value, take) && !node.name.empty();
}

}  // namespace

struct RegistrationReader::Impl {
  ondemand::parser parser;
  std::string padded;
};

RegistrationReader::RegistrationReader() : impl_(std::make_unique<Impl>()) {}
RegistrationReader::~RegistrationReader() = default;

bool RegistrationReader::Read(absl::string_view json,
                              CatalogRegistration* registration) {
  std::string& padded = impl_->padded;
  padded.assign(json.data(), json.size());
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  ondemand::document document;
  ondemand::value value;
  return impl_->parser.iterate(padded.data(), json.size(), padded.size())
                 .get(document) == simdjson::SUCCESS &&
         document.get_value().get(value) == simdjson::SUCCESS &&
         Get(value, registration);
}

}  // namespace dnsd
