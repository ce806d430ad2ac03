// The thread that makes monitors, and the way of a push around it.
#include "services/core/engine/push_creator.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/log.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/names.h"

namespace tocsin::core {

class PushCreator::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(PushRecorder& recorder, MonitorAdmin& monitors, Store& store, const Clock& clock)
      : recorder_(recorder), monitors_(monitors), store_(store), clock_(clock) {}

  void Start() {
    absl::MutexLock lock(&mutex_);
    if (!stopping_ && !thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }

  void Stop() {
    std::thread thread;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      thread = std::move(thread_);
    }
    if (thread.joinable()) thread.join();
    std::deque<Job> left;
    {
      absl::MutexLock lock(&mutex_);
      left = std::exchange(jobs_, {});
    }
    for (Job& job : left) GiveUp(std::move(job));
  }

  void Submit(std::vector<PushItem> batch, PushRecorder::Done done) {
    std::vector<Wish> wishes;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].create && batch[i].target != nullptr) wishes.push_back({i, batch[i]});
    }
    if (wishes.empty()) return recorder_.Submit(std::move(batch), std::move(done));
    recorder_.Submit(std::move(batch),
                     [self = shared_from_this(), wishes = std::move(wishes),
                      done = std::move(done)](std::vector<PushAnswer> answers) mutable {
                       self->Look({std::move(wishes), std::move(answers), std::move(done)});
                     });
  }

 private:
  // A push of a batch that may need its monitor made.
  struct Wish {
    size_t index = 0;  // in the batch
    PushItem item;
  };
  // A batch that was answered, and what of it is still wished.
  struct Job {
    std::vector<Wish> wishes;
    std::vector<PushAnswer> answers;
    PushRecorder::Done done;
  };

  // On a committer's thread.
  void Look(Job job) {
    job.wishes.erase(std::remove_if(job.wishes.begin(), job.wishes.end(),
                                    [&job](const Wish& wish) {
                                      return job.answers[wish.index].result !=
                                             PushResult::kUnknownToken;
                                    }),
                     job.wishes.end());
    if (job.wishes.empty()) return std::move(job.done)(std::move(job.answers));
    {
      absl::MutexLock lock(&mutex_);
      if (!stopping_ && jobs_.size() < kMaxWaiting) {
        jobs_.push_back(std::move(job));
        return;
      }
    }
    GiveUp(std::move(job));
  }

  void GiveUp(Job job) {
    for (const Wish& wish : job.wishes) job.answers[wish.index].result = PushResult::kUnavailable;
    std::move(job.done)(std::move(job.answers));
  }

  void Run() {
    const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return stopping_ || !jobs_.empty();
    };
    while (true) {
      Job job;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(&has_work));
        if (stopping_) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      Fulfil(std::move(job));
    }
  }

  // Makes what may be made, and records those pushes again.
  void Fulfil(Job job) {
    absl::flat_hash_map<TokenHash, PushResult> made;
    std::vector<PushItem> batch;
    std::vector<size_t> indexes;
    std::vector<PushResult> results;
    for (Wish& wish : job.wishes) {
      const auto [it, first] = made.try_emplace(wish.item.token, PushResult::kUnavailable);
      if (first) {
        it->second = Create(*wish.item.target);
      } else if (it->second == PushResult::kCreated) {
        it->second = PushResult::kRecorded;  // it exists now
      }
      if (it->second == PushResult::kCreated || it->second == PushResult::kRecorded) {
        batch.push_back(std::move(wish.item));
        indexes.push_back(wish.index);
        results.push_back(it->second);
      } else {
        job.answers[wish.index].result = it->second;
      }
    }
    if (batch.empty()) return std::move(job.done)(std::move(job.answers));
    recorder_.Submit(std::move(batch),
                     [job = std::move(job), indexes = std::move(indexes),
                      results = std::move(results)](std::vector<PushAnswer> answers) mutable {
                       for (size_t i = 0; i < answers.size(); ++i) {
                         PushAnswer& answer = job.answers[indexes[i]];
                         answer = std::move(answers[i]);
                         if (answer.result == PushResult::kRecorded) answer.result = results[i];
                       }
                       std::move(job.done)(std::move(job.answers));
                     });
  }

  // kCreated; kRecorded when it exists already; otherwise what to answer.
  PushResult Create(const PushTarget& target) {
    const absl::Time now = clock_.Now();
    const absl::StatusOr<std::optional<KeyMatch>> found = store_.FindKeyBySecret(target.key);
    if (!found.ok()) return PushResult::kUnavailable;
    if (!found->has_value() || (*found)->key.role != Role::kPusher || (*found)->EndsAt() <= now) {
      return PushResult::kUnknownToken;
    }
    const ApiKey& key = (*found)->key;
    if (!key.push.has_value() || !key.push->may_create) return PushResult::kMayNotCreate;
    const absl::StatusOr<int64_t> count = store_.CountMonitors(key.project, key.push->max_monitors);
    if (!count.ok()) return PushResult::kUnavailable;
    if (*count >= key.push->max_monitors) return PushResult::kMayNotCreate;
    MonitorDefinition definition = key.push->defaults;
    definition.project_id = key.project_id;
    definition.id = target.monitor_id;
    const std::string name = KeyName(key.project_id, key.id);
    const Caller caller = {.actor = name,
                           .identity = name,
                           .method = "tocsin.v1.PushService/Push",
                           .source = "",
                           .request_id = ""};
    // Nobody would be told its push token: the key reaches it.
    const absl::Status created =
        monitors_.Create(caller, std::move(definition), {.without_token = true}).status();
    if (created.ok()) {
      failures_.Report(created);
      return PushResult::kCreated;
    }
    // Another was faster; or it is deleted, which the recorder will say.
    if (absl::IsAlreadyExists(created)) return PushResult::kRecorded;
    if (absl::IsUnavailable(created)) return PushResult::kUnavailable;
    // What it would be like does not fit any more: it names a channel that is deleted, say.
    failures_.Report(created, {{"key", caller.actor}});
    return absl::IsInvalidArgument(created) ? PushResult::kMayNotCreate : PushResult::kUnavailable;
  }

  PushRecorder& recorder_;
  MonitorAdmin& monitors_;
  Store& store_;
  const Clock& clock_;
  ChangeLogger failures_{"push_could_not_create"};

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

PushCreator::PushCreator(PushRecorder& recorder, MonitorAdmin& monitors, Store& store,
                         const Clock& clock)
    : impl_(std::make_shared<Impl>(recorder, monitors, store, clock)) {}

PushCreator::~PushCreator() { impl_->Stop(); }

void PushCreator::Start() { impl_->Start(); }
void PushCreator::Stop() { impl_->Stop(); }

void PushCreator::Submit(std::vector<PushItem> batch, PushRecorder::Done done) {
  impl_->Submit(std::move(batch), std::move(done));
}

}  // namespace tocsin::core
