// Core's flags: what is refused, and what the defaults are.
#include "services/core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/flags/reflection.h"

namespace tocsin::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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

TEST(CoreOptions, ListensOnLoopbackByDefault) {
  const ReadResult read = Read({"--database_url=dbname=tocsin", "--secret_key_file=keys"});
  EXPECT_EQ(read.faults, "");
  EXPECT_EQ(read.options.listen.host, "127.0.0.1");
  EXPECT_EQ(read.options.listen.port, 9090);
}

TEST(CoreOptions, OtherAddressesMustBeAllowed) {
  const std::vector<std::string> arguments = {"--database_url=dbname=tocsin",
                                              "--secret_key_file=keys", "--listen=0.0.0.0:9090"};
  EXPECT_THAT(Read(arguments).faults, HasSubstr("--listen: must be a loopback address"));
  std::vector<std::string> allowed = arguments;
  allowed.push_back("--insecure_listen_anywhere");
  EXPECT_EQ(Read(allowed).faults, "");
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
  EXPECT_EQ(Read({"--database_url=dbname=tocsin", "--secret_key_file=keys",
                  "--public_url=https://tocsin.example.com/"})
                .options.public_url,
            "https://tocsin.example.com");
}

}  // namespace
}  // namespace tocsin::core
