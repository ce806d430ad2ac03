// Does what a plan says.
#include "cli/apply/execute.h"

#include <atomic>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cli/apply/parallel.h"
#include "common/random.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

using google::protobuf::Message;

constexpr size_t kTokenBytes = 32;

bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsUnauthenticated(status);
}

bool IsChannel(const Step& step) { return step.kind == &ChannelKind(); }

class Executor {
 public:
  Executor(const Plan& plan, const Collections& collections, TokensFile& tokens)
      : plan_(plan), collections_(collections), tokens_(tokens) {
    done_.outcomes.assign(plan.steps.size(), absl::CancelledError("it was not begun"));
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      if (plan.steps[i].action == Action::kNothing) done_.outcomes[i] = absl::OkStatus();
      if (plan.steps[i].action == Action::kCreate) new_names_.insert(plan.steps[i].name);
    }
  }

  Execution Run() {
    Stage([](const Step& s) { return IsChannel(s) && s.action == Action::kCreate; });
    Stage([](const Step& s) { return IsChannel(s) && s.action != Action::kCreate; });
    CompleteChannels();
    Stage([](const Step& s) { return !IsChannel(s) && s.action != Action::kDelete; });
    Stage([](const Step& s) { return !IsChannel(s) && s.action == Action::kDelete; });
    return std::move(done_);
  }

 private:
  template <typename Belongs>
  void Stage(Belongs belongs) {
    std::vector<size_t> steps;
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      if (plan_.steps[i].action != Action::kNothing && belongs(plan_.steps[i])) steps.push_back(i);
    }
    ForEachAtOnce(steps.size(), [&](size_t k) {
      if (away_) return false;
      const size_t i = steps[k];
      done_.outcomes[i] = Do(plan_.steps[i]);
      if (IsAway(done_.outcomes[i])) away_ = true;
      return true;
    });
  }

  absl::Status Do(const Step& step) {
    const Collection& collection = *collections_.at(step.kind);
    switch (step.action) {
      case Action::kNothing:
        return absl::OkStatus();
      case Action::kCreate:
        return Create(step, collection);
      case Action::kRestore:
        return Restore(step, collection);
      case Action::kUpdate:
        return collection.Update(*step.message, MaskOf(*step.resource), /*trial=*/false).status();
      case Action::kDelete:
        return collection.Delete(step.name, step.etag);
    }
    return absl::OkStatus();
  }

  absl::Status Create(const Step& step, const Collection& collection) {
    const bool is_channel = IsChannel(step);
    std::string secret = step.resource->secret;
    const bool unseen = secret.empty() && !tokens_.open();
    if (unseen && !is_channel) secret = Hex(Sha256Bytes(RandomBytes(kTokenBytes)));
    // Channels that are new fall back to each other when all of them are there.
    std::unique_ptr<Message> message(step.message->New());
    message->CopyFrom(*step.message);
    if (is_channel) StripReferences(*step.kind, new_names_, *message);
    ASSIGN_OR_RETURN(const Made made,
                     collection.Create(step.resource->Parent(), step.resource->id, *message, secret,
                                       /*trial=*/false));
    if (unseen) {
      absl::MutexLock lock(&mutex_);
      if (!is_channel) {
        ++done_.unseen_monitors;
      } else if (!made.secret.empty()) {  // not every format has one
        done_.unseen_channels.push_back(step.resource->id);
      }
    }
    if (made.secret.empty() || !tokens_.open()) return absl::OkStatus();
    const absl::Status kept = tokens_.Add(step.name, made.secret, made.push_url);
    if (kept.ok()) return kept;
    return WithMessage(kept, absl::StrCat("it is made, but its secret is lost: ", kept.message()));
  }

  static absl::Status Restore(const Step& step, const Collection& collection) {
    RETURN_IF_ERROR(collection.Undelete(step.name));
    // Nobody watches it yet, so there is no change of others to guard.
    std::unique_ptr<Message> message(step.message->New());
    message->CopyFrom(*step.message);
    message->GetReflection()->SetString(message.get(), step.kind->type->FindFieldByName("name"),
                                        step.name);
    absl::Status status =
        collection.Update(*message, MaskOf(*step.resource), /*trial=*/false).status();
    if (status.ok()) status = collection.Resume(step.name);
    if (status.ok()) return status;
    return WithMessage(status,
                       absl::StrCat("it is brought back, but paused; resume it when it is as it is "
                                    "meant to be: ",
                                    status.message()));
  }

  // Gives channels that were made without it what they fall back to.
  void CompleteChannels() {
    for (size_t i = 0; i < plan_.steps.size() && !away_; ++i) {
      const Step& step = plan_.steps[i];
      if (!IsChannel(step) || !step.waits || step.action != Action::kCreate) continue;
      if (!done_.outcomes[i].ok()) continue;
      std::unique_ptr<Message> message(step.message->New());
      message->CopyFrom(*step.message);
      message->GetReflection()->SetString(message.get(), step.kind->type->FindFieldByName("name"),
                                          step.name);
      google::protobuf::FieldMask mask;
      for (const auto& [field, of] : step.kind->references) mask.add_paths(field);
      done_.outcomes[i] =
          collections_.at(step.kind)->Update(*message, mask, /*trial=*/false).status();
      if (IsAway(done_.outcomes[i])) away_ = true;
    }
  }

  const Plan& plan_;
  const Collections& collections_;
  TokensFile& tokens_;
  std::set<std::string> new_names_;
  std::atomic<bool> away_ = false;
  absl::Mutex mutex_;  // of the counts in done_; each outcome has one writer
  Execution done_;
};

}  // namespace

Execution Execute(const Plan& plan, const Collections& collections, TokensFile& tokens) {
  return Executor(plan, collections, tokens).Run();
}

}  // namespace tocsin::cli
