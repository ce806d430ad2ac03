// What the audit log says of changes, and what it never says.
#include "services/core/domain/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Monitor Backup() { return {.definition = testing::MinuteMonitor(), .state = {}}; }

Channel Hook() {
  Channel channel;
  channel.project_id = "default";
  channel.id = "hook";
  channel.display_name = "hook";
  channel.url = "https://user:pw@hooks.example:8443/T0/B0?key=1";
  channel.secrets = {"whsec_old"};
  return channel;
}

// Everything that an entry would keep.
std::string AllOf(const std::vector<FieldChange>& changes) {
  std::string all;
  for (const FieldChange& change : changes) all += change.field + change.before + change.after;
  return all;
}

TEST(AuditTest, AnUpdateNamesTheFieldsThatDifferAndNoOthers) {
  const Monitor before = Backup();
  Monitor after = before;
  after.definition.owner = "payments";
  after.definition.severity = Severity::kCritical;
  after.definition.labels = {{"team", "a"}};
  after.definition.schedule.timeout = absl::Milliseconds(1500);
  after.definition.resume_on_heartbeat = true;
  after.definition.channels = {"pager", "mail"};
  after.definition.version = 99;
  after.definition.updated_at += absl::Seconds(1);
  EXPECT_THAT(
      ChangesOf(&before, &after),
      ElementsAre(FieldChange{"owner", "", "payments"},
                  FieldChange{"severity", "SEVERITY_ERROR", "SEVERITY_CRITICAL"},
                  FieldChange{"labels.team", "", "a"},
                  FieldChange{"schedule.heartbeat.timeout", "60s", "1.5s"},
                  FieldChange{"resume_on_heartbeat", "false", "true"},
                  FieldChange{"channels", "",
                              "projects/default/channels/pager, projects/default/channels/mail"}));
  EXPECT_THAT(ChangesOf(&before, &before), IsEmpty());
}

TEST(AuditTest, NumbersAndDurationsAreKeptToTheLastDigit) {
  Monitor before = Backup();
  before.definition.value_max = 1'234'567;
  before.definition.schedule.timeout = absl::Seconds(2'592'000);
  Monitor after = before;
  after.definition.value_max = 1'234'568;
  after.definition.schedule.timeout = absl::Microseconds(31'622'399'000'001);
  EXPECT_THAT(ChangesOf(&before, &after),
              ElementsAre(FieldChange{"schedule.heartbeat.timeout", "2592000s", "31622399.000001s"},
                          FieldChange{"value_max", "1234567", "1234568"}));
}

TEST(AuditTest, AKeysDefaultsAreOthersAlsoWhereOnlyWhatIsNotKeptOfThemDiffers) {
  ApiKey before;
  before.push.emplace();
  before.push->defaults.description = std::string(2 * kMaxAuditValueBytes, 'x');
  ApiKey after = before;
  after.push->defaults.description.back() = 'y';
  const std::vector<FieldChange> changes = ChangesOf(&before, &after);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].field, "push.defaults.description");
}

TEST(AuditTest, ACreationHasNothingBeforeAndADeletionNothingAfter) {
  const Monitor monitor = Backup();
  EXPECT_THAT(ChangesOf(nullptr, &monitor),
              ElementsAre(FieldChange{"display_name", "", "nightly-backup"},
                          FieldChange{"schedule.heartbeat.timeout", "", "60s"},
                          FieldChange{"schedule.heartbeat.recommended_interval", "", "60s"}));
  EXPECT_THAT(ChangesOf(&monitor, nullptr),
              ElementsAre(FieldChange{"display_name", "nightly-backup", ""},
                          FieldChange{"schedule.heartbeat.timeout", "60s", ""},
                          FieldChange{"schedule.heartbeat.recommended_interval", "60s", ""}));
}

TEST(AuditTest, APauseAndARestorationShowTheStateAndTheTime) {
  Monitor before = Backup();
  before.definition.deleted_at = testing::Second(1.5);
  Monitor after = Backup();
  after.state.state = State::kPaused;
  EXPECT_THAT(ChangesOf(&before, &after),
              ElementsAre(FieldChange{"state", "STATE_NEW", "STATE_PAUSED"},
                          FieldChange{"delete_time", "2026-01-05T12:00:01.5Z", ""}));
}

TEST(AuditTest, UrlsAreMaskedAndSecretsAreNeverShown) {
  Channel before = Hook();
  before.headers = {{"Authorization", "Bearer pw"}, {"X-Key", "pw"}};
  Channel after = before;
  after.url = "https://hooks.example:8443/T0/B1";
  after.secrets = {"whsec_new", "whsec_old"};
  after.headers = {{"Authorization", "Bearer pw2"}, {"X-Env", "pw"}};
  const std::vector<FieldChange> changes = ChangesOf(&before, &after);
  EXPECT_THAT(changes, ElementsAre(FieldChange{"url", "https://hooks.example:8443",
                                               "https://hooks.example:8443 (another path)"},
                                   FieldChange{"webhook_secret", "", "(changed)"},
                                   FieldChange{"headers.X-Env", "", "***"},
                                   FieldChange{"headers.X-Key", "***", ""},
                                   FieldChange{"headers.Authorization", "", "(changed)"}));
  for (const std::vector<FieldChange>& entry :
       {changes, ChangesOf(nullptr, &before), ChangesOf(&before, nullptr)}) {
    for (const char* secret : {"whsec", "pw", "T0", "key=1"}) {
      EXPECT_EQ(AllOf(entry).find(secret), std::string::npos) << secret;
    }
  }
}

TEST(AuditTest, ANewChannelShowsItsFormat) {
  Channel chat = Hook();
  chat.format = ChannelFormat::kSlack;
  EXPECT_THAT(ChangesOf(nullptr, &chat), Contains(FieldChange{"format", "", "FORMAT_SLACK"}));
}

TEST(AuditTest, LongValuesAndManyChangesAreCutAndSaySo) {
  Monitor before = Backup();
  Monitor after = before;
  after.definition.description = std::string(2000, 'x') + "ü";
  std::vector<FieldChange> changes = ChangesOf(&before, &after);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].after.size(), kMaxAuditValueBytes);
  EXPECT_EQ(changes[0].after.substr(kMaxAuditValueBytes - 4), "x…");
  for (int i = 0; i < 500; ++i) after.definition.labels["l" + std::to_string(i)] = "v";
  changes = ChangesOf(&before, &after);
  ASSERT_THAT(changes, SizeIs(kMaxAuditChanges + 1));
  EXPECT_EQ(changes.back().field, "…");
}

}  // namespace
}  // namespace tocsin::core
