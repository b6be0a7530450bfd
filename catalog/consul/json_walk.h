// JsonWalk reads a JSON document once, front to back, by simdjson on demand,
// straight into the values wanted: the common part of the decoders here.
//
// Threads:   one owner.
// Ownership: the text is the caller's. It is changed (put into brackets,
//            padded) and must live as long as the walk.
// Errors:    every reader returns false after an error and what it was to
//            fill is not to be used; status() has the first. Values that
//            nobody wants are checked too, kNestingMax levels deep.
// Null:      reads as "", 0, false, no members, no items.
#ifndef DNSD_CATALOG_CONSUL_JSON_WALK_H_
#define DNSD_CATALOG_CONSUL_JSON_WALK_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/short_text.h"

namespace dnsd {

class JsonWalk {
 public:
  using Json = simdjson::ondemand::value;

  // `what` begins every error.
  JsonWalk(std::string what, std::string* text)
      : what_(std::move(what)), text_(text) {}

  // Calls read(json) for the document.
  template <typename Read>
  [[nodiscard]] absl::Status Document(Read read);

  // Calls visit(key, json) for each member. What visit does not read, it
  // gives to Skip(). A key is valid during the call only.
  template <typename Visit>
  [[nodiscard]] bool Members(Json json, Visit visit);

  // The same, and *text is the object as it stands there, without blanks; ""
  // for null.
  template <typename Visit>
  [[nodiscard]] bool MembersAndText(Json json, std::string* text, Visit visit);

  // Calls visit(json) for each item.
  template <typename Visit>
  [[nodiscard]] bool Items(Json json, Visit visit);

  [[nodiscard]] bool String(Json json, std::string* out);
  [[nodiscard]] bool String(Json json, ShortText* out);
  [[nodiscard]] bool Bool(Json json, bool* out);
  [[nodiscard]] bool Int(Json json, int64_t* out);
  [[nodiscard]] bool Uint(Json json, uint64_t* out);
  [[nodiscard]] bool Strings(Json json, std::vector<std::string>* out);
  [[nodiscard]] bool StringMap(Json json,
                               std::map<std::string, std::string>* out);
  // *is_given: it is not null.
  [[nodiscard]] bool StringMap(Json json,
                               std::map<std::string, std::string>* out,
                               bool* is_given);
  [[nodiscard]] bool Skip(Json json) { return Skip(json, 0); }

  // All false. Fail() keeps the first error; Mismatch() is the error of a
  // value that is not what was wanted; Within() says where the error was.
  bool Mismatch(Json json, absl::string_view wanted);
  bool Fail(const std::string& why);
  bool Within(absl::string_view kind, absl::string_view name);

  [[nodiscard]] absl::Status status() const;

 private:
  using Error = simdjson::error_code;

  [[nodiscard]] bool Skip(Json json, size_t depth);
  [[nodiscard]] bool SkipScalar(Json json, simdjson::ondemand::json_type type);
  // False after an error as well.
  [[nodiscard]] bool IsNull(Json json);
  template <typename Visit>
  [[nodiscard]] bool EachMember(simdjson::ondemand::object* object,
                                Visit visit);
  // The object's text, and back to its begin.
  [[nodiscard]] bool Text(simdjson::ondemand::object* object,
                          std::string* text);
  [[nodiscard]] Error Begin();
  [[nodiscard]] bool AtEnd();

  std::string what_;
  std::string* text_;
  std::string error_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
};

template <typename Visit>
bool JsonWalk::Members(Json json, Visit visit) {
  if (IsNull(json)) return true;
  simdjson::ondemand::object object;
  if (json.get_object().get(object) != simdjson::SUCCESS) {
    return Mismatch(json, "an object");
  }
  return EachMember(&object, visit);
}

template <typename Visit>
bool JsonWalk::MembersAndText(Json json, std::string* text, Visit visit) {
  text->clear();
  if (IsNull(json)) return true;
  simdjson::ondemand::object object;
  if (json.get_object().get(object) != simdjson::SUCCESS) {
    return Mismatch(json, "an object");
  }
  return Text(&object, text) && EachMember(&object, visit);
}

template <typename Visit>
bool JsonWalk::EachMember(simdjson::ondemand::object* object, Visit visit) {
  for (auto element : *object) {
    simdjson::ondemand::field field;
    const Error error = std::move(element).get(field);
    if (error != simdjson::SUCCESS) return Fail(simdjson::error_message(error));
    auto key = field.unescaped_key();
    if (key.error() != simdjson::SUCCESS) {
      return Fail(simdjson::error_message(key.error()));
    }
    const auto text = key.value_unsafe();
    if (!visit(absl::string_view(text.data(), text.size()), field.value())) {
      return false;
    }
  }
  return true;
}

template <typename Visit>
bool JsonWalk::Items(Json json, Visit visit) {
  if (IsNull(json)) return true;
  simdjson::ondemand::array array;
  if (json.get_array().get(array) != simdjson::SUCCESS) {
    return Mismatch(json, "an array");
  }
  for (auto element : array) {
    Json item;
    const Error error = element.get(item);
    if (error != simdjson::SUCCESS) return Fail(simdjson::error_message(error));
    if (!visit(item)) return false;
  }
  return true;
}

template <typename Read>
absl::Status JsonWalk::Document(Read read) {
  Error error = Begin();
  simdjson::ondemand::array brackets;
  if (error == simdjson::SUCCESS) error = document_.get_array().get(brackets);
  if (error != simdjson::SUCCESS) {
    Fail(simdjson::error_message(error));
    return status();
  }
  size_t count = 0;
  for (auto element : brackets) {
    Json json;
    error = element.get(json);
    if (error != simdjson::SUCCESS) {
      Fail(simdjson::error_message(error));
    } else if (++count > 1) {
      Fail("text after the document");
    }
    if (!error_.empty() || !read(json)) return status();
  }
  if (count == 0) {
    Fail("empty");
  } else if (!AtEnd()) {
    Fail("text after the document");
  }
  return status();
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_JSON_WALK_H_
