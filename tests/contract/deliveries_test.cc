// Contract of channels and of the deliveries that are leased, reported and repeated.
#include "absl/strings/str_cat.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kSecond = absl::Seconds(1);

class Deliveries : public StoreContract {
 protected:
  ReportEffects Report(const std::string& id, DeliveryResult result, absl::Time now,
                       absl::Duration retry_after = kSecond,
                       const std::string& lease_id = "lease") {
    DeliveryReport report;
    report.lease_id = lease_id;
    report.delivery_id = id;
    report.result = result;
    report.outcome = result == DeliveryResult::kDelivered ? "ok" : "status_5xx";
    report.http_status = result == DeliveryResult::kDelivered ? 204 : 503;
    report.answer = result == DeliveryResult::kDelivered ? "" : "away";
    report.retry_after = retry_after;
    return store().ApplyReports({report}, now).value();
  }

  std::vector<std::string> List(DeliveryQuery query) {
    query.project = project();
    std::vector<std::string> ids;
    const std::vector<DeliveryView> views = store().ListDeliveries(query).value();
    for (const DeliveryView& view : views) {
      ids.push_back(view.delivery.id);
    }
    return ids;
  }
};

TEST_P(Deliveries, ALeaseCarriesEverythingThatIsNeededToSend) {
  const MonitorIdentity monitor = AddUp("job");
  const ChannelKey channel = AddChannel("pager");
  const Outage outage = Open(monitor, 1, kStart);
  Delivery delivery = MakeDelivery("msg_1", channel, monitor.key, 1, kStart);
  delivery.events = {outage.firing};
  delivery.skipped = 3;
  AddDelivery(delivery);
  const std::vector<LeasedDelivery> leased = Lease(kStart, 1, 1, "lease-7");
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].delivery.id, "msg_1");
  EXPECT_EQ(leased[0].delivery.attempts, 1);
  EXPECT_EQ(leased[0].delivery.lease_id, "lease-7");
  EXPECT_EQ(leased[0].delivery.leased_until, kStart + absl::Seconds(60));
  EXPECT_EQ(leased[0].delivery.type, DeliveryType::kIncidentOpened);
  EXPECT_EQ(leased[0].delivery.skipped, 3);
  EXPECT_EQ(leased[0].channel.key, channel);
  EXPECT_EQ(leased[0].channel.url, MakeChannel("pager").url);
  EXPECT_EQ(leased[0].channel.secrets, MakeChannel("pager").secrets);
  ASSERT_THAT(leased[0].events, SizeIs(1));
  EXPECT_EQ(leased[0].events[0].key, outage.firing);
  EXPECT_EQ(leased[0].events[0].definition.id, "job");
  EXPECT_TRUE(leased[0].incident_open);
}

TEST_P(Deliveries, WhatWaitsBeforeTheNewsOfAnOpenIncidentIsTriedAsOften) {
  const MonitorIdentity monitor = AddUp("job");
  const ChannelKey channel = AddChannel("pager");
  const Outage outage = Open(monitor, 1, kStart);
  Delivery resolved = MakeDelivery("msg_1", channel, monitor.key, 1, kStart);
  resolved.events = {outage.firing};
  AddDelivery(resolved);
  Do([&](Transaction& transaction) {
    Incident closed = outage.incident;
    closed.closed_at = kStart + kSecond;
    closed.resolution = Resolution::kRecovered;
    return transaction.SaveIncident(closed);
  });
  const std::vector<LeasedDelivery> alone = Lease(kStart + kSecond);
  ASSERT_THAT(alone, SizeIs(1));
  EXPECT_FALSE(alone[0].incident_open);
  Report("msg_1", DeliveryResult::kRetry, kStart + kSecond);
  Open(monitor, 2, kStart + 2 * kSecond);
  const std::vector<LeasedDelivery> again = Lease(kStart + 3 * kSecond);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_TRUE(again[0].incident_open);
}

TEST_P(Deliveries, ARedeliveryTellsWhetherItsOwnIncidentIsOpenWhateverElseIs) {
  const MonitorIdentity monitor = AddUp("job");
  const ChannelKey channel = AddChannel("pager");
  const Outage over = Open(monitor, 1, kStart);
  Do([&](Transaction& transaction) {
    Incident closed = over.incident;
    closed.closed_at = kStart + kSecond;
    closed.resolution = Resolution::kRecovered;
    return transaction.SaveIncident(closed);
  });
  const Outage open = Open(monitor, 2, kStart + 2 * kSecond);
  const std::vector<EventKey> firings = {over.firing, open.firing};
  for (int i = 1; i <= 2; ++i) {
    Delivery again = MakeDelivery(absl::StrCat("msg_", i), channel, monitor.key, i, kStart);
    again.events = {firings[i - 1]};
    again.redelivery = true;
    AddDelivery(again);
  }
  const std::vector<LeasedDelivery> leased = Lease(kStart + 3 * kSecond);
  ASSERT_THAT(IdsOf(leased), ElementsAre("msg_1", "msg_2"));
  EXPECT_FALSE(leased[0].incident_open);
  EXPECT_TRUE(leased[1].incident_open);
}

TEST_P(Deliveries, NoticesTravelWithTheirDelivery) {
  const ChannelKey channel = AddChannel("pager");
  Delivery blind = MakeDelivery("msg_blind", channel, 0, 0, kStart);
  blind.type = DeliveryType::kSystemBlind;
  blind.blind = BlindNotice{.start = kStart - absl::Minutes(1),
                            .end = kStart,
                            .unverified_count = 2,
                            .unverified_monitors = {"projects/default/monitors/a", "…/b"}};
  Delivery failing = MakeDelivery("msg_failing", channel, 0, 0, kStart + kSecond);
  failing.type = DeliveryType::kChannelFailing;
  failing.notice = ChannelNotice{
      .channel = "projects/default/channels/x", .failing_since = kStart, .reason = "gone"};
  Delivery lasting = MakeDelivery("msg_lasting", channel, 0, 0, kStart + kSecond);
  lasting.type = DeliveryType::kSystemBlind;
  lasting.blind = BlindNotice{.start = kStart,
                              .end = absl::InfiniteFuture(),
                              .unverified_count = 0,
                              .unverified_monitors = {}};
  Do([&](Transaction& transaction) {
    return transaction.AddDeliveries({blind, failing, lasting});
  });
  const std::vector<LeasedDelivery> leased = Lease(kStart + kSecond);
  ASSERT_THAT(leased, SizeIs(3));  // about no monitor: none waits for the others
  ASSERT_TRUE(leased[0].delivery.blind.has_value());
  EXPECT_EQ(leased[0].delivery.blind->start, kStart - absl::Minutes(1));
  EXPECT_EQ(leased[0].delivery.blind->end, kStart);
  EXPECT_EQ(leased[0].delivery.blind->unverified_count, 2);
  EXPECT_EQ(leased[0].delivery.blind->unverified_monitors, blind.blind->unverified_monitors);
  ASSERT_TRUE(leased[1].delivery.notice.has_value());
  EXPECT_EQ(leased[1].delivery.notice->channel, "projects/default/channels/x");
  EXPECT_EQ(leased[1].delivery.notice->failing_since, kStart);
  EXPECT_EQ(leased[1].delivery.notice->reason, "gone");
  ASSERT_TRUE(leased[2].delivery.blind.has_value());
  EXPECT_EQ(leased[2].delivery.blind->start, kStart);
  EXPECT_EQ(leased[2].delivery.blind->end, absl::InfiniteFuture());
}

TEST_P(Deliveries, NothingIsLeasedBeforeItsTimeOrTwice) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart + kSecond));
  EXPECT_EQ(store().NextDeliveryAt().value(), kStart + kSecond);
  EXPECT_THAT(Lease(kStart), IsEmpty());
  EXPECT_THAT(IdsOf(Lease(kStart + kSecond)), ElementsAre("msg_1"));
  EXPECT_THAT(Lease(kStart + 2 * kSecond), IsEmpty());
}

TEST_P(Deliveries, AnExpiredLeaseIsGivenAgain) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  EXPECT_EQ(store().NextDeliveryAt().value(), kStart + absl::Seconds(60));
  const std::vector<LeasedDelivery> again = Lease(kStart + absl::Seconds(60), 1, 1, "second");
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].delivery.attempts, 2);
  EXPECT_EQ(again[0].delivery.lease_id, "second");
}

TEST_P(Deliveries, OfOneMonitorAndChannelOnlyTheEarliestUnfinishedGoes) {
  const ChannelKey one = AddChannel("one"), two = AddChannel("two");
  Do([&](Transaction& transaction) {
    return transaction.AddDeliveries(
        {MakeDelivery("msg_1", one, 7, 1, kStart), MakeDelivery("msg_2", one, 7, 2, kStart),
         MakeDelivery("msg_3", two, 7, 2, kStart), MakeDelivery("msg_4", one, 8, 2, kStart)});
  });
  EXPECT_THAT(IdsOf(Lease(kStart)), UnorderedElementsAre("msg_1", "msg_3", "msg_4"));
  Report("msg_1", DeliveryResult::kRetry, kStart, absl::Seconds(30));
  EXPECT_THAT(Lease(kStart + kSecond), IsEmpty());
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(30))), ElementsAre("msg_1"));
  Report("msg_1", DeliveryResult::kDelivered, kStart + absl::Seconds(31));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(31))), ElementsAre("msg_2"));
}

TEST_P(Deliveries, OneThatWaitsForAnotherIsDueWhenThatOneDies) {
  const ChannelKey channel = AddChannel("one");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  Report("msg_1", DeliveryResult::kRetry, kStart, absl::Hours(1));
  AddDelivery(MakeDelivery("msg_2", channel, 7, 2, kStart + kSecond));
  EXPECT_EQ(store().NextDeliveryAt().value(), kStart + absl::Hours(1));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Hours(1))), ElementsAre("msg_1"));
  Report("msg_1", DeliveryResult::kDead, kStart + absl::Hours(1));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Hours(1))), ElementsAre("msg_2"));
}

TEST_P(Deliveries, ChannelsTakeTurnsAndTheOldestOfAChannelGoesFirst) {
  const ChannelKey busy = AddChannel("busy"), quiet = AddChannel("quiet");
  std::vector<Delivery> deliveries;
  for (int i = 0; i < 20; ++i) {
    deliveries.push_back(MakeDelivery("msg_b" + std::to_string(i), busy, 100 + i, 1,
                                      kStart + absl::Milliseconds(i)));
  }
  deliveries.push_back(MakeDelivery("msg_q0", quiet, 7, 1, kStart + kSecond));
  deliveries.push_back(MakeDelivery("msg_q1", quiet, 8, 1, kStart + 2 * kSecond));
  Do([&](Transaction& transaction) { return transaction.AddDeliveries(deliveries); });
  EXPECT_THAT(IdsOf(Lease(kStart + 5 * kSecond, 4)),
              UnorderedElementsAre("msg_b0", "msg_q0", "msg_b1", "msg_q1"));
  EXPECT_THAT(IdsOf(Lease(kStart + 5 * kSecond, 2)), ElementsAre("msg_b2", "msg_b3"));
}

TEST_P(Deliveries, AChannelHasNoMoreLiveLeasesThanItsCap) {
  const ChannelKey channel = AddChannel("pager");
  for (int i = 0; i < 5; ++i) {
    AddDelivery(MakeDelivery("msg_" + std::to_string(i), channel, 100 + i, 1,
                             kStart + absl::Milliseconds(i)));
  }
  EXPECT_THAT(Lease(kStart + kSecond, 100, 3), SizeIs(3));
  EXPECT_THAT(Lease(kStart + kSecond, 100, 3), IsEmpty());
  Report("msg_0", DeliveryResult::kDelivered, kStart + kSecond);
  EXPECT_THAT(Lease(kStart + kSecond, 100, 3), SizeIs(1));
  EXPECT_THAT(Lease(kStart + absl::Seconds(62), 100, 3), SizeIs(3));  // all leases have expired
}

TEST_P(Deliveries, AChannelMayBeAllowedAnotherNumberOfLiveLeasesThanOthers) {
  const ChannelKey pager = AddChannel("pager"), chat = AddChannel("chat");
  for (int i = 0; i < 5; ++i) {
    AddDelivery(MakeDelivery("msg_p" + std::to_string(i), pager, 100 + i, 1, kStart));
    AddDelivery(MakeDelivery("msg_c" + std::to_string(i), chat, 200 + i, 1, kStart));
  }
  const auto lease = [&](int allowed) {
    return store()
        .LeaseDeliveries({.notifier = "notifier",
                          .lease_id = "lease",
                          .now = kStart,
                          .lease = absl::Seconds(60),
                          .limit = 100,
                          .per_channel = 2,
                          .allowances = {{pager, allowed}},
                          .per_failing_channel = 1})
        .value();
  };
  EXPECT_THAT(lease(4), SizeIs(4 + 2));
  EXPECT_THAT(lease(5), SizeIs(1));
  EXPECT_THAT(lease(3), IsEmpty());
  Report("msg_p0", DeliveryResult::kRetry, kStart);
  EXPECT_THAT(lease(5), IsEmpty());  // a failing channel has few all the same
}

TEST_P(Deliveries, AFailingChannelHasFewLiveLeasesUntilItsFirstSuccess) {
  const ChannelKey channel = AddChannel("pager");
  for (int i = 0; i < 5; ++i) {
    AddDelivery(MakeDelivery("msg_" + std::to_string(i), channel, 100 + i, 1,
                             kStart + absl::Milliseconds(i)));
  }
  EXPECT_THAT(Lease(kStart + kSecond, 1), SizeIs(1));
  Report("msg_0", DeliveryResult::kRetry, kStart + kSecond, absl::Hours(1));
  EXPECT_THAT(IdsOf(Lease(kStart + kSecond)), UnorderedElementsAre("msg_1", "msg_2"));
  EXPECT_THAT(Lease(kStart + kSecond), IsEmpty());
  Report("msg_1", DeliveryResult::kDelivered, kStart + 2 * kSecond);
  EXPECT_THAT(IdsOf(Lease(kStart + 2 * kSecond)), UnorderedElementsAre("msg_0", "msg_3", "msg_4"));
}

TEST_P(Deliveries, ASuccessFinishesEvenWhenTheLeaseWasLost) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_2", channel, 7, 2, kStart));
  EXPECT_THAT(Lease(kStart, 1, 1, "first"), SizeIs(1));
  EXPECT_THAT(Lease(kStart + absl::Seconds(60), 1, 1, "second"), SizeIs(1));
  const absl::Time until = Find("msg_1").leased_until;
  const absl::Time now = kStart + absl::Seconds(61);
  ASSERT_GT(until, now);
  Report("msg_1", DeliveryResult::kRetry, now, kSecond, "first");  // ignored
  EXPECT_EQ(Find("msg_1").lease_id, "second");
  Report("msg_1", DeliveryResult::kDelivered, now, kSecond, "first");
  const Delivery delivered = Find("msg_1");
  EXPECT_EQ(delivered.state, DeliveryState::kDelivered);
  EXPECT_EQ(delivered.finished_at, now);
  EXPECT_EQ(delivered.last_outcome, "ok");
  EXPECT_EQ(delivered.last_http_status, 204);
  EXPECT_EQ(delivered.last_answer, "");
  EXPECT_EQ(delivered.lease_id, "");
  Report("msg_1", DeliveryResult::kDead, now, kSecond, "second");  // too late
  EXPECT_EQ(Find("msg_1").state, DeliveryState::kDelivered);
  // The second may be sending it still: what comes after it must not overtake that.
  EXPECT_EQ(store().NextDeliveryAt().value(), until);
  EXPECT_THAT(Lease(now), IsEmpty());
  EXPECT_THAT(IdsOf(Lease(until)), ElementsAre("msg_2"));
}

TEST_P(Deliveries, AnOldSecretSignsUntilItsTimeIsOver) {
  const ChannelKey channel = AddChannel("pager");
  Do([&](Transaction& transaction) {
    Channel changed = transaction.LockChannel(project(), "pager").value().value();
    changed.secrets = {"whsec_new", "whsec_old"};
    changed.old_secrets_until = kStart + kSecond;
    return transaction.SaveChannel(changed);
  });
  EXPECT_EQ(LoadChannel("pager").old_secrets_until, kStart + kSecond);
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_2", channel, 8, 1, kStart + kSecond));
  const std::vector<LeasedDelivery> before = Lease(kStart);
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_THAT(before[0].channel.secrets, ElementsAre("whsec_new", "whsec_old"));
  const std::vector<LeasedDelivery> after = Lease(kStart + kSecond);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_THAT(after[0].channel.secrets, ElementsAre("whsec_new"));
  // Then it is forgotten.
  EXPECT_THAT(LoadChannel("pager").secrets, SizeIs(2));
  for (const absl::Duration later : {kSecond, absl::Minutes(11)}) {
    EXPECT_TRUE(store().Maintain({}, kStart + later).ok());
  }
  EXPECT_THAT(LoadChannel("pager").secrets, ElementsAre("whsec_new"));
  EXPECT_EQ(LoadChannel("pager").old_secrets_until, std::nullopt);
}

TEST_P(Deliveries, WhatAnotherUrlMetWithSaysNothingOfTheChannel) {
  const ChannelKey channel = AddChannel("pager");
  for (const int monitor : {7, 8, 9}) {
    AddDelivery(MakeDelivery("msg_" + std::to_string(monitor), channel, monitor, 1, kStart));
  }
  EXPECT_THAT(Lease(kStart), SizeIs(3));
  Report("msg_9", DeliveryResult::kRetry, kStart + kSecond, absl::Hours(1));
  const absl::Time moved = kStart + 2 * kSecond;
  Do([&](Transaction& transaction) {
    Channel changed = transaction.LockChannel(project(), "pager").value().value();
    changed.url = "https://elsewhere.example/";
    changed.failing_since.reset();
    changed.url_set_at = changed.updated_at = moved;
    return transaction.SaveChannel(changed);
  });
  EXPECT_EQ(LoadChannel("pager").url_set_at, moved);
  // What waits after an attempt there is due at once.
  EXPECT_THAT(IdsOf(Lease(moved, 10, 10, "here")), ElementsAre("msg_9"));
  const ReportEffects effects = Report("msg_7", DeliveryResult::kGone, moved + kSecond);
  EXPECT_THAT(effects.disabled, IsEmpty());
  EXPECT_THAT(effects.with_dead, IsEmpty());
  EXPECT_FALSE(LoadChannel("pager").disabled_at.has_value());
  EXPECT_FALSE(LoadChannel("pager").failing_since.has_value());
  // Refused there, it is tried here.
  EXPECT_THAT(IdsOf(Lease(moved + 2 * kSecond, 10, 10, "here")), ElementsAre("msg_7"));
  Report("msg_7", DeliveryResult::kRetry, moved + 3 * kSecond, absl::Hours(1), "here");
  EXPECT_EQ(LoadChannel("pager").failing_since, moved + 3 * kSecond);
  Report("msg_8", DeliveryResult::kDelivered, moved + 4 * kSecond);
  EXPECT_EQ(Find("msg_8").state, DeliveryState::kDelivered);
  EXPECT_EQ(LoadChannel("pager").failing_since, moved + 3 * kSecond);
}

TEST_P(Deliveries, ARetryWaitsAndADeferralIsNotCounted) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  Report("msg_1", DeliveryResult::kDeferred, kStart, absl::Seconds(10));
  EXPECT_EQ(Find("msg_1").attempts, 0);
  EXPECT_EQ(Find("msg_1").next_attempt_at, kStart + absl::Seconds(10));
  EXPECT_FALSE(LoadChannel("pager").failing_since.has_value());
  EXPECT_THAT(Lease(kStart + absl::Seconds(9)), IsEmpty());
  EXPECT_THAT(Lease(kStart + absl::Seconds(10)), SizeIs(1));
  Report("msg_1", DeliveryResult::kRetry, kStart + absl::Seconds(11), absl::Seconds(20));
  const Delivery retried = Find("msg_1");
  EXPECT_EQ(retried.attempts, 1);
  EXPECT_EQ(retried.state, DeliveryState::kPending);
  EXPECT_EQ(retried.next_attempt_at, kStart + absl::Seconds(31));
  EXPECT_EQ(retried.last_outcome, "status_5xx");
  EXPECT_EQ(retried.last_http_status, 503);
  EXPECT_EQ(retried.last_answer, "away");
  EXPECT_EQ(LoadChannel("pager").failing_since, kStart + absl::Seconds(11));
  EXPECT_EQ(LoadChannel("pager").last_error, "status_5xx");
}

TEST_P(Deliveries, ARetryAfterTheEndIsDeath) {
  const ChannelKey channel = AddChannel("pager");
  Delivery delivery = MakeDelivery("msg_1", channel, 7, 1, kStart);
  delivery.expires_at = kStart + absl::Minutes(1);
  AddDelivery(delivery);
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  const ReportEffects effects =
      Report("msg_1", DeliveryResult::kRetry, kStart + kSecond, absl::Minutes(1));
  EXPECT_THAT(effects.with_dead, ElementsAre(channel));
  EXPECT_THAT(effects.disabled, IsEmpty());
  EXPECT_EQ(Find("msg_1").state, DeliveryState::kDead);
}

TEST_P(Deliveries, GoneDisablesTheChannelWhichThenGetsNothing) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_2", channel, 8, 1, kStart + kSecond));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  const ReportEffects effects = Report("msg_1", DeliveryResult::kGone, kStart + kSecond);
  EXPECT_THAT(effects.disabled, ElementsAre(channel));
  EXPECT_THAT(effects.with_dead, ElementsAre(channel));
  EXPECT_EQ(Find("msg_1").state, DeliveryState::kDead);
  EXPECT_EQ(LoadChannel("pager").disabled_at, kStart + kSecond);
  EXPECT_THAT(Lease(kStart + absl::Hours(1)), IsEmpty());
  EXPECT_EQ(store().NextDeliveryAt().value(), absl::InfiniteFuture());
  EXPECT_EQ(Find("msg_2").state, DeliveryState::kPending);
}

TEST_P(Deliveries, ReportsLeaveAloneWhatPeopleWereToldOfTheChannel) {
  const ChannelKey channel = AddChannel("pager");
  const ChannelTold told = {.at = kStart, .failing_since = kStart, .disabled_at = std::nullopt};
  Do([&](Transaction& transaction) {
    Channel changed = transaction.LockChannel(project(), "pager").value().value();
    changed.told = told;
    return transaction.SaveChannel(changed);
  });
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  Report("msg_1", DeliveryResult::kGone, kStart + kSecond);
  EXPECT_EQ(LoadChannel("pager").disabled_at, kStart + kSecond);
  EXPECT_EQ(LoadChannel("pager").told, told);
}

TEST_P(Deliveries, TheFirstSuccessOfAFailingChannelReleasesItsBacklog) {
  const ChannelKey channel = AddChannel("pager");
  for (int i = 0; i < 3; ++i) {
    AddDelivery(MakeDelivery("msg_" + std::to_string(i), channel, 100 + i, 1, kStart));
  }
  EXPECT_THAT(Lease(kStart), SizeIs(3));
  Report("msg_0", DeliveryResult::kRetry, kStart + kSecond, absl::Seconds(5));
  Report("msg_1", DeliveryResult::kRetry, kStart + kSecond, absl::Hours(1));
  Report("msg_2", DeliveryResult::kRetry, kStart + kSecond, absl::Hours(2));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(7))), ElementsAre("msg_0"));
  const ReportEffects effects =
      Report("msg_0", DeliveryResult::kDelivered, kStart + absl::Seconds(8));
  EXPECT_THAT(effects.recovered, ElementsAre(channel));
  EXPECT_FALSE(LoadChannel("pager").failing_since.has_value());
  EXPECT_LE(store().NextDeliveryAt().value(), kStart + absl::Seconds(8));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(8))), UnorderedElementsAre("msg_1", "msg_2"));
  EXPECT_THAT(Report("msg_1", DeliveryResult::kDelivered, kStart + absl::Seconds(9)).recovered,
              IsEmpty());
}

TEST_P(Deliveries, ARedeliveryGoesOutOfTurnAndHoldsUpNoOther) {
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  Report("msg_1", DeliveryResult::kDead, kStart);
  AddDelivery(MakeDelivery("msg_2", channel, 7, 2, kStart));
  EXPECT_THAT(IdsOf(Lease(kStart)), ElementsAre("msg_2"));
  Report("msg_2", DeliveryResult::kRetry, kStart, absl::Hours(1));
  AddDelivery(MakeDelivery("msg_3", channel, 7, 3, kStart));
  Do([&](Transaction& transaction) -> absl::Status {
    Delivery dead = transaction.LockDelivery(project(), "msg_1").value().value();
    EXPECT_EQ(dead.state, DeliveryState::kDead);
    EXPECT_FALSE(transaction.LockDelivery(project(), "msg_9").value().has_value());
    dead.state = DeliveryState::kPending;
    dead.redelivery = true;
    dead.attempts = 0;
    dead.finished_at.reset();
    dead.next_attempt_at = kStart + kSecond;
    return transaction.SaveDelivery(dead);
  });
  EXPECT_THAT(IdsOf(Lease(kStart + kSecond)), ElementsAre("msg_1"));
  EXPECT_TRUE(Find("msg_1").redelivery);
  // msg_1 is unfinished, and msg_2 goes all the same.
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Hours(1))), UnorderedElementsAre("msg_1", "msg_2"));
}

TEST_P(Deliveries, AreListedNewestFirstByChannelMonitorAndState) {
  const MonitorIdentity monitor = AddUp("job");
  const ChannelKey one = AddChannel("one"), two = AddChannel("two");
  AddDelivery(MakeDelivery("msg_1", one, monitor.key, 1, kStart));
  AddDelivery(MakeDelivery("msg_2", two, monitor.key, 1, kStart));
  AddDelivery(MakeDelivery("msg_3", one, 0, 0, kStart + absl::Hours(1)));
  EXPECT_THAT(Lease(kStart), SizeIs(2));
  Report("msg_1", DeliveryResult::kDead, kStart);
  EXPECT_THAT(List({}), ElementsAre("msg_3", "msg_2", "msg_1"));
  EXPECT_THAT(List({.channel = one}), ElementsAre("msg_3", "msg_1"));
  EXPECT_THAT(List({.monitor = monitor.key}), ElementsAre("msg_2", "msg_1"));
  EXPECT_THAT(List({.state = DeliveryState::kDead}), ElementsAre("msg_1"));
  EXPECT_THAT(List({.channel = one, .state = DeliveryState::kPending}), ElementsAre("msg_3"));
  EXPECT_THAT(List({.limit = 1}), ElementsAre("msg_3"));
  EXPECT_THAT(List({.before = Find("msg_2").key}), ElementsAre("msg_1"));
  DeliveryQuery query;
  query.project = project();
  const std::vector<DeliveryView> views = store().ListDeliveries(query).value();
  EXPECT_EQ(views[0].monitor_id, "");
  EXPECT_EQ(views[1].monitor_id, "job");
  EXPECT_EQ(views[1].channel_id, "two");
  EXPECT_EQ(views[1].project_id, "default");
}

INSTANTIATE_TEST_SUITE_P(Stores, Deliveries, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
