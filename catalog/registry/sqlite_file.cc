#include "catalog/registry/sqlite_file.h"

#define XXH_INLINE_ALL
#include <sys/stat.h>
#include <xxhash.h>

#include <system_error>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

// Of the key and the value; SQLite itself notices no flipped bit in them.
int64_t Hash(absl::string_view key, absl::string_view value) {
  const XXH64_hash_t seed = XXH64(key.data(), key.size(), 0);
  return static_cast<int64_t>(XXH64(value.data(), value.size(), seed));
}

absl::string_view Column(sqlite3_stmt* row, int index) {
  const void* data = sqlite3_column_blob(row, index);
  const int size = sqlite3_column_bytes(row, index);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

int Bind(sqlite3_stmt* statement, int index, absl::string_view bytes) {
  return sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(),
                             SQLITE_STATIC);
}

// The first key behind all that begin with the prefix, which ends in no 255.
std::string EndOfPrefix(absl::string_view prefix) {
  std::string end(prefix);
  if (!end.empty()) ++end.back();
  return end;
}

absl::StatusCode CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a table is missing
      return absl::StatusCode::kDataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::Status SqliteFile::Failure(absl::string_view action) const {
  const int code = sqlite3_extended_errcode(db_.get());
  std::string text = absl::StrCat("cannot ", action, " ", path_, ": ");
  if ((code & 0xff) == SQLITE_BUSY) {
    absl::StrAppend(&text, "another process has it open: ");
  }
  absl::StrAppend(&text, sqlite3_errmsg(db_.get()));
  const int primary = code & 0xff;
  const int system = sqlite3_system_errno(db_.get());
  if (system != 0 && (primary == SQLITE_IOERR || primary == SQLITE_FULL ||
                      primary == SQLITE_CANTOPEN)) {
    absl::StrAppend(&text, ": ", std::system_category().message(system));
  }
  const absl::StatusCode status = CodeOf(code);
  if (status == absl::StatusCode::kDataLoss) {
    absl::StrAppend(&text,
                    "; it was left as it is: put a good copy in its place, or "
                    "move it and its -wal away to start with nothing");
  }
  return {status, text};
}

// --- reading ---

absl::Status SqliteFile::Load(const Store::Visit& visit,
                              absl::string_view last) {
  // Without `last`, no key is in its range, and all are at the end or behind.
  const std::string begin(last);
  const std::string end = EndOfPrefix(last);
  absl::Status status;
  for (const char* range :
       {"key < ?1", "key >= ?2", "key >= ?1 AND key < ?2"}) {
    if (status.ok()) status = LoadRange(range, begin, end, visit);
  }
  if (status.ok()) return status;
  // What is wrong with the file says more than where it was noticed.
  const absl::Status damage = CheckStructure();
  return damage.ok() ? status : damage;
}

absl::Status SqliteFile::Verify() {
  const absl::Status status = CheckStructure();
  sqlite3_db_release_memory(db_.get());  // pages are only written from now on
  return status.ok() ? SetCheckpointOnClose(true) : status;
}

absl::Status SqliteFile::CheckStructure() {
  const absl::StatusOr<std::string> check = Text("PRAGMA quick_check(1)");
  if (!check.ok() || *check == "ok") return check.status();
  return absl::DataLossError(absl::StrCat(
      "cannot read ", path_, ": it is damaged: ", *check,
      "; it was left as it is: put a good copy in its place, or move it and "
      "its -wal away to start with nothing"));
}

absl::Status SqliteFile::LoadRange(const char* range, const std::string& begin,
                                   const std::string& end,
                                   const Store::Visit& visit) {
  const std::string select = absl::StrCat(
      "SELECT key, value, hash FROM records WHERE ", range, " ORDER BY key");
  auto rows = Prepare(select.c_str());
  if (!rows.ok()) return rows.status();
  sqlite3_stmt* const row = rows->get();
  Bind(row, 1, begin);
  Bind(row, 2, end);
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(row)) == SQLITE_ROW) {
    const absl::string_view key = Column(row, 0);
    const absl::string_view value = Column(row, 1);
    if (sqlite3_column_int64(row, 2) != Hash(key, value)) {
      return absl::DataLossError(absl::StrCat(
          "cannot read ", path_, ": the record '", key,
          "' is damaged; the file was left as it is: put a good copy in its "
          "place, or delete the record with sqlite3"));
    }
    visit(key, value);
  }
  return code == SQLITE_DONE ? absl::OkStatus() : Failure("read");
}

absl::StatusOr<SqliteFile::Statement> SqliteFile::Prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1,
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement statement(raw);
  if (code != SQLITE_OK) return Failure("open");
  return statement;
}

absl::StatusOr<std::string> SqliteFile::Text(const char* sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return Failure("read");
  return std::string(Column(statement->get(), 0));
}

absl::StatusOr<int64_t> SqliteFile::Number(const char* sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return Failure("read");
  return sqlite3_column_int64(statement->get(), 0);
}

uint64_t SqliteFile::size() const {
  struct stat info = {};
  if (stat(path_.c_str(), &info) != 0) return 0;
  return static_cast<uint64_t>(info.st_size);
}

// --- writing ---

absl::Status SqliteFile::PrepareWrites() {
  const struct {
    Statement* statement;
    const char* sql;
  } wanted[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&put_, "REPLACE INTO records (key, value, hash) VALUES (?, ?, ?)"},
      {&remove_, "DELETE FROM records WHERE key = ?"},
  };
  for (const auto& [statement, sql] : wanted) {
    auto prepared = Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::Status SqliteFile::Run(const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  absl::Status status;
  if (code != SQLITE_DONE) status = Failure("write");
  sqlite3_reset(statement.get());
  return status;
}

absl::Status SqliteFile::WriteRecord(const StoreWrite& write) {
  const Statement& statement = write.value ? put_ : remove_;
  int code = Bind(statement.get(), 1, write.key);
  if (write.value && code == SQLITE_OK) {
    code = Bind(statement.get(), 2, *write.value);
    sqlite3_bind_int64(statement.get(), 3, Hash(write.key, *write.value));
  }
  if (code != SQLITE_OK) return Failure("write");
  return Run(statement);
}

absl::Status SqliteFile::WriteOnce(
    const std::vector<const StoreWrite*>& writes) {
  absl::Status status = Run(begin_);
  for (const StoreWrite* write : writes) {
    if (!status.ok()) break;
    status = WriteRecord(*write);
  }
  if (status.ok()) status = Run(commit_);
  // SQLite may have rolled back by itself.
  if (sqlite3_get_autocommit(db_.get()) == 0) (void)Run(rollback_);
  return status;
}

absl::Status SqliteFile::Write(const std::vector<const StoreWrite*>& writes) {
  absl::Status status = WriteOnce(writes);
  if (!status.ok() && log_size_ != 0) {
    const int code = sqlite3_extended_errcode(db_.get());
    const bool no_room =
        (code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE;
    if (no_room && Checkpoint().ok()) status = WriteOnce(writes);
  }
  return status;
}

absl::Status SqliteFile::Checkpoint() {
  int log_frames = 0;
  int moved_frames = 0;
  if (sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                &log_frames, &moved_frames) != SQLITE_OK) {
    return Failure("checkpoint");
  }
  if (moved_frames == log_frames) log_size_ = 0;
  return absl::OkStatus();
}

}  // namespace dnsd
