// Decides for every call of every service whether its caller may.
#include "services/core/api/gate.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/random.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxRequestIdBytes = 64;
constexpr size_t kMaxAddressBytes = 45;  // of an IPv6 address in text

// The one value of that name; nullopt when there is none, or several that may contradict.
std::optional<std::string> Metadata(const grpc::ServerContextBase& context, const char* name) {
  const auto [first, last] = context.client_metadata().equal_range(name);
  if (first == last || std::next(first) != last) return std::nullopt;
  return std::string(first->second.data(), first->second.size());
}

bool Has(const grpc::ServerContextBase& context, const char* name) {
  return context.client_metadata().find(name) != context.client_metadata().end();
}

// Of "Bearer tk_…".
std::string BearerOf(const std::string& value) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(value, kScheme)) return "";
  return std::string(absl::StripAsciiWhitespace(value.substr(kScheme.size())));
}

bool IsRequestId(const std::string& text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

bool IsAddress(const std::string& text) {
  return !text.empty() && text.size() <= kMaxAddressBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(c) || c == '.' || c == ':'; });
}

// "10.0.0.7" of "ipv4:10.0.0.7:51234", "::1" of "ipv6:%5B::1%5D:51234" or "ipv6:[::1]:51234"; what
// is no address, such as a unix socket, as it is.
std::string AddressOf(absl::string_view peer) {
  if (absl::ConsumePrefix(&peer, "ipv4:")) return std::string(peer.substr(0, peer.rfind(':')));
  if (!absl::ConsumePrefix(&peer, "ipv6:")) return std::string(peer);
  peer = peer.substr(0, peer.rfind(':'));
  if (!absl::ConsumePrefix(&peer, "%5B")) absl::ConsumePrefix(&peer, "[");
  if (!absl::ConsumeSuffix(&peer, "%5D")) absl::ConsumeSuffix(&peer, "]");
  return std::string(peer);
}

const google::protobuf::MethodDescriptor* MethodOf(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int i = 0; i < file.service_count(); ++i) {
    for (int k = 0; k < file.service(i)->method_count(); ++k) {
      const google::protobuf::MethodDescriptor* const method = file.service(i)->method(k);
      if (method->input_type() == &request) return method;
    }
  }
  return nullptr;
}

}  // namespace

const MethodRule& Gate::RuleOf(const google::protobuf::Descriptor& request) {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<MethodRule>& rule = rules_[&request];
  if (rule == nullptr) {
    const google::protobuf::MethodDescriptor* const method = MethodOf(request);
    // A request of no method has no role either, so nobody may.
    rule = std::make_unique<MethodRule>(method == nullptr ? MethodRule() : core::RuleOf(*method));
  }
  return *rule;
}

void Gate::FillCaller(const grpc::ServerContextBase& context, Caller& caller) {
  caller.source = AddressOf(context.peer());
  const std::optional<std::string> request_id = Metadata(context, "x-request-id");
  caller.request_id = request_id && IsRequestId(*request_id)
                          ? *request_id
                          : absl::StrCat(absl::Hex(RandomId(), absl::kZeroPad16));
  const std::optional<std::string> client = Metadata(context, "x-forwarded-for");
  if (!client || !IsAddress(*client)) return;
  // Only a gateway is believed: anybody can send an address.
  if (authenticator_ != nullptr) {
    const std::optional<std::string> key = Metadata(context, "x-tocsin-gateway");
    if (!key) return;
    const std::string bearer = BearerOf(*key);
    const absl::StatusOr<Principal> gateway =
        authenticator_->Authenticate(bearer.empty() ? *key : bearer);
    if (!gateway.ok() || gateway->role != Role::kGateway) return;
  }
  caller.source = *client;
}

bool Gate::CameOverHttp(const grpc::ServerContextBase& context) const {
  return Has(context, authenticator_ == nullptr ? "x-forwarded-for" : "x-tocsin-gateway");
}

absl::Status Gate::Admit(const grpc::ServerContextBase& context,
                         const google::protobuf::Descriptor& type,
                         const google::protobuf::Message* request, Access& access) {
  const MethodRule& rule = RuleOf(type);
  access.caller.actor = access.caller.identity = "anonymous";
  access.caller.method = rule.name;
  FillCaller(context, access.caller);
  if (authenticator_ == nullptr) return absl::OkStatus();

  if (!Has(context, "authorization")) return KeyMissing();
  const std::string secret = BearerOf(Metadata(context, "authorization").value_or(""));
  if (secret.empty()) return KeyMissing();
  ASSIGN_OR_RETURN(const Principal principal, authenticator_->Authenticate(secret));
  access.caller.actor = principal.name;
  access.caller.identity = absl::StrCat(principal.name, "#", principal.key);
  access.project_id = principal.project_id;
  access.secret = Sha256(secret);

  if (!rule.role.has_value()) return MethodClosed();
  if (!Includes(principal.role, *rule.role)) {
    return RoleTooLow(RoleWord(principal.role), RoleWord(*rule.role));
  }
  if (access.of_all() || rule.scope == MethodScope::kOwn) return absl::OkStatus();
  if (rule.scope == MethodScope::kAll || request == nullptr) {
    return NeedsKeyOfAllProjects(access.project_id);
  }
  const std::optional<std::string> project = ProjectOf(rule, *request);
  if (project.has_value() && *project != access.project_id) return OtherProject(access.project_id);
  return absl::OkStatus();
}

absl::Status Gate::Recheck(const Access& access) {
  if (authenticator_ == nullptr) return absl::OkStatus();
  const absl::Status status = authenticator_->Check(access.secret).status();
  return absl::IsUnauthenticated(status) ? status : absl::OkStatus();
}

void Gate::KeysChanged() {
  if (authenticator_ != nullptr) authenticator_->Forget();
}

}  // namespace tocsin::core
