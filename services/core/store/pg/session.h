// One connection to PostgreSQL that mends itself between transactions, without exceptions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/log.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/pg/sql_status.h"
#include "services/core/store/pg/statement.h"
#include "services/core/store/pg/watchdog.h"

namespace tocsin::core::pg {

struct SessionOptions {
  std::string conninfo;  // see SessionConninfo
  std::string settings;  // statements run right after connecting
  // How long the session keeps plans for any parameters; zero: it plans each time. The server makes
  // such a plan for the tables as they are then, so one that is kept for ever is made anew each
  // time that the use of a statement doubles.
  absl::Duration plan_life = absl::ZeroDuration();
  // A statement that was not answered for so long ends the connection: above statement_timeout,
  // for servers that are frozen.
  absl::Duration patience = absl::Seconds(15);
};

// Not thread-safe. Errors are those of StatusOf; after UNAVAILABLE or UNKNOWN the session may
// be disconnected, and Ready() connects it again.
class Session {
 public:
  // `watchdog` and `log` (of connection troubles; may be shared) outlive the session.
  Session(SessionOptions options, Watchdog& watchdog, ChangeLogger& log);
  ~Session();

  // Makes sure that a connection stands; call it before each transaction. While the database
  // is away, tries again after a pause that grows to a quarter second and is UNAVAILABLE at once
  // in between. Connecting is bounded by connect_timeout.
  absl::Status Ready();

  // Whether the statement commits by itself: then a lost connection is in doubt.
  enum class Scope { kInTransaction, kAlone };

  // Runs a prepared statement.
  absl::StatusOr<Rows> Run(const Statement& statement, const Params& params = Params(),
                           Scope scope = Scope::kInTransaction);
  // Runs statements that need no answer, without parameters.
  absl::Status Script(const std::string& sql, Scope scope = Scope::kInTransaction);

  absl::Status Begin();
  // Commits, after announcing `news` (may be empty) to listeners.
  absl::Status Commit(const std::string& news = "");
  // Ends the transaction without effect.
  void Rollback();

  // Whether the last failure was a conflict with another transaction, see IsConflict.
  bool had_conflict() const { return had_conflict_; }

  // --- For the listener ---

  // Starts to listen; the payloads of notifications are collected by TakeNotifications.
  absl::Status Listen();
  // The socket to wait on; -1 when disconnected.
  int socket() const;
  // Reads what has arrived. UNAVAILABLE when the connection is gone.
  absl::StatusOr<std::vector<std::string>> TakeNotifications();

 private:
  absl::Status Connect();
  absl::Status Prepare(const Statement& statement);
  // Reads what an idle connection was sent: mostly the news that it was ended.
  void ReadIdle();
  void Disconnect();
  template <typename Body>
  absl::Status Try(Scope scope, Body body);
  absl::Status Fail(SqlFault fault, Scope scope);

  const SessionOptions options_;
  Watchdog& watchdog_;
  Watchdog::Timer& timer_;
  ChangeLogger& log_;
  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<Inbox> inbox_;
  absl::flat_hash_map<const Statement*, uint64_t> prepared_;  // how often each was used
  absl::Duration planned_at_ = -absl::InfiniteDuration();     // on the watchdog's clock
  bool in_transaction_ = false;
  absl::Status aborted_;  // the first failure of the transaction
  bool had_conflict_ = false;
  absl::Duration retry_at_;  // not before, on the watchdog's clock
  absl::Duration retry_pause_;
};

// The channel that news travels on.
inline constexpr char kNewsChannel[] = "tocsin_news";

}  // namespace tocsin::core::pg
