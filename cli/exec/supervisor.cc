// Runs a command for somebody else: passes output and signals on, reports, and ends as it ended.
#include "cli/exec/supervisor.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/exec/descriptors.h"
#include "cli/exec/drain.h"
#include "cli/exec/ending.h"
#include "cli/exec/output_tail.h"
#include "cli/exec/relay.h"
#include "cli/exec/report.h"
#include "cli/exec/reporter.h"
#include "cli/exec/signals.h"
#include "cli/exec/spawn.h"

namespace tocsin::cli {
namespace {

// What processes that outlive the command, and hold its output open, have to finish: a `tee` needs
// a moment, a daemon never ends. What comes later is passed on, but is not in the report.
constexpr absl::Duration kAfterTheEnd = absl::Seconds(1);

// A line on standard error, unless nobody takes it: a warning holds nothing up.
void Say(absl::string_view text) {
  const std::string line = absl::StrCat("tocsin: ", text, "\n");
  pollfd error = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&error, 1, 0) <= 0 || (error.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

std::string ProgramOf(const std::vector<std::string>& command) {
  const std::string& path = command.front();
  return path.substr(path.rfind('/') + 1);
}

class Supervisor {
 public:
  Supervisor(const ExecOptions& options, const MonotonicClock& clock)
      : options_(options), clock_(clock), tail_(options.output_bytes) {}

  Ending Run() {
    Start();
    while (!ending_ || !OutputIsIn()) Turn(/*longest=*/UntilOutputIsGivenUp());
    Report();
    while (!abandoned_ && !(reporter_->done() && OutputIsOut())) Turn(absl::InfiniteDuration());
    Warn();
    DrainInBackground(leftovers_);
    return *ending_;
  }

 private:
  // The ends of a pipe for a stream of the command, if it is open and its output is wanted.
  int Capture(int stream) {
    int from = -1, to = -1;
    if (options_.output_bytes == 0 || !IsOpen(stream) || !MakePipe(from, to)) return -1;
    relays_.push_back(std::make_unique<Relay>(from, stream, tail_));
    return to;
  }

  void Start() {
    CommandStreams streams = {.out = Capture(STDOUT_FILENO)};
    // Through one pipe, then, so that what is written to either stays in order.
    const bool one = streams.out >= 0 && IsSameFile(STDOUT_FILENO, STDERR_FILENO);
    if (streams.out >= 0 && !one) only_output_ = relays_.front().get();
    streams.err = one ? streams.out : Capture(STDERR_FILENO);
    began_ = clock_.Now();
    const Spawned spawned = Spawn(options_.command, streams, signals_);
    close(streams.out);
    if (!one) close(streams.err);
    LetGoOfInput();
    command_ = spawned.pid;
    if (spawned.pid < 0) {
      End(Ending::OfError(spawned.error));
      Say(EndingWords(*ending_, options_.command.front()));
    }
    reporter_ = std::make_unique<Reporter>(options_.push_url, options_.report_timeout, clock_);
    if (options_.push_start && !ending_) reporter_->PushStart(StartQuery(options_.run_id));
  }

  // Standard input is the command's alone: who writes to it must see when nobody reads any more.
  // And no socket may become a standard stream.
  static void LetGoOfInput() {
    PointToNull(STDIN_FILENO);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      if (!IsOpen(stream)) PointToNull(stream);
    }
  }

  void End(const Ending& ending) {
    ending_ = ending;
    ended_ = clock_.Now();
    for (const auto& relay : relays_) relay->CommandEnded();
  }

  void Turn(absl::Duration longest) {
    std::vector<pollfd> fds = {{signals_.fd(), POLLIN, 0}};
    for (const auto& relay : relays_) relay->Watch(fds);
    reporter_->Wait(fds, longest);
    while (const auto caught = signals_.Next()) OnSignal(*caught);
    for (const auto& relay : relays_) relay->Move();
    // Who reads it sees its end as soon as without us. (On standard error we may have to warn.)
    if (only_output_ != nullptr && only_output_->ended() && only_output_->passed_on()) {
      only_output_->CloseSink();
      only_output_ = nullptr;
    }
  }

  void OnSignal(const CaughtSignal& caught) {
    if (caught.number == SIGCHLD) return Reap();
    if (ending_) {
      abandoned_ = abandoned_ || signals_.AsksToEnd(caught.number);
      return;
    }
    if (IsForTheCommand(caught, command_)) kill(command_, caught.number);
    if (caught.number == SIGTSTP) signals_.Suspend();
  }

  void Reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == command_ && !ending_) End(Ending::OfWaitStatus(status));
    }
  }

  // Whether all that the command put out has been read.
  bool OutputIsIn() const {
    const bool ended = std::all_of(relays_.begin(), relays_.end(),
                                   [](const auto& relay) { return relay->ended(); });
    return ended || abandoned_ || clock_.Now() >= ended_ + kAfterTheEnd;
  }
  absl::Duration UntilOutputIsGivenUp() const {
    return ending_ ? ended_ + kAfterTheEnd - clock_.Now() : absl::InfiniteDuration();
  }
  bool OutputIsOut() const {
    return std::all_of(relays_.begin(), relays_.end(),
                       [](const auto& relay) { return relay->passed_on(); });
  }

  void Report() {
    for (const auto& relay : relays_) {
      if (const int from = relay->TakeSource(); from >= 0) {
        leftovers_.push_back({.from = from, .to = relay->stream()});
        if (relay.get() == only_output_) only_output_ = nullptr;  // its end is yet to come
      }
    }
    reporter_->PushEnd(
        [this](bool start_known) {
          return EndQuery(options_.run_id, *ending_, ProgramOf(options_.command), ended_ - began_,
                          start_known);
        },
        tail_.bytes());
  }

  void Warn() const {
    for (const auto& relay : relays_) {
      if (relay->lost() != 0) Say(absl::StrCat("output was lost: ", strerror(relay->lost())));
    }
    if (options_.quiet || !options_.push_url) return;
    const std::string problem = reporter_->done() ? reporter_->problem() : "a signal ended that";
    if (problem.empty()) return;
    Say(absl::StrCat(reporter_->in_doubt()
                         ? "it is not known whether the end of this run is reported"
                         : "the end of this run is not reported",
                     ": ", problem));
  }

  const ExecOptions& options_;
  const MonotonicClock& clock_;
  Signals signals_;
  OutputTail tail_;
  std::vector<std::unique_ptr<Relay>> relays_;
  Relay* only_output_ = nullptr;  // that of standard output, if it is not standard error's as well
  std::vector<Leftover> leftovers_;
  std::unique_ptr<Reporter> reporter_;
  pid_t command_ = -1;
  std::optional<Ending> ending_;
  absl::Duration began_, ended_;
  bool abandoned_ = false;  // by somebody who has no time for reports
};

}  // namespace

void RunCommand(const ExecOptions& options, const MonotonicClock& clock) {
  // Not destroyed: libcurl might wait for a look-up of a name.
  auto* const supervisor = new Supervisor(options, clock);
  EndAs(supervisor->Run());
}

}  // namespace tocsin::cli
