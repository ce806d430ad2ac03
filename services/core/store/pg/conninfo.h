// Turns the operator's database URL into what a session connects with.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace tocsin::core::pg {

// `url` is a PostgreSQL URI or key=value string. What it leaves open is filled in: connect
// timeout, keepalives and TCP user timeout, so that a dead peer is noticed in about 10 s; and of
// several hosts the one that takes writes, since a standby does not know what was just written.
// `application` names the session in pg_stat_activity. The result holds the password: never log
// it. INVALID_ARGUMENT when the URL cannot be read; the message does not repeat it.
absl::StatusOr<std::string> SessionConninfo(const std::string& url, const std::string& application);

// The same server with another database.
absl::StatusOr<std::string> WithDatabase(const std::string& url, const std::string& database);

// "host:port/database" for logs, without user and password.
std::string DescribeDatabase(const std::string& url);

}  // namespace tocsin::core::pg
