// What is to be done so that core has what files declare.
#include "cli/apply/plan.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "cli/apply/parallel.h"
#include "cli/change_flags.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string SetOf(const Message& message) {
  const auto* const monitor = dynamic_cast<const v1::Monitor*>(&message);
  if (monitor == nullptr) return "";
  const auto found = monitor->labels().find(kSetLabel);
  return found == monitor->labels().end() ? "" : found->second;
}

void PutIntoSet(const std::string& set, Message& message) {
  auto* const monitor = dynamic_cast<v1::Monitor*>(&message);
  if (monitor != nullptr && !set.empty()) (*monitor->mutable_labels())[kSetLabel] = set;
}

void SetText(Message& message, const char* field, const std::string& text) {
  message.GetReflection()->SetString(&message, message.GetDescriptor()->FindFieldByName(field),
                                     text);
}

void CopyField(const Message& from, const FieldDescriptor& field, Message& to) {
  // By way of a message that has nothing else.
  std::unique_ptr<Message> only(from.New());
  only->CopyFrom(from);
  std::vector<const FieldDescriptor*> set;
  only->GetReflection()->ListFields(*only, &set);
  for (const FieldDescriptor* other : set) {
    if (other != &field) only->GetReflection()->ClearField(only.get(), other);
  }
  to.GetReflection()->ClearField(&to, &field);
  to.MergeFrom(*only);
}

// Whether core would write anything: it stamps what it changes.
bool Moved(const Message& before, const Message& after) {
  const FieldDescriptor* const field = before.GetDescriptor()->FindFieldByName("update_time");
  return !google::protobuf::util::MessageDifferencer::Equals(
      before.GetReflection()->GetMessage(before, field),
      after.GetReflection()->GetMessage(after, field));
}

// Of what reads do not show, what the file has: "url", "url or headers".
std::string HiddenOf(const Resource& resource) {
  std::vector<std::string> given;
  for (const std::string& field : resource.kind->hidden) {
    if (resource.places.count(field) > 0) given.push_back(JsonPath(field));
  }
  return absl::StrJoin(given, " or ");
}

// Whether what core refuses is for people to mend in their files.
bool IsAboutTheFile(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status) ||
         absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
}

// The names that a field has.
std::vector<std::string> ReferencesOf(const Kind& kind, const std::string& field,
                                      const Message& message) {
  const FieldDescriptor* const descriptor = kind.type->FindFieldByName(field);
  const auto* const reflection = message.GetReflection();
  if (!descriptor->is_repeated()) {
    const std::string name = reflection->GetString(message, descriptor);
    return name.empty() ? std::vector<std::string>() : std::vector<std::string>{name};
  }
  std::vector<std::string> names;
  for (int i = 0; i < reflection->FieldSize(message, descriptor); ++i) {
    names.push_back(reflection->GetRepeatedString(message, descriptor, i));
  }
  return names;
}

class Planner {
 public:
  Planner(const Declared& declared, const Collections& collections, const std::string& set,
          Faults& faults)
      : declared_(declared), collections_(collections), set_(set), faults_(faults) {}

  absl::StatusOr<Plan> Make(bool prune) {
    for (const std::string& project : declared_.projects) {
      RETURN_IF_ERROR(ReadExisting("projects/" + project));
    }
    for (const Resource& resource : declared_.resources) {
      if (Alive(resource.Name()) == nullptr) new_names_.insert(resource.Name());
    }
    plan_.steps.resize(declared_.resources.size());
    ForEachAtOnce(declared_.resources.size(), [this](size_t i) {
      const absl::Status status = PlanOne(declared_.resources[i], plan_.steps[i]);
      if (status.ok()) return true;
      absl::MutexLock lock(&mutex_);
      if (IsAboutTheFile(status)) {
        AddFaults(declared_.resources[i], status);
        return true;
      }
      error_ = status;
      return false;
    });
    RETURN_IF_ERROR(error_);
    if (prune) PlanPrune();
    return std::move(plan_);
  }

 private:
  absl::Status ReadExisting(const std::string& parent) {
    for (const Kind* kind : Kinds()) {
      ASSIGN_OR_RETURN(const std::vector<MessagePtr> all, collections_.at(kind)->List(parent));
      for (const MessagePtr& message : all) existing_[TextOf(*message, "name")] = message;
    }
    return absl::OkStatus();
  }

  const Message* Find(const std::string& name) const {
    const auto found = existing_.find(name);
    return found == existing_.end() ? nullptr : found->second.get();
  }

  const Message* Alive(const std::string& name) const {
    const Message* const found = Find(name);
    return found == nullptr || IsDeleted(*found) ? nullptr : found;
  }

  absl::Status PlanOne(const Resource& resource, Step& step) {
    step.kind = resource.kind;
    step.resource = &resource;
    step.title = resource.Title();
    step.name = resource.Name();
    step.message.reset(resource.wanted->New());
    step.message->CopyFrom(*resource.wanted);
    const Message* const there = Find(step.name);
    return there == nullptr || IsDeleted(*there) ? PlanCreation(resource, there, step)
                                                 : PlanUpdate(resource, *there, step);
  }

  absl::Status PlanCreation(const Resource& resource, const Message* deleted, Step& step) {
    PutIntoSet(set_.empty() && deleted != nullptr ? SetOf(*deleted) : set_, *step.message);
    const std::unique_ptr<Message> trial = TrialOf(resource, step);
    // The id of what is deleted is taken; what is checked is the rest.
    const std::string id = deleted == nullptr ? resource.id : NewRequestId();
    ASSIGN_OR_RETURN(const Made made,
                     collections_.at(resource.kind)
                         ->Create(resource.Parent(), id, *trial,
                                  deleted == nullptr ? resource.secret : "", /*trial=*/true));
    step.action = deleted == nullptr ? Action::kCreate : Action::kRestore;
    std::unique_ptr<Message> shown(step.message->New());
    shown->CopyFrom(*step.message);
    for (const FieldDescriptor* field : resource.kind->Fields()) {
      if (resource.kind->Hides(*field)) CopyField(*made.message, *field, *shown);
    }
    step.changes = ChangesBetween(*resource.kind, nullptr, *shown, resource.masked);
    return absl::OkStatus();
  }

  absl::Status PlanUpdate(const Resource& resource, const Message& before, Step& step) {
    const std::string other = SetOf(before);
    if (!set_.empty() && !other.empty() && other != set_) {
      return absl::FailedPreconditionError(
          absl::StrCat(resource.Title(), " belongs to the set \"", other,
                       "\"; accepted: what belongs to the set \"", set_, "\" or to none"));
    }
    PutIntoSet(other, *step.message);
    step.etag = TextOf(before, "etag");
    SetText(*step.message, "name", step.name);
    SetText(*step.message, "etag", step.etag);
    const std::unique_ptr<Message> trial = TrialOf(resource, step);
    ASSIGN_OR_RETURN(const MessagePtr answer,
                     collections_.at(resource.kind)->Update(*trial, MaskOf(resource), true));
    std::unique_ptr<Message> after(answer->New());
    after->CopyFrom(*answer);
    if (step.waits) {
      for (const auto& [field, of] : resource.kind->references) {
        CopyField(*step.message, *resource.kind->type->FindFieldByName(field), *after);
      }
    }
    step.changes = ChangesBetween(*resource.kind, &before, *after, resource.masked);
    if (step.changes.empty() && Moved(before, *answer)) {
      step.changes.push_back({HiddenOf(resource), "(not shown)", "(another one)"});
    }
    step.action = step.changes.empty() ? Action::kNothing : Action::kUpdate;
    return absl::OkStatus();
  }

  // What core can judge now: without references to what does not exist. Those that this plan does
  // not make either are faults.
  std::unique_ptr<Message> TrialOf(const Resource& resource, Step& step) {
    std::unique_ptr<Message> trial(step.message->New());
    trial->CopyFrom(*step.message);
    step.waits = StripReferences(*resource.kind, new_names_, *trial);
    for (const auto& [field, of] : resource.kind->references) {
      std::set<std::string> missing;
      for (const std::string& name : ReferencesOf(*resource.kind, field, *trial)) {
        if (!absl::StartsWith(name, resource.Parent() + "/") || Alive(name) != nullptr) continue;
        missing.insert(name);
        absl::MutexLock lock(&mutex_);
        faults_.Add(resource.PlaceOf(field), JsonPath(field),
                    absl::StrCat(name,
                                 " does not exist; accepted: what exists in the project, or "
                                 "is declared (",
                                 resource.Title(), ")"));
      }
      StripReferences(*resource.kind, missing, *trial);
    }
    return trial;
  }

  void AddFaults(const Resource& resource, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto violations = FieldViolations(status);
    for (const FieldViolation& fault : violations) {
      absl::string_view field = fault.field;
      absl::ConsumePrefix(&field, absl::StrCat(resource.kind->word, "."));
      std::string path = JsonPath(field);
      if (path == absl::StrCat(resource.kind->word, "Id")) path = "id";
      const Place& place =
          path == resource.kind->secret ? resource.PlaceOf(path) : resource.PlaceOf(field);
      faults_.Add(place, path, absl::StrCat(fault.description, " (", resource.Title(), ")"));
    }
    if (violations.empty()) faults_.Add(resource.place, "", std::string(status.message()));
  }

  void PlanPrune() {
    std::set<std::string> declared;
    for (const Resource& resource : declared_.resources) declared.insert(resource.Name());
    for (const std::string& project : declared_.projects) {
      PruneCount count{.project = project};
      const std::string prefix = absl::StrCat("projects/", project, "/monitors/");
      for (const auto& [name, message] : existing_) {
        if (!absl::StartsWith(name, prefix) || IsDeleted(*message)) continue;
        if (SetOf(*message) != set_) continue;
        ++count.members;
        if (declared.count(name) > 0) continue;
        ++count.deleted;
        plan_.steps.push_back(
            {.action = Action::kDelete,
             .kind = &MonitorKind(),
             .title = absl::StrCat("monitor ", project, "/", name.substr(prefix.size())),
             .name = name,
             .etag = TextOf(*message, "etag")});
      }
      plan_.prunes.push_back(std::move(count));
    }
  }

  const Declared& declared_;
  const Collections& collections_;
  const std::string& set_;
  std::map<std::string, MessagePtr> existing_;
  std::set<std::string> new_names_;
  Plan plan_;
  absl::Mutex mutex_;
  Faults& faults_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_;
};

}  // namespace

size_t Plan::Count(Action action) const {
  return static_cast<size_t>(std::count_if(
      steps.begin(), steps.end(), [action](const Step& step) { return step.action == action; }));
}

bool IsLarge(const PruneCount& prune) { return 10 * prune.deleted > prune.members; }

google::protobuf::FieldMask MaskOf(const Resource& resource) {
  google::protobuf::FieldMask mask;
  for (const FieldDescriptor* field : resource.kind->Fields()) {
    if (!resource.kind->Hides(*field) || resource.places.count(field->name()) > 0) {
      mask.add_paths(field->name());
    }
  }
  return mask;
}

bool StripReferences(const Kind& kind, const std::set<std::string>& names, Message& message) {
  bool stripped = false;
  const auto* const reflection = message.GetReflection();
  for (const auto& [name, of] : kind.references) {
    const FieldDescriptor* const field = kind.type->FindFieldByName(name);
    const std::vector<std::string> all = ReferencesOf(kind, name, message);
    std::vector<std::string> kept;
    std::copy_if(all.begin(), all.end(), std::back_inserter(kept),
                 [&names](const std::string& value) { return names.count(value) == 0; });
    if (kept.size() == all.size()) continue;
    stripped = true;
    reflection->ClearField(&message, field);
    // What is not repeated had one, and has none now.
    for (const std::string& value : kept) reflection->AddString(&message, field, value);
  }
  return stripped;
}

absl::StatusOr<Plan> MakePlan(const Declared& declared, const Collections& collections,
                              const std::string& set, bool prune, Faults& faults) {
  return Planner(declared, collections, set, faults).Make(prune);
}

}  // namespace tocsin::cli
