// The thread that makes monitors, and the way of a push around it.
#include "services/core/engine/push_creator.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
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
    for (Job& job : left) job.End(PushResult::kUnavailable);
  }

  void Submit(std::vector<PushItem> batch, PushRecorder::Done done) {
    std::vector<Wish> wishes;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].creation == nullptr || batch[i].target == nullptr) continue;
      wishes.push_back({.index = i,
                        .token = batch[i].token,
                        .target = batch[i].target,
                        .creation = batch[i].creation});
    }
    if (wishes.empty()) return recorder_.Submit(std::move(batch), std::move(done));
    recorder_.Submit(std::move(batch),
                     [self = shared_from_this(), wishes = std::move(wishes),
                      done = std::move(done)](std::vector<PushAnswer> answers) mutable {
                       for (const Wish& wish : wishes) {
                         PushResult& result = answers[wish.index].result;
                         if (result == PushResult::kMissing) result = self->Wanted(wish);
                       }
                       std::move(done)(std::move(answers));
                     });
  }

  void SubmitOne(PushItem item, PushRecorder::Done done) {
    if (item.creation == nullptr || item.target == nullptr) {
      return Record(std::move(item), std::move(done));
    }
    PushItem kept = item;
    Record(std::move(item), [self = shared_from_this(), item = std::move(kept),
                             done = std::move(done)](std::vector<PushAnswer> answers) mutable {
      if (answers.at(0).result != PushResult::kMissing) {
        return std::move(done)(std::move(answers));
      }
      self->CreateThenRecord(std::move(item), std::move(done));
    });
  }

 private:
  // A push of a batch that may need its monitor made.
  struct Wish {
    size_t index = 0;  // in the batch
    TokenHash token{};
    std::shared_ptr<const PushTarget> target;
    std::shared_ptr<const Creation> creation;
  };
  using Then = absl::AnyInvocable<void(PushResult) &&>;
  // A monitor to be made.
  struct Job {
    TokenHash token{};
    std::shared_ptr<const PushTarget> target;
    std::shared_ptr<const Creation> creation;
    Then then;  // null: nobody waits

    void End(PushResult result) {
      if (then != nullptr) std::move(then)(result);
    }
  };
  struct Refusal {
    PushResult result;
    absl::Time until;
  };

  static void Refuse(PushRecorder::Done done, PushResult result) {
    PushAnswer answer;
    answer.result = result;
    std::move(done)({std::move(answer)});
  }

  void Record(PushItem item, PushRecorder::Done done) {
    std::vector<PushItem> batch;
    batch.push_back(std::move(item));
    recorder_.Submit(std::move(batch), std::move(done));
  }

  // On a committer's thread. What to answer.
  PushResult Wanted(const Wish& wish) {
    absl::MutexLock lock(&mutex_);
    const auto refused = refused_.find(wish.token);
    if (refused != refused_.end()) {
      if (refused->second.until > clock_.Now()) return refused->second.result;
      refused_.erase(refused);
    }
    if (stopping_) return PushResult::kUnavailable;
    // When there is no room the push comes again, and finds it or goes on waiting.
    if (!wanted_.contains(wish.token)) {
      Enqueue({.token = wish.token, .target = wish.target, .creation = wish.creation, .then = {}});
    }
    return PushResult::kBeingCreated;
  }

  // On a committer's thread.
  void CreateThenRecord(PushItem item, PushRecorder::Done done) {
    // Whichever way it ends, the push is answered once.
    auto waiting = std::make_shared<PushRecorder::Done>(std::move(done));
    Job job = {.token = item.token, .target = item.target, .creation = item.creation, .then = {}};
    job.then = [self = shared_from_this(), item = std::move(item),
                waiting](PushResult made) mutable {
      if (made != PushResult::kCreated && made != PushResult::kRecorded) {
        return Refuse(std::move(*waiting), made);
      }
      self->Record(std::move(item), [waiting, made](std::vector<PushAnswer> answers) {
        if (answers.at(0).result == PushResult::kRecorded) answers[0].result = made;
        std::move (*waiting)(std::move(answers));
      });
    };
    {
      absl::MutexLock lock(&mutex_);
      if (!stopping_ && Enqueue(std::move(job))) return;
    }
    Refuse(std::move(*waiting), PushResult::kUnavailable);
  }

  // False when there is no room: the job is gone then.
  bool Enqueue(Job job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (jobs_.size() >= kMaxWaiting) return false;
    size_t& of_key = waiting_of_key_[job.target->key];
    if (of_key >= kMaxOfOneKey) return false;
    ++of_key;
    wanted_.insert(job.token);
    jobs_.push_back(std::move(job));
    return true;
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
        const auto of_key = waiting_of_key_.find(job.target->key);
        if (--of_key->second == 0) waiting_of_key_.erase(of_key);
      }
      const PushResult made = Create(*job.target, *job.creation);
      {
        absl::MutexLock lock(&mutex_);
        wanted_.erase(job.token);
        Remember(job.token, made);
      }
      job.End(made);
    }
  }

  // A refusal is told to whoever comes again for the answer.
  void Remember(const TokenHash& token, PushResult made) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    switch (made) {
      case PushResult::kCreated:
      case PushResult::kRecorded:
      case PushResult::kUnavailable:
        return;
      default:
        break;
    }
    const absl::Time now = clock_.Now();
    if (refused_.size() >= kMaxRefused) {
      absl::erase_if(refused_, [now](const auto& entry) { return entry.second.until <= now; });
    }
    // Still full: it is asked anew, which costs a read each time.
    if (refused_.size() >= kMaxRefused) refused_.clear();
    refused_.insert_or_assign(token, Refusal{.result = made, .until = now + kRefusedFor});
  }

  // kCreated; kRecorded when it exists already; otherwise what to answer.
  PushResult Create(const PushTarget& target, const Creation& creation) {
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
    if (*count >= key.push->max_monitors) return PushResult::kTooManyMonitors;
    MonitorDefinition definition = key.push->defaults;
    definition.project_id = key.project_id;
    definition.id = target.monitor_id;
    const std::string name = KeyName(key.project_id, key.id);
    const Caller caller = {.actor = name,
                           .identity = name,
                           .method = "tocsin.v1.PushService/Push",
                           .source = creation.source,
                           .request_id = creation.request_id};
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
  absl::flat_hash_set<TokenHash> wanted_ ABSL_GUARDED_BY(mutex_);  // of jobs not done
  absl::flat_hash_map<TokenHash, size_t> waiting_of_key_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TokenHash, Refusal> refused_ ABSL_GUARDED_BY(mutex_);
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

void PushCreator::SubmitOne(PushItem item, PushRecorder::Done done) {
  impl_->SubmitOne(std::move(item), std::move(done));
}

}  // namespace tocsin::core
