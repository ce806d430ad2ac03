// A crontab whose jobs run under `tocsin exec`. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/import_crontab.h"

namespace tocsin::cli {

// Longer commands cron cuts off, or refuses (MAX_COMMAND of cron and cronie).
inline constexpr size_t kMaxCronCommandBytes = 998;

struct RewriteOptions {
  std::string tocsin;         // the program; absolute, since cron's PATH is short
  std::string push_url_file;  // what all jobs read their push URL from
};

struct RewrittenCrontab {
  std::string text;
  std::vector<std::string> notes;  // of jobs that are left as they were, and why
};

// `text`, of which `jobs` was read, with TOCSIN_PUSH_URL_FILE on top and
// "tocsin exec --monitor ID --" in front of each command that has a monitor. A command keeps the
// shell that cron runs it with, but for a program that is named by its path and needs none; what
// "%" gives it to read stays. Everything else is as it was, byte by byte. Applied to its own result
// it changes nothing.
RewrittenCrontab RewriteCrontab(absl::string_view text, const CrontabJobs& jobs,
                                const RewriteOptions& options);

}  // namespace tocsin::cli
