#include "dnsd/http/query_options.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/definition.h"
#include "dnsd/http/gzip.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Refusal = std::optional<HttpResponse>;

// The first value, as Go's Values.Get(); "" without any.
absl::string_view First(const Pairs& pairs, absl::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

bool Has(const Pairs& pairs, absl::string_view name) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const auto& pair) { return pair.first == name; });
}

bool IsDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// Go's time.ParseDuration: ParseGoDuration() takes plain numbers too.
bool ParseWait(absl::string_view text, std::chrono::nanoseconds* wait) {
  absl::string_view digits = text;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
    digits.remove_prefix(1);
  }
  if (IsDigits(digits) && digits != "0") return false;
  return ParseGoDuration(std::string(text), wait);
}

Refusal ReadConsistency(const Pairs& pairs, QueryOptions* options) {
  bool stale = Has(pairs, "stale");
  const bool consistent = Has(pairs, "consistent");
  options->cached = Has(pairs, "cached");
  const absl::string_view max_stale = First(pairs, "max_stale");
  if (!max_stale.empty()) {
    std::chrono::nanoseconds duration{};
    if (!ParseWait(max_stale, &duration)) {
      return TextResponse(
          400, absl::StrCat("Invalid max_stale value \"", max_stale, "\""));
    }
    if (duration.count() > 0) stale = true;
  }
  if (stale && consistent) {
    return TextResponse(
        400, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  if (options->cached && consistent) {
    return TextResponse(
        400, "Cannot specify ?cached with ?consistent, conflicting semantics.");
  }
  if (stale) options->consistency = Consistency::kStale;
  if (consistent) options->consistency = Consistency::kConsistent;
  return std::nullopt;
}

// Cache-Control says how old an answer may be; it is never old.
Refusal CheckCacheControl(const HttpRequest& request) {
  const std::string header =
      absl::AsciiStrToLower(HeaderValue(request, "cache-control"));
  for (const absl::string_view part : absl::StrSplit(header, ',')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(absl::StripAsciiWhitespace(part),
                       absl::MaxSplits('=', 1));
    if (halves.first != "max-age" && halves.first != "stale-if-error") continue;
    const bool is_bare = halves.second.empty();
    if (is_bare && halves.first == "stale-if-error") continue;
    int64_t seconds = 0;
    if (!absl::SimpleAtoi(halves.second, &seconds)) {
      return TextResponse(400, "Invalid Cache-Control header.");
    }
  }
  return std::nullopt;
}

Refusal ReadWait(const Pairs& pairs, QueryOptions* options) {
  const absl::string_view wait = First(pairs, "wait");
  if (!wait.empty()) {
    std::chrono::nanoseconds duration{};
    if (!ParseWait(wait, &duration)) {
      return TextResponse(400, "Invalid wait time");
    }
    const int64_t wait_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (duration.count() > 0) {
      options->wait_ms =
          std::clamp<int64_t>(wait_ms, 1, QueryOptions::kWaitMsMax);
    }
  }
  const absl::string_view index = First(pairs, "index");
  if (!index.empty() &&
      (!IsDigits(index) || !absl::SimpleAtoi(index, &options->index))) {
    return TextResponse(400, "Invalid index");
  }
  return std::nullopt;
}

std::string TokenOf(const HttpRequest& request, const Pairs& pairs) {
  const absl::string_view in_query = First(pairs, "token");
  if (!in_query.empty()) return std::string(in_query);
  const absl::string_view header = HeaderValue(request, "x-consul-token");
  if (!header.empty()) return std::string(header);
  constexpr absl::string_view kBearer = "bearer ";
  const absl::string_view authorization = HeaderValue(request, "authorization");
  if (!absl::StartsWithIgnoreCase(authorization, kBearer)) return "";
  return std::string(
      absl::StripAsciiWhitespace(authorization.substr(kBearer.size())));
}

// Which rows are wanted.
void ReadChoice(const Pairs& pairs, QueryOptions* options) {
  options->datacenter = std::string(First(pairs, "dc"));
  options->near = std::string(First(pairs, "near"));
  options->filter = std::string(First(pairs, "filter"));
  options->has_passing = Has(pairs, "passing");
  options->passing = std::string(First(pairs, "passing"));
  options->pretty = Has(pairs, "pretty");
  options->has_tags = Has(pairs, "tag");
  for (const auto& [key, value] : pairs) {
    if (key == "tag") options->tags.push_back(absl::AsciiStrToLower(value));
    if (key == "node-meta") {
      options->node_meta.push_back(
          absl::StrSplit(value, absl::MaxSplits(':', 1)));
    }
  }
}

// Lengths keep the parts apart, whatever bytes they have.
void AppendPart(absl::string_view part, std::string* text) {
  absl::StrAppend(text, part.size(), ":", part);
}

std::string TextOf(const HttpRequest& request, const Pairs& pairs,
                   const QueryOptions& options) {
  std::string text;
  AppendPart(request.path, &text);
  for (const auto& [key, value] : pairs) {
    if (key == "index" || key == "wait") continue;
    AppendPart(key, &text);
    AppendPart(value, &text);
  }
  AppendPart(options.token, &text);
  absl::StrAppend(&text, options.gzip ? "gzip" : "");
  return text;
}

}  // namespace

std::optional<HttpResponse> RefuseNamespace(const HttpRequest& request) {
  const Pairs pairs = QueryPairs(request.query);
  absl::string_view where;
  if (!HeaderValue(request, "x-consul-namespace").empty()) {
    where = "header: \"X-Consul-Namespace\"";
  } else if (!First(pairs, "ns").empty()) {
    where = "query parameter: \"ns\"";
  } else {
    return std::nullopt;
  }
  return TextResponse(
      400, absl::StrCat("Bad request: Invalid ", where,
                        " - Namespaces are a Consul Enterprise feature"));
}

std::optional<HttpResponse> ReadQueryOptions(const HttpRequest& request,
                                             QueryOptions* options) {
  const Pairs pairs = QueryPairs(request.query);
  if (auto refusal = ReadConsistency(pairs, options)) return refusal;
  if (auto refusal = CheckCacheControl(request)) return refusal;
  if (auto refusal = ReadWait(pairs, options)) return refusal;
  ReadChoice(pairs, options);
  options->gzip = TakesGzip(request);
  options->token = TokenOf(request, pairs);
  options->text = TextOf(request, pairs, *options);
  return std::nullopt;
}

std::optional<bool> ParsePassing(const QueryOptions& options) {
  if (!options.has_passing) return false;
  const std::string& text = options.passing;
  if (text.empty()) return true;
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

absl::string_view ConsistencyName(Consistency consistency) {
  switch (consistency) {
    case Consistency::kLeader:
      return "leader";
    case Consistency::kStale:
      return "stale";
    case Consistency::kConsistent:
      return "consistent";
  }
  return "";
}

HttpResponse TextResponse(int status, absl::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text);
  return response;
}

absl::string_view HeaderValue(const HttpRequest& request,
                              absl::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace dnsd
