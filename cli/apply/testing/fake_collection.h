// A core that is a map: enough of one for tests of plans and of what carries them out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "cli/apply/plan.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

// `T` is v1::Monitor or v1::Channel. Thread-safe. What has a status in `answers` gets it in place
// of what it asks for, by the full name; on trial too for those in `trial_answers`.
template <typename T>
class FakeCollection : public Collection {
 public:
  explicit FakeCollection(std::string collection) : collection_(std::move(collection)) {}

  std::map<std::string, absl::Status> answers;
  std::map<std::string, absl::Status> trial_answers;

  // What a test starts with, or finds. By the full name.
  T& operator[](const std::string& name) {
    absl::MutexLock lock(&mutex_);
    T& item = items_[name];
    item.set_name(name);
    return item;
  }
  bool Has(const std::string& name) const {
    absl::MutexLock lock(&mutex_);
    return items_.count(name) > 0;
  }
  // Calls that changed something, e.g. "update projects/p/monitors/a", in their order.
  std::vector<std::string> calls() const {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

  absl::StatusOr<std::vector<MessagePtr>> List(const std::string& parent) const override {
    absl::MutexLock lock(&mutex_);
    std::vector<MessagePtr> all;
    for (const auto& [name, item] : items_) {
      if (name.rfind(parent + "/", 0) == 0) all.push_back(std::make_shared<T>(item));
    }
    return all;
  }

  absl::StatusOr<Made> Create(const std::string& parent, const std::string& id,
                              const google::protobuf::Message& message, const std::string& secret,
                              bool trial) const override {
    const std::string name = parent + "/" + collection_ + "/" + id;
    if (absl::Status status = Answer(name, trial); !status.ok()) return status;
    T made;
    made.CopyFrom(message);
    made.set_name(name);
    absl::MutexLock lock(&mutex_);
    if (!trial) {
      items_[name] = made;
      calls_.push_back("create " + name);
    }
    return Made{.message = std::make_shared<T>(made),
                .secret = secret.empty() && !trial ? "secret of " + id : ""};
  }

  absl::StatusOr<MessagePtr> Update(const google::protobuf::Message& message,
                                    const google::protobuf::FieldMask& mask,
                                    bool trial) const override {
    T values;
    values.CopyFrom(message);
    if (absl::Status status = Answer(values.name(), trial); !status.ok()) return status;
    absl::MutexLock lock(&mutex_);
    T after = items_[values.name()];
    const T before = after;
    for (const std::string& path : mask.paths()) Copy(values, path, after);
    if (after.SerializeAsString() != before.SerializeAsString()) {
      after.mutable_update_time()->set_seconds(before.update_time().seconds() + 1);
    }
    if (!trial) {
      items_[values.name()] = after;
      calls_.push_back("update " + values.name());
    }
    return std::make_shared<T>(after);
  }

  absl::Status Undelete(const std::string& name) const override { return Note("undelete", name); }
  absl::Status Resume(const std::string& name) const override { return Note("resume", name); }
  absl::Status Delete(const std::string& name, const std::string& /*etag*/) const override {
    return Note("delete", name);
  }

 private:
  static void Copy(const T& from, const std::string& path, T& to) {
    const auto* const field = T::descriptor()->FindFieldByName(path);
    T only = from;
    std::vector<const google::protobuf::FieldDescriptor*> set;
    only.GetReflection()->ListFields(only, &set);
    for (const auto* other : set) {
      if (other != field) only.GetReflection()->ClearField(&only, other);
    }
    to.GetReflection()->ClearField(&to, field);
    to.MergeFrom(only);
  }

  absl::Status Answer(const std::string& name, bool trial) const {
    const auto& all = trial ? trial_answers : answers;
    const auto found = all.find(name);
    return found == all.end() ? absl::OkStatus() : found->second;
  }

  absl::Status Note(const char* what, const std::string& name) const {
    if (absl::Status status = Answer(name, false); !status.ok()) return status;
    absl::MutexLock lock(&mutex_);
    calls_.push_back(std::string(what) + " " + name);
    return absl::OkStatus();
  }

  const std::string collection_;
  mutable absl::Mutex mutex_;
  mutable std::map<std::string, T> items_;
  mutable std::vector<std::string> calls_;
};

// Both kinds, and the files of a test.
struct FakeCore {
  Collections collections;
  FakeCollection<v1::Monitor>* monitors = nullptr;
  FakeCollection<v1::Channel>* channels = nullptr;
  Declared declared;

  FakeCore() {
    auto all_monitors = std::make_unique<FakeCollection<v1::Monitor>>("monitors");
    auto all_channels = std::make_unique<FakeCollection<v1::Channel>>("channels");
    monitors = all_monitors.get();
    channels = all_channels.get();
    collections[&MonitorKind()] = std::move(all_monitors);
    collections[&ChannelKind()] = std::move(all_channels);
  }

  void Declare(absl::string_view text, Faults& faults) {
    declared = {};
    for (const YamlNode& document : ParseYaml(text, "a.yaml", faults)) {
      ReadDocument(document, ".", "p", declared, faults);
    }
  }
};

}  // namespace tocsin::cli
