// What is pushed about a run, and what the answer to it means. Pure.
#include "cli/exec/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/exec/push_url.h"

namespace tocsin::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(2);
constexpr absl::Duration kToTheSecond = absl::Seconds(10);

std::string Took(absl::Duration took) {
  const absl::Duration unit = took < kToTheSecond ? absl::Milliseconds(1) : absl::Seconds(1);
  return absl::StrCat("took ", absl::FormatDuration(absl::Trunc(took, unit)));
}

}  // namespace

std::string StartQuery(absl::string_view run_id) {
  return absl::StrCat("status=start&run=", PercentEncoded(run_id));
}

std::string EndQuery(absl::string_view run_id, const Ending& ending, absl::string_view program,
                     absl::Duration took, bool start_known) {
  const int status = ExitStatusOf(ending);
  std::string query = absl::StrCat("status=", status == 0 ? "up" : "down", "&exit_status=", status,
                                   "&run=", PercentEncoded(run_id));
  std::string words = EndingWords(ending, program);
  if (!start_known) absl::StrAppend(&words, words.empty() ? "" : ", ", Took(took));
  if (!words.empty()) absl::StrAppend(&query, "&msg=", PercentEncoded(words));
  return query;
}

bool IsRecorded(const Answer& answer) { return answer.status >= 200 && answer.status < 300; }

bool CanBeCured(const Answer& answer) {
  if (answer.status == 0) return !answer.hopeless;
  return answer.status == 408 || answer.status == 425 || answer.status == 429 ||
         answer.status >= 500;
}

absl::Duration PauseAfter(const Answer& answer, int tries, double fraction) {
  const absl::Duration longest =
      std::min(kLongestPause, kFirstPause * (1 << std::min(tries - 1, 10)));
  return std::max(answer.retry_after, longest * (0.5 + fraction / 2));
}

std::string WhyNot(const Answer& answer) {
  switch (answer.status) {
    case 0:
      return answer.trouble;
    case 401:
    case 403:
      return absl::StrCat("the push URL does not allow it (HTTP ", answer.status, ")");
    case 404:
      return "no monitor has this push URL, or it is a push key's and --monitor is missing or "
             "wrong "
             "(HTTP 404)";
    case 429:
      return "the monitor is pushed to too often (HTTP 429)";
    default:
      break;
  }
  if (answer.status >= 300 && answer.status < 400) {
    return absl::StrCat("the answer is a redirect, which is not followed (HTTP ", answer.status,
                        ")");
  }
  if (answer.status >= 500) {
    return absl::StrCat("Tocsin could not take it in (HTTP ", answer.status, ")");
  }
  return absl::StrCat("it was not accepted (HTTP ", answer.status, ")",
                      answer.said.empty() ? "" : ": ", answer.said);
}

}  // namespace tocsin::cli
