// How a SqliteFile is opened: nothing is written before it is known to be ours.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/registry/sqlite_file.h"

namespace dnsd {
namespace {

// kSteps[n] makes version n + 1 of version n. The table's hash is the XXH64 of
// the value, seeded with the key's.
constexpr const char* kSteps[] = {
    "CREATE TABLE records (key BLOB PRIMARY KEY NOT NULL,"
    " value BLOB NOT NULL, hash INTEGER NOT NULL) WITHOUT ROWID",
};
static_assert(std::size(kSteps) == kStoreVersion);

absl::Status SystemFailure(absl::string_view path, absl::string_view what,
                           int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return {denied ? absl::StatusCode::kPermissionDenied
                 : absl::StatusCode::kUnavailable,
          absl::StrCat("cannot open ", path, ": ", what,
                       std::system_category().message(error))};
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool MayUse(const std::string& path, int mode) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

// Makes an empty file that only its owner may read; SQLite gives its log the
// same rights. The folder may keep us from it, which SQLite would tell later
// and with fewer words.
absl::Status Create(const std::string& path) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return SystemFailure(path, "", errno);
  close(fd);
  return absl::OkStatus();
}

// A file that is there is looked at by name only: closing a descriptor of it
// would end the locks that this process may have on it.
absl::Status CheckFile(const std::string& path) {
  struct stat file = {};
  const bool exists = stat(path.c_str(), &file) == 0;
  if (!exists && errno != ENOENT) return SystemFailure(path, "", errno);
  if (exists && !S_ISREG(file.st_mode)) {
    return absl::UnavailableError(
        absl::StrCat("cannot open ", path, ": not a file"));
  }
  const std::string log = absl::StrCat(path, "-wal");
  struct stat log_file = {};
  if (file.st_size == 0 && stat(log.c_str(), &log_file) == 0 &&
      log_file.st_size != 0) {
    // SQLite would take the file for new, and remove the log.
    return absl::DataLossError(absl::StrCat(
        "cannot open ", path, ": it is ", exists ? "empty" : "missing",
        ", but its log ", log, " has ", log_file.st_size,
        " bytes: put the file back that belongs to it, or move the log away "
        "to start with nothing"));
  }
  const std::string folder = FolderOf(path);
  if (!MayUse(folder, W_OK | X_OK)) {
    return SystemFailure(path, absl::StrCat("cannot write into ", folder, ": "),
                         errno);
  }
  if (!exists) return Create(path);
  if (!MayUse(path, R_OK | W_OK)) return SystemFailure(path, "", errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteFile>> SqliteFile::Open(
    const std::string& path) {
  absl::Status status = CheckFile(path);
  if (!status.ok()) return status;
  auto file = std::unique_ptr<SqliteFile>(new SqliteFile(path));
  status = file->Connect();
  if (!status.ok()) return status;
  const absl::StatusOr<int64_t> version = file->Identify();
  if (!version.ok()) return version.status();
  status = file->Configure();
  if (status.ok()) status = file->Migrate(*version);
  if (status.ok()) status = file->PrepareWrites();
  if (!status.ok()) return status;
  return file;
}

absl::Status SqliteFile::Connect() {
  sqlite3* raw = nullptr;
  // One thread at a time: SQLite needs no mutex of its own.
  const int code = sqlite3_open_v2(
      path_.c_str(), &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  db_.reset(raw);
  if (db_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot open ", path_, ": ", sqlite3_errstr(code)));
  }
  if (code != SQLITE_OK) return Failure("open");
  absl::Status status = SetCheckpointOnClose(false);
  // Ours alone: the lock is kept, and no FILE-shm is needed.
  if (status.ok()) status = Execute("PRAGMA locking_mode = EXCLUSIVE");
  return status;
}

absl::StatusOr<int64_t> SqliteFile::Identify() {
  const char* const questions[] = {"SELECT count(*) FROM sqlite_schema",
                                   "PRAGMA application_id",
                                   "PRAGMA user_version", "PRAGMA page_count"};
  int64_t answers[std::size(questions)];
  for (size_t i = 0; i < std::size(questions); ++i) {
    const absl::StatusOr<int64_t> answer = Number(questions[i]);
    if (!answer.ok()) return answer.status();
    answers[i] = *answer;
  }
  const auto [tables, application, version, pages] = answers;
  if (sqlite3_db_readonly(db_.get(), "main") != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "cannot open ", path_, ": its header says that it is read-only"));
  }
  // Page 1 is there as soon as the log was chosen.
  if (tables == 0 && application == 0 && version == 0 && pages <= 1) return 0;
  if (application != kStoreApplicationId) {
    return absl::DataLossError(absl::StrCat(
        "cannot open ", path_,
        ": an SQLite database, but not one of dnsd's: "
        "application_id is ",
        application, ", not ", kStoreApplicationId,
        "; it was left as it is: move it away to start with nothing"));
  }
  if (version > kStoreVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot open ", path_, ": it has format ", version,
        ", and this dnsd knows up to ", kStoreVersion,
        "; it was left as it is: run the dnsd that wrote it, or move it away "
        "to start with nothing"));
  }
  if (version < 1) {
    return absl::DataLossError(absl::StrCat(
        "cannot open ", path_, ": it has format ", version,
        ", which no dnsd writes; it was left as it is: put a good copy in its "
        "place, or move it away to start with nothing"));
  }
  return version;
}

absl::Status SqliteFile::Configure() {
  absl::StatusOr<std::string> mode = Text("PRAGMA journal_mode = WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") {
    return absl::UnavailableError(
        absl::StrCat("cannot open ", path_,
                     ": no write-ahead log here: journal_mode is ", *mode));
  }
  // Each commit is synced. Checkpoints are ours, after `done` was called. What
  // a burst leaves of the log beyond the usual is given back.
  const std::string settings = absl::StrCat(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
      "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
      "PRAGMA journal_size_limit = ",
      2 * kStoreLogBytesMax, "; PRAGMA cache_size = -",
      kStoreCacheBytesMax / 1024);
  const absl::Status status = Execute(settings.c_str());
  if (!status.ok()) return status;
  sqlite3_wal_hook(
      db_.get(),
      [](void* file, sqlite3*, const char*, int frames) {
        constexpr uint64_t kFrameBytes = 4096 + 24;
        static_cast<SqliteFile*>(file)->log_size_ =
            static_cast<uint64_t>(frames) * kFrameBytes;
        return SQLITE_OK;
      },
      this);
  return absl::OkStatus();
}

absl::Status SqliteFile::Migrate(int64_t version) {
  if (version == kStoreVersion) return absl::OkStatus();
  std::string sql = "BEGIN IMMEDIATE;";
  for (int64_t step = version; step < kStoreVersion; ++step) {
    absl::StrAppend(&sql, kSteps[step], ";");
  }
  absl::StrAppend(&sql, "PRAGMA application_id = ", kStoreApplicationId,
                  "; PRAGMA user_version = ", kStoreVersion, "; COMMIT");
  return Execute(sql.c_str());
}

absl::Status SqliteFile::SetCheckpointOnClose(bool wanted) {
  if (sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                        wanted ? 0 : 1, nullptr) != SQLITE_OK) {
    return Failure("open");
  }
  return absl::OkStatus();
}

absl::Status SqliteFile::Execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure("open");
  }
  return absl::OkStatus();
}

}  // namespace dnsd
