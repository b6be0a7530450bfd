#include "catalog/consul/json_walk.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

namespace ondemand = simdjson::ondemand;

// A name in an error message need not be longer.
constexpr size_t kNameBytesMax = 100;

std::string Quoted(absl::string_view name) {
  return absl::StrCat("'", absl::Utf8SafeCEscape(name.substr(0, kNameBytesMax)),
                      "'");
}

}  // namespace

absl::Status JsonWalk::status() const {
  if (error_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what_, ": ", error_));
}

bool JsonWalk::Fail(const std::string& why) {
  if (error_.empty()) error_ = why;
  return false;
}

bool JsonWalk::Mismatch(Json json, absl::string_view wanted) {
  const std::string_view raw = json.raw_json_token();
  const absl::string_view token = absl::StripTrailingAsciiWhitespace(
      absl::string_view(raw.data(), raw.size()));
  return Fail(absl::StrCat(Quoted(token), " is not ", wanted));
}

bool JsonWalk::Within(absl::string_view kind, absl::string_view name) {
  error_ = absl::StrCat(kind, " ", Quoted(name), ": ", error_);
  return false;
}

JsonWalk::Error JsonWalk::Begin() {
  // On-demand parsing handles a lone string or null by other rules than one
  // inside a container (see json_read.cc). Brackets around the document make
  // all documents alike.
  text_->reserve(text_->size() + 2 + simdjson::SIMDJSON_PADDING);
  text_->insert(text_->begin(), '[');
  text_->push_back(']');
  // simdjson looks at the padding: it is to be the same every time.
  const size_t bytes = text_->size();
  text_->append(simdjson::SIMDJSON_PADDING, ' ');
  text_->resize(bytes);
  return parser_.iterate(text_->data(), bytes, text_->capacity())
      .get(document_);
}

bool JsonWalk::AtEnd() {
  // There is a location only if something follows the last bracket.
  return document_.current_location().error() != simdjson::SUCCESS;
}

bool JsonWalk::IsNull(Json json) {
  bool null = false;
  const Error error = json.is_null().get(null);
  if (error != simdjson::SUCCESS) return Fail(simdjson::error_message(error));
  return null;
}

bool JsonWalk::String(Json json, std::string* out) {
  std::string_view text;
  const Error error = json.get_string().get(text);
  if (error == simdjson::SUCCESS) {
    out->assign(text.data(), text.size());
    return true;
  }
  out->clear();
  if (error != simdjson::INCORRECT_TYPE) {
    return Fail(simdjson::error_message(error));
  }
  return IsNull(json) || Mismatch(json, "a string");
}

bool JsonWalk::String(Json json, ShortText* out) {
  std::string text;
  const bool is_read = String(json, &text);
  *out = text;
  return is_read;
}

bool JsonWalk::Bool(Json json, bool* out) {
  if (json.get_bool().get(*out) == simdjson::SUCCESS) return true;
  *out = false;
  return IsNull(json) || Mismatch(json, "a boolean");
}

bool JsonWalk::Int(Json json, int64_t* out) {
  if (json.get_int64().get(*out) == simdjson::SUCCESS) return true;
  *out = 0;
  return IsNull(json) || Mismatch(json, "an integer");
}

bool JsonWalk::Uint(Json json, uint64_t* out) {
  if (json.get_uint64().get(*out) == simdjson::SUCCESS) return true;
  *out = 0;
  return IsNull(json) || Mismatch(json, "an integer of 0 or above");
}

bool JsonWalk::Strings(Json json, std::vector<std::string>* out) {
  out->clear();
  return Items(json, [&](Json item) {
    out->emplace_back();
    return String(item, &out->back());
  });
}

bool JsonWalk::StringMap(Json json, std::map<std::string, std::string>* out) {
  out->clear();
  return Members(json, [&](absl::string_view key, Json value) {
    // Go writes maps in the order of their keys.
    const auto at = out->emplace_hint(out->end(), key, std::string());
    return String(value, &at->second);
  });
}

bool JsonWalk::StringMap(Json json, std::map<std::string, std::string>* out,
                         bool* is_given) {
  out->clear();
  *is_given = !IsNull(json);
  return *is_given ? StringMap(json, out) : error_.empty();
}

bool JsonWalk::Text(ondemand::object* object, std::string* text) {
  std::string_view raw;
  Error error = object->raw_json().get(raw);
  if (error == simdjson::SUCCESS) error = object->reset().error();
  if (error == simdjson::SUCCESS) {
    size_t bytes = raw.size();
    text->resize(bytes);
    error = simdjson::minify(raw.data(), raw.size(), text->data(), bytes);
    text->resize(bytes);
  }
  return error == simdjson::SUCCESS || Fail(simdjson::error_message(error));
}

bool JsonWalk::SkipScalar(Json json, ondemand::json_type type) {
  Error error = simdjson::SUCCESS;
  switch (type) {
    case ondemand::json_type::string:
      error = json.get_string().error();
      break;
    case ondemand::json_type::number:
      error = json.get_double().error();
      break;
    case ondemand::json_type::boolean:
      error = json.get_bool().error();
      break;
    default:
      return IsNull(json) || Mismatch(json, "a JSON value");
  }
  if (error != simdjson::SUCCESS) return Fail(simdjson::error_message(error));
  return true;
}

bool JsonWalk::Skip(Json json, size_t depth) {
  // Below this, simdjson itself skips, by counting brackets: a service may
  // carry configuration of any depth, and must not stop the mirror.
  if (depth == kNestingMax) return true;
  ondemand::json_type type;
  const Error error = json.type().get(type);
  if (error != simdjson::SUCCESS) return Fail(simdjson::error_message(error));
  if (type == ondemand::json_type::object) {
    return Members(json, [&](absl::string_view, Json value) {
      return Skip(value, depth + 1);
    });
  }
  if (type == ondemand::json_type::array) {
    return Items(json, [&](Json item) { return Skip(item, depth + 1); });
  }
  return SkipScalar(json, type);
}

}  // namespace dnsd
