// Makes and drops databases for tests, on connections of its own.
#include "services/core/store/pg/testing/test_database.h"

#include <cstdio>
#include <cstdlib>
#include <pqxx/pqxx>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "services/core/store/pg/conninfo.h"
#include "services/core/store/pg/pqxx_compat.h"

#if defined(__SANITIZE_ADDRESS__)
// libpqxx 6.4 loses the result of a statement during which the connection died.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }
#endif

namespace tocsin::core::pg {
namespace {

std::string ServerUrl() {
  const char* url = std::getenv("TOCSIN_TEST_DATABASE_URL");
  if (url != nullptr && *url != '\0') return url;
  std::fputs(
      "This test needs a PostgreSQL server: set TOCSIN_TEST_DATABASE_URL to the URL of one where "
      "databases may be made, or run it with ctest, which starts one.\n",
      stderr);
  std::exit(1);
}

}  // namespace

// Connects anew when the server was restarted.
class TestDatabase::Connection {
 public:
  explicit Connection(std::string conninfo) : conninfo_(std::move(conninfo)) {}

  pqxx::result Execute(const std::string& sql) {
    if (connection_ == nullptr) Connect();
    try {
      return pqxx::nontransaction(*connection_).exec(sql);
    } catch (const pqxx::broken_connection&) {
      Connect();
    }
    return pqxx::nontransaction(*connection_).exec(sql);
  }

 private:
  void Connect() {
    connection_ = std::make_unique<pqxx::connection>(conninfo_);
    ForbidReconnecting(*connection_);
    pqxx::nontransaction(*connection_).exec("SET client_min_messages = error");
  }

  const std::string conninfo_;
  std::unique_ptr<pqxx::connection> connection_;
};

TestDatabase::TestDatabase()
    : name_(absl::StrCat("tocsin_test_", absl::BytesToHexString(RandomBytes(6)))) {
  const std::string server_url = ServerUrl();
  url_ = WithDatabase(server_url, name_).value();
  server_ = std::make_unique<Connection>(server_url);
  database_ = std::make_unique<Connection>(url_);
  server_->Execute("CREATE DATABASE " + name_);
}

TestDatabase::~TestDatabase() {
  database_.reset();
  server_->Execute("DROP DATABASE " + name_ + " WITH (FORCE)");
}

void TestDatabase::Migrate() {
  const absl::Status status = PgStore::Migrate(url_);
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

void TestDatabase::Clear() {
  std::string tables;
  for (const std::string& table :
       Query("SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace "
             "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
             "AND c.relname NOT IN ('schema_migration', 'feed')")) {
    absl::StrAppend(&tables, tables.empty() ? "" : ", ", table);
  }
  Execute("TRUNCATE " + tables + " RESTART IDENTITY");
  Execute("INSERT INTO project (id, display_name) VALUES ('default', 'default')");
  Execute("UPDATE feed SET position = 0");
}

std::unique_ptr<PgStore> TestDatabase::OpenStore(const PgStoreOptions& base) {
  return OpenStore(TestSealer(), base);
}

std::unique_ptr<PgStore> TestDatabase::OpenStore(const Sealer& sealer, const PgStoreOptions& base) {
  PgStoreOptions options = base;
  options.url = url_;
  return PgStore::Open(options, sealer, clock_).value();
}

void TestDatabase::SetReachable(bool reachable) {
  server_->Execute("ALTER DATABASE " + name_ + " WITH ALLOW_CONNECTIONS " +
                   (reachable ? "true" : "false"));
}

void TestDatabase::Execute(const std::string& sql) { database_->Execute(sql); }

std::vector<std::string> TestDatabase::Query(const std::string& sql) {
  std::vector<std::string> values;
  for (const auto& row : database_->Execute(sql)) values.push_back(row[0].c_str());
  return values;
}

int64_t TestDatabase::Number(const std::string& sql) { return std::stoll(Query(sql).at(0)); }

Sealer TestSealer() { return Sealer::FromText(absl::Base64Escape(std::string(32, 'k'))).value(); }

}  // namespace tocsin::core::pg
