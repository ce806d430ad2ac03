// Reads what a push says from its query and its body. Pure: no I/O, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tocsin::gateway {

// As tocsin.v1.Heartbeat.Kind, with the same numbers.
enum class PushKind : uint8_t { kUp = 1, kDown = 2, kStart = 3, kLog = 4 };

inline constexpr size_t kMaxMessageBytes = 4096;
inline constexpr size_t kMaxRunIdBytes = 64;
inline constexpr size_t kMaxOutputBytes = 10'000;

struct PushParameters {
  PushKind kind = PushKind::kUp;
  std::string message;          // empty: the default, "OK"
  std::optional<double> value;  // finite
  std::string run_id;
  std::optional<int> exit_status;  // 0 to 255
  std::string output;              // what the job put out: any bytes
  bool create = false;             // a monitor that is missing is to be made
  std::string warning;             // what was wrong and did not keep the heartbeat from counting

  void Clear();
};

// Where parameters are.
struct PushInput {
  std::string_view action{};        // the path's, decoded; it decides over any `status`
  std::string_view query{};         // after the "?"
  std::string_view content_type{};  // of the body
  std::string_view content_encoding{};
  std::string_view body{};
};

// Keeps its buffers between calls, so that a usual push costs no allocation. Not thread safe.
//
//   status      absent, empty, up, ok, success, true: up; down, fail, failed, failure, error,
//               false: down; start; log. Any case. Anything else is an error.
//   msg         cut to 4,096 bytes of clean UTF-8
//   value, ping a finite number; one that cannot be read is dropped with a warning
//   run         at most 64 bytes; more is an error
//   create      1 or true: a monitor that is missing is to be made
//   exit_status 0 to 255; without an action and a status, other than 0 means down, and so does what
//               is no such number, which is not kept and causes a warning
//
// The action says what the heartbeat is: start, fail, log (any case), or an exit status from 0 to
// 255, which is a success only when it is 0.
//
// The others come from the query, from a form body or from a JSON body, as Content-Type says (one
// that looks like JSON and is called a form causes a warning). The query wins; of a repeated
// parameter the first wins. An empty one is absent everywhere, so that
// "?status=&msg=" in front of a body hides nothing that it says.
//
// A body of another type, or of none, is what the job put out: its last 10,000 bytes are kept as
// they are, and no parameters are looked for in them.
//
// A JSON body with a top-level array "alerts" is Alertmanager's: only its "status" is read,
// "firing" as up (the watchdog barks) and "resolved" as log.
//
// A body that is not valid JSON never costs the heartbeat: what it says before the fault counts,
// and the answer carries a warning. Of what comes after the fault a known word of "status" is still
// honoured, so that {"msg":"disk "sda" died","status":"down"} does not pass as a success.
class PushParser {
 public:
  PushParser();
  ~PushParser();
  PushParser(const PushParser&) = delete;
  PushParser& operator=(const PushParser&) = delete;

  // Replaces `out`. INVALID_ARGUMENT, with a message for the client that names the parameter and
  // what is accepted.
  absl::Status Parse(const PushInput& input, PushParameters& out);

 private:
  struct Fields;
  Fields* const fields_;
};

}  // namespace tocsin::gateway
