// Reads the database URL by libpq's own parser and writes it anew.
#include "services/core/store/pg/conninfo.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace tocsin::core::pg {
namespace {

using Settings = std::map<std::string, std::string>;

absl::StatusOr<Settings> Parse(const std::string& url) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &error), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> error_owner(error, &PQfreemem);
  if (options == nullptr) {
    // libpq's message repeats parts of the URL, which may be the password.
    return absl::InvalidArgumentError(
        "the database URL cannot be read; accepted: postgresql://user@host:port/database or "
        "key=value pairs");
  }
  Settings settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

std::string Join(const Settings& settings) {
  std::string joined;
  for (const auto& [key, value] : settings) {
    const std::string escaped = absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}});
    absl::StrAppend(&joined, joined.empty() ? "" : " ", key, "='", escaped, "'");
  }
  return joined;
}

}  // namespace

absl::StatusOr<std::string> SessionConninfo(const std::string& url,
                                            const std::string& application) {
  absl::StatusOr<Settings> settings = Parse(url);
  if (!settings.ok()) return settings.status();
  const Settings defaults = {
      {"connect_timeout", "3"},
      {"keepalives", "1"},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},
      {"target_session_attrs", "read-write"},
  };
  settings->insert(defaults.begin(), defaults.end());
  (*settings)["application_name"] = application;
  (*settings)["client_encoding"] = "UTF8";
  return Join(*settings);
}

absl::StatusOr<std::string> WithDatabase(const std::string& url, const std::string& database) {
  absl::StatusOr<Settings> settings = Parse(url);
  if (!settings.ok()) return settings.status();
  (*settings)["dbname"] = database;
  return Join(*settings);
}

std::string DescribeDatabase(const std::string& url) {
  absl::StatusOr<Settings> settings = Parse(url);
  if (!settings.ok()) return "(unreadable)";
  const std::string host = settings->count("host") ? settings->at("host") : "(default)";
  const std::string port = settings->count("port") ? settings->at("port") : "(default)";
  const std::string database = settings->count("dbname") ? settings->at("dbname") : "(default)";
  return absl::StrCat(host, ":", port, "/", database);
}

}  // namespace tocsin::core::pg
