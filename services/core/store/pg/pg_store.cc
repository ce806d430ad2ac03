// Sessions by class, and transactions that are run again after conflicts.
#include "services/core/store/pg/pg_store.h"

#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/conninfo.h"
#include "services/core/store/pg/migrator.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/session_settings.h"

namespace tocsin::core {
namespace {

// How often a transaction is run when it keeps meeting conflicts.
constexpr int kTries = 5;

constexpr pg::Statement kClock = {"clock", "SELECT clock_timestamp()"};
constexpr pg::Statement kSealed = {"sealed",
                                   "SELECT " TOCSIN_CHANNEL_COLUMNS
                                   " FROM channel c JOIN project p ON p.project_id = c.project_id "
                                   "WHERE c.deleted_at IS NULL ORDER BY c.channel_id"};

pg::SessionOptions OptionsOf(const pg::SessionClass& klass, const std::string& conninfo) {
  return {.conninfo = conninfo,
          .settings = pg::SettingsOf(klass),
          .plan_life = klass.plan_life,
          .patience = klass.statement_timeout + absl::Seconds(3)};
}

}  // namespace

struct PgStore::Conninfos {
  std::string committer, sweeper, delivery, admin, list, search, upkeep, probe, listener;
};

absl::StatusOr<std::unique_ptr<PgStore>> PgStore::Open(const PgStoreOptions& options, Sealer sealer,
                                                       const MonotonicClock& clock) {
  Conninfos conninfos;
  for (const auto& [klass, conninfo] :
       {std::pair(&pg::kCommitter, &conninfos.committer),
        std::pair(&pg::kSweeper, &conninfos.sweeper),
        std::pair(&pg::kDelivery, &conninfos.delivery), std::pair(&pg::kAdmin, &conninfos.admin),
        std::pair(&pg::kList, &conninfos.list), std::pair(&pg::kSearch, &conninfos.search),
        std::pair(&pg::kUpkeep, &conninfos.upkeep), std::pair(&pg::kProbe, &conninfos.probe),
        std::pair(&pg::kListener, &conninfos.listener)}) {
    ASSIGN_OR_RETURN(*conninfo,
                     pg::SessionConninfo(options.url, std::string("tocsin-core/") + klass->name));
  }
  return std::unique_ptr<PgStore>(new PgStore(options, conninfos, std::move(sealer), clock));
}

PgStore::PgStore(const PgStoreOptions& options, const Conninfos& conninfos, Sealer sealer,
                 const MonotonicClock& clock)
    : sealer_(std::move(sealer)),
      clock_(clock),
      log_("database_connection"),
      watchdog_(clock),
      committers_{
          pg::SessionPool(1, OptionsOf(pg::kCommitter, conninfos.committer), watchdog_, log_),
          pg::SessionPool(1, OptionsOf(pg::kCommitter, conninfos.committer), watchdog_, log_)},
      sweeper_(2, OptionsOf(pg::kSweeper, conninfos.sweeper), watchdog_, log_),
      engine_(2, OptionsOf(pg::kSweeper, conninfos.sweeper), watchdog_, log_),
      delivery_(options.delivery_sessions, OptionsOf(pg::kDelivery, conninfos.delivery), watchdog_,
                log_),
      admin_(options.admin_sessions, OptionsOf(pg::kAdmin, conninfos.admin), watchdog_, log_),
      list_(options.list_sessions, OptionsOf(pg::kList, conninfos.list), watchdog_, log_),
      monitor_(options.monitor_sessions, OptionsOf(pg::kList, conninfos.list), watchdog_, log_),
      search_((options.list_sessions + 1) / 2, OptionsOf(pg::kSearch, conninfos.search), watchdog_,
              log_),
      upkeep_(1, OptionsOf(pg::kUpkeep, conninfos.upkeep), watchdog_, log_),
      probe_(1, OptionsOf(pg::kProbe, conninfos.probe), watchdog_, log_),
      listener_(OptionsOf(pg::kListener, conninfos.listener), watchdog_, log_) {}

absl::Status PgStore::Migrate(const std::string& url) {
  return pg::ApplyMigrations(url, pg::EmbeddedMigrations());
}

absl::Status PgStore::CheckSecrets() {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kSealed, pg::Params()));
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    const Channel channel = pg::ReadChannel(row, sealer_);
    if (channel.url.empty() || channel.headers_closed) {
      return absl::FailedPreconditionError(
          "the secrets of channel " + channel.id +
          " cannot be opened: the secret key file lacks the key that sealed them");
    }
  }
  return rows.status();
}

pg::SessionPool& PgStore::PoolOf(TransactionClass klass) {
  switch (klass) {
    case TransactionClass::kCommitter0:
      return committers_[0];
    case TransactionClass::kCommitter1:
      return committers_[1];
    case TransactionClass::kSweeper:
      return sweeper_;
    case TransactionClass::kDelivery:
      return delivery_;
    case TransactionClass::kAdmin:
      return admin_;
  }
  return admin_;
}

absl::Status PgStore::InTransaction(
    pg::SessionPool& pool, absl::FunctionRef<absl::StatusOr<std::string>(pg::Session&)> body) {
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, pool.Take());
  for (int tried = 1;; ++tried) {
    RETURN_IF_ERROR(session->Begin());
    const absl::StatusOr<std::string> news = body(*session);
    absl::Status status = news.status();
    if (status.ok()) {
      status = session->Commit(*news);
    } else {
      session->Rollback();
    }
    if (status.ok() || !session->had_conflict() || tried == kTries) return status;
  }
}

absl::Status PgStore::Transact(TransactionClass klass,
                               absl::FunctionRef<absl::Status(Transaction&)> body) {
  return InTransaction(PoolOf(klass), [&](pg::Session& session) -> absl::StatusOr<std::string> {
    pg::PgTransaction transaction(session, sealer_, maintenances_);
    RETURN_IF_ERROR(body(transaction));
    RETURN_IF_ERROR(transaction.Flush());
    return transaction.announcement().Encode();
  });
}

absl::StatusOr<pg::Rows> PgStore::Read(const pg::Statement& statement, const pg::Params& params) {
  return ReadOn(admin_, statement, params);
}

absl::StatusOr<pg::Rows> PgStore::ReadOn(pg::SessionPool& pool, const pg::Statement& statement,
                                         const pg::Params& params) {
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, pool.Take());
  RETURN_IF_ERROR(session->Ready());
  return session->Run(statement, params);
}

absl::StatusOr<absl::Time> PgStore::ReadDatabaseClock() {
  ASSIGN_OR_RETURN(pg::Rows rows, ReadOn(probe_, kClock, pg::Params()));
  const absl::Time time = rows.at(0).Time();
  RETURN_IF_ERROR(rows.status());
  return time;
}

News PgStore::WaitForNews(absl::Duration timeout) { return listener_.Wait(timeout); }

void PgStore::StopWaiting() { listener_.Stop(); }

}  // namespace tocsin::core
