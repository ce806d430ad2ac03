// Errors of core as people read them.
#include "cli/error_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"

namespace tocsin::cli {
namespace {

const CallFacts kCall{"127.0.0.1:9090", "10s"};

TEST(ErrorTextTest, FaultsNameTheFlagThatWasTyped) {
  absl::Status status = absl::InvalidArgumentError("all of it, with the names of the fields");
  AddFieldViolation(status, "monitor.schedule.heartbeat.timeout", "missing or 0; accepted: 1 s");
  AddFieldViolation(status, "monitor_id", "\"A\" is malformed");
  EXPECT_EQ(ErrorText(status, kCall),
            "tocsin: --timeout: missing or 0; accepted: 1 s\ntocsin: ID: \"A\" is malformed\n");
}

TEST(ErrorTextTest, EveryFieldThatAFlagSetsHasItsFlag) {
  EXPECT_EQ(FlagOf("monitor.schedule.heartbeat.recommended_interval"), "--recommended-interval");
  EXPECT_EQ(FlagOf("monitor.schedule.cron.expression"), "--cron");
  EXPECT_EQ(FlagOf("monitor.schedule.cron.time_zone"), "--time-zone");
  EXPECT_EQ(FlagOf("monitor.schedule.cron.early_tolerance"), "--early-tolerance");
  EXPECT_EQ(FlagOf("monitor.max_run_duration"), "--max-run-duration");
  EXPECT_EQ(FlagOf("cron.expression"), "EXPRESSION");
  EXPECT_EQ(FlagOf("cron.time_zone"), "--time-zone");
  EXPECT_EQ(FlagOf("monitor.labels.team"), "--label");
  EXPECT_EQ(FlagOf("channel.headers"), "--header");
  EXPECT_EQ(FlagOf("channel.headers.X-Env"), "--header X-Env");
  EXPECT_EQ(FlagOf("monitor.runbook_url"), "--runbook-url");
  EXPECT_EQ(FlagOf("monitor.channels"), "--channel");
  EXPECT_EQ(FlagOf("channel.url"), "--url");
  EXPECT_EQ(FlagOf("channel.fallback_channel"), "--fallback");
  EXPECT_EQ(FlagOf("channel"), "--channel");
  EXPECT_EQ(FlagOf("webhook_secret"), "--secret");
  EXPECT_EQ(FlagOf("kind"), "--status");
  EXPECT_EQ(FlagOf("update_mask"), "update_mask");
}

TEST(ErrorTextTest, TheParentOfHeartbeatsIsTheMonitorThatWasNamed) {
  const auto text = [](const char* description) {
    absl::Status status = absl::InvalidArgumentError("bad");
    AddFieldViolation(status, "parent", description);
    return ErrorText(status, kCall);
  };
  EXPECT_EQ(text("\"projects/a/monitors/B\" is no such name"),
            "tocsin: ID: \"projects/a/monitors/B\" is no such name\n");
  EXPECT_EQ(text("\"projects/A\" is no such name"),
            "tocsin: --project: \"projects/A\" is no such name\n");
}

TEST(ErrorTextTest, ACoreThatCannotBeReachedIsOneLine) {
  EXPECT_EQ(ErrorText(absl::UnavailableError("failed to connect to all addresses; last error: "
                                             "UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to "
                                             "remote host: Connection refused"),
                      kCall),
            "tocsin: core at 127.0.0.1:9090 cannot be reached (connection refused). Does it run? "
            "Is the address right (--core or TOCSIN_CORE_ADDRESS)?\n");
  EXPECT_EQ(
      ErrorText(absl::DeadlineExceededError("Deadline Exceeded"), kCall),
      "tocsin: core at 127.0.0.1:9090 did not answer within 10s. Is the address right (--core "
      "or TOCSIN_CORE_ADDRESS)? --timeout-rpc waits longer.\n");
}

TEST(ErrorTextTest, ACoreThatRefusesSaysWhy) {
  absl::Status status = absl::UnavailableError("the database is away");
  SetReason(status, "TRY_AGAIN");
  EXPECT_EQ(ErrorText(status, kCall),
            "tocsin: core at 127.0.0.1:9090 is not available: the database is away\n");
}

TEST(ErrorTextTest, AMissingOrWrongKeySaysWhatToDo) {
  EXPECT_EQ(
      ErrorText(absl::UnauthenticatedError("a key is needed"), kCall),
      "tocsin: core at 127.0.0.1:9090 needs a key: put it into TOCSIN_KEY, or into a file that "
      "TOCSIN_KEY_FILE or --key_file names. After ./dev run: eval \"$(./dev env)\"\n");
  CallFacts call = kCall;
  call.key_source = "the file /k";
  EXPECT_EQ(ErrorText(absl::UnauthenticatedError("the key has expired"), call),
            "tocsin: core at 127.0.0.1:9090 does not accept the key from the file /k: the key has "
            "expired. Somebody with an admin key can make another: tocsin key create\n");
}

TEST(ErrorTextTest, FieldsOfKeysAndProjectsHaveTheirFlags) {
  EXPECT_EQ(FlagOf("key_id"), "ID");
  EXPECT_EQ(FlagOf("key.role"), "--role");
  EXPECT_EQ(FlagOf("key.expire_time"), "--expires-in");
  EXPECT_EQ(FlagOf("key.push.max_monitors"), "--max-monitors");
  EXPECT_EQ(FlagOf("key.push.defaults.schedule.heartbeat.timeout"), "--create-timeout");
  EXPECT_EQ(FlagOf("key.push.defaults.schedule.cron.expression"), "--create-cron");
  EXPECT_EQ(FlagOf("key.push.defaults.value_max"), "--create-value-max");
  EXPECT_EQ(FlagOf("key.push.defaults.labels.team"), "--create-label");
  EXPECT_EQ(FlagOf("key.push.defaults.channels"), "--create-channel");
  EXPECT_EQ(FlagOf("key.push.may_create"), "--may-create");
  EXPECT_EQ(FlagOf("key.push"), "--may-create, --max-monitors, --create-…");
  EXPECT_EQ(FlagOf("key.push.defaults"), "--create-…");
  EXPECT_EQ(FlagOf("project_id"), "ID");
  EXPECT_EQ(FlagOf("project.display_name"), "--display-name");
}

TEST(ErrorTextTest, RolesAndParentsAreToldAsTheyAreTyped) {
  const auto text = [](const char* field, const char* description) {
    absl::Status status = absl::InvalidArgumentError("bad");
    AddFieldViolation(status, field, description);
    return ErrorText(status, kCall);
  };
  EXPECT_EQ(text("key.role",
                 "a service's key is one of all projects; accepted: ROLE_VIEWER, ROLE_EDITOR, "
                 "ROLE_ADMIN or ROLE_PUSHER; or the parent projects/-"),
            "tocsin: --role: a service's key is one of all projects; accepted: viewer, editor, "
            "admin or pusher; or --all-projects\n");
  EXPECT_EQ(text("key.role",
                 "a push key is one of a single project; accepted: a parent projects/{project}, or "
                 "another role"),
            "tocsin: --role: a push key is one of a single project; accepted: a --project without "
            "--all-projects, or another role\n");
  EXPECT_EQ(text("key.push", "the key is no push key; accepted: nothing, or the role ROLE_PUSHER"),
            "tocsin: --may-create, --max-monitors, --create-…: the key is no push key; accepted: "
            "nothing, or --role pusher\n");
  EXPECT_EQ(text("key.role", "it cannot be changed; accepted: ROLE_NOTIFIER"),
            "tocsin: --role: it cannot be changed; accepted: notifier\n");
}

TEST(ErrorTextTest, OtherErrorsAreToldAsTheyAre) {
  EXPECT_EQ(ErrorText(absl::NotFoundError("x\ndoes not exist"), kCall),
            "tocsin: x does not exist\n");
  EXPECT_EQ(ErrorText(absl::CancelledError(""), kCall), "tocsin: CANCELLED\n");
}

}  // namespace
}  // namespace tocsin::cli
