// What may be typed next.
#include "cli/completion/complete.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {
namespace {

constexpr char kHelpFlag[] = "--help";

// "down" and "up" of "TEXT:{down,up}".
std::vector<std::string> ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// Of the command or those above it.
const CLI::Option* FindFlag(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  const auto named =
      app.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; });
  return named.empty() ? nullptr : named.front();
}

// The word of the top of the tree that the command is below of, e.g. "monitor".
std::string TopOf(const CLI::App* app) {
  while (app->get_parent() != nullptr && app->get_parent()->get_parent() != nullptr) {
    app = app->get_parent();
  }
  return app->get_name();
}

std::string CollectionOf(const CLI::App& app, const CLI::Option& option) {
  const std::string name = option.get_single_name();
  if (name == "monitor") return "monitors";
  if (name == "channel") return "channels";
  if (name == "project") return "projects";
  if (name == "context") return "contexts";
  const std::string top = TopOf(&app);
  if (name == "NAME" && top == "context") return "contexts";
  if (name != "ID") return "";
  if (top == "project") return "projects";
  if (top == "channel") return "channels";
  const bool monitors = top == "monitor" || top == "heartbeat" || top == "mute" ||
                        top == "unmute" || top == "explain";
  return monitors ? "monitors" : "";
}

class Completer {
 public:
  explicit Completer(const CLI::App& root) : app_(&root) {}

  void Pass(const std::string& word) {
    if (word == "=" && pending_ != nullptr) return;
    if (pending_ != nullptr) {
      pending_ = nullptr;
    } else if (word == "--") {
      foreign_ = true;
    } else if (absl::StartsWith(word, "-")) {
      const CLI::Option* option = FindFlag(app_, word.substr(0, word.find('=')));
      if (option != nullptr && TakesValue(*option) && !absl::StrContains(word, "=")) {
        pending_ = option;
      }
    } else if (const CLI::App* command = FindCommand(*app_, word)) {
      app_ = command;
      positionals_ = 0;
    } else {
      ++positionals_;
    }
  }

  Completion End(const std::string& word) {
    if (foreign_) return {};
    if (pending_ != nullptr) return Values(*pending_, word == "=" ? "" : word, "");
    const size_t equals = word.find('=');
    if (absl::StartsWith(word, "--") && equals != std::string::npos) {
      const CLI::Option* option = FindFlag(app_, word.substr(0, equals));
      if (option == nullptr) return {};
      return Values(*option, word.substr(equals + 1), word.substr(0, equals + 1));
    }
    if (absl::StartsWith(word, "-")) return Flags(word);
    Completion found = Commands(word);
    if (const CLI::Option* positional = Positional()) {
      Completion more = Values(*positional, word, "");
      found.candidates.insert(found.candidates.end(), more.candidates.begin(),
                              more.candidates.end());
      found.collection = more.collection;
      found.begun = more.begun;
    }
    return found;
  }

 private:
  Completion Values(const CLI::Option& option, const std::string& begun,
                    const std::string& before) const {
    Completion found = {
        .candidates = {}, .collection = CollectionOf(*app_, option), .begun = begun};
    for (const std::string& value : ValuesOf(option)) {
      if (absl::StartsWith(value, begun)) found.candidates.push_back({before + value, ""});
    }
    return found;
  }

  Completion Commands(const std::string& begun) const {
    Completion found;
    for (const CLI::App* command : app_->get_subcommands([](const CLI::App*) { return true; })) {
      if (absl::StartsWith(command->get_name(), begun)) {
        found.candidates.push_back({command->get_name(), command->get_description()});
      }
    }
    return found;
  }

  Completion Flags(const std::string& begun) const {
    Completion found;
    for (const CLI::App* app = app_; app != nullptr; app = app->get_parent()) {
      for (const CLI::Option* option : app->get_options()) {
        if (option->get_group().empty()) continue;  // hidden
        for (const std::string& name : option->get_lnames()) {
          std::string flag = absl::StrCat("--", name);
          const bool again = flag == kHelpFlag && app != app_;
          if (absl::StartsWith(flag, begun) && !again) {
            found.candidates.push_back({std::move(flag), option->get_description()});
          }
        }
      }
    }
    return found;
  }

  // The one that is next; the last one may take many.
  const CLI::Option* Positional() const {
    const CLI::Option* found = nullptr;
    size_t index = 0;
    for (const CLI::Option* option : app_->get_options()) {
      if (!option->get_positional() || option->get_group().empty()) continue;
      const bool many = option->get_items_expected_max() > 1;
      if (index == positionals_ || (index < positionals_ && many)) found = option;
      ++index;
    }
    return found;
  }

  const CLI::App* app_;
  const CLI::Option* pending_ = nullptr;  // its value comes next
  size_t positionals_ = 0;                // passed, of app_
  bool foreign_ = false;                  // behind "--" stands a command of somebody else
};

}  // namespace

std::string TypedFor(const std::vector<std::string>& names, const std::vector<std::string>& words) {
  std::string value;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--") break;
    for (const std::string& name : names) {
      if (absl::StartsWith(words[i], name + "=")) value = words[i].substr(name.size() + 1);
      if (words[i] != name) continue;
      const size_t next = words[i + 1] == "=" ? i + 2 : i + 1;  // bash makes "=" a word of its own
      if (next + 1 < words.size()) value = words[next];
    }
  }
  return value;
}

Completion Complete(const CLI::App& root, const std::vector<std::string>& words) {
  if (words.empty()) return Completer(root).End("");
  Completer completer(root);
  for (size_t i = 0; i + 1 < words.size(); ++i) completer.Pass(words[i]);
  return completer.End(words.back());
}

}  // namespace tocsin::cli
