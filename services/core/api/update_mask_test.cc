// What a mask takes over of a window and of a key's defaults, in parts.
#include "services/core/api/update_mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "common/status_details.h"
#include "services/core/api/convert.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

google::protobuf::FieldMask Mask(std::initializer_list<const char*> paths) {
  google::protobuf::FieldMask mask;
  for (const char* path : paths) mask.add_paths(path);
  return mask;
}

Maintenance Once() {
  Maintenance once;
  once.start = kNow + absl::Hours(1);
  once.end = kNow + absl::Hours(2);
  return once;
}

Maintenance EachSunday() {
  Maintenance each;
  each.recurring = RecurringWindow{.expression = *CronExpression::Parse("0 2 * * sun"),
                                   .zone = absl::UTCTimeZone(),
                                   .duration = absl::Hours(2)};
  return each;
}

absl::Status Change(const v1::Maintenance& values, const google::protobuf::FieldMask& mask,
                    Maintenance& maintenance) {
  FieldFaults faults;
  const MaintenanceUpdate update = MaintenanceUpdate::Make(values, mask, "default", kNow, faults);
  if (!faults.empty()) return faults.ToStatus();
  return update.Apply(maintenance);
}

TEST(UpdateMaskTest, AWindowIsChangedInParts) {
  Maintenance once = Once();
  v1::Maintenance values;
  *values.mutable_one_off()->mutable_end_time() = ToTimestamp(kNow + absl::Hours(3));
  ASSERT_TRUE(Change(values, Mask({"one_off.end_time"}), once).ok());
  EXPECT_EQ(once.start, kNow + absl::Hours(1));
  EXPECT_EQ(once.end, kNow + absl::Hours(3));

  Maintenance each = EachSunday();
  v1::Maintenance longer;
  longer.mutable_recurring()->mutable_duration()->set_seconds(60);
  ASSERT_TRUE(Change(longer, Mask({"recurring.duration"}), each).ok());
  EXPECT_EQ(each.recurring->expression.text(), "0 2 * * sun");
  EXPECT_EQ(each.recurring->duration, absl::Minutes(1));
  longer.mutable_recurring()->set_cron("0 3 * * *");
  longer.mutable_recurring()->set_time_zone("Europe/Paris");
  ASSERT_TRUE(Change(longer, Mask({"recurring.cron", "recurring.time_zone"}), each).ok());
  EXPECT_EQ(each.recurring->expression.text(), "0 3 * * *");
  EXPECT_EQ(each.recurring->zone.name(), "Europe/Paris");
}

TEST(UpdateMaskTest, PartsOfAnotherKindOfWindowAreAllOfTheNewOne) {
  Maintenance window = Once();
  v1::Maintenance each;
  each.mutable_recurring()->set_cron("@daily");
  each.mutable_recurring()->mutable_duration()->set_seconds(60);
  ASSERT_TRUE(Change(each, Mask({"recurring.cron", "recurring.duration"}), window).ok());
  ASSERT_TRUE(window.recurring.has_value());
  EXPECT_EQ(window.recurring->duration, absl::Minutes(1));
  v1::Maintenance once;
  *once.mutable_one_off()->mutable_end_time() = ToTimestamp(kNow + absl::Hours(3));
  const absl::Status status = Change(once, Mask({"one_off.end_time"}), window);
  ASSERT_THAT(FieldViolations(status), SizeIs(1)) << "it would begin now: " << status;
  EXPECT_EQ(FieldViolations(status)[0].field, "maintenance.one_off.start_time");
  EXPECT_FALSE(Change(once, {}, window).ok());
  *once.mutable_one_off()->mutable_start_time() = ToTimestamp(kNow);
  ASSERT_TRUE(Change(once, Mask({"one_off.end_time"}), window).ok());
  EXPECT_FALSE(window.recurring.has_value());
  EXPECT_EQ(window.start, kNow);
  EXPECT_EQ(window.end, kNow + absl::Hours(3));
}

TEST(UpdateMaskTest, AWindowThatComesOnceDoesNotRecurForWantOfAnExpression) {
  Maintenance once = Once();
  v1::Maintenance values;
  values.mutable_recurring()->mutable_duration()->set_seconds(60);
  const absl::Status status = Change(values, Mask({"recurring.duration"}), once);
  ASSERT_THAT(FieldViolations(status), SizeIs(1)) << status;
  EXPECT_EQ(FieldViolations(status)[0].field, "maintenance.recurring.cron");
  EXPECT_EQ(once, Once());
}

TEST(UpdateMaskTest, PartsOfAWindowThatTheMessageDoesNotHaveAreRefused) {
  const auto field = [](const v1::Maintenance& values, const char* path, Maintenance of) {
    const Maintenance before = of;
    const absl::Status status = Change(values, Mask({path}), of);
    EXPECT_EQ(of, before);
    const std::vector<FieldViolation> violations = FieldViolations(status);
    return violations.empty() ? std::string() : violations[0].field;
  };
  v1::Maintenance each;
  each.mutable_recurring()->set_cron("0 2 * * sun");
  each.mutable_recurring()->mutable_duration()->set_seconds(60);
  EXPECT_EQ(field(each, "one_off.end_time", EachSunday()), "maintenance.recurring");
  v1::Maintenance once;
  *once.mutable_one_off()->mutable_end_time() = ToTimestamp(kNow + absl::Hours(3));
  EXPECT_EQ(field(once, "recurring.duration", Once()), "maintenance.one_off");
  v1::Maintenance nowhere;
  nowhere.mutable_recurring()->set_time_zone("Mars/Olympus");
  EXPECT_EQ(field(nowhere, "recurring.duration", EachSunday()), "maintenance.recurring.time_zone");
}

TEST(UpdateMaskTest, TheOtherKindThatIsNamedToGoIsNoMistake) {
  // {"oneOff":null,"recurring":{"duration":"60s"}}
  Maintenance each = EachSunday();
  v1::Maintenance longer;
  longer.mutable_recurring()->mutable_duration()->set_seconds(60);
  ASSERT_TRUE(Change(longer, Mask({"one_off", "recurring.duration"}), each).ok());
  EXPECT_EQ(each.recurring->expression.text(), "0 2 * * sun");
  EXPECT_EQ(each.recurring->duration, absl::Minutes(1));
  EXPECT_FALSE(Change(longer, Mask({"one_off"}), each).ok()) << "alone it is one";

  MonitorDefinition nightly;
  nightly.schedule.cron =
      CronRule{.expression = *CronExpression::Parse("0 2 * * *"), .zone = absl::UTCTimeZone()};
  v1::Monitor graceful;
  graceful.mutable_schedule()->mutable_cron()->mutable_grace()->set_seconds(600);
  FieldFaults faults;
  const MonitorUpdate update = MonitorUpdate::Make(
      graceful, Mask({"schedule.heartbeat", "schedule.cron.grace"}), "default", faults);
  ASSERT_TRUE(faults.empty()) << faults.ToStatus();
  ASSERT_TRUE(update.Apply(nightly).ok());
  EXPECT_EQ(nightly.schedule.cron->expression.text(), "0 2 * * *");
  EXPECT_EQ(nightly.schedule.grace, absl::Minutes(10));

  MonitorDefinition minutely;
  minutely.schedule.timeout = absl::Minutes(2);
  minutely.schedule.grace = absl::Seconds(30);
  v1::Monitor timeout;
  timeout.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(60);
  const MonitorUpdate plain = MonitorUpdate::Make(
      timeout, Mask({"schedule.cron", "schedule.heartbeat.timeout"}), "default", faults);
  ASSERT_TRUE(faults.empty()) << faults.ToStatus();
  ASSERT_TRUE(plain.Apply(minutely).ok());
  EXPECT_EQ(minutely.schedule.timeout, absl::Minutes(1));
  EXPECT_EQ(minutely.schedule.grace, absl::Seconds(30));
}

TEST(UpdateMaskTest, PartsOfAScheduleThatTheMessageDoesNotHaveAreRefused) {
  v1::Monitor cron;
  cron.mutable_schedule()->mutable_cron()->set_expression("0 2 * * *");
  FieldFaults faults;
  MonitorUpdate::Make(cron, Mask({"schedule.heartbeat.grace"}), "default", faults);
  const std::vector<FieldViolation> violations = FieldViolations(faults.ToStatus());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "monitor.schedule.cron");
}

TEST(UpdateMaskTest, AKeysDefaultsAreChangedFieldByField) {
  ApiKey key;
  key.push.emplace();
  key.push->max_monitors = 7;
  key.push->defaults.owner = "payments";
  key.push->defaults.schedule.timeout = absl::Minutes(1);
  v1::Key values;
  v1::Monitor& defaults = *values.mutable_push()->mutable_defaults();
  defaults.set_severity(v1::Monitor::SEVERITY_CRITICAL);
  defaults.mutable_schedule()->mutable_heartbeat()->mutable_grace()->set_seconds(5);
  FieldFaults faults;
  const KeyUpdate update = KeyUpdate::Make(
      values, Mask({"push.defaults.severity", "push.defaults.schedule.heartbeat.grace"}), "default",
      faults);
  ASSERT_TRUE(faults.empty()) << faults.ToStatus();
  ASSERT_TRUE(update.Apply(key).ok());
  EXPECT_EQ(key.push->max_monitors, 7);
  EXPECT_EQ(key.push->defaults.owner, "payments");
  EXPECT_EQ(key.push->defaults.severity, Severity::kCritical);
  EXPECT_EQ(key.push->defaults.schedule.timeout, absl::Minutes(1));
  EXPECT_EQ(key.push->defaults.schedule.grace, absl::Seconds(5));
}

TEST(UpdateMaskTest, APathThatNamesNothingInAKeysDefaultsIsToldInFull) {
  FieldFaults faults;
  KeyUpdate::Make(v1::Key(), Mask({"push.defaults.colour"}), "default", faults);
  const std::vector<FieldViolation> violations = FieldViolations(faults.ToStatus());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "update_mask");
  EXPECT_THAT(violations[0].description, HasSubstr("\"push.defaults.colour\" is no field"));
  EXPECT_THAT(violations[0].description, HasSubstr("push.defaults.owner"));
}

}  // namespace
}  // namespace tocsin::core
