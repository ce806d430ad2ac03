// What each class of session sets after connecting: timeouts and how to plan.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace tocsin::core::pg {

struct SessionClass {
  const char* name;  // in application_name
  // All of them bound how long a fault of ours can hold up others.
  absl::Duration statement_timeout;
  absl::Duration lock_timeout;
  absl::Duration idle_in_transaction_timeout;
  // Statements of these sessions look rows up by key, a few hundred at once. Nested loops over the
  // key's index do it in key order (which is the order of locking) whatever the statistics say; a
  // plan made while a table was small stays right when it has grown.
  bool by_key_only;
  // How long plans are kept (see SessionOptions). Those of complex statements are not kept for
  // long, since what is right for a short backlog is wrong for a long one; but while there is much
  // to do, planning each time would be a third of the work.
  absl::Duration plan_life;
  // Never reads a table from end to end, nor with several processes.
  bool no_scans = false;
};

inline constexpr SessionClass kCommitter = {.name = "committer",
                                            .statement_timeout = absl::Seconds(5),
                                            .lock_timeout = absl::Seconds(2),
                                            .idle_in_transaction_timeout = absl::Seconds(5),
                                            .by_key_only = true,
                                            .plan_life = absl::InfiniteDuration()};
inline constexpr SessionClass kSweeper = {.name = "sweeper",
                                          .statement_timeout = absl::Seconds(10),
                                          .lock_timeout = absl::Seconds(2),
                                          .idle_in_transaction_timeout = absl::Seconds(5),
                                          .by_key_only = true,
                                          .plan_life = absl::InfiniteDuration()};
inline constexpr SessionClass kDelivery = {.name = "delivery",
                                           .statement_timeout = absl::Seconds(10),
                                           .lock_timeout = absl::Seconds(2),
                                           .idle_in_transaction_timeout = absl::Seconds(5),
                                           .by_key_only = true,
                                           .plan_life = absl::Seconds(1)};
inline constexpr SessionClass kAdmin = {.name = "admin",
                                        .statement_timeout = absl::Seconds(10),
                                        .lock_timeout = absl::Seconds(3),
                                        .idle_in_transaction_timeout = absl::Seconds(10),
                                        .by_key_only = false,
                                        .plan_life = absl::ZeroDuration()};
// One monitor and its heartbeats, by their keys, and lists of monitors: walks over an index in its
// order, a bounded number of rows at a time. Planning what reads the history, with its partitions,
// would take most of the time.
inline constexpr SessionClass kList = {.name = "list",
                                       .statement_timeout = absl::Seconds(10),
                                       .lock_timeout = absl::Seconds(3),
                                       .idle_in_transaction_timeout = absl::Seconds(10),
                                       .by_key_only = true,
                                       .plan_life = absl::Minutes(1)};
// Searches for what few monitors match, which takes a few milliseconds. One that has not found them
// by its timeout has too much to look through, and is given up for a walk; on a machine with too
// much to do it is not given up at once.
inline constexpr SessionClass kSearch = {.name = "search",
                                         .statement_timeout = absl::Milliseconds(40),
                                         .lock_timeout = absl::Milliseconds(40),
                                         .idle_in_transaction_timeout = absl::Seconds(10),
                                         .by_key_only = false,
                                         .plan_life = absl::ZeroDuration(),
                                         .no_scans = true};
// Its lock timeout bounds how long pushes queue behind a change of partitions.
inline constexpr SessionClass kUpkeep = {.name = "upkeep",
                                         .statement_timeout = absl::Seconds(60),
                                         .lock_timeout = absl::Milliseconds(200),
                                         .idle_in_transaction_timeout = absl::Seconds(10),
                                         .by_key_only = false,
                                         .plan_life = absl::ZeroDuration()};
// Asks whether the database is there and what time it is, which is not to wait for anything.
inline constexpr SessionClass kProbe = {.name = "probe",
                                        .statement_timeout = absl::Seconds(2),
                                        .lock_timeout = absl::Seconds(1),
                                        .idle_in_transaction_timeout = absl::Seconds(10),
                                        .by_key_only = false,
                                        .plan_life = absl::ZeroDuration()};
inline constexpr SessionClass kListener = {.name = "listener",
                                           .statement_timeout = absl::Seconds(10),
                                           .lock_timeout = absl::Seconds(2),
                                           .idle_in_transaction_timeout = absl::Seconds(10),
                                           .by_key_only = false,
                                           .plan_life = absl::ZeroDuration()};

// The statements that set it, for SessionOptions::settings. synchronous_commit stays what the
// server has.
std::string SettingsOf(const SessionClass& klass);

}  // namespace tocsin::core::pg
