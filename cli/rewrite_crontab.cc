// A crontab whose jobs run under `tocsin exec`.
#include "cli/rewrite_crontab.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tocsin::cli {
namespace {

constexpr absl::string_view kVariable = "TOCSIN_PUSH_URL_FILE";
constexpr absl::string_view kPlainSigns = " \t-_./:=,@+";

// The length of what cron gives to the shell: all before the first "%" that is not "\%".
size_t CommandBytes(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%') {
      ++i;
    } else if (text[i] == '%') {
      return i;
    }
  }
  return text.size();
}

// Whether it is the same without a shell: a program by its path, since a mere name may be one that
// only shells know (`exit`, `:`, `wait`), and its arguments, in words without quotes.
bool IsPlain(absl::string_view command) {
  const absl::string_view program = command.substr(0, command.find_first_of(" \t"));
  return absl::StrContains(program, '/') && !absl::StrContains(program, '=') &&
         std::all_of(command.begin(), command.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  kPlainSigns.find(c) != absl::string_view::npos;
         });
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// Where TOCSIN_PUSH_URL stands above a job, which comes before the file of all jobs.
std::string UrlFlag(const JobPlace& place, const RewriteOptions& options) {
  if (place.push_url.empty()) return "";
  const std::string& file =
      place.push_url_file.empty() ? options.push_url_file : place.push_url_file;
  return absl::StrCat(" --push-url-file ", Quoted(file));
}

}  // namespace

RewrittenCrontab RewriteCrontab(absl::string_view text, const CrontabJobs& jobs,
                                const RewriteOptions& options) {
  RewrittenCrontab rewritten;
  if (jobs.places.empty() || jobs.places.front().push_url_file.empty()) {
    rewritten.text = absl::StrCat(kVariable, "=", options.push_url_file, "\n");
  }
  size_t number = 0;
  size_t next = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (number++ > 0) rewritten.text += '\n';
    if (next == jobs.places.size() || jobs.places[next].line != number) {
      absl::StrAppend(&rewritten.text, line);
      continue;
    }
    const JobPlace& place = jobs.places[next];
    const ImportedMonitor& monitor = jobs.monitors[next++];
    const absl::string_view rest = line.substr(place.command);
    const absl::string_view command =
        absl::StripTrailingAsciiWhitespace(rest.substr(0, CommandBytes(rest)));
    if (monitor.id.empty() || place.reported) {
      absl::StrAppend(&rewritten.text, line);
      continue;
    }
    // What has no "#!" is for the shell to run.
    const bool plain = IsPlain(command) && (place.shell.empty() || place.shell == "/bin/sh");
    const std::string wrapped = absl::StrCat(
        options.tocsin, " exec", UrlFlag(place, options), " --monitor ", monitor.id, " -- ",
        plain ? std::string(command) : absl::StrCat("\"$SHELL\" -c ", Quoted(command)),
        rest.substr(command.size()));
    if (wrapped.size() > kMaxCronCommandBytes) {
      rewritten.notes.push_back(absl::StrCat(
          "line ", number, " is left as it was: with tocsin exec its command has ", wrapped.size(),
          " bytes, and cron takes ", kMaxCronCommandBytes, "; put it into a script"));
      absl::StrAppend(&rewritten.text, line);
      continue;
    }
    absl::StrAppend(&rewritten.text, line.substr(0, place.command), wrapped);
  }
  return rewritten;
}

}  // namespace tocsin::cli
