// What every binary's options.cc needs around absl flags: the environment as a fallback, a --help
// that reads well, secrets from files, and all faults reported at once.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/any_string_view.h"

namespace tocsin {

struct ProgramInfo {
  std::string name;     // "tocsin-core"
  std::string summary;  // one or two sentences for --help
};

// Faults of a configuration, collected so that all are reported at once.
class OptionFaults {
 public:
  // `option` is the flag's name without dashes; `fault` completes "--option: …".
  void Add(AnyStringView option, AnyStringView fault);
  // Adds a fault unless `condition`.
  void Require(bool condition, AnyStringView option, AnyStringView fault);
  // Adds the message of `status` unless it is OK.
  void Check(AnyStringView option, const absl::Status& status);
  // The value, or the fault and a default-constructed value.
  template <typename T>
  T Value(AnyStringView option, absl::StatusOr<T> value) {
    Check(option, value.status());
    return value.ok() ? *std::move(value) : T();
  }

  bool ok() const { return faults_.empty(); }
  // OK, or INVALID_ARGUMENT with one line per fault.
  absl::Status ToStatus() const;

 private:
  std::vector<std::string> faults_;
};

// The variable that stands in for a flag: ("tocsin-core", "listen") → TOCSIN_CORE_LISTEN.
std::string EnvironmentName(AnyStringView program, AnyStringView flag);

// Sets every flag whose variable is set. Flags on the command line, parsed later, win.
void ApplyEnvironment(const ProgramInfo& program, OptionFaults& faults);

// The text of --help.
std::string HelpText(const ProgramInfo& program);

struct ParsedCommandLine {
  // --validate_only: check the options, say so, and exit without starting anything.
  bool validate_only = false;
};

// Environment, then command line. Answers --help and --version itself and exits with 0; an
// unknown flag or malformed value on the command line exits with 1 and a message on stderr.
// Malformed variables, malformed durations and stray arguments go to `faults`.
ParsedCommandLine ParseFlags(const ProgramInfo& program, int argc, char** argv,
                             OptionFaults& faults);

// The content of a file with a secret, without the newline at its end. NOT_FOUND,
// PERMISSION_DENIED, or INVALID_ARGUMENT when empty or above 64 KiB. Never quotes the content.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

struct HostPort {
  std::string host;  // without brackets
  int port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:0", ":8080" (host empty: every address).
absl::StatusOr<HostPort> ParseHostPort(AnyStringView text);

// Whether the host is a loopback address or "localhost".
bool IsLoopback(AnyStringView host);

}  // namespace tocsin
