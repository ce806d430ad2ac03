// Core's flags: what is refused, and what the defaults are.
#include "services/core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/reflection.h"
#include "common/random.h"

namespace tocsin::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct ReadResult {
  Options options;
  std::string faults;
};

ReadResult Read(std::vector<std::string> arguments) {
  const absl::FlagSaver saver;
  arguments.insert(arguments.begin(), "tocsin-core");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  OptionFaults faults;
  ReadResult result;
  result.options = ReadOptions(static_cast<int>(argv.size()) - 1, argv.data(), faults);
  result.faults = std::string(faults.ToStatus().message());
  return result;
}

// A file that is removed with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content)
      : path_(::testing::TempDir() + "/key_" + std::to_string(RandomId())) {
    std::ofstream(path_) << content;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// A file of sealing keys, for as long as the tests run.
std::string SealingKeys() {
  static const TemporaryFile& file = *new TemporaryFile(std::string(43, 'A') + "=\n");
  return "--secret_key_file=" + file.path();
}

TEST(CoreOptions, ListensOnLoopbackByDefault) {
  const ReadResult read = Read({"--database_url=dbname=tocsin", SealingKeys()});
  EXPECT_EQ(read.faults, "");
  EXPECT_EQ(read.options.listen.host, "127.0.0.1");
  EXPECT_EQ(read.options.listen.port, 9090);
}

TEST(CoreOptions, KeysAreNeededUnlessThatIsDisabledOnLoopback) {
  std::vector<std::string> arguments = {"--database_url=dbname=tocsin", SealingKeys()};
  EXPECT_TRUE(Read(arguments).options.auth);
  arguments.push_back("--auth=disabled");
  EXPECT_EQ(Read(arguments).faults, "");
  EXPECT_FALSE(Read(arguments).options.auth);
  arguments.push_back("--listen=0.0.0.0:9090");
  EXPECT_THAT(Read(arguments).faults,
              HasSubstr("--auth: can be disabled only where --listen is a loopback address"));
  arguments.push_back("--auth=keys");
  EXPECT_EQ(Read(arguments).faults, "");
  arguments.push_back("--auth=none");
  EXPECT_THAT(Read(arguments).faults, HasSubstr("--auth: must be keys or disabled"));
}

TEST(CoreOptions, BootstrapKeysComeFromFilesAndMustBeKeys) {
  const std::vector<std::string> arguments = {"--database_url=dbname=tocsin", SealingKeys()};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return Read(all);
  };
  const TemporaryFile admin("tk_" + std::string(43, 'a') + "\n");
  const TemporaryFile gateway("tk_" + std::string(43, 'g') + "\n");
  const TemporaryFile wrong("password\n");
  const ReadResult read = with({"--bootstrap_admin_key_file=" + admin.path(),
                                "--bootstrap_gateway_key_file=" + gateway.path()});
  EXPECT_EQ(read.faults, "");
  ASSERT_EQ(read.options.bootstrap_keys.size(), 2u);
  EXPECT_EQ(read.options.bootstrap_keys[0].id, "bootstrap-admin");
  EXPECT_EQ(read.options.bootstrap_keys[0].secret, "tk_" + std::string(43, 'a'));
  EXPECT_EQ(read.options.bootstrap_keys[1].role, Role::kGateway);
  const std::string faults = with({"--bootstrap_admin_key_file=" + wrong.path()}).faults;
  EXPECT_THAT(faults, HasSubstr("--bootstrap_admin_key_file: must hold tk_ and 43 characters"));
  EXPECT_THAT(faults, Not(HasSubstr("password")));
  EXPECT_THAT(with({"--bootstrap_admin_key_file=" + admin.path(),
                    "--bootstrap_notifier_key_file=" + admin.path()})
                  .faults,
              HasSubstr("--bootstrap_notifier_key_file: holds the same key"));
}

TEST(CoreOptions, AllFaultsAreToldAtOnce) {
  EXPECT_THAT(
      Read({"--group_limit=0", "--public_url=tocsin", "--heartbeat_retention=1h"}).faults,
      AllOf(HasSubstr("--database_url"), HasSubstr("--secret_key_file"), HasSubstr("--group_limit"),
            HasSubstr("--public_url"), HasSubstr("--heartbeat_retention")));
}

TEST(CoreOptions, MigratingNeedsNoKeys) {
  EXPECT_EQ(Read({"--migrate_only", "--database_url=dbname=tocsin"}).faults, "");
}

TEST(CoreOptions, ThePublicUrlLosesItsSlash) {
  EXPECT_EQ(Read({"--database_url=dbname=tocsin", SealingKeys(),
                  "--public_url=https://tocsin.example.com/"})
                .options.public_url,
            "https://tocsin.example.com");
}

TEST(CoreOptions, RefusesAFileOfSealingKeysThatCannotBeUsed) {
  EXPECT_THAT(Read({"--database_url=dbname=tocsin", "--secret_key_file=/nowhere"}).faults,
              HasSubstr("--secret_key_file"));
  const TemporaryFile damaged("no key\n");
  EXPECT_THAT(Read({"--database_url=dbname=tocsin", "--secret_key_file=" + damaged.path()}).faults,
              AllOf(HasSubstr("--secret_key_file"), HasSubstr("line 1"), Not(HasSubstr("no key"))));
}

}  // namespace
}  // namespace tocsin::core
