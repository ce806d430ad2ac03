// Classes of SQLSTATE and what they mean.
#include "services/core/store/pg/sql_status.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace tocsin::core::pg {
namespace {

bool HasClass(const SqlFault& fault, std::string_view prefix) {
  return std::string_view(fault.sqlstate).substr(0, prefix.size()) == prefix;
}

// The server is shutting down, crashed or starting; or the connection failed.
bool IsDisconnect(const SqlFault& fault) {
  return fault.connection_lost || HasClass(fault, "08") || HasClass(fault, "57P0") ||
         fault.sqlstate == "25P03";
}

std::string FirstLine(const std::string& message) { return message.substr(0, message.find('\n')); }

absl::Status Unavailable(const SqlFault& fault) {
  if (fault.sqlstate.empty()) return absl::UnavailableError("the database is not available");
  return absl::UnavailableError(
      absl::StrCat("the database is not available (", fault.sqlstate, ")"));
}

}  // namespace

bool IsConflict(const SqlFault& fault) {
  return fault.sqlstate == "40001" || fault.sqlstate == "40P01";
}

bool EndsSession(const SqlFault& fault) {
  return IsDisconnect(fault) || fault.sqlstate == "25006" ||  // read-only: a standby
         fault.sqlstate == "26000" ||                         // prepared statement is gone
         fault.sqlstate == "0A000";                           // its result type changed
}

absl::Status StatusOf(const SqlFault& fault, bool committing) {
  if (IsDisconnect(fault) || fault.sqlstate == "40003") {
    if (!committing) return Unavailable(fault);
    return absl::UnknownError("the connection to the database was lost while committing");
  }
  if (EndsSession(fault) || IsConflict(fault)) return Unavailable(fault);
  if (fault.sqlstate == "55P03" || fault.sqlstate == "57014")
    return Unavailable(fault);  // timeouts
  // A full queue of notifications, which may be another application's doing.
  if (committing && fault.sqlstate == "54000") return Unavailable(fault);
  // Out of disk, memory or connections; failing disks; not allowed in yet; no such database yet.
  for (const char* transient : {"53", "58", "28", "3D"}) {
    if (HasClass(fault, transient)) return Unavailable(fault);
  }
  if (fault.sqlstate == "23505") return absl::AlreadyExistsError(FirstLine(fault.message));
  // Values that do not fit: out of range, bad encoding, too long, refused by a check.
  for (const char* refused : {"22", "23", "54"}) {
    if (HasClass(fault, refused)) return absl::DataLossError(FirstLine(fault.message));
  }
  if (fault.sqlstate.empty()) return Unavailable(fault);
  return absl::InternalError(absl::StrCat(fault.sqlstate, ": ", FirstLine(fault.message)));
}

}  // namespace tocsin::core::pg
