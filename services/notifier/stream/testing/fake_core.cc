// A core that assigns what a test gives it and remembers what it is told.
#include "services/notifier/stream/testing/fake_core.h"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tocsin::notifier {

FakeCore::FakeCore(int port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) std::abort();
}

FakeCore::~FakeCore() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (Stream* stream : streams_) stream->context->TryCancel();
  }
  server_->Shutdown();
}

std::string FakeCore::address() const { return absl::StrCat("127.0.0.1:", port_); }

void FakeCore::Assign(internal::v1::Assignment assignment) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(assignment));
}

void FakeCore::set_loses_reports(bool loses) {
  absl::MutexLock lock(&mutex_);
  loses_reports_ = loses;
}

void FakeCore::BreakStreams() {
  absl::MutexLock lock(&mutex_);
  for (Stream* stream : streams_) stream->context->TryCancel();
}

std::vector<internal::v1::DeliveryReport> FakeCore::reports() const {
  absl::MutexLock lock(&mutex_);
  return reports_;
}

std::set<std::string> FakeCore::notifiers() const {
  absl::MutexLock lock(&mutex_);
  return notifiers_;
}

int FakeCore::credits() const {
  absl::MutexLock lock(&mutex_);
  int credits = 0;
  for (const Stream* stream : streams_) credits += stream->credits;
  return credits;
}

int FakeCore::most_outstanding() const {
  absl::MutexLock lock(&mutex_);
  return most_outstanding_;
}

template <typename Condition>
bool FakeCore::WaitFor(Condition condition) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&condition), absl::Seconds(10));
}

bool FakeCore::WaitForReports(size_t n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return reports_.size() >= n; });
}

bool FakeCore::WaitForLostReports(size_t n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return lost_reports_ >= n; });
}

bool FakeCore::WaitForRefusals(int n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return refusals_ >= n; });
}

bool FakeCore::WaitForStreams(int n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return static_cast<int>(streams_.size()) == n;
  });
}

bool FakeCore::WaitForCredits(int n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    int credits = 0;
    for (const Stream* stream : streams_) credits += stream->credits;
    return credits == n;
  });
}

bool FakeCore::WaitForUnassigned(size_t n) const {
  return WaitFor([this, n]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return waiting_.size() == n; });
}

void FakeCore::RequireKey(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  key_ = key;
}

grpc::Status FakeCore::Deliver(grpc::ServerContext* context, ReaderWriter* writer) {
  Stream stream;
  stream.context = context;
  {
    absl::MutexLock lock(&mutex_);
    const auto sent = context->client_metadata().find("authorization");
    const bool good = sent != context->client_metadata().end() && sent->second == "Bearer " + key_;
    if (!key_.empty() && !good) {
      ++refusals_;
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "the key is unknown");
    }
    streams_.insert(&stream);
    if (stopping_) context->TryCancel();
  }
  context->AddInitialMetadata("x-tocsin-accepted", "1");
  writer->SendInitialMetadata();
  std::thread reader([this, writer, &stream] { Read(writer, stream); });
  while (true) {
    internal::v1::DeliverResponse response;
    {
      absl::MutexLock lock(&mutex_);
      const auto ready = [this, &stream]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return stream.done || (stream.credits > 0 && !waiting_.empty());
      };
      mutex_.Await(absl::Condition(&ready));
      if (stream.done) break;
      while (stream.credits > 0 && !waiting_.empty() && response.assignments_size() < 200) {
        *response.add_assignments() = std::move(waiting_.front());
        waiting_.pop_front();
        --stream.credits;
        most_outstanding_ = std::max(most_outstanding_, ++outstanding_);
      }
    }
    writer->Write(response);
  }
  reader.join();
  absl::MutexLock lock(&mutex_);
  streams_.erase(&stream);
  return grpc::Status::OK;
}

void FakeCore::Read(ReaderWriter* reader, Stream& stream) {
  internal::v1::DeliverRequest request;
  while (reader->Read(&request)) {
    absl::MutexLock lock(&mutex_);
    if (!request.notifier().empty()) notifiers_.insert(request.notifier());
    stream.credits += static_cast<int>(request.credits());
    outstanding_ -= request.reports_size();
    if (loses_reports_) {
      lost_reports_ += static_cast<size_t>(request.reports_size());
      continue;
    }
    reports_.insert(reports_.end(), request.reports().begin(), request.reports().end());
  }
  absl::MutexLock lock(&mutex_);
  stream.done = true;
}

namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* proto) {
  const int64_t micros = absl::ToUnixMicros(time);
  proto->set_seconds(micros / 1'000'000);
  proto->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
}

}  // namespace

internal::v1::Assignment MakeAssignment(const std::string& delivery_id, const std::string& channel,
                                        const std::string& url, absl::Time now) {
  internal::v1::Assignment assignment;
  assignment.set_lease_id(absl::StrCat("lease-", delivery_id));
  assignment.mutable_lease()->set_seconds(30);
  assignment.set_delivery_id(delivery_id);
  assignment.set_attempt(1);
  SetTime(now, assignment.mutable_create_time());
  SetTime(now, assignment.mutable_occur_time());
  assignment.set_incident_open(true);
  assignment.set_type(std::string(kIncidentOpened));
  auto& destination = *assignment.mutable_destination();
  destination.set_channel(absl::StrCat("projects/default/channels/", channel));
  destination.set_url(url);
  destination.add_secrets(kTestSecret);
  destination.set_format(v1::Channel::FORMAT_STANDARD_WEBHOOK);
  v1::AlertEvent& event = *assignment.add_events();
  event.set_type(v1::AlertEvent::TYPE_FIRING);
  event.set_sequence(1);
  SetTime(now, event.mutable_occur_time());
  SetTime(now, event.mutable_detect_time());
  const std::string monitor = absl::StrCat("projects/default/monitors/of-", delivery_id);
  event.mutable_monitor()->set_name(monitor);
  event.mutable_monitor()->set_severity(v1::Monitor::SEVERITY_CRITICAL);
  event.mutable_monitor()->set_state(v1::Monitor::STATE_DOWN);
  event.mutable_monitor()->mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(
      60);
  event.mutable_incident()->set_name("projects/default/incidents/1");
  event.mutable_incident()->set_monitor(monitor);
  event.mutable_incident()->set_cause(v1::Incident::CAUSE_REPORTED_DOWN);
  event.mutable_incident()->set_message("disk full");
  SetTime(now, event.mutable_incident()->mutable_open_time());
  SetTime(now, event.mutable_incident()->mutable_detect_time());
  return assignment;
}

}  // namespace tocsin::notifier
