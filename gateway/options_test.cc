// The flags' defaults, and that every fault is told.
#include "gateway/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/flags/reflection.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

Options Read(std::vector<std::string> arguments, OptionFaults& faults) {
  arguments.insert(arguments.begin(), "tocsin-gateway");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ReadOptions(static_cast<int>(arguments.size()), argv.data(), faults);
}

TEST(OptionsTest, TheDefaultsAreValid) {
  absl::FlagSaver saver;
  OptionFaults faults;
  const Options options = Read({}, faults);
  EXPECT_TRUE(faults.ok()) << faults.ToStatus();
  EXPECT_EQ(options.http.port, 8080);
  EXPECT_GE(options.http.threads, 1);
  EXPECT_EQ(options.core_addresses.size(), 1u);
  EXPECT_NE(options.dispatcher.gateway_name, "");
  EXPECT_EQ(options.token_limit.per_second, 10);
  EXPECT_EQ(options.token_limit.burst, 60);
  EXPECT_FALSE(options.validate_only);
}

TEST(OptionsTest, ReadsListsAndDurations) {
  absl::FlagSaver saver;
  OptionFaults faults;
  const Options options =
      Read({"--listen=127.0.0.1:0", "--core_addresses=core-0:7070, [::1]:7071",
            "--trusted_proxies=10.0.0.0/8", "--push_timeout=2s", "--validate_only"},
           faults);
  EXPECT_TRUE(faults.ok()) << faults.ToStatus();
  ASSERT_EQ(options.core_addresses.size(), 2u);
  EXPECT_EQ(options.core_addresses[0].host, "core-0");
  EXPECT_EQ(options.core_addresses[1].host, "::1");
  EXPECT_EQ(options.trusted_proxies.size(), 1u);
  EXPECT_EQ(options.dispatcher.push_timeout, absl::Seconds(2));
  EXPECT_TRUE(options.validate_only);
}

TEST(OptionsTest, TellsOfEveryFault) {
  absl::FlagSaver saver;
  OptionFaults faults;
  Read({"--listen=nowhere", "--core_addresses=core", "--threads=-1", "--push_timeout=6s",
        "--batch_size=1001", "--token_burst=0", "--trusted_proxies=proxy", "--max_body_bytes=0",
        "--drain_delay=-1s", "--log_level=loud"},
       faults);
  const std::string text = faults.ToStatus().ToString();
  for (const char* flag :
       {"listen", "core_addresses", "threads", "push_timeout", "batch_size", "token_burst",
        "trusted_proxies", "max_body_bytes", "drain_delay", "log_level"}) {
    EXPECT_THAT(text, HasSubstr("--" + std::string(flag) + ":"));
  }
}

}  // namespace
}  // namespace tocsin::gateway
