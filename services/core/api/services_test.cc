// The services as a client meets them, on a store in memory.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "services/core/api/testing/api_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ServicesTest : public ApiTest {};

TEST_F(ServicesTest, ACreatedMonitorShowsItsTokenOnceAndCanBeRead) {
  const v1::CreateMonitorResponse created = CreateMonitor();
  EXPECT_EQ(created.push_url(), "https://tocsin.example.com/api/push/" + created.push_token());
  v1::GetMonitorRequest request;
  request.set_name(kJob);
  v1::Monitor monitor;
  ASSERT_TRUE(Call(*monitors_, &Monitors::GetMonitor, request, monitor).ok());
  EXPECT_EQ(monitor.name(), kJob);
  EXPECT_EQ(monitor.display_name(), "job");
  EXPECT_EQ(monitor.severity(), v1::Monitor::SEVERITY_ERROR);
  EXPECT_EQ(monitor.state(), v1::Monitor::STATE_NEW);
  EXPECT_EQ(monitor.condition(), v1::Monitor::CONDITION_NEW);
  EXPECT_EQ(monitor.schedule().heartbeat().timeout().seconds(), 60);
  EXPECT_EQ(monitor.create_time().seconds(), 1'800'000'000);
  EXPECT_FALSE(monitor.has_deadline_time());
  EXPECT_FALSE(monitor.has_last_heartbeat());
  EXPECT_EQ(monitor.etag(), created.monitor().etag());
}

TEST_F(ServicesTest, EveryFaultOfARequestIsNamed) {
  v1::CreateMonitorRequest request = NewMonitor("No id");
  request.mutable_monitor()->set_severity(static_cast<v1::Monitor::Severity>(99));
  request.mutable_monitor()->clear_schedule();
  v1::CreateMonitorResponse response;
  const absl::Status status = Call(*monitors_, &Monitors::CreateMonitor, request, response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldViolations(status), SizeIs(3)) << status;
}

TEST_F(ServicesTest, PagesOfMonitorsGoOnWhereTheLastOneEnded) {
  for (const char* id : {"a", "b", "c"}) CreateMonitor(id);
  v1::ListMonitorsRequest request;
  request.set_page_size(2);
  v1::ListMonitorsResponse page;
  ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  ASSERT_THAT(page.monitors(), SizeIs(2));
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  ASSERT_THAT(page.monitors(), SizeIs(1));
  EXPECT_EQ(page.monitors(0).name(), "projects/default/monitors/c");
  EXPECT_THAT(page.next_page_token(), IsEmpty());
}

TEST_F(ServicesTest, PagesOfLongMonitorsEndBeforeAnAnswerIsTooLargeForItsClient) {
  constexpr int kMonitors = 1000;
  for (int i = 0; i < kMonitors; ++i) {
    v1::CreateMonitorRequest create = NewMonitor(absl::StrCat("job-", i));
    create.mutable_monitor()->set_description(std::string(4096, 'x'));
    v1::CreateMonitorResponse created;
    ASSERT_TRUE(Call(*monitors_, &Monitors::CreateMonitor, create, created).ok());
  }
  v1::ListMonitorsRequest request;
  request.set_page_size(kMonitors);
  std::set<std::string> names;
  int pages = 0;
  do {
    v1::ListMonitorsResponse page;
    ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
    EXPECT_LT(page.ByteSizeLong(), size_t{4} << 20);
    for (const v1::Monitor& monitor : page.monitors()) names.insert(monitor.name());
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty() && pages < kMonitors);
  EXPECT_EQ(pages, 2);
  EXPECT_THAT(names, SizeIs(kMonitors));
}

TEST_F(ServicesTest, PageSizesAndTokensOfNoneAreRefused) {
  v1::ListMonitorsRequest request;
  v1::ListMonitorsResponse page;
  request.set_page_size(1001);  // more than the most means the most
  EXPECT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  request.set_page_size(-1);
  EXPECT_EQ(Call(*monitors_, &Monitors::ListMonitors, request, page).code(),
            absl::StatusCode::kInvalidArgument);
  request.set_page_size(0);
  request.set_page_token("!");
  EXPECT_EQ(Call(*monitors_, &Monitors::ListMonitors, request, page).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ServicesTest, MonitorsAreFilteredAndOrdered) {
  for (const char* id : {"a", "b", "c"}) {
    CreateMonitor(id);
    clock_.Advance(absl::Seconds(1));
  }
  v1::PauseMonitorRequest pause;
  pause.set_name("projects/default/monitors/a");
  v1::Monitor paused;
  ASSERT_TRUE(Call(*monitors_, &Monitors::PauseMonitor, pause, paused).ok());
  EXPECT_EQ(paused.state_change_time().seconds(), 1'800'000'003);
  v1::ListMonitorsRequest request;
  v1::ListMonitorsResponse page;
  request.set_filter("state = paused AND a");
  ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  ASSERT_THAT(page.monitors(), SizeIs(1));
  EXPECT_EQ(page.monitors(0).name(), "projects/default/monitors/a");
  request.clear_filter();
  request.set_order_by("state_change_time desc");
  ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  ASSERT_THAT(page.monitors(), SizeIs(3));
  EXPECT_EQ(page.monitors(0).name(), "projects/default/monitors/a");
  EXPECT_EQ(page.monitors(1).name(), "projects/default/monitors/c");
  EXPECT_EQ(page.monitors(2).state_change_time().seconds(), 1'800'000'001);
}

TEST_F(ServicesTest, BadFiltersAndOrdersAreAnsweredOnTheirField) {
  v1::ListMonitorsRequest request;
  v1::ListMonitorsResponse page;
  request.set_filter("state = DOWN OR nightly");
  absl::Status status = Call(*monitors_, &Monitors::ListMonitors, request, page);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "filter");
  EXPECT_THAT(FieldViolations(status)[0].description, HasSubstr("at position 14: OR"));
  request.clear_filter();
  request.set_order_by("name");
  status = Call(*monitors_, &Monitors::ListMonitors, request, page);
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "order_by");
}

TEST_F(ServicesTest, APageTokenIsOfOneListOnly) {
  for (const char* id : {"a", "b", "c"}) CreateMonitor(id);
  v1::ListMonitorsRequest request;
  v1::ListMonitorsResponse page;
  request.set_page_size(1);
  request.set_filter("state=NEW");
  ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  request.set_page_token(page.next_page_token());
  request.set_page_size(2);  // may change
  EXPECT_TRUE(Call(*monitors_, &Monitors::ListMonitors, request, page).ok());
  const auto expect_refused = [&](const v1::ListMonitorsRequest& changed) {
    const absl::Status status = Call(*monitors_, &Monitors::ListMonitors, changed, page);
    ASSERT_THAT(FieldViolations(status), SizeIs(1)) << changed.ShortDebugString();
    EXPECT_EQ(FieldViolations(status)[0].field, "page_token");
    EXPECT_THAT(FieldViolations(status)[0].description, HasSubstr("of another list"));
  };
  v1::ListMonitorsRequest changed = request;
  changed.set_filter("state=UP");
  expect_refused(changed);
  changed = request;
  changed.set_order_by("create_time");
  expect_refused(changed);
  changed = request;
  changed.set_show_deleted(true);
  expect_refused(changed);
  changed = request;
  changed.set_parent("projects/other");
  expect_refused(changed);

  v1::ListChannelsRequest channels;
  channels.set_page_token(request.page_token());
  v1::ListChannelsResponse no_channels;
  const absl::Status status = Call(*channels_, &Channels::ListChannels, channels, no_channels);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("of another list"));
}

TEST_F(ServicesTest, AnUpdateChangesWhatItsMaskNamesAndNothingElse) {
  CreateMonitor();
  v1::UpdateMonitorRequest request;
  request.mutable_monitor()->set_name(kJob);
  request.mutable_monitor()->set_owner("payments");
  request.mutable_monitor()->set_description("not named by the mask");
  request.mutable_monitor()->mutable_schedule()->mutable_heartbeat()->mutable_grace()->set_seconds(
      5);
  request.mutable_update_mask()->add_paths("owner");
  request.mutable_update_mask()->add_paths("schedule.heartbeat.grace");
  v1::Monitor monitor;
  ASSERT_TRUE(Call(*monitors_, &Monitors::UpdateMonitor, request, monitor).ok());
  EXPECT_EQ(monitor.owner(), "payments");
  EXPECT_THAT(monitor.description(), IsEmpty());
  EXPECT_EQ(monitor.schedule().heartbeat().timeout().seconds(), 60);
  EXPECT_EQ(monitor.schedule().heartbeat().grace().seconds(), 5);

  request.clear_update_mask();
  ASSERT_TRUE(Call(*monitors_, &Monitors::UpdateMonitor, request, monitor).ok());
  EXPECT_EQ(monitor.description(), "not named by the mask");
  EXPECT_EQ(monitor.schedule().heartbeat().timeout().seconds(), 60);

  request.mutable_update_mask()->add_paths("colour");
  const absl::Status status = Call(*monitors_, &Monitors::UpdateMonitor, request, monitor);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("colour"));
}

TEST_F(ServicesTest, AStaleEtagIsRefused) {
  const std::string etag = CreateMonitor().monitor().etag();
  v1::UpdateMonitorRequest request;
  request.mutable_monitor()->set_name(kJob);
  request.mutable_monitor()->set_etag(etag);
  request.mutable_monitor()->set_owner("payments");
  v1::Monitor monitor;
  ASSERT_TRUE(Call(*monitors_, &Monitors::UpdateMonitor, request, monitor).ok());
  request.mutable_monitor()->set_owner("billing");
  EXPECT_EQ(Call(*monitors_, &Monitors::UpdateMonitor, request, monitor).code(),
            absl::StatusCode::kAborted);
}

TEST_F(ServicesTest, AMonitorIsPausedResumedDeletedAndBroughtBack) {
  CreateMonitor();
  v1::Monitor monitor;
  v1::PauseMonitorRequest pause;
  pause.set_name(kJob);
  ASSERT_TRUE(Call(*monitors_, &Monitors::PauseMonitor, pause, monitor).ok());
  EXPECT_EQ(monitor.condition(), v1::Monitor::CONDITION_PAUSED);
  v1::ResumeMonitorRequest resume;
  resume.set_name(kJob);
  ASSERT_TRUE(Call(*monitors_, &Monitors::ResumeMonitor, resume, monitor).ok());
  EXPECT_EQ(monitor.state(), v1::Monitor::STATE_NEW);
  v1::DeleteMonitorRequest deletion;
  deletion.set_name(kJob);
  ASSERT_TRUE(Call(*monitors_, &Monitors::DeleteMonitor, deletion, monitor).ok());
  EXPECT_TRUE(monitor.has_delete_time());
  v1::UndeleteMonitorRequest undeletion;
  undeletion.set_name(kJob);
  ASSERT_TRUE(Call(*monitors_, &Monitors::UndeleteMonitor, undeletion, monitor).ok());
  EXPECT_FALSE(monitor.has_delete_time());
  EXPECT_EQ(monitor.state(), v1::Monitor::STATE_PAUSED);
}

TEST_F(ServicesTest, AnUnknownMonitorIsNotFoundByName) {
  v1::GetMonitorRequest request;
  request.set_name(kJob);
  v1::Monitor monitor;
  const absl::Status status = Call(*monitors_, &Monitors::GetMonitor, request, monitor);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(::tocsin::Reason(status), "MONITOR_NOT_FOUND");
}

TEST_F(ServicesTest, AChannelShowsOnlySchemeAndHostAndKeepsItsUrlWhenThatIsSentBack) {
  const v1::CreateChannelResponse created = CreateHook();
  EXPECT_EQ(created.channel().url(), "https://hooks.example.com:8443");
  EXPECT_THAT(created.webhook_secret(), StartsWith("whsec_"));
  v1::UpdateChannelRequest request;
  *request.mutable_channel() = created.channel();
  request.mutable_channel()->set_selector("team=payments");
  v1::Channel channel;
  ASSERT_TRUE(Call(*channels_, &Channels::UpdateChannel, request, channel).ok());
  EXPECT_EQ(channel.selector(), "team=payments");
  const absl::StatusOr<Channel> stored = channel_admin_.Get({"default", "hook"});
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->url, "https://user:pw@hooks.example.com:8443/secret?key=1");
}

TEST_F(ServicesTest, HeadersOfAChannelAreMaskedAndStayWithTheirHost) {
  v1::Channel channel = CreateHook().channel();
  v1::UpdateChannelRequest request;
  const auto update = [&](const char* path) {
    *request.mutable_channel() = channel;
    request.mutable_channel()->clear_etag();
    request.mutable_update_mask()->Clear();
    request.mutable_update_mask()->add_paths(path);
    return Call(*channels_, &Channels::UpdateChannel, request, channel);
  };
  const auto stored = [&] { return channel_admin_.Get({"default", "hook"})->headers; };
  (*channel.mutable_headers())["Authorization"] = "Bearer s3cret";
  ASSERT_TRUE(update("headers").ok());
  EXPECT_EQ(channel.headers().at("Authorization"), "***");
  EXPECT_EQ(stored(), (ChannelHeaders{{"Authorization", "Bearer s3cret"}}));
  (*channel.mutable_headers())["X-Env"] = "prod";
  ASSERT_TRUE(update("headers").ok());
  EXPECT_EQ(stored(), (ChannelHeaders{{"Authorization", "Bearer s3cret"}, {"X-Env", "prod"}}));
  v1::Channel read = channel;
  channel.set_url("https://evil.example/");
  const absl::Status moved = update("url");
  EXPECT_EQ(moved.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldViolations(moved)[0].field, "channel.headers");
  channel = read;
  channel.mutable_headers()->clear();
  (*channel.mutable_headers())["Content-Type"] = "text/plain";
  const absl::Status refused = update("headers");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldViolations(refused)[0].field, "channel.headers.Content-Type");
  channel.mutable_headers()->clear();
  ASSERT_TRUE(update("headers").ok());
  EXPECT_TRUE(stored().empty());
}

TEST_F(ServicesTest, OnlyAFinishedDeliveryIsRedelivered) {
  CreateHook();
  v1::TestChannelRequest test;
  test.set_name(kHook);
  v1::Delivery delivery;
  ASSERT_TRUE(Call(*channels_, &Channels::TestChannel, test, delivery).ok());
  EXPECT_EQ(delivery.type(), "channel.test");
  v1::RedeliverDeliveryRequest request;
  request.set_name(delivery.name());
  EXPECT_EQ(Call(*deliveries_, &Deliveries::RedeliverDelivery, request, delivery).code(),
            absl::StatusCode::kFailedPrecondition);

  const std::string id = delivery.name().substr(std::string("projects/default/deliveries/").size());
  const ProjectKey project = **store_.FindProject("default");
  ASSERT_TRUE(store_
                  .Transact(TransactionClass::kAdmin,
                            [&](Transaction& transaction) -> absl::Status {
                              Delivery dead = **transaction.LockDelivery(project, id);
                              dead.state = DeliveryState::kDead;
                              dead.attempts = 7;
                              dead.finished_at = clock_.Now();
                              return transaction.SaveDelivery(dead);
                            })
                  .ok());
  clock_.Advance(absl::Hours(100));
  ASSERT_TRUE(Call(*deliveries_, &Deliveries::RedeliverDelivery, request, delivery).ok());
  EXPECT_EQ(delivery.state(), v1::Delivery::STATE_PENDING);
  EXPECT_EQ(delivery.attempts(), 0);
  EXPECT_FALSE(delivery.has_finish_time());

  v1::ListDeliveriesRequest list;
  list.set_channel(kHook);
  list.set_state(v1::Delivery::STATE_PENDING);
  v1::ListDeliveriesResponse page;
  ASSERT_TRUE(Call(*deliveries_, &Deliveries::ListDeliveries, list, page).ok());
  EXPECT_THAT(page.deliveries(), SizeIs(1));
}

TEST_F(ServicesTest, ADeliveryWhoseChannelWasDeletedIsNotRedelivered) {
  CreateHook();
  v1::TestChannelRequest test;
  test.set_name(kHook);
  v1::Delivery delivery;
  ASSERT_TRUE(Call(*channels_, &Channels::TestChannel, test, delivery).ok());
  ASSERT_TRUE(channel_admin_.Delete(Caller(), {"default", "hook"}).ok());
  v1::RedeliverDeliveryRequest request;
  request.set_name(delivery.name());
  const absl::Status status = Call(*deliveries_, &Deliveries::RedeliverDelivery, request, delivery);
  EXPECT_EQ(::tocsin::Reason(status), "CHANNEL_DELETED");
}

TEST_F(ServicesTest, AWatcherHearsItsCursorThenEventsAndEndsWhenTheServerStops) {
  CreateMonitor();
  grpc::ClientContext context;
  auto stream = alerts_->WatchAlerts(&context, v1::WatchAlertsRequest());
  v1::WatchAlertsResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_FALSE(message.has_event());
  EXPECT_FALSE(message.cursor().empty());

  const absl::StatusOr<std::optional<Monitor>> monitor = store_.FindMonitor("default", "job");
  ASSERT_TRUE(monitor.ok() && monitor->has_value());
  AlertEvent event;
  event.project = (*monitor)->definition.project;
  event.monitor = (*monitor)->definition.key;
  event.sequence = 1;
  event.occurred_at = event.detected_at = clock_.Now();
  event.definition = (*monitor)->definition;
  event.incident.cause = Cause::kReportedDown;
  event.incident.project = event.project;
  event.incident.monitor = event.monitor;
  event.incident.opened_at = event.incident.detected_at = clock_.Now();
  ASSERT_TRUE(store_
                  .Transact(TransactionClass::kAdmin,
                            [&](Transaction& transaction) -> absl::Status {
                              AlertEvent added = event;
                              added.incident.key = *transaction.AddIncident(event.incident);
                              return transaction.AddEvent(added).status();
                            })
                  .ok());
  feed_.Tick();
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.event().type(), v1::AlertEvent::TYPE_FIRING);
  EXPECT_EQ(message.event().monitor().name(), kJob);
  EXPECT_EQ(message.event().incident().cause(), v1::Incident::CAUSE_REPORTED_DOWN);

  alert_service_.Stop();
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);

  v1::ListIncidentsRequest list;
  list.set_monitor(kJob);
  v1::ListIncidentsResponse page;
  ASSERT_TRUE(Call(*incidents_, &v1::IncidentService::Stub::ListIncidents, list, page).ok());
  EXPECT_THAT(page.incidents(), SizeIs(1));
}

TEST_F(ServicesTest, WatchersAboveTheLimitAreRefusedUntilAnotherEnds) {
  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchAlertsResponse>> stream;
  };
  v1::WatchAlertsResponse message;
  std::vector<std::unique_ptr<Watch>> watches;
  const auto open = [&] {
    watches.push_back(std::make_unique<Watch>());
    watches.back()->stream =
        alerts_->WatchAlerts(&watches.back()->context, v1::WatchAlertsRequest());
    return watches.back()->stream->Read(&message);
  };
  for (int i = 0; i < AlertServiceHandler::kMaxWatches; ++i) ASSERT_TRUE(open());
  ASSERT_FALSE(open());
  const grpc::Status refused = watches.back()->stream->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("100 watches"));
  watches.pop_back();
  watches.front()->context.TryCancel();
  watches.front()->stream->Finish();
  while (!open()) {
    watches.back()->stream->Finish();
    watches.pop_back();
  }
  alert_service_.Stop();
  watches.erase(watches.begin());
  for (const std::unique_ptr<Watch>& watch : watches) {
    while (watch->stream->Read(&message)) {
    }
    EXPECT_EQ(watch->stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

}  // namespace
}  // namespace tocsin::core
