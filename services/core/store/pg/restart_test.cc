// A PostgreSQL server that is stopped hard and started again.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

const absl::Time kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

// A server of the test's own, by the script that also serves CTest.
class Server {
 public:
  Server() {
    char folder[] = "/tmp/tocsin-restart-XXXXXX";
    folder_ = mkdtemp(folder);
    std::filesystem::remove(folder_);
    Run("start");
    setenv("TOCSIN_TEST_DATABASE_URL",
           ("postgresql:///postgres?host=" + folder_ + "&user=tocsin").c_str(), 1);
  }
  ~Server() { Run("stop"); }

  void Run(const std::string& verb) {
    const std::string command = std::string(TOCSIN_TEST_POSTGRES_SCRIPT) + " " + verb + " " +
                                folder_ + (verb == "halt" ? " immediate" : "") + " > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

 private:
  std::string folder_;
};

TEST(Restart, NothingAcknowledgedIsLostAndEverythingResumes) {
  Server server;
  TestDatabase database;
  database.Migrate();
  const std::unique_ptr<PgStore> store = database.OpenStore();
  const auto touch = [&](const std::string& instance) {
    return store->Transact(TransactionClass::kCommitter0, [&](Transaction& transaction) {
      return transaction.SaveTouch({.instance = instance, .at = kStart});
    });
  };
  EXPECT_TRUE(touch("before").ok());
  store->WaitForNews(absl::Seconds(1));
  server.Run("halt");
  EXPECT_EQ(touch("away").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->ReadDatabaseClock().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->WaitForNews(absl::Seconds(1)).sweep);  // the loss of the connection
  server.Run("restart");
  absl::Status status;
  for (int i = 0; i < 1'000'000 && !(status = touch("after")).ok(); ++i) {
  }
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(store->WaitForNews(absl::Seconds(30)).deliveries);
  EXPECT_EQ(database.Number("SELECT count(*) FROM instance_touch"), 2);
}

}  // namespace
}  // namespace tocsin::core::pg
