#include "dnsd/cli/json_text.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"

namespace dnsd {
namespace {

class Printer {
 public:
  Printer(JsonLayout layout, std::string* out)
      : indented_(layout == JsonLayout::kIndented), out_(out) {}

  void Print(const Value& value) {
    switch (value.kind) {
      case Value::Kind::kNull:
        *out_ += "null";
        break;
      case Value::Kind::kBool:
        *out_ += value.boolean ? "true" : "false";
        break;
      case Value::Kind::kInt:
        absl::StrAppend(out_, value.integer);
        break;
      case Value::Kind::kDouble:
        *out_ += value.text;
        break;
      case Value::Kind::kString:
        AppendJsonString(value.text, out_);
        break;
      case Value::Kind::kList:
        PrintList(value);
        break;
      case Value::Kind::kObject:
        PrintObject(value);
        break;
    }
  }

 private:
  void PrintList(const Value& list) {
    *out_ += '[';
    ++depth_;
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i != 0) *out_ += ',';
      NewLine();
      Print(list.items[i]);
    }
    --depth_;
    if (!list.items.empty()) NewLine();
    *out_ += ']';
  }

  void PrintObject(const Value& object) {
    *out_ += '{';
    ++depth_;
    for (size_t i = 0; i < object.members.size(); ++i) {
      if (i != 0) *out_ += ',';
      NewLine();
      AppendJsonString(object.members[i].key, out_);
      *out_ += indented_ ? ": " : ":";
      Print(object.members[i].value);
    }
    --depth_;
    if (!object.members.empty()) NewLine();
    *out_ += '}';
  }

  void NewLine() {
    if (!indented_) return;
    *out_ += '\n';
    out_->append(4 * depth_, ' ');
  }

  bool indented_;
  std::string* out_;
  size_t depth_ = 0;
};

}  // namespace

std::string JsonText(const Value& value, JsonLayout layout) {
  std::string text;
  Printer(layout, &text).Print(value);
  return text;
}

const Value* FindMember(const Value& object, absl::string_view key) {
  const Value* found = nullptr;
  for (const Member& member : object.members) {
    if (member.key == key) found = &member.value;
  }
  return found;
}

std::string MemberText(const Value& object, absl::string_view key) {
  const Value* const member = FindMember(object, key);
  return member == nullptr ? "" : member->text;
}

}  // namespace dnsd
