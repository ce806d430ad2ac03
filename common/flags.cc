// Helpers around absl flags.
#include "common/flags.h"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/build_info.h"

namespace tocsin {
namespace {

constexpr size_t kMaxSecretBytes = 64 << 10;

// Our flags by name; Abseil's own (--flagfile, --fromenv …) stay out of help and environment.
std::map<std::string, absl::CommandLineFlag*> OurFlags() {
  std::map<std::string, absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::StrContains(flag->Filename(), "absl/flags/")) flags[std::string(name)] = flag;
  }
  return flags;
}

// Why `value` cannot be that of `flag`, with what is accepted; empty when it can, or when the flag
// is no duration. Abseil would say only that it is illegal.
std::string DurationFault(const absl::CommandLineFlag& flag, absl::string_view value) {
  absl::Duration parsed;
  if (!flag.IsOfType<absl::Duration>() || absl::ParseDuration(value, &parsed)) return "";
  return absl::StrCat("\"", value,
                      "\" is no duration; accepted: e.g. 500ms, 90s, 5m, 36h or 1h30m");
}

// "wait" of "--wait", "-wait" and "--wait=5s"; empty of what is no flag.
absl::string_view FlagName(absl::string_view arg) {
  if (!absl::ConsumePrefix(&arg, "-")) return "";
  absl::ConsumePrefix(&arg, "-");
  return arg.substr(0, arg.find('='));
}

// Takes the flags out of `args` whose value is a bad duration, and reports them.
std::vector<char*> WithoutBadDurations(const std::vector<char*>& args, OptionFaults& faults) {
  const auto flags = OurFlags();
  std::vector<char*> good;
  for (size_t i = 0; i < args.size(); ++i) {
    const absl::string_view arg = args[i];
    if (arg == "--") {  // no flags behind it
      good.insert(good.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      break;
    }
    const auto flag = flags.find(std::string(FlagName(arg)));
    const size_t equals = arg.find('=');
    const bool apart = equals == absl::string_view::npos;  // the value is the next argument
    std::string fault;
    if (flag != flags.end() && !(apart && i + 1 == args.size())) {
      fault = DurationFault(*flag->second, apart ? args[i + 1] : arg.substr(equals + 1));
    }
    if (fault.empty()) {
      good.push_back(args[i]);
      continue;
    }
    faults.Add(flag->first, fault);
    if (apart) ++i;
  }
  return good;
}

// `text` in lines of at most 80 columns after `indent` spaces.
std::string Wrapped(absl::string_view text, size_t indent) {
  std::string out;
  size_t column = 0;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (column == 0 || column + 1 + word.size() > 80) {
      absl::StrAppend(&out, column == 0 ? "" : "\n", std::string(indent, ' '), word);
      column = indent + word.size();
    } else {
      absl::StrAppend(&out, " ", word);
      column += 1 + word.size();
    }
  }
  return out;
}

}  // namespace

void OptionFaults::Add(AnyStringView option, AnyStringView fault) {
  faults_.push_back(absl::StrCat("--", option.absl(), ": ", fault.absl()));
}

void OptionFaults::Require(bool condition, AnyStringView option, AnyStringView fault) {
  if (!condition) Add(option, fault);
}

void OptionFaults::Check(AnyStringView option, const absl::Status& status) {
  if (!status.ok()) Add(option, status.message());
}

absl::Status OptionFaults::ToStatus() const {
  if (ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults_, "\n"));
}

std::string EnvironmentName(AnyStringView program, AnyStringView flag) {
  return absl::AsciiStrToUpper(
      absl::StrReplaceAll(absl::StrCat(program.absl(), "_", flag.absl()), {{"-", "_"}}));
}

void ApplyEnvironment(const ProgramInfo& program, OptionFaults& faults) {
  for (const auto& [name, flag] : OurFlags()) {
    const std::string variable = EnvironmentName(program.name, name);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    if (const std::string fault = DurationFault(*flag, value); !fault.empty()) {
      faults.Add(name, absl::StrCat("the environment variable ", variable, ": ", fault));
      continue;
    }
    std::string error;
    if (!flag->ParseFrom(value, &error)) {
      faults.Add(name, absl::StrCat("the environment variable ", variable, " has an illegal value",
                                    error.empty() ? "" : ": ", error));
    }
  }
}

std::string HelpText(const ProgramInfo& program) {
  std::string help = absl::StrCat(
      program.name, " ", Version(), "\n\n", Wrapped(program.summary, 0), "\n\n",
      "Usage: ", program.name, " [--flag=value]…\n\n",
      Wrapped(absl::StrCat("Every flag can also be set in the environment: --some_flag"
                           " as ",
                           EnvironmentName(program.name, "some_flag"), ". The command line wins."),
              0),
      "\n\n");
  for (const auto& [name, flag] : OurFlags()) {
    const std::string value = flag->DefaultValue();
    absl::StrAppend(&help, "  --", name, value.empty() ? "" : absl::StrCat(" (", value, ")"), "\n",
                    Wrapped(flag->Help(), 6), "\n");
  }
  absl::StrAppend(&help,
                  "  --validate_only\n      Check the options and exit.\n"
                  "  --version\n      Print the version and exit.\n"
                  "  --help\n      Print this text and exit.\n");
  return help;
}

ParsedCommandLine ParseFlags(const ProgramInfo& program, int argc, char** argv,
                             OptionFaults& faults) {
  ParsedCommandLine parsed;
  ApplyEnvironment(program, faults);
  // These three are answered here, so that they look and work alike in every binary.
  std::vector<char*> args;
  bool flags_ended = false;
  for (int i = 0; i < argc; ++i) {
    std::string arg = argv[i];
    if (arg == "--") flags_ended = true;
    if (i > 0 && !flags_ended && (arg == "--help" || arg == "-h" || arg == "-help")) {
      std::fputs(HelpText(program).c_str(), stdout);
      std::exit(0);
    }
    if (i > 0 && !flags_ended && (arg == "--version" || arg == "-version")) {
      std::fputs(absl::StrCat(program.name, " ", Version(), "\n").c_str(), stdout);
      std::exit(0);
    }
    if (i > 0 && !flags_ended && (arg == "--validate_only" || arg == "--validate_only=true")) {
      parsed.validate_only = true;
      continue;
    }
    args.push_back(argv[i]);
  }
  args = WithoutBadDurations(args, faults);
  const std::vector<char*> rest =
      absl::ParseCommandLine(static_cast<int>(args.size()), args.data());
  for (size_t i = 1; i < rest.size(); ++i) {
    faults.Add("help", absl::StrCat("explains the flags; \"", rest[i], "\" is not one"));
  }
  return parsed;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  struct Closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) {
    const std::string message = absl::StrCat("cannot read ", path, ": ", std::strerror(errno));
    if (errno == ENOENT) return absl::NotFoundError(message);
    return absl::PermissionDeniedError(message);
  }
  std::string content(kMaxSecretBytes + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get())) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  }
  if (content.size() > kMaxSecretBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is above 64 KiB"));
  }
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) {
    content.pop_back();
  }
  if (content.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  return content;
}

absl::StatusOr<HostPort> ParseHostPort(AnyStringView text) {
  absl::string_view rest = text.absl();
  HostPort result;
  const size_t colon = rest.rfind(':');
  uint32_t port;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(rest.substr(colon + 1), &port) ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text.absl(), "\" is not host:port with a port of 0 to 65535"));
  }
  absl::string_view host = rest.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[") ? !absl::ConsumeSuffix(&host, "]")
                                      : absl::StrContains(host, ":")) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text.absl(), "\": an IPv6 address needs brackets, as in [::1]:8080"));
  }
  result.host = std::string(host);
  result.port = static_cast<int>(port);
  return result;
}

bool IsLoopback(AnyStringView host) {
  const absl::string_view name = host.absl();
  return name == "localhost" || name == "::1" || absl::StartsWith(name, "127.");
}

}  // namespace tocsin
