// Flags from the environment, secrets from files, faults together.
#include "common/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, test_listen, "127.0.0.1:1", "Where to listen.");
ABSL_FLAG(absl::Duration, test_wait, absl::Seconds(5), "How long to wait.");

namespace tocsin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ProgramInfo kProgram{"tocsin-core", "Owns monitors."};

class FlagsTest : public ::testing::Test {
 protected:
  ~FlagsTest() override {
    unsetenv("TOCSIN_CORE_TEST_LISTEN");
    unsetenv("TOCSIN_CORE_TEST_WAIT");
    for (const std::string& path : files_) unlink(path.c_str());
  }

  // A file of this test's own: others on the machine may run it at the same time.
  std::string FileWith(const std::string& content) {
    std::string path = ::testing::TempDir() + "/tocsin_flags_test_XXXXXX";
    const int file = mkstemp(path.data());
    EXPECT_GE(file, 0) << path;
    close(file);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    files_.push_back(path);
    return path;
  }

  std::vector<std::string> files_;
  absl::FlagSaver saver_;
  OptionFaults faults_;
};

TEST_F(FlagsTest, TheEnvironmentSetsAFlagAndTheCommandLineWins) {
  setenv("TOCSIN_CORE_TEST_LISTEN", "0.0.0.0:7", 1);
  setenv("TOCSIN_CORE_TEST_WAIT", "1m", 1);
  char name[] = "tocsin-core", wait[] = "--test_wait=2s", validate[] = "--validate_only";
  char* argv[] = {name, wait, validate, nullptr};
  const ParsedCommandLine parsed = ParseFlags(kProgram, 3, argv, faults_);
  EXPECT_TRUE(faults_.ok()) << faults_.ToStatus();
  EXPECT_TRUE(parsed.validate_only);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_listen), "0.0.0.0:7");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_wait), absl::Seconds(2));
}

TEST_F(FlagsTest, FaultsAreReportedTogether) {
  setenv("TOCSIN_CORE_TEST_WAIT", "soon", 1);
  char name[] = "tocsin-core", stray[] = "serve";
  char* argv[] = {name, stray, nullptr};
  ParseFlags(kProgram, 2, argv, faults_);
  faults_.Require(false, "test_listen", "must name a port");
  EXPECT_EQ(faults_.Value("n", absl::StatusOr<int>(absl::OutOfRangeError("too big"))), 0);
  const std::string message(faults_.ToStatus().message());
  EXPECT_THAT(message, HasSubstr("TOCSIN_CORE_TEST_WAIT: \"soon\" is no duration"));
  EXPECT_THAT(message, HasSubstr("\"serve\" is not one"));
  EXPECT_THAT(message, HasSubstr("--test_listen: must name a port"));
  EXPECT_THAT(message, HasSubstr("--n: too big"));
}

TEST_F(FlagsTest, ABadDurationSaysWhatIsAcceptedWhereverItComesFrom) {
  const std::string accepted = "\"5d\" is no duration; accepted: e.g. 500ms, 90s, 5m, 36h or 1h30m";
  char name[] = "tocsin-core", joined[] = "--test_wait=5d", flag[] = "-test_wait", value[] = "5d";
  char listen[] = "--test_listen=:9", end[] = "--", stray[] = "--test_wait=5d";
  char* with_equals[] = {name, joined, listen, nullptr};
  ParseFlags(kProgram, 3, with_equals, faults_);
  EXPECT_EQ(faults_.ToStatus().message(), "--test_wait: " + accepted);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_listen), ":9");

  OptionFaults apart;
  char* with_space[] = {name, flag, value, listen, nullptr};
  ParseFlags(kProgram, 4, with_space, apart);
  EXPECT_EQ(apart.ToStatus().message(), "--test_wait: " + accepted);

  OptionFaults after_flags;
  char* no_flag[] = {name, end, stray, nullptr};
  ParseFlags(kProgram, 3, no_flag, after_flags);
  EXPECT_THAT(std::string(after_flags.ToStatus().message()), HasSubstr("is not one"));

  setenv("TOCSIN_CORE_TEST_WAIT", "5d", 1);
  OptionFaults environment;
  ApplyEnvironment(kProgram, environment);
  EXPECT_EQ(environment.ToStatus().message(),
            "--test_wait: the environment variable TOCSIN_CORE_TEST_WAIT: " + accepted);
}

TEST_F(FlagsTest, HelpNamesOurFlagsAndTheirDefaultsOnly) {
  const std::string help = HelpText(kProgram);
  EXPECT_THAT(help, HasSubstr("--test_wait (5s)\n      How long to wait."));
  EXPECT_THAT(help, HasSubstr("TOCSIN_CORE_SOME_FLAG"));
  EXPECT_THAT(help, HasSubstr("--validate_only"));
  EXPECT_THAT(help, Not(HasSubstr("flagfile")));
}

TEST_F(FlagsTest, HelpAndVersionExitWithSuccess) {
  char name[] = "tocsin-core", version[] = "--version", help[] = "--help";
  char* for_version[] = {name, version, nullptr};
  char* for_help[] = {name, help, nullptr};
  EXPECT_EXIT(ParseFlags(kProgram, 2, for_version, faults_), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(ParseFlags(kProgram, 2, for_help, faults_), ::testing::ExitedWithCode(0), "");
}

TEST_F(FlagsTest, ASecretIsTheFileWithoutItsLastNewline) {
  EXPECT_EQ(*ReadSecretFile(FileWith("hunter 2\n")), "hunter 2");
  EXPECT_EQ(ReadSecretFile(FileWith("\n")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile(FileWith(std::string(100000, 'x'))).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile("/nonexistent/secret").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FlagsTest, HostsAndPortsAreParsed) {
  EXPECT_EQ(ParseHostPort("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(ParseHostPort("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseHostPort(":9090")->host, "");
  for (const char* bad :
       {"", "localhost", "localhost:", "localhost:x", "a:65536", "a:-1", "::1:9"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
  EXPECT_TRUE(IsLoopback("127.0.0.9"));
  EXPECT_TRUE(IsLoopback("::1"));
  EXPECT_FALSE(IsLoopback("0.0.0.0"));
  EXPECT_FALSE(IsLoopback(""));
}

}  // namespace
}  // namespace tocsin
