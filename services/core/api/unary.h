// What every handler of a unary call does: page sizes and tokens, and the end of the call.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/keys.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// The status as a client may see it. INTERNAL, DATA_LOSS and the like are logged under the name of
// the call and shown without their text; a commit in doubt is UNAVAILABLE. Every error has a
// reason, and what a retry can cure a delay.
grpc::Status Answer(const Caller& caller, const absl::Status& status);
// Ends a unary call; see Serve.
grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const Caller& caller,
                                 const absl::Status& status);

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;

// 0 means the default, and what is above the maximum the maximum. InvalidField("page_size") when
// negative.
absl::StatusOr<int> PageSize(int asked);
// What a list was asked for, but for the page: its method, project and every other field of the
// request that chooses what is listed or in what order. A page token is bound to it.
using ListScope = std::vector<std::string>;
// Opaque to users; not empty. It holds nothing but the key and a digest of the scope.
std::string PageToken(const ListScope& scope, std::string_view last_key);
// The key of PageToken, empty for the empty token; InvalidField("page_token") when it is none or of
// another scope.
absl::StatusOr<std::string> PageKey(const ListScope& scope, const std::string& token);
// The same for keys that are positive numbers; the empty token is 0.
std::string NumericPageToken(const ListScope& scope, int64_t last_key);
absl::StatusOr<int64_t> NumericPageKey(const ListScope& scope, const std::string& token);
// That the key of a token is not what its list writes.
absl::Status BadPageToken();

// The key of a project that must exist: ProjectNotFound.
absl::StatusOr<ProjectKey> RequireProject(Store& store, const std::string& project_id);
// The key of the monitor that the field "monitor" of a list request names; it must exist
// (MonitorNotFound) and lie in that project.
absl::StatusOr<MonitorKey> MonitorKeyOf(Store& store, const std::string& name,
                                        const std::string& project_id);

}  // namespace tocsin::core
