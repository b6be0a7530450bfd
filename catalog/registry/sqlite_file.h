// SqliteFile is the file behind the store: opened with care, read once, then
// written a transaction at a time. It blocks on the disk.
//
// Threads: one at a time.
// Format:  SQLite 3 with application_id kStoreApplicationId and user_version
//          kStoreVersion: one table of key, value and the XXH64 of both,
//          without rowid, so in the order of keys. A write-ahead log FILE-wal
//          lies beside it and belongs to it. It is locked as long as it is
//          open.
// Errors:  kDataLoss for a file that is damaged or not ours and
//          kFailedPrecondition for one of a newer dnsd, which are left as they
//          are; kUnavailable when another process has it or the disk fails,
//          kResourceExhausted when that is full, kPermissionDenied. The text
//          names the file, what SQLite says and what the system says.
#ifndef DNSD_CATALOG_REGISTRY_SQLITE_FILE_H_
#define DNSD_CATALOG_REGISTRY_SQLITE_FILE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/registry/store.h"

namespace dnsd {

inline constexpr int kStoreApplicationId = 0x646e7364;  // "dnsd"
inline constexpr int kStoreVersion = 1;

class SqliteFile {
 public:
  // Makes the file if there is none, readable for its owner alone, and brings
  // an older one to kStoreVersion.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SqliteFile>> Open(
      const std::string& path);
  // Moves what the log has into the file, if Verify() found that good.
  ~SqliteFile() = default;
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  // Visits the records, each checked by its hash, in the order of
  // Store::Load().
  [[nodiscard]] absl::Status Load(const Store::Visit& visit,
                                  absl::string_view last = "");
  // Checks the file's structure: whether those were all.
  [[nodiscard]] absl::Status Verify();

  // One transaction. The keys are unique, and better sorted. When it fails,
  // nothing of it is there. A full disk gets a second chance after a
  // checkpoint, which makes room in the log.
  [[nodiscard]] absl::Status Write(
      const std::vector<const StoreWrite*>& writes);

  // Moves what the log has into the file. The log starts over then, but keeps
  // its room on the disk.
  [[nodiscard]] absl::Status Checkpoint();

  // Bytes of the log that wait for Checkpoint().
  [[nodiscard]] uint64_t log_size() const { return log_size_; }
  // Bytes of the file itself, after opening and after each checkpoint.
  [[nodiscard]] uint64_t size() const;

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit SqliteFile(const std::string& path) : path_(path) {}

  absl::Status Connect();
  // The format's version, 0 for a file that has nothing yet.
  absl::StatusOr<int64_t> Identify();
  absl::Status Configure();
  absl::Status Migrate(int64_t version);
  absl::Status PrepareWrites();
  absl::Status SetCheckpointOnClose(bool wanted);

  absl::Status Execute(const char* sql);
  absl::StatusOr<Statement> Prepare(const char* sql);
  // The first column of the first row.
  absl::StatusOr<std::string> Text(const char* sql);
  absl::StatusOr<int64_t> Number(const char* sql);

  // The records for which `range` holds, SQL of the two keys ?1 and ?2, in the
  // order of their keys.
  absl::Status LoadRange(const char* range, const std::string& begin,
                         const std::string& end, const Store::Visit& visit);
  absl::Status CheckStructure();
  absl::Status WriteOnce(const std::vector<const StoreWrite*>& writes);
  absl::Status WriteRecord(const StoreWrite& write);
  // Runs a prepared statement that returns no rows.
  absl::Status Run(const Statement& statement);
  // Says what SQLite has just failed with: "cannot ACTION PATH: REASON".
  [[nodiscard]] absl::Status Failure(absl::string_view action) const;

  const std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
  Statement begin_;
  Statement commit_;
  Statement rollback_;
  Statement put_;
  Statement remove_;
  uint64_t log_size_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_SQLITE_FILE_H_
