// Cron expressions as other schedulers have them. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "cli/import_batch.h"

namespace tocsin::cli {

// Where an entry has its schedule from.
struct CronSource {
  std::string expression;
  std::string zone = "";             // empty: it does not say
  std::string zone_default = "";     // what holds then, as far as somebody said; empty: nobody did
  std::string zone_assumed = "UTC";  // and then, with a note
};

// Gives `entry` the schedule. "@every 1h30m" becomes a timeout, "?" is "*". Notes say what is not
// as it was; what nobody here can follow is a refusal: "@reboot", random times ("~"), a wrong
// number of fields, numbers that are none of their field. What never comes, such as the 31st of
// February, by which people switch a line off, is skipped. The rest core judges.
void ReadCron(const CronSource& source, ImportedMonitor& entry);

// Gives `entry`, which has a schedule, a limit for its runs: the shortest time between two of them,
// from an hour to a day. Without any a run would have to end within the grace.
void LimitRuns(ImportedMonitor& entry);

}  // namespace tocsin::cli
