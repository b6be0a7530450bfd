// JsonText() and ReadTables(): a report that can be read again.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "bench/serve/serve_report.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"

namespace dnsd::testing {
namespace {

constexpr std::pair<const char*, size_t ServeSummary::*> kCounts[] = {
    {"rounds", &ServeSummary::rounds},         {"right", &ServeSummary::right},
    {"wrong", &ServeSummary::wrong},           {"lost", &ServeSummary::lost},
    {"reconnects", &ServeSummary::reconnects},
};
constexpr std::pair<const char*, Spread ServeSummary::*> kSpreads[] = {
    {"per_second", &ServeSummary::per_second},
    {"rate_to_echo", &ServeSummary::rate_ratio},
    {"cpu_us", &ServeSummary::cpu_us},
    {"cpu_to_echo", &ServeSummary::cpu_ratio},
    {"busy", &ServeSummary::busy},
    {"delay_us_50", &ServeSummary::delay_us_50},
    {"delay_us_99", &ServeSummary::delay_us_99},
    {"delay_us_999", &ServeSummary::delay_us_999},
    {"answer_bytes", &ServeSummary::answer_bytes},
};
constexpr std::pair<const char*, double Spread::*> kQuantiles[] = {
    {"q25", &Spread::low}, {"median", &Spread::median}, {"q75", &Spread::high}};

constexpr char kUserShare[] = "user_share";

void WriteNumber(double number, JsonWriter* json) {
  json->Raw(absl::StrFormat("%.6g", number));
}

void WriteRow(const ServeSummary& row, JsonWriter* json) {
  json->BeginObject();
  json->Key("server");
  json->String(row.server);
  for (const auto& [key, count] : kCounts) {
    json->Key(key);
    json->Uint(row.*count);
  }
  json->Key(kUserShare);
  WriteNumber(row.user_share, json);
  for (const auto& [key, spread] : kSpreads) {
    json->Key(key);
    json->BeginObject();
    for (const auto& [name, quantile] : kQuantiles) {
      json->Key(name);
      WriteNumber((row.*spread).*quantile, json);
    }
    json->EndObject();
  }
  json->EndObject();
}

// Nullptr: there is none.
const Value* Find(const Value& object, absl::string_view key) {
  for (const Member& member : object.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool ReadNumber(const Value& object, absl::string_view key, double* number) {
  const Value* value = Find(object, key);
  return value != nullptr &&
         (value->kind == Value::Kind::kInt ||
          value->kind == Value::Kind::kDouble) &&
         absl::SimpleAtod(value->text, number);
}

bool ReadText(const Value& object, absl::string_view key, std::string* text) {
  const Value* value = Find(object, key);
  if (value == nullptr || value->kind != Value::Kind::kString) return false;
  *text = value->text;
  return true;
}

bool ReadRow(const Value& object, ServeSummary* row) {
  if (!ReadText(object, "server", &row->server)) return false;
  for (const auto& [key, count] : kCounts) {
    double number = 0;
    if (!ReadNumber(object, key, &number) || number < 0) return false;
    row->*count = static_cast<size_t>(number);
  }
  for (const auto& [key, spread] : kSpreads) {
    const Value* value = Find(object, key);
    if (value == nullptr) return false;
    for (const auto& [name, quantile] : kQuantiles) {
      if (!ReadNumber(*value, name, &((row->*spread).*quantile))) return false;
    }
  }
  return ReadNumber(object, kUserShare, &row->user_share);
}

bool ReadTable(const Value& object, ServeTable* table) {
  const Value* rows = Find(object, "servers");
  if (rows == nullptr || !ReadText(object, "workload", &table->workload) ||
      !ReadText(object, "title", &table->title)) {
    return false;
  }
  for (const Value& row : rows->items) {
    if (!ReadRow(row, &table->rows.emplace_back())) return false;
  }
  return true;
}

}  // namespace

std::string JsonText(const std::vector<ServeTable>& tables) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("workloads");
  json.BeginArray();
  for (const ServeTable& table : tables) {
    json.BeginObject();
    json.Key("workload");
    json.String(table.workload);
    json.Key("title");
    json.String(table.title);
    json.Key("servers");
    json.BeginArray();
    for (const ServeSummary& row : table.rows) WriteRow(row, &json);
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return IndentJson(text);
}

absl::StatusOr<std::vector<ServeTable>> ReadTables(absl::string_view json) {
  const absl::StatusOr<Value> document = ParseJson(json);
  if (!document.ok()) return document.status();
  const Value* workloads = Find(*document, "workloads");
  std::vector<ServeTable> tables;
  if (workloads == nullptr) {
    return absl::InvalidArgumentError("no result of serve_cost");
  }
  for (const Value& workload : workloads->items) {
    if (!ReadTable(workload, &tables.emplace_back())) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", workload.line, ": not a workload's result"));
    }
  }
  return tables;
}

}  // namespace dnsd::testing
