// The one place that calls libpqxx, and the one that catches what it throws.
#include "services/core/store/pg/session.h"

#include <poll.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/store/pg/pqxx_compat.h"

namespace tocsin::core::pg {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
constexpr absl::Duration kLongestPause = absl::Milliseconds(250);

bool HasInput(int socket) {
  pollfd poll_for = {.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&poll_for, 1, 0) > 0;
}

}  // namespace

Session::Session(SessionOptions options, Watchdog& watchdog, ChangeLogger& log)
    : options_(std::move(options)), watchdog_(watchdog), timer_(watchdog.AddTimer()), log_(log) {}

Session::~Session() { Disconnect(); }

// Runs `body` and turns what libpqxx throws into a Status. The only place that does.
template <typename Body>
absl::Status Session::Try(Scope scope, Body body) {
  had_conflict_ = false;
  if (connection_ != nullptr) {
    timer_.Arm(connection_->sock(), watchdog_.Now() + options_.patience);
  }
  SqlFault fault;
  try {
    body();
    timer_.Disarm();
    return absl::OkStatus();
  } catch (const pqxx::deadlock_detected& error) {
    // In libpqxx 6 these four are no sql_error and carry no code.
    fault = {"40P01", error.what()};
  } catch (const pqxx::serialization_failure& error) {
    fault = {"40001", error.what()};
  } catch (const pqxx::statement_completion_unknown& error) {
    fault = {"40003", error.what()};
  } catch (const pqxx::transaction_rollback& error) {
    fault = {"40000", error.what()};
  } catch (const pqxx::sql_error& error) {
    fault = {error.sqlstate(), error.what()};
  } catch (const pqxx::broken_connection& error) {
    fault = {"", error.what(), /*connection_lost=*/true};
  } catch (const std::exception& error) {
    fault = {"XX000", error.what()};
  }
  timer_.Disarm();
  return Fail(std::move(fault), scope);
}

absl::Status Session::Fail(SqlFault fault, Scope scope) {
  if (connection_ == nullptr || !connection_->is_open()) fault.connection_lost = true;
  had_conflict_ = IsConflict(fault);
  const absl::Status status = StatusOf(fault, scope == Scope::kAlone);
  if (in_transaction_ && aborted_.ok()) aborted_ = status;
  if (EndsSession(fault)) {
    log_.Report(absl::Status(status.code(), fault.message));
    Disconnect();
  }
  return status;
}

void Session::Disconnect() {
  timer_.Disarm();
  inbox_.reset();
  connection_.reset();
  prepared_.clear();
  in_transaction_ = false;
}

void Session::ReadIdle() {
  // The farewell of a server and the end of its stream arrive as separate reads.
  for (int i = 0; i < 3 && connection_ != nullptr && HasInput(connection_->sock()); ++i) {
    if (!Try(Scope::kInTransaction, [&] { connection_->get_notifs(); }).ok()) return;
  }
  if (connection_ != nullptr && !connection_->is_open()) Disconnect();
}

absl::Status Session::Ready() {
  if (in_transaction_) Rollback();
  if (connection_ != nullptr) ReadIdle();
  if (connection_ != nullptr) return absl::OkStatus();
  if (watchdog_.Now() < retry_at_) {
    return absl::UnavailableError("the database is not available");
  }
  if (Connect().ok()) {
    retry_pause_ = absl::ZeroDuration();
    log_.Report(absl::OkStatus());
    return absl::OkStatus();
  }
  retry_pause_ = std::clamp(retry_pause_ * 2, kFirstPause, kLongestPause);
  retry_at_ = watchdog_.Now() + retry_pause_;
  return absl::UnavailableError("the database is not available");
}

absl::Status Session::Connect() {
  RETURN_IF_ERROR(Try(Scope::kInTransaction, [&] {
    connection_ = std::make_unique<pqxx::connection>(options_.conninfo);
    ForbidReconnecting(*connection_);
  }));
  const absl::Status settled = Script(options_.settings);
  if (settled.ok() || connection_ == nullptr) return settled;
  log_.Report(settled);
  Disconnect();
  return settled;
}

// Nothing is sent that could commit, so nothing is in doubt.
absl::Status Session::Prepare(const Statement& statement) {
  const auto [known, is_new] = prepared_.try_emplace(&statement, 0);
  const uint64_t uses = ++known->second;
  if (is_new) {
    const absl::Status prepared =
        Try(Scope::kInTransaction, [&] { connection_->prepare(statement.name, statement.sql); });
    if (!prepared.ok()) prepared_.erase(&statement);
    return prepared;
  }
  if (options_.plan_life == absl::ZeroDuration()) return absl::OkStatus();
  if (options_.plan_life < absl::InfiniteDuration()) {
    const absl::Duration now = watchdog_.Now();
    if (now - planned_at_ < options_.plan_life) return absl::OkStatus();
    planned_at_ = now;
  } else if (uses < 4 || !std::has_single_bit(uses)) {
    return absl::OkStatus();
  }
  return Script("DISCARD PLANS");
}

absl::StatusOr<Rows> Session::Run(const Statement& statement, const Params& params, Scope scope) {
  if (connection_ == nullptr) return absl::UnavailableError("the database is not available");
  if (params.has_nul()) return Fail({"22021", "text has a NUL"}, scope);
  RETURN_IF_ERROR(Prepare(statement));
  Rows rows;
  RETURN_IF_ERROR(Try(scope, [&] {
    pqxx::nontransaction transaction(*connection_);
    rows = Rows(ExecPrepared(transaction, statement.name, params.text(), params.binary()));
  }));
  return rows;
}

absl::Status Session::Script(const std::string& sql, Scope scope) {
  if (connection_ == nullptr) return absl::UnavailableError("the database is not available");
  return Try(scope, [&] {
    pqxx::nontransaction transaction(*connection_);
    transaction.exec(sql);
  });
}

absl::Status Session::Begin() {
  RETURN_IF_ERROR(Ready());
  absl::Status begun = Script("BEGIN");
  if (!begun.ok() && connection_ == nullptr) {
    // The connection had died while idle; nothing was lost with it.
    RETURN_IF_ERROR(Ready());
    begun = Script("BEGIN");
  }
  RETURN_IF_ERROR(begun);
  in_transaction_ = true;
  aborted_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status Session::Commit(const std::string& news) {
  // The server answers the COMMIT of a failed transaction with success, and rolls back.
  if (!aborted_.ok()) {
    Rollback();
    return aborted_;
  }
  const absl::Status committed = Script(
      news.empty() ? "COMMIT" : absl::StrCat("NOTIFY ", kNewsChannel, ", '", news, "'; COMMIT"),
      Scope::kAlone);
  if (!committed.ok() && connection_ != nullptr) Rollback();
  in_transaction_ = false;
  return committed;
}

void Session::Rollback() {
  const bool had_conflict = had_conflict_;
  if (connection_ != nullptr && !Script("ROLLBACK").ok()) Disconnect();
  in_transaction_ = false;
  had_conflict_ = had_conflict;
}

absl::Status Session::Listen() {
  return Try(Scope::kInTransaction,
             [&] { inbox_ = std::make_unique<Inbox>(*connection_, kNewsChannel); });
}

int Session::socket() const { return connection_ == nullptr ? -1 : connection_->sock(); }

absl::StatusOr<std::vector<std::string>> Session::TakeNotifications() {
  if (connection_ == nullptr) return absl::UnavailableError("the database is not available");
  RETURN_IF_ERROR(Try(Scope::kInTransaction, [&] { connection_->get_notifs(); }));
  if (!connection_->is_open()) Disconnect();
  if (inbox_ == nullptr) return absl::UnavailableError("the database is not available");
  return inbox_->Take();
}

}  // namespace tocsin::core::pg
