#include "dnsd/cli/setup_verb.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/managed_file.h"
#include "dnsd/cli/resolver_setup.h"
#include "dnsd/config_addresses.h"
#include "dnsd/config_catalog.h"

namespace dnsd {
namespace {

constexpr CommandFlag kFlags[] = {
    {{"address", FlagType::kString},
     "Where dnsd listens, IP or IP:PORT; default: 127.0.0.1, port 53 for "
     "resolv.conf, else 8600"},
    {{"domain", FlagType::kString},
     "Names in it go to dnsd; may be repeated; default: consul"},
    {{"dry-run", FlagType::kPlainBool},
     "Show what would change, change nothing"},
    {{"mode", FlagType::kString},
     "resolved, networkmanager or resolv.conf; default: what this machine has"},
    {{"recursor", FlagType::kString},
     "Whom dnsd is to ask for other names, IP or IP:PORT; may be repeated; "
     "default: whom this machine asks now"},
    {{"root", FlagType::kString},
     "Directory of another system, such as an image, to set up"},
    {{"undo", FlagType::kPlainBool}, "Bring back what was there before"},
    {{"write-config", FlagType::kString},
     "File to write what dnsd needs in its configuration to; with -undo, the "
     "one to remove"},
};
constexpr CommandSpec kSetup = {
    "setup-resolver [options]",
    "Makes this machine ask dnsd for its names: by systemd-resolved, by\n"
    "NetworkManager with dnsmasq, or by /etc/resolv.conf. What was there is\n"
    "kept, and -undo brings it back. Nothing is restarted: the commands for\n"
    "that are printed.\n",
    kFlags,
    false,
    false,
    /*asks_agent=*/false};

// The request, or what is wrong with the flags.
class RequestReader {
 public:
  explicit RequestReader(const Command& command) : command_(command) {}

  absl::StatusOr<ResolverRequest> Read() {
    request_.root = command_.Text("root");
    while (absl::EndsWith(request_.root, "/")) request_.root.pop_back();
    for (absl::Status status : {ReadMode(), ReadDomains(), ReadAddress(),
                                ReadRecursors(), CheckPath()}) {
      if (!status.ok()) return status;
    }
    return std::move(request_);
  }

 private:
  static absl::Status Invalid(const char* flag, const std::string& text,
                              const char* why) {
    return absl::InvalidArgumentError(absl::StrCat(
        "invalid value \"", text, "\" for flag -", flag, ": ", why));
  }

  absl::Status ReadMode() {
    const std::string word = command_.Text("mode");
    if (word.empty()) return absl::OkStatus();
    request_.mode = ParseMode(word);
    if (request_.mode) return absl::OkStatus();
    return Invalid("mode", word,
                   "must be resolved, networkmanager or resolv.conf");
  }

  absl::Status ReadDomains() {
    std::vector<std::string> words = command_.Texts("domain");
    if (words.empty()) words.push_back("consul");
    for (const std::string& word : words) {
      std::string domain = NormalizeDomain(word, true);
      if (domain.empty()) {
        return Invalid("domain", word, "not a domain name");
      }
      domain.pop_back();
      request_.domains.push_back(std::move(domain));
    }
    return absl::OkStatus();
  }

  absl::Status ReadAddress() {
    const std::string text = command_.Text("address");
    if (text.empty()) return absl::OkStatus();
    const std::optional<Endpoint> address = ParseEndpoint(text, 0);
    if (!address || IsWildcardIp(address->ip)) {
      return Invalid("address", text, "not the IP or IP:PORT of one listener");
    }
    request_.address = *address;
    return absl::OkStatus();
  }

  absl::Status ReadRecursors() {
    for (const std::string& text : command_.Texts("recursor")) {
      const std::optional<Endpoint> recursor =
          ParseEndpoint(text, kUpstreamPort);
      if (!recursor || IsWildcardIp(recursor->ip)) {
        return Invalid("recursor", text, "not an IP or IP:PORT");
      }
      request_.recursors.push_back(*recursor);
    }
    return absl::OkStatus();
  }

  absl::Status CheckPath() {
    const std::string path = command_.Text("write-config");
    if (path.empty() || (path[0] == '/' && path.back() != '/')) {
      return absl::OkStatus();
    }
    return Invalid("write-config", path, "not the full path of a file");
  }

  const Command& command_;
  ResolverRequest request_;
};

void PrintIndented(const std::string& text) {
  for (const absl::string_view line :
       absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    PrintLine(line.empty() ? std::string() : absl::StrCat("    ", line));
  }
}

// The changes, each with the path as the machine sees it.
class SetupRun {
 public:
  SetupRun(std::string root, bool dry_run)
      : root_(std::move(root)), dry_run_(dry_run) {}

  absl::Status Write(const WantedFile& file) {
    return Add(PlanWrite(root_ + file.path, file.body), file.path);
  }
  absl::Status Undo(const std::string& path) {
    return Add(PlanUndo(root_ + path), path);
  }

  // Applies and shows what was added.
  absl::Status Finish() {
    if (!dry_run_) {
      const absl::Status status = ApplyChanges(changes_);
      if (!status.ok()) return status;
    }
    std::vector<std::string> commands;
    for (size_t i = 0; i < changes_.size(); ++i) {
      Show(changes_[i], paths_[i]);
      const std::string command = ReloadCommand(paths_[i]);
      if (changes_[i].kind == FileChange::Kind::kNone || command.empty() ||
          std::find(commands.begin(), commands.end(), command) !=
              commands.end()) {
        continue;
      }
      commands.push_back(command);
    }
    if (!commands.empty()) PrintLine("To make it count:");
    for (const std::string& command : commands) PrintIndented(command);
    return absl::OkStatus();
  }

  [[nodiscard]] bool changes() const {
    return std::any_of(changes_.begin(), changes_.end(), [](const auto& c) {
      return c.kind != FileChange::Kind::kNone;
    });
  }

 private:
  absl::Status Add(absl::StatusOr<FileChange> change, const std::string& path) {
    if (!change.ok()) return change.status();
    changes_.push_back(*std::move(change));
    paths_.push_back(path);
    return absl::OkStatus();
  }

  void Show(const FileChange& change, const std::string& path) const {
    const std::string saved = path + kFormerSuffix;
    switch (change.kind) {
      case FileChange::Kind::kNone:
        return;
      case FileChange::Kind::kWrite:
        PrintLine(absl::StrCat(
            dry_run_ ? "Would write " : "Wrote ", path,
            change.former ? absl::StrCat("; what was there is kept as ", saved)
                          : "",
            dry_run_ ? ":" : ""));
        if (dry_run_) PrintIndented(change.text);
        return;
      case FileChange::Kind::kUndo:
        if (change.former) {
          PrintLine(absl::StrCat(dry_run_ ? "Would bring" : "Brought", " back ",
                                 path, " as it was"));
        } else {
          PrintLine(
              absl::StrCat(dry_run_ ? "Would remove " : "Removed ", path));
        }
        return;
    }
  }

  std::string root_;
  bool dry_run_;
  std::vector<FileChange> changes_;
  std::vector<std::string> paths_;
};

absl::Status SetUp(const ResolverRequest& request, const std::string& config,
                   SetupRun* run) {
  const absl::StatusOr<ResolverSetup> setup = PlanResolverSetup(request);
  if (!setup.ok()) return setup.status();
  std::vector<WantedFile> files = setup->files;
  std::vector<std::string> paths = ResolverPaths();
  if (!config.empty()) {
    paths.push_back(config);
    if (!setup->config.empty()) files.push_back({config, setup->config});
  }
  absl::Status status;
  for (const WantedFile& file : files) {
    if (status.ok()) status = run->Write(file);
  }
  // What an earlier run wrote for another mode.
  for (const std::string& path : paths) {
    const bool wanted =
        std::any_of(files.begin(), files.end(),
                    [&](const WantedFile& file) { return file.path == path; });
    if (status.ok() && !wanted) status = run->Undo(path);
  }
  if (!status.ok()) return status;
  PrintLine(absl::StrCat("Mode ", ModeWord(setup->mode), ": ", setup->reason));
  status = run->Finish();
  if (!status.ok()) return status;
  if (!run->changes()) PrintLine("Everything is so already");
  if (!setup->config.empty()) {
    PrintLine(config.empty() ? std::string("dnsd needs in its configuration:")
                             : absl::StrCat("dnsd needs -config-file ", config,
                                            ", which says:"));
    PrintIndented(setup->config);
  }
  for (const std::string& note : setup->notes) {
    PrintLine(absl::StrCat("Note: ", note));
  }
  return absl::OkStatus();
}

absl::Status UndoAll(const std::string& config, SetupRun* run) {
  std::vector<std::string> paths = ResolverPaths();
  if (!config.empty()) paths.push_back(config);
  absl::Status status;
  for (const std::string& path : paths) {
    if (status.ok()) status = run->Undo(path);
  }
  if (status.ok()) status = run->Finish();
  if (status.ok() && !run->changes()) {
    PrintLine("Nothing to undo: dnsd wrote nothing here");
  }
  return status;
}

}  // namespace

int SetupResolverVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kSetup, args, &exit_code);
  if (!command) return exit_code;
  if (!RefuseWords(*command)) return 1;
  const absl::StatusOr<ResolverRequest> request =
      RequestReader(*command).Read();
  if (!request.ok()) {
    PrintErrorLine(request.status().message());
    return 1;
  }
  const std::string config = command->Text("write-config");
  SetupRun run(request->root, command->Bool("dry-run"));
  const absl::Status status = command->Bool("undo")
                                  ? UndoAll(config, &run)
                                  : SetUp(*request, config, &run);
  if (status.ok()) return 0;
  PrintErrorLine(status.message());
  return 1;
}

}  // namespace dnsd
