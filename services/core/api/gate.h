// Decides for every call of every service whether its caller may.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/core/api/authenticator.h"
#include "services/core/api/method_rules.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/names.h"

namespace tocsin::core {

// Who calls, and what the key gives access to.
struct Access {
  Caller caller;
  // The one project, or kAnyProject for all.
  std::string project_id = std::string(kAnyProject);
  SecretHash secret{};  // see Gate::Recheck

  bool of_all() const { return project_id == kAnyProject; }
};

// Initial metadata by which a stream tells that its key is good, before there is anything to
// answer.
inline constexpr char kAccepted[] = "x-tocsin-accepted";

// Thread-safe.
class Gate {
 public:
  // Lets everybody do everything: --auth=disabled, and tests with another subject.
  Gate() : Gate(nullptr) {}
  // The same without an authenticator, which must outlive it.
  explicit Gate(Authenticator* authenticator) : authenticator_(authenticator) {}

  // The one way in. Which method it is, is told by the type of its request, which no other method
  // shares. UNAUTHENTICATED: KeyMissing, KeyUnknown, KeyExpired; PERMISSION_DENIED: RoleTooLow,
  // OtherProject, NeedsKeyOfAllProjects, which do not depend on what exists; UNAVAILABLE.
  // `request` may be null for a stream that begins before its first message.
  //
  // `access.caller` is filled as far as it is known also when this fails, for the log.
  absl::Status Admit(const grpc::ServerContextBase& context,
                     const google::protobuf::Descriptor& type,
                     const google::protobuf::Message* request, Access& access);

  // For a stream that goes on: whether the key still gives access. OK when that cannot be found out
  // now.
  absl::Status Recheck(const Access& access);

  // From where a call comes and by which request id, as far as it says; for calls that need no key.
  void FillCaller(const grpc::ServerContextBase& context, Caller& caller);

  // Whether a gateway says that it brought the call, by its key, whatever that is worth: who says
  // so of a push deceives nobody but the own monitor. Without keys everybody who tells an address
  // passes for one. Asks no store.
  bool CameOverHttp(const grpc::ServerContextBase& context) const;

  // To be called after keys were changed.
  void KeysChanged();

 private:
  const MethodRule& RuleOf(const google::protobuf::Descriptor& request);

  Authenticator* const authenticator_;
  absl::Mutex mutex_;
  absl::flat_hash_map<const google::protobuf::Descriptor*, std::unique_ptr<MethodRule>> rules_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
