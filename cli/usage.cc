// What a person is told who typed a command line that cannot be understood.
#include "cli/usage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMostSlips = 2;

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  // Without a filter only those that were typed are listed.
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// The command that the typed words lead to, and how it is called, e.g. "tocsin monitor".
struct Place {
  const CLI::App* app;
  std::string name;
};

Place Reached(const CLI::App& root) {
  Place place{&root, root.get_name()};
  while (!place.app->get_subcommands().empty()) {
    place.app = place.app->get_subcommands().back();
    absl::StrAppend(&place.name, " ", place.app->get_name());
  }
  return place;
}

// "See: tocsin help monitor" for "tocsin monitor".
std::string See(const std::string& name) {
  const size_t space = name.find(' ');
  return absl::StrCat("See: tocsin help", space == std::string::npos ? "" : name.substr(space));
}

std::string WrongWord(const Place& place, const std::string& word) {
  const std::vector<std::string> accepted = CommandsOf(*place.app);
  const std::string near = Nearest(word, accepted);
  return absl::StrCat(
      "\"", OneLine(word), "\" is no command of \"", place.name, "\"",
      near.empty() ? "; accepted: " : absl::StrCat("; did you mean \"", near, "\"? Accepted: "),
      absl::StrJoin(accepted, ", "));
}

// "--timeout" and the like: of the command and, since flags may stand anywhere, those above it.
std::vector<std::string> FlagsOf(const CLI::App* app) {
  std::vector<std::string> flags;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group().empty()) continue;  // hidden
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  return flags;
}

// What nothing takes that was typed behind a command.
std::string WrongRest(const Place& place, const std::string& word) {
  if (!absl::StartsWith(word, "-")) {
    return absl::StrCat("\"", OneLine(word), "\" is one word too many for \"", place.name, "\"");
  }
  const std::string flag = word.substr(0, word.find('='));
  const std::string near = Nearest(flag, FlagsOf(place.app));
  return absl::StrCat("\"", OneLine(flag), "\" is no flag of \"", place.name, "\"",
                      near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?"));
}

// Of what nothing takes: a flag rather than the words that may have been meant for it.
const std::string& Culprit(const std::vector<std::string>& rest) {
  const auto flag = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
    return absl::StartsWith(word, "-");
  });
  return flag == rest.end() ? rest.front() : *flag;
}

// What a flag's check says of a value, in our words.
std::string OfValue(absl::string_view message) {
  // "--severity: urgent not in {critical,error,warning,info}"
  const size_t accepted = message.rfind(" not in {");
  if (accepted != absl::string_view::npos && absl::EndsWith(message, "}")) {
    const std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(message.substr(0, accepted), absl::MaxSplits(": ", 1));
    absl::string_view list = message.substr(accepted);
    absl::ConsumePrefix(&list, " not in {");
    absl::ConsumeSuffix(&list, "}");
    const std::vector<std::string> words = absl::StrSplit(list, ',');
    const std::string near = Nearest(sides.second, words);
    return absl::StrCat(
        sides.first, ": \"", OneLine(std::string(sides.second)), "\" is not accepted",
        near.empty() ? "; accepted: " : absl::StrCat("; did you mean \"", near, "\"? Accepted: "),
        absl::StrJoin(words, ", "));
  }
  return OneLine(std::string(message));
}

std::string MissingCommand(const Place& place, const std::vector<std::string>& left_over) {
  if (left_over.empty()) {
    return absl::StrCat("\"", place.name, "\" needs a command; accepted: ",
                        absl::StrJoin(CommandsOf(*place.app), ", "));
  }
  const std::string& word = left_over.front();
  return absl::StartsWith(word, "-") ? WrongRest(place, word) : WrongWord(place, word);
}

// " (or TOCSIN_PUSH_TOKEN in the environment)", when a variable can stand in for what is missing.
std::string StandIn(const CLI::App& app, absl::string_view message) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_required() && option->empty() && !option->get_envname().empty() &&
        absl::StartsWith(message, option->get_name())) {
      return absl::StrCat(" (or ", option->get_envname(), " in the environment)");
    }
  }
  return "";
}

// Slips of the fingers between two words: a letter too many, too few, wrong, or two swapped.
size_t Slips(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string HelpOf(const Place& place) {
  return place.app->get_formatter()->make_help(place.app, place.name, CLI::AppFormatMode::Normal);
}

}  // namespace

std::string UsageText(const CLI::App& root, const CLI::Error& error) {
  const Place place = Reached(root);
  // By the number: the name of such an error is that of the command.
  const bool extras = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  const bool lacks_command = !CommandsOf(*place.app).empty() &&
                             place.app->get_require_subcommand_min() > 0 &&
                             (error.get_name() == "RequiredError" || extras);
  const std::vector<std::string> rest = root.remaining(/*recurse=*/true);
  // Who types the name alone wants to know what there is.
  if (lacks_command && place.app == &root && rest.empty()) {
    return absl::StrCat(HelpOf(place), "\ntocsin: it needs a command, one of those above\n");
  }
  const bool too_much = extras && !rest.empty();
  const std::string text =
      lacks_command ? MissingCommand(place, rest)
      : too_much    ? WrongRest(place, Culprit(rest))
                    : absl::StrCat(OfValue(error.what()), StandIn(*place.app, error.what()));
  return absl::StrCat("tocsin: ", text, "\n", See(place.name), "\n");
}

absl::StatusOr<std::string> HelpText(const CLI::App& root, const std::vector<std::string>& words) {
  Place place{&root, root.get_name()};
  for (const std::string& word : words) {
    const auto named = place.app->get_subcommands(
        [&word](const CLI::App* command) { return command->get_name() == word; });
    if (named.empty()) {
      return absl::InvalidArgumentError(
          CommandsOf(*place.app).empty()
              ? absl::StrCat("\"", place.name, "\" has no commands below it")
              : WrongWord(place, word));
    }
    place.app = named.front();
    absl::StrAppend(&place.name, " ", word);
  }
  return HelpOf(place);
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& accepted) {
  std::string nearest;
  size_t least = std::min(kMostSlips + 1, word.size());
  for (const std::string& candidate : accepted) {
    const bool begun = word.size() > 1 && absl::StartsWith(candidate, word);
    const size_t slips = begun ? 1 : Slips(word, candidate);
    if (slips < least) {
      least = slips;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace tocsin::cli
