#include "tests/integration/consul_comparison.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/integration/consul_samples.h"
#include "tests/testing/consul_trim.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// How often Consul may pick something else than dnsd before that means
// something. The rarest pick has one chance in eight: which TXT comes first.
constexpr int kPicksMax = 200;
// Until every record of the largest service was seen, five at a time.
constexpr int kSampledPicksMax = 400;
// Long enough for an answer; silence is waited for no longer.
constexpr std::chrono::milliseconds kSilence{400};

void CompareUdp(const ReleaseConfig& config, Release release,
                const Message& full, const Message& got, std::string* error,
                Message* expected) {
  for (const bool large_first : {true, false}) {
    const std::optional<Message> trimmed =
        TrimForUdp(config, release, full, got, large_first);
    *expected = trimmed.value_or(full);
    *error =
        trimmed ? Compare(*trimmed, got) : "answers that TCP does not give";
    if (error->empty()) return;
  }
}

}  // namespace

Comparison::Comparison(const DnsServer& consul, const DnsServer& dnsd,
                       const ReleaseConfig& config)
    : newest_(consul, config),
      consul_(newest_.peer()),
      dnsd_(dnsd),
      config_(config) {
  if (newest_.soa().owner.empty()) failures_.push_back("Consul has no SOA");
}

void Comparison::Fail(const std::string& what, const Message& expected,
                      const Message& got) {
  failures_.push_back(absl::StrCat(what, "\n-- expected --\n",
                                   MessageText(expected), "-- got --\n",
                                   MessageText(got)));
}

bool Comparison::AskBoth(const DiffQuestion& question, Replies* replies) {
  QueryOptions options = question.options;
  options.id = static_cast<uint16_t>(asked_);
  const std::string packet = BuildQuery(question.name, question.type, options);
  consul_.SendTcp(packet);
  dnsd_.SendTcp(packet);
  consul_.SendUdp(packet);
  dnsd_.SendUdp(packet);
  *replies = {consul_.ReceiveTcp(), consul_.ReceiveUdp(kReplyPatience),
              dnsd_.ReceiveTcp(), dnsd_.ReceiveUdp(kReplyPatience)};
  for (const auto& [reply, who] :
       {std::pair{&replies->consul_tcp, ": Consul over TCP: "},
        std::pair{&replies->consul_udp, ": Consul over UDP: "},
        std::pair{&replies->dnsd_tcp, ": dnsd over TCP: "},
        std::pair{&replies->dnsd_udp, ": dnsd over UDP: "}}) {
    if (reply->error.empty()) continue;
    Fail(absl::StrCat(question.Text(), who, reply->error),
         replies->consul_tcp.message, replies->dnsd_tcp.message);
    return false;
  }
  return true;
}

void Comparison::Compare3(const DiffQuestion& question, const Replies& replies,
                          SeenRecords* seen, Verdicts* verdicts) {
  const Message& consul_tcp = replies.consul_tcp.message;
  const Message& consul_udp = replies.consul_udp.message;
  const Message& dnsd_udp = replies.dnsd_udp.message;
  RowCounts rows;
  Message newest = newest_.Modern(question, consul_tcp, &rows);
  Message consul_full = consul_tcp;
  Message newest_full = newest;
  if (question.sampled) {
    Remember(consul_tcp, seen);
    Remember(newest, seen);
    consul_full = Resample(consul_tcp, consul_udp, *seen);
    newest_full = Resample(newest, dnsd_udp, *seen);
    newest = LikeSample(newest, replies.dnsd_tcp.message, *seen);
  }
  Verdict& tcp = verdicts->tcp;
  if (!tcp.error.empty()) {
    tcp.expected = newest;
    tcp.error = Compare(newest, replies.dnsd_tcp.message);
    if (tcp.error.empty()) verdicts->rows = rows;
  }
  Verdict& old_udp = verdicts->consul_udp;
  if (!old_udp.error.empty()) {
    CompareUdp(config_, Release::k187, consul_full, consul_udp, &old_udp.error,
               &old_udp.expected);
  }
  Verdict& new_udp = verdicts->dnsd_udp;
  if (!new_udp.error.empty()) {
    CompareUdp(config_, Release::kNewest, newest_full, dnsd_udp, &new_udp.error,
               &new_udp.expected);
  }
}

void Comparison::CountTrimRows(const Replies& replies,
                               const Verdicts& verdicts) {
  const Message& consul = replies.consul_udp.message;
  const Message& dnsd = replies.dnsd_udp.message;
  if (consul.opt && !dnsd.opt) ++rows_[ReleaseRow::kOptLost];
  const Message& full = verdicts.tcp.expected;
  if (dnsd.answer.size() == full.answer.size()) return;
  if (!IsTrimmedBy187(config_, full)) ++rows_[ReleaseRow::kTrimAll];
  const std::optional<Message> longer =
      TrimForUdp(config_, Release::kNewestBut187Header, full, Message(), true);
  if (longer && longer->answer.size() > dnsd.answer.size()) {
    ++rows_[ReleaseRow::kUdpHeader];
  }
  const bool text_kept =
      std::any_of(consul.additional.begin(), consul.additional.end(),
                  [](const Rr& rr) { return rr.type == kTypeTxt; });
  if (text_kept && consul.answer.size() < full.answer.size()) {
    ++rows_[ReleaseRow::kAddressKept];
  }
}

void Comparison::Ask(const DiffQuestion& question) {
  if (failures_.size() >= kFailuresMax) return;
  ++asked_;
  Replies replies;
  if (!AskBoth(question, &replies)) return;
  SeenRecords seen;
  Verdicts verdicts;
  const int picks_max = question.sampled ? kSampledPicksMax : kPicksMax;
  for (int i = 0; i < picks_max; ++i) {
    if (i > 0) {
      replies.consul_tcp = consul_.AskTcp(
          BuildQuery(question.name, question.type, question.options));
      if (!replies.consul_tcp.error.empty()) break;
    }
    Compare3(question, replies, &seen, &verdicts);
    if (verdicts.tcp.error.empty() && verdicts.consul_udp.error.empty() &&
        verdicts.dnsd_udp.error.empty()) {
      for (const auto& [row, count] : verdicts.rows) rows_[row] += count;
      return CountTrimRows(replies, verdicts);
    }
  }
  for (const auto& [verdict, reply, what] :
       {std::tuple{&verdicts.tcp, &replies.dnsd_tcp, ": over TCP: "},
        std::tuple{&verdicts.consul_udp, &replies.consul_udp,
                   ": Consul itself over UDP: "},
        std::tuple{&verdicts.dnsd_udp, &replies.dnsd_udp, ": over UDP: "}}) {
    if (verdict->error.empty()) continue;
    return Fail(absl::StrCat(question.Text(), what, verdict->error),
                verdict->expected, reply->message);
  }
}

void Comparison::SendToBoth(const std::string& packet, Reply* consul,
                            Reply* dnsd) {
  ++asked_;
  consul_.SendUdp(packet);
  dnsd_.SendUdp(packet);
  *consul = consul_.ReceiveUdp(kSilence);
  *dnsd = dnsd_.ReceiveUdp(kSilence);
}

void Comparison::SendRaw(const std::string& what, const std::string& packet) {
  Reply consul;
  Reply dnsd;
  SendToBoth(packet, &consul, &dnsd);
  std::string error;
  if (consul.error != dnsd.error) {
    error =
        absl::StrCat("Consul: '", consul.error, "', dnsd: '", dnsd.error, "'");
  } else if (consul.error.empty()) {
    error = Compare(consul.message, dnsd.message);
  }
  if (error.empty()) return;
  Fail(absl::StrCat(what, ": ", error), consul.message, dnsd.message);
}

void Comparison::SendBroken(const std::string& what,
                            const std::string& packet) {
  Reply consul;
  Reply dnsd;
  SendToBoth(packet, &consul, &dnsd);
  const bool as_expected =
      consul.error.empty() && consul.message.rcode() != kFormErr &&
      dnsd.error.empty() && dnsd.message.rcode() == kFormErr &&
      dnsd.message.size == kHeaderBytes;
  if (as_expected) return;
  Fail(absl::StrCat(what, ": not FORMERR of ours alone; Consul: '",
                    consul.error, "', dnsd: '", dnsd.error, "'"),
       consul.message, dnsd.message);
}

}  // namespace dnsd::testing
