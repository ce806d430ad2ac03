// What every command shares: how to reach core, how to name things and how to print answers.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/change_flags.h"
#include "cli/config/settings.h"
#include "cli/values.h"
#include "common/grpc_status.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

// Whether a call that counts once is to be made again; waits until then.
bool WaitToTryAgain(const absl::Status& status, int tries);

// The word of a command that has exit statuses of its own: also a usage error is none of 2 there.
inline constexpr char kApply[] = "apply";
// Its exit status on trial, when something differs.
inline constexpr int kDiffers = 2;
// The exit status of a command that asks how things are, when they are bad.
inline constexpr int kSomethingIsWrong = 1;

// Filled by the parser of the command line; afterwards `action` is run once. One thread.
struct Context {
  FlagSettings flags = {};  // as they were typed
  // What they, the environment and the contexts come to; see Settle.
  std::string core = "127.0.0.1:9090";
  std::string project = "default";
  std::string key_file = "";        // empty: TOCSIN_KEY holds the key, or there is none
  bool key_in_environment = false;  // TOCSIN_KEY holds it
  std::string output = "table";
  std::string rpc_timeout = "10s";
  std::vector<std::string> command{};  // of `tocsin exec`: what comes after "--"
  std::function<absl::Status(const Context&)> action{};
  // Of the program, when the action returns OK; the action may set it.
  std::shared_ptr<int> exit_status = std::make_shared<int>(0);

  // Finds which core, project and key are meant. INVALID_ARGUMENT or FAILED_PRECONDITION when the
  // configuration is of no use, or the context does not exist.
  absl::Status Settle();

  // Whether the answer is for programs: JSON on many lines, JSON with each message on one of its
  // own, or the same as YAML.
  bool json() const { return output != "table" && !wide(); }
  bool json_lines() const { return output == "jsonl"; }
  bool yaml() const { return output == "yaml"; }
  // Whether people want more columns, and long texts whole.
  bool wide() const { return output == "wide"; }
  // `text` as a cell of a table shows it.
  std::string Cell(absl::string_view text) const;
  // A message for programs.
  void PrintOne(const google::protobuf::Message& message) const;
  // A list for programs: the response, or each item on a line.
  void PrintAll(const google::protobuf::Message& response) const;
  // One message of a stream of them: a line, or a document of its own.
  void PrintNext(const google::protobuf::Message& message) const;
  void PrintNextJson(const nlohmann::ordered_json& json) const;
  // What is JSON already.
  void PrintJsonText(const std::string& json) const;
  // "projects/default".
  std::string Parent() const;
  // "projects/default/monitors/backup" of ("monitors", "backup"); whole names stay.
  std::string Name(absl::string_view collection, absl::string_view id) const;

  // A connection to core, made when the first call needs it.
  std::shared_ptr<grpc::Channel> Connect() const;
  void SetDeadline(grpc::ClientContext& call) const;
  // Where the key comes from: "the file …", "TOCSIN_KEY", or empty when there is none.
  std::string KeySource() const;
  // Sends the key with the call, if there is one. INVALID_ARGUMENT when it cannot be read or can be
  // none.
  absl::Status AddKey(grpc::ClientContext& call) const;

  // One bounded call, e.g. Call(&v1::MonitorService::Stub::GetMonitor, request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    Stub stub(Connect());
    grpc::ClientContext call;
    SetDeadline(call);
    if (absl::Status status = AddKey(call); !status.ok()) return status;
    Response response;
    const grpc::Status status = (stub.*method)(&call, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    return response;
  }

  // As Call, for a creation: it counts once, however often it is tried. Tried again when core says
  // so, or the connection ends before the answer.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Create(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                                  Request request) const {
    if (request.request_id().empty() && !request.validate_only()) {
      request.set_request_id(NewRequestId());
    }
    for (int tries = 1;; ++tries) {
      absl::StatusOr<Response> response = Call(method, request);
      if (response.ok() || !WaitToTryAgain(response.status(), tries)) return response;
    }
  }

  // Every page of a list in one response, up to `limit` items (0: all) of the field `items`.
  template <typename Stub, typename Request, typename Response, typename Items>
  absl::StatusOr<Response> List(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                Items* (Response::*items)(), Request request, int limit = 0) const {
    Response all;
    Items& found = *(all.*items)();
    while (true) {
      auto page = Call(method, request);
      if (!page.ok()) return page.status();
      request.set_page_token(page->next_page_token());
      page->clear_next_page_token();
      all.MergeFrom(*page);
      if (limit > 0 && found.size() >= limit) {
        found.DeleteSubrange(limit, found.size() - limit);
        return all;
      }
      if (request.page_token().empty()) return all;
    }
  }
};

// The file of contexts; empty when the environment does not say where it would be.
std::string FindConfigPath();
// Of the flags, the environment and that file.
absl::StatusOr<Settings> FindSettings(const FlagSettings& flags);

// To standard output, at once.
void Print(absl::string_view text);

// Each adds its commands to the parser; `context` must outlive `app`.
void AddMonitorCommands(CLI::App& app, Context& context);
// Below `tocsin monitor`.
void AddDescribeCommand(CLI::App& monitor, Context& context);
void AddChannelCommands(CLI::App& app, Context& context);
void AddStatusCommand(CLI::App& app, Context& context);
void AddDoctorCommand(CLI::App& app, Context& context);
void AddProjectCommands(CLI::App& app, Context& context);
void AddKeyCommands(CLI::App& app, Context& context);
void AddMaintenanceCommands(CLI::App& app, Context& context);
void AddMuteCommands(CLI::App& app, Context& context);
void AddImportCommands(CLI::App& app, Context& context);
void AddApplyCommand(CLI::App& app, Context& context);
void AddExportCommand(CLI::App& app, Context& context);
void AddExplainCommand(CLI::App& app, Context& context);
void AddAuditCommand(CLI::App& app, Context& context);
void AddHeartbeatCommands(CLI::App& app, Context& context);
void AddScheduleCommands(CLI::App& app, Context& context);
void AddReadCommands(CLI::App& app, Context& context);
void AddPushCommand(CLI::App& app, Context& context);
void AddExecCommand(CLI::App& app, Context& context);
void AddWatchCommand(CLI::App& app, Context& context);
void AddListenCommand(CLI::App& app, Context& context);
void AddContextCommands(CLI::App& app, Context& context);
void AddCompletionCommand(CLI::App& app, Context& context);

// What the scripts of `tocsin completion` ask for: prints what may stand for the last of `words`.
void PrintCompletions(const CLI::App& root, Context context, const std::vector<std::string>& words);

}  // namespace tocsin::cli
