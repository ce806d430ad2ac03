// Monitors from a crontab. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/import_batch.h"

namespace tocsin::cli {

inline constexpr size_t kMaxCrontabLines = 100'000;

struct CrontabOptions {
  bool system = false;         // a sixth column has the user, as in /etc/crontab and /etc/cron.d
  std::string owner = "";      // empty: that user, or nobody
  std::string time_zone = "";  // of all lines, whatever stands above them
  std::string machine_zone = "UTC";  // what is assumed, with a note, when there is neither
  std::function<bool(absl::string_view)> is_user{};  // whether the machine has one of that name
};

// Where a job stands in the text.
struct JobPlace {
  size_t line = 0;     // from 1
  size_t command = 0;  // of its command, in bytes from the beginning of the line
  // What cron gives it from the lines above; empty: nothing.
  std::string shell;
  std::string push_url, push_url_file;  // TOCSIN_PUSH_URL and TOCSIN_PUSH_URL_FILE
  bool reported = false;                // whether it runs under "tocsin exec" already
};

struct CrontabJobs {
  std::vector<ImportedMonitor> monitors;
  std::vector<JobPlace> places;  // of each of them
  // Every command begins with the name of a user: it may well be a system's crontab that was read
  // as that of a user.
  bool has_users = false;
};

// The jobs of the text, one for each line that is one, with "line 12" as their names. Comments
// right above a line are its description. CRON_TZ is the zone of the lines below it, with a note,
// since not every cron follows it; other variables are passed over. An id is the base name of what
// the line runs; a job that reports to a push URL of its own already is skipped.
// Everything that the text has is judged: what is no line of a crontab is refused.
CrontabJobs FromCrontab(absl::string_view text, const CrontabOptions& options);

// "backup" of "cd /srv && nice -n 10 /usr/local/bin/backup.sh --all": the base name of what a
// command runs, without folders, interpreters, what sets it up, and endings of scripts; what
// "tocsin exec --monitor" names. Empty when there is none.
std::string JobName(absl::string_view command);

}  // namespace tocsin::cli
