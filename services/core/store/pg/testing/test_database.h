// A PostgreSQL database of a test's own, on the server that TOCSIN_TEST_DATABASE_URL names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core::pg {

// Makes an empty database and drops it at the end. Without TOCSIN_TEST_DATABASE_URL the program
// ends with a message: tests of the database fail when there is none, they do not skip.
class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& url() const { return url_; }

  // Applies the embedded migrations; aborts when that fails.
  void Migrate();
  // Empties all tables of a migrated database and makes the default project again.
  void Clear();
  // A store on it.
  std::unique_ptr<PgStore> OpenStore(const PgStoreOptions& base = {});
  std::unique_ptr<PgStore> OpenStore(const Sealer& sealer, const PgStoreOptions& base = {});

  // Whether the database takes new connections. Those that stand stay.
  void SetReachable(bool reachable);

  // Runs any SQL on a session of the test's own; a failure ends the test program.
  void Execute(const std::string& sql);
  // The first column of the result.
  std::vector<std::string> Query(const std::string& sql);
  // The first value of the result, as a number.
  int64_t Number(const std::string& sql);

 private:
  class Connection;

  std::string name_;
  std::string url_;
  const SystemMonotonicClock clock_;
  std::unique_ptr<Connection> server_;    // on the database that the variable names
  std::unique_ptr<Connection> database_;  // on ours
};

// A sealer with a fixed key.
Sealer TestSealer();

}  // namespace tocsin::core::pg
