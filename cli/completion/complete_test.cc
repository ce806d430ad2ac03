// What may be typed next.
#include "cli/completion/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "cli/completion/scripts.h"

namespace tocsin::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class CompleteTest : public ::testing::Test {
 protected:
  CompleteTest() {
    app_.add_option("-p,--project", text_, "Project");
    app_.add_option("--output", text_, "Format")->check(CLI::IsMember({"table", "json"}));
    CLI::App* monitor = app_.add_subcommand("monitor", "Monitors");
    CLI::App* create = monitor->add_subcommand("create", "Make one");
    create->add_option("ID", text_, "Id");
    create->add_option("--severity", text_)->check(CLI::IsMember({"critical", "error"}));
    create->add_flag("--arm", flag_, "Arm it");
    create->add_option("--secret", text_)->group("");
    monitor->add_subcommand("delete", "Delete one");
    CLI::App* delivery = app_.add_subcommand("delivery", "Deliveries");
    delivery->add_option("--channel", text_, "Channel");
    app_.add_subcommand("exec", "Run");
    app_.add_subcommand("completion", "Scripts")
        ->add_option("SHELL", text_)
        ->check(CLI::IsMember({"bash", "zsh"}));
  }

  std::vector<std::string> Offered(const std::vector<std::string>& words) {
    std::vector<std::string> offered;
    for (const Candidate& candidate : Complete(app_, words).candidates) {
      offered.push_back(candidate.word);
    }
    return offered;
  }

  std::string text_;
  bool flag_ = false;
  CLI::App app_{"", "tocsin"};
};

TEST_F(CompleteTest, CommandsAreOfferedThatBeginSo) {
  EXPECT_THAT(Offered({}), ElementsAre("monitor", "delivery", "exec", "completion"));
  EXPECT_THAT(Offered({"mo"}), ElementsAre("monitor"));
  EXPECT_THAT(Offered({"monitor", ""}), ElementsAre("create", "delete"));
  EXPECT_THAT(Offered({"monitor", "x"}), IsEmpty());
  EXPECT_EQ(Complete(app_, {"mo"}).candidates[0].help, "Monitors");
}

TEST_F(CompleteTest, FlagsAreThoseOfTheCommandAndOfAllAboveIt) {
  EXPECT_THAT(Offered({"monitor", "create", "--"}),
              ElementsAre("--help", "--severity", "--arm", "--project", "--output"));
  EXPECT_THAT(Offered({"monitor", "create", "--se"}), ElementsAre("--severity"));
  EXPECT_THAT(Offered({"monitor", "create", "--"}), Not(Contains("--secret")));
}

TEST_F(CompleteTest, AFlagWithAClosedSetOffersItsValues) {
  EXPECT_THAT(Offered({"monitor", "create", "--severity", ""}), ElementsAre("critical", "error"));
  EXPECT_THAT(Offered({"monitor", "create", "--severity", "c"}), ElementsAre("critical"));
  EXPECT_THAT(Offered({"monitor", "create", "--severity=c"}), ElementsAre("--severity=critical"));
  EXPECT_THAT(Offered({"completion", "z"}), ElementsAre("zsh"));
}

TEST_F(CompleteTest, AnEqualsSignMayBeAWordOfItsOwn) {
  EXPECT_THAT(Offered({"monitor", "create", "--severity", "="}), ElementsAre("critical", "error"));
  EXPECT_THAT(Offered({"monitor", "create", "--severity", "=", "e"}), ElementsAre("error"));
}

TEST_F(CompleteTest, WhereAnythingMayStandNothingIsOffered) {
  EXPECT_THAT(Offered({"--project", ""}), IsEmpty());
  EXPECT_THAT(Offered({"exec", "--", "mo"}), IsEmpty());
}

TEST_F(CompleteTest, AValueIsNoCommand) {
  EXPECT_THAT(Offered({"--project", "monitor", "mo"}), ElementsAre("monitor"));
  EXPECT_THAT(Offered({"-p", "x", "monitor", "d"}), ElementsAre("delete"));
  EXPECT_THAT(Offered({"monitor", "create", "--arm", "--severity", "e"}), ElementsAre("error"));
}

TEST_F(CompleteTest, AnIdIsAskedOfCore) {
  EXPECT_EQ(Complete(app_, {"monitor", "create", "ni"}).collection, "monitors");
  EXPECT_EQ(Complete(app_, {"monitor", "create", "ni"}).begun, "ni");
  EXPECT_EQ(Complete(app_, {"delivery", "--channel", ""}).collection, "channels");
  EXPECT_EQ(Complete(app_, {"monitor", "create", "one", ""}).collection, "");
}

TEST(TypedForTest, TheLastOneBeforeTheCursorCounts) {
  const std::vector<std::string> names = {"-p", "--project"};
  EXPECT_EQ(TypedFor(names, {"-p", "a", "monitor", ""}), "a");
  EXPECT_EQ(TypedFor(names, {"--project=a", "-p", "b", "x"}), "b");
  EXPECT_EQ(TypedFor(names, {"--project", "=", "c", "x"}), "c");
  EXPECT_EQ(TypedFor(names, {"-p", "typing"}), "");
  EXPECT_EQ(TypedFor(names, {"--", "-p", "a", "x"}), "");
}

TEST(CompletionScriptTest, EachShellHasOneThatAsks) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(std::string(CompletionScript(shell)), testing::HasSubstr(kComplete)) << shell;
  }
  EXPECT_EQ(CompletionScript("csh"), "");
}

}  // namespace
}  // namespace tocsin::cli
