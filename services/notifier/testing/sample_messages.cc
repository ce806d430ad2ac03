// Messages of every kind, for golden files and benchmarks.
#include "services/notifier/testing/sample_messages.h"

#include <cstdlib>

namespace tocsin::notifier {
namespace {

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) std::abort();
  return time;
}

HeartbeatFacts Up(const char* at, const char* message) {
  HeartbeatFacts heartbeat;
  heartbeat.kind = HeartbeatKind::kUp;
  heartbeat.at = At(at);
  heartbeat.message = message;
  return heartbeat;
}

HeartbeatFacts Down(const char* at, const char* message) {
  HeartbeatFacts heartbeat = Up(at, message);
  heartbeat.kind = HeartbeatKind::kDown;
  return heartbeat;
}

MonitorFacts NightlyBackup() {
  MonitorFacts monitor;
  monitor.name = "projects/payments/monitors/nightly-backup";
  monitor.display_name = "nightly-backup";
  monitor.description = "Dumps the ledger to the other site.";
  monitor.owner = "payments";
  monitor.severity = Severity::kCritical;
  monitor.labels = {{"env", "prod"}, {"team", "payments"}};
  monitor.state = MonitorState::kDown;
  monitor.timeout = absl::Hours(24);
  monitor.recommended_interval = absl::Hours(24);
  monitor.grace = absl::Hours(1);
  return monitor;
}

MonitorFacts Sync() {
  MonitorFacts monitor;
  monitor.name = "projects/default/monitors/sync";
  monitor.display_name = "Stock sync";
  monitor.severity = Severity::kError;
  monitor.runbook_url = "https://wiki.example.com/sync#dead";
  monitor.state = MonitorState::kDown;
  monitor.timeout = absl::Seconds(60);
  monitor.recommended_interval = absl::Seconds(30);
  monitor.grace = absl::Seconds(5);
  return monitor;
}

// By cron, on the clock of Paris.
MonitorFacts NightlyByCron() {
  MonitorFacts monitor = NightlyBackup();
  monitor.timeout = monitor.recommended_interval = absl::ZeroDuration();
  monitor.cron = CronFacts{"0 2 * * *", "Europe/Paris", std::nullopt};
  if (!absl::LoadTimeZone("Europe/Paris", &monitor.zone)) std::abort();
  monitor.max_run_duration = absl::Hours(2);
  return monitor;
}

// Each minute, with a short grace.
MonitorFacts MinutelyByCron() {
  MonitorFacts monitor = Sync();
  monitor.timeout = monitor.recommended_interval = absl::ZeroDuration();
  monitor.cron = CronFacts{"* * * * *", "UTC", absl::Seconds(5)};
  return monitor;
}

EventFacts Event(EventType type, int64_t sequence, MonitorFacts monitor, const char* at) {
  EventFacts event;
  event.type = type;
  event.sequence = sequence;
  event.occurred_at = At(at);
  event.detected_at = At(at);
  event.monitor = std::move(monitor);
  event.incident.name = "projects/payments/incidents/42";
  event.incident.opened_at = At(at);
  event.incident.detected_at = At(at);
  return event;
}

// The backup that did not come: the example of the product's description.
EventFacts BackupMissed() {
  EventFacts event =
      Event(EventType::kFiring, 7, NightlyBackup(), "2026-03-10T03:04:12.345678+00:00");
  event.detected_at = event.incident.detected_at = At("2026-03-10T03:07:19.5+00:00");
  event.incident.cause = Cause::kMissedDeadline;
  event.expected_at = At("2026-03-10T02:04:12.345678+00:00");
  event.last_heartbeat = Up("2026-03-09T02:04:12.345678+00:00", "backup-completed");
  return event;
}

EventFacts SyncMissed(int64_t sequence = 1, const char* at = "2026-03-10T14:01:05+00:00",
                      const char* expected = "2026-03-10T14:01:00+00:00",
                      const char* last = "2026-03-10T14:00:00+00:00") {
  EventFacts event = Event(EventType::kFiring, sequence, Sync(), at);
  event.incident.cause = Cause::kMissedDeadline;
  event.expected_at = At(expected);
  event.last_heartbeat = Up(last, "OK");
  return event;
}

EventFacts CronMissed() {
  EventFacts event = Event(EventType::kFiring, 7, NightlyByCron(), "2026-03-10T02:00:00+00:00");
  event.incident.cause = Cause::kMissedDeadline;
  event.expected_at = At("2026-03-10T01:00:00+00:00");
  event.last_heartbeat = Up("2026-03-09T01:04:12.345678+00:00", "backup-completed");
  event.last_heartbeat->run_id = "41";
  event.last_heartbeat->run_duration = absl::Seconds(251.5);
  return event;
}

// Tocsin was deaf for ten minutes, so the deadline was postponed.
EventFacts SyncMissedAfterOwnOutage() {
  EventFacts event = SyncMissed();
  event.occurred_at = event.incident.opened_at = At("2026-03-10T14:11:35+00:00");
  event.detected_at = event.incident.detected_at = At("2026-03-10T14:11:35.1+00:00");
  return event;
}

EventFacts ReportedDown() {
  EventFacts event = Event(EventType::kFiring, 3, Sync(), "2026-03-10T14:03:20.25+00:00");
  event.incident.cause = Cause::kReportedDown;
  event.incident.message = "disk full on /var\nsee log";
  event.last_heartbeat = Down("2026-03-10T14:03:20.25+00:00", "disk full on /var\nsee log");
  event.last_heartbeat->exit_status = 28;
  event.last_heartbeat->run_id = "0d8a3c6e";
  return event;
}

EventFacts ValueOutOfRange() {
  EventFacts event = Event(EventType::kFiring, 3, Sync(), "2026-03-10T14:03:20+00:00");
  event.incident.cause = Cause::kValueOutOfRange;
  event.incident.message = "rows copied";
  event.last_heartbeat = Up("2026-03-10T14:03:20+00:00", "rows copied");
  event.last_heartbeat->value = 0.5;
  event.monitor.value_min = 1;
  return event;
}

EventFacts ValueAbove() {
  EventFacts event = ValueOutOfRange();
  event.incident.message = event.last_heartbeat->message = "OK";
  event.last_heartbeat->value = 93;
  event.monitor.value_max = 90;
  return event;
}

// It left the talking to what it put out.
EventFacts FailedWithOutput() {
  EventFacts event = ReportedDown();
  event.incident.message = "";
  event.last_heartbeat->message = "OK";
  event.last_heartbeat->run_duration = absl::Seconds(12);
  event.last_heartbeat->output =
      "copying 3 files\n/var/a\ntar: /var/b: Cannot write: No space left on device\n\n";
  return event;
}

EventFacts RunOverran() {
  EventFacts event = Event(EventType::kFiring, 3, NightlyByCron(), "2026-03-10T03:00:10+00:00");
  event.incident.cause = Cause::kRunOverran;
  event.expected_at = At("2026-03-10T03:00:10+00:00");
  event.last_heartbeat = Up("2026-03-09T01:04:00+00:00", "backup-completed");
  return event;
}

EventFacts Resolved(EventFacts firing, Resolution resolution, const char* at) {
  EventFacts event = std::move(firing);
  event.type = EventType::kResolved;
  ++event.sequence;
  event.occurred_at = event.detected_at = At(at);
  event.incident.closed_at = At(at);
  event.incident.resolution = resolution;
  event.expected_at = std::nullopt;
  event.monitor.state =
      resolution == Resolution::kRecovered || resolution == Resolution::kLateHeartbeat
          ? MonitorState::kUp
          : MonitorState::kPaused;
  if (event.monitor.state == MonitorState::kUp) event.last_heartbeat = Up(at, "OK");
  return event;
}

EventFacts Reminder() {
  EventFacts event = BackupMissed();
  event.type = EventType::kReminder;
  event.sequence = 8;
  event.occurred_at = event.detected_at = At("2026-03-11T03:04:12.345678+00:00");
  event.expected_at = std::nullopt;
  return event;
}

Message Tell(absl::string_view type, std::vector<EventFacts> events, int skipped = 0) {
  Message message;
  message.type = std::string(type);
  message.occurred_at = events.back().occurred_at;
  message.events = std::move(events);
  message.skipped = skipped;
  return message;
}

void AddOpened(std::vector<SampleMessage>& samples) {
  samples.push_back({"opened_missed_deadline", Tell(kIncidentOpened, {BackupMissed()})});
  samples.push_back({"opened_missed_deadline_seconds", Tell(kIncidentOpened, {SyncMissed()})});
  EventFacts never = SyncMissed();
  never.last_heartbeat = std::nullopt;
  samples.push_back({"opened_never_reported", Tell(kIncidentOpened, {never})});
  samples.push_back({"opened_reported_down", Tell(kIncidentOpened, {ReportedDown()})});
  EventFacts silent = ReportedDown();
  silent.incident.message = "";
  silent.last_heartbeat = Up("2026-03-10T14:02:50+00:00", "OK");
  samples.push_back({"opened_reported_down_silently", Tell(kIncidentOpened, {silent})});
  EventFacts hostile = ReportedDown();
  hostile.monitor.display_name = "\"sync\"\r\nUP everything";
  hostile.monitor.owner = "ops\x1b[2J";
  hostile.incident.message =
      std::string("\"UP all is well\"\n\xE2\x80\xAE drowssap \\ \x07 \xFF ") +
      std::string(4000, 'x');
  hostile.last_heartbeat->message = hostile.incident.message;
  samples.push_back({"opened_hostile_message", Tell(kIncidentOpened, {hostile})});
  samples.push_back({"opened_value_out_of_range", Tell(kIncidentOpened, {ValueOutOfRange()})});
  samples.push_back({"opened_value_above", Tell(kIncidentOpened, {ValueAbove()})});
  samples.push_back({"opened_failed_with_output", Tell(kIncidentOpened, {FailedWithOutput()})});
  samples.push_back({"opened_run_overran", Tell(kIncidentOpened, {RunOverran()})});
  EventFacts named = RunOverran();
  named.run = RunFacts{.id = "2026-03-10/3", .started_at = At("2026-03-10T01:00:10+00:00")};
  samples.push_back({"opened_named_run_overran", Tell(kIncidentOpened, {named})});
  EventFacts flapping = ReportedDown();
  flapping.flapping = true;
  samples.push_back({"opened_flapping", Tell(kIncidentOpened, {flapping})});
  EventFacts no_limit = RunOverran();  // that is told
  no_limit.monitor.max_run_duration = absl::ZeroDuration();
  samples.push_back({"opened_run_overran_limit_unknown", Tell(kIncidentOpened, {no_limit})});
  EventFacts overran_late = RunOverran();
  overran_late.occurred_at = overran_late.incident.opened_at = At("2026-03-10T03:30:00+00:00");
  overran_late.detected_at = overran_late.incident.detected_at = overran_late.incident.opened_at;
  samples.push_back({"opened_run_overran_after_own_outage", Tell(kIncidentOpened, {overran_late})});
  EventFacts first_overran = RunOverran();
  first_overran.last_heartbeat = std::nullopt;
  samples.push_back({"opened_first_run_overran", Tell(kIncidentOpened, {first_overran})});
  samples.push_back({"opened_cron_missed", Tell(kIncidentOpened, {CronMissed()})});
  EventFacts cron_never = CronMissed();
  cron_never.last_heartbeat = std::nullopt;
  samples.push_back({"opened_cron_never_reported", Tell(kIncidentOpened, {cron_never})});
  EventFacts running = CronMissed();
  running.run = RunFacts{.id = "", .started_at = *running.expected_at + absl::Seconds(2)};
  running.monitor.runbook_url = "";
  samples.push_back({"opened_cron_missed_in_a_run", Tell(kIncidentOpened, {running})});
  EventFacts minutely = SyncMissed();
  minutely.monitor = MinutelyByCron();
  samples.push_back({"opened_cron_missed_seconds", Tell(kIncidentOpened, {minutely})});
  samples.push_back(
      {"opened_after_own_outage", Tell(kIncidentOpened, {SyncMissedAfterOwnOutage()})});
  EventFacts no_runbook = ReportedDown();
  no_runbook.monitor.runbook_url = "";
  samples.push_back({"opened_without_runbook", Tell(kIncidentOpened, {no_runbook})});
  samples.push_back({"opened_after_skipped", Tell(kIncidentOpened, {SyncMissed(21)}, 12)});
}

void AddClosed(std::vector<SampleMessage>& samples) {
  const char* late = "2026-03-10T15:01:05.5+00:00";
  samples.push_back(
      {"resolved_recovered",
       Tell(kIncidentResolved, {Resolved(SyncMissed(), Resolution::kRecovered, late)})});
  samples.push_back({"resolved_recovered_next_day",
                     Tell(kIncidentResolved, {Resolved(BackupMissed(), Resolution::kRecovered,
                                                       "2026-03-12T02:05:00+00:00")})});
  samples.push_back(
      {"resolved_recovered_from_reported_down",
       Tell(kIncidentResolved, {Resolved(ReportedDown(), Resolution::kRecovered, late)})});
  samples.push_back({"resolved_paused",
                     Tell(kIncidentResolved, {Resolved(SyncMissed(), Resolution::kPaused, late)})});
  samples.push_back(
      {"resolved_paused_after_reported_down",
       Tell(kIncidentResolved, {Resolved(ReportedDown(), Resolution::kPaused, late)})});
  // It went on to say the same.
  EventFacts said_again = Resolved(ReportedDown(), Resolution::kDeleted, late);
  said_again.last_heartbeat->at = At("2026-03-10T14:33:20+00:00");
  samples.push_back(
      {"resolved_deleted_after_reported_down", Tell(kIncidentResolved, {said_again})});
  samples.push_back(
      {"resolved_deleted",
       Tell(kIncidentResolved, {Resolved(SyncMissed(), Resolution::kDeleted, late)})});
  EventFacts false_alarm =
      Resolved(SyncMissed(), Resolution::kLateHeartbeat, "2026-03-10T14:01:05.2+00:00");
  false_alarm.last_heartbeat->at = At("2026-03-10T14:01:04.99+00:00");
  samples.push_back({"resolved_late_heartbeat", Tell(kIncidentResolved, {false_alarm})});
  EventFacts overran = Resolved(RunOverran(), Resolution::kRecovered, "2026-03-10T05:10:00+00:00");
  overran.last_heartbeat->run_id = "42";
  overran.last_heartbeat->run_duration = absl::Minutes(249) + absl::Seconds(50);
  samples.push_back({"resolved_run_overran", Tell(kIncidentResolved, {overran})});
  samples.push_back({"reminder", Tell(kIncidentReminder, {Reminder()})});
  EventFacts cron = Reminder();
  cron.monitor = NightlyByCron();
  samples.push_back({"reminder_cron", Tell(kIncidentReminder, {cron})});
  EventFacts run = RunOverran();
  run.type = EventType::kReminder;
  run.occurred_at = run.detected_at = At("2026-03-10T04:00:10+00:00");
  run.expected_at = std::nullopt;
  samples.push_back({"reminder_run_overran", Tell(kIncidentReminder, {run})});
  EventFacts silent = Reminder();
  silent.incident.cause = Cause::kReportedDown;
  silent.expected_at = std::nullopt;
  silent.last_heartbeat = Down("2026-03-10T14:40:00+00:00", "OK");
  samples.push_back({"reminder_reported_down_silently", Tell(kIncidentReminder, {silent})});
}

// Several events of one monitor in one message.
void AddSeveral(std::vector<SampleMessage>& samples) {
  const EventFacts first = SyncMissed();
  const EventFacts first_over =
      Resolved(first, Resolution::kRecovered, "2026-03-10T14:06:05+00:00");
  samples.push_back({"several_opened_and_closed", Tell(kIncidentResolved, {first, first_over})});
  EventFacts second = SyncMissed(3, "2026-03-10T14:20:05+00:00", "2026-03-10T14:20:00+00:00",
                                 "2026-03-10T14:19:00+00:00");
  second.incident.name = "projects/payments/incidents/43";
  samples.push_back({"several_down_again", Tell(kIncidentOpened, {first, first_over, second}, 4)});
  std::vector<EventFacts> many;
  for (int i = 0; i < 8; ++i) many.push_back(i % 2 == 0 ? first : first_over);
  many.push_back(second);
  for (size_t i = 0; i < many.size(); ++i) many[i].sequence = static_cast<int64_t>(i) + 1;
  samples.push_back({"several_many", Tell(kIncidentOpened, many)});
}

// Events of many monitors in one message.
void AddDigests(std::vector<SampleMessage>& samples) {
  std::vector<EventFacts> named = {SyncMissed(), ReportedDown(), BackupMissed()};
  named.push_back(Resolved(RunOverran(), Resolution::kRecovered, "2026-03-10T05:10:00+00:00"));
  named[0].monitor.name = "projects/payments/monitors/sync";
  named[1].monitor.name = "projects/payments/monitors/import";
  Message storm = Tell(kAlertsDigest, named);
  storm.digest = DigestFacts{
      .project = "projects/payments",
      .counts = {{EventType::kFiring, Cause::kReportedDown, 20},
                 {EventType::kFiring, Cause::kMissedDeadline, 100},
                 {EventType::kResolved, Cause::kRunOverran, 3}},
      .url = "https://tocsin.example.com/api/v1/projects/payments/incidents?openOnly=true"};
  samples.push_back({"digest_storm", storm});
  Message few = Tell(kAlertsDigest, {named[0], named[1]});
  few.digest = DigestFacts{.project = "projects/default",
                           .counts = {{EventType::kFiring, Cause::kReportedDown, 1},
                                      {EventType::kFiring, Cause::kMissedDeadline, 1}},
                           .url = ""};
  samples.push_back({"digest_without_url", few});
}

void AddNotices(std::vector<SampleMessage>& samples) {
  Message blind;
  blind.type = std::string(kSystemBlind);
  blind.occurred_at = At("2026-03-10T02:10:00.5+00:00");
  blind.blind =
      BlindFacts{At("2026-03-10T02:00:00+00:00"), At("2026-03-10T02:10:00.5+00:00"), 0, {}};
  samples.push_back({"blind_nothing_unverified", blind});
  // The times and the duration that are said agree, whatever is behind the point.
  Message fraction = blind;
  fraction.blind->started_at = At("2026-03-10T02:00:00.9+00:00");
  fraction.blind->ended_at = At("2026-03-10T02:00:05.1+00:00");
  samples.push_back({"blind_a_few_seconds", fraction});
  Message lasting = blind;
  lasting.blind->ended_at.reset();
  samples.push_back({"blind_lasting", lasting});
  blind.blind->unverified_count = 120;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g"}) {
    blind.blind->unverified_monitors.push_back(std::string("projects/default/monitors/") + id);
  }
  samples.push_back({"blind_many_unverified", blind});
  Message failing;
  failing.type = std::string(kChannelFailing);
  failing.occurred_at = At("2026-03-10T02:10:00+00:00");
  failing.notice = ChannelNoticeFacts{"projects/default/channels/pager",
                                      At("2026-03-09T23:55:00+00:00"), "status_5xx"};
  samples.push_back({"channel_failing", failing});
  failing.notice->reason = "rejected";
  failing.notice->failing_since = failing.occurred_at;
  samples.push_back({"channel_rejected", failing});
  failing.notice->reason = "bad_channel";
  samples.push_back({"channel_bad", failing});
  failing.notice->failing_since = At("2026-03-09T23:55:00+00:00");
  failing.notice->reason = "gone";
  samples.push_back({"channel_gone", failing});
  Message test;
  test.type = std::string(kChannelTest);
  test.occurred_at = At("2026-03-10T02:10:00+00:00");
  test.notice = ChannelNoticeFacts{"projects/payments/channels/pager", std::nullopt, ""};
  samples.push_back({"channel_test", test});
}

}  // namespace

std::vector<SampleMessage> SampleMessages() {
  std::vector<SampleMessage> samples;
  AddOpened(samples);
  AddClosed(samples);
  AddSeveral(samples);
  AddDigests(samples);
  AddNotices(samples);
  return samples;
}

Message SampleNamed(const std::string& name) {
  for (const SampleMessage& sample : SampleMessages()) {
    if (sample.name == name) return sample.message;
  }
  std::abort();
}

}  // namespace tocsin::notifier
