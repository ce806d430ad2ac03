// Values that files name without having them.
#include "cli/apply/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace tocsin::cli {
namespace {

using testing::HasSubstr;

std::string Fault(absl::string_view text) {
  return std::string(ExpandSecrets(text, testing::TempDir()).status().message());
}

TEST(SecretsTest, VariablesAndFilesAreRead) {
  setenv("SECRETS_TEST", "va$lue", 1);
  std::ofstream(testing::TempDir() + "/secrets_test") << "from a file\n\n";
  const auto expanded =
      ExpandSecrets("<${env:SECRETS_TEST}> <${file:secrets_test}>", testing::TempDir());
  ASSERT_TRUE(expanded.ok()) << expanded.status();
  EXPECT_EQ(expanded->text, "<va$lue> <from a file>");
  EXPECT_TRUE(expanded->secret);
}

TEST(SecretsTest, OtherTextStays) {
  for (const char* text : {"", "plain", "$5", "a$b{c}", "$", "{}"}) {
    const auto expanded = ExpandSecrets(text, ".");
    ASSERT_TRUE(expanded.ok()) << expanded.status();
    EXPECT_EQ(expanded->text, text);
    EXPECT_FALSE(expanded->secret);
  }
}

TEST(SecretsTest, WhatIsEscapedComesBack) {
  for (const char* text : {"${env:HOME}", "$${x}", "$$${", "a ${b} c", "${"}) {
    const auto expanded = ExpandSecrets(EscapeSecrets(text), ".");
    ASSERT_TRUE(expanded.ok()) << expanded.status();
    EXPECT_EQ(expanded->text, text);
    EXPECT_FALSE(expanded->secret);
  }
}

TEST(SecretsTest, WhatCannotBeReadIsSaid) {
  unsetenv("SECRETS_TEST_UNSET");
  EXPECT_EQ(Fault("${env:SECRETS_TEST_UNSET}"),
            "the variable SECRETS_TEST_UNSET is not set in the environment");
  EXPECT_THAT(Fault("${file:no/such/file}"),
              HasSubstr("no/such/file cannot be read: No such file"));
  EXPECT_THAT(Fault("${file:.}"), HasSubstr("cannot be read: Is a directory"));
  EXPECT_THAT(Fault("${HOME}"), HasSubstr("accepted: ${env:NAME}, ${file:PATH}, and $${ for ${"));
  EXPECT_THAT(Fault("${env:}"), HasSubstr("names no value"));
  EXPECT_THAT(Fault("${env:A"), HasSubstr("has no end"));
}

TEST(SecretsTest, AFileHasABound) {
  std::ofstream(testing::TempDir() + "/secrets_large") << std::string(kMaxSecretBytes + 1, 'x');
  EXPECT_THAT(Fault("${file:secrets_large}"), HasSubstr("has more than 65536 bytes"));
}

}  // namespace
}  // namespace tocsin::cli
