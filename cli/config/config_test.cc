// Contexts: what their file says, and what wins over them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/config/config_file.h"
#include "cli/config/settings.h"

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

Config Two() {
  return {.current = "prod",
          .contexts = {{"prod", {"core.example.org:9090", "payments", "/keys/prod"}},
                       {"local", {"", "", ""}}}};
}

std::string FaultOf(const std::string& text) {
  return std::string(ParseConfig(text, "c.yaml").status().message());
}

TEST(ConfigFileTest, WhatIsWrittenIsReadBack) {
  EXPECT_EQ(*ParseConfig(WriteConfig(Two()), "c.yaml"), Two());
  EXPECT_EQ(*ParseConfig(WriteConfig(Config()), "c.yaml"), Config());
  EXPECT_EQ(*ParseConfig("", "c.yaml"), Config());
}

TEST(ConfigFileTest, AKeyInTheFileIsRefusedAndWhatIsUnknownToo) {
  EXPECT_THAT(FaultOf("contexts:\n  a:\n    key: tk_x\n"),
              HasSubstr("c.yaml:3:5: contexts.a.key: the key itself does not belong here"));
  EXPECT_THAT(FaultOf("contexts:\n  a:\n    cor: x\n"),
              HasSubstr("accepted: core, project, keyFile"));
  EXPECT_THAT(FaultOf("context: {}\n"), HasSubstr("accepted: current, contexts"));
  EXPECT_THAT(FaultOf("contexts:\n  a: []\n"), HasSubstr("accepted: a mapping"));
  EXPECT_THAT(FaultOf("contexts:\n  'a b': {}\n"), HasSubstr("is no name"));
}

TEST(ConfigFileTest, AFileThatOthersMayWriteIsRefused) {
  const std::string path = testing::TempDir() + "/tocsin-config-test/config.yaml";
  ASSERT_TRUE(WriteConfigFile(path, Two()).ok());
  struct stat facts = {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600);
  EXPECT_EQ(*ReadConfigFile(path), Two());
  chmod(path.c_str(), 0620);
  EXPECT_THAT(std::string(ReadConfigFile(path).status().message()), HasSubstr("chmod go-w"));
  EXPECT_EQ(*ReadConfigFile(path + ".none"), Config());
}

TEST(SettingsTest, AFlagWinsOverTheEnvironmentThatOverTheContextThatOverTheDefault) {
  const auto core = [](const FlagSettings& flags, const EnvironmentSettings& environment,
                       const Config& config) {
    const Setting found = Resolve(flags, environment, config)->core;
    return found.value + " " + found.from;
  };
  EXPECT_EQ(core({.core = "f:1"}, {.core = "e:1"}, Two()), "f:1 --core");
  EXPECT_EQ(core({}, {.core = "e:1"}, Two()), "e:1 TOCSIN_CORE_ADDRESS");
  EXPECT_EQ(core({}, {}, Two()), "core.example.org:9090 context prod");
  EXPECT_EQ(core({.context = "local"}, {}, Two()), "127.0.0.1:9090 default");
  EXPECT_EQ(core({}, {}, Config()), "127.0.0.1:9090 default");
}

TEST(SettingsTest, AContextThatIsNamedIsMeantWhateverWasExported) {
  Config config;
  config.contexts["prod"] = {.core = "prod:9090", .project = "payments", .key_file = "/prod.key"};
  const EnvironmentSettings exported = {
      .core = "old:9090", .project = "other", .key_file = "/other.key", .key = true};
  const auto settings = Resolve({.context = "prod"}, exported, config);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->core.value, "prod:9090");
  EXPECT_EQ(settings->project.value, "payments");
  EXPECT_EQ(settings->key_file.value, "/prod.key");
  EXPECT_EQ(Resolve({.context = "prod", .project = "x"}, exported, config)->project.value, "x");
}

TEST(SettingsTest, TheContextIsThatOfTheFlagTheEnvironmentOrTheFile) {
  EXPECT_EQ(Resolve({}, {.context = "local"}, Two())->context.value, "local");
  EXPECT_EQ(Resolve({.context = "prod"}, {.context = "local"}, Two())->context.value, "prod");
  EXPECT_EQ(Resolve({}, {}, Two())->context.from, "the configuration");
  EXPECT_EQ(std::string(Resolve({.context = "x"}, {}, Two()).status().message()),
            "--context: there is no context \"x\"; accepted: local, prod");
}

TEST(SettingsTest, AKeyInTheEnvironmentWinsOverFilesButNotOverTheFlag) {
  EXPECT_EQ(Resolve({}, {.key_file = "/e", .key = true}, Two())->key_file.from, "TOCSIN_KEY");
  EXPECT_EQ(Resolve({.key_file = "/f"}, {.key = true}, Two())->key_file.value, "/f");
  EXPECT_EQ(Resolve({}, {.key_file = "/e"}, Two())->key_file.value, "/e");
  EXPECT_EQ(Resolve({}, {}, Two())->key_file.value, "/keys/prod");
}

TEST(SettingsTest, TheFileIsWhereItIsSaidToBe) {
  EXPECT_EQ(ConfigPath("/a", "/x", "/h"), "/a");
  EXPECT_EQ(ConfigPath("", "/x", "/h"), "/x/tocsin/config.yaml");
  EXPECT_EQ(ConfigPath("", "", "/h"), "/h/.config/tocsin/config.yaml");
  EXPECT_EQ(ConfigPath("", "", ""), "");
}

}  // namespace
}  // namespace tocsin::cli
