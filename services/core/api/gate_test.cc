// Who may call what: every method of every service, found by the descriptors.
#include "services/core/api/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "services/core/api/testing/gate_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The highest of the roles that do not include it; nullopt when every role does.
std::optional<Role> RoleBelow(Role needed) {
  switch (needed) {
    case Role::kAdmin:
      return Role::kEditor;
    case Role::kEditor:
      return Role::kViewer;
    case Role::kViewer:
      return Role::kNotifier;
    case Role::kGateway:
    case Role::kNotifier:
    case Role::kPusher:
      return Role::kAdmin;
  }
  return std::nullopt;
}

TEST_F(GateTest, EveryMethodIsOpenByTheListOrHasARole) {
  size_t seen = 0;
  for (const Services::Named& named : services_.All()) {
    const std::vector<const MethodDescriptor*> methods = MethodsOf(named);
    EXPECT_THAT(methods, Not(IsEmpty())) << named.name;
    for (const MethodDescriptor* const method : methods) {
      ++seen;
      EXPECT_NE(RuleOf(*method).role.has_value(), OpenMethods().contains(method->full_name()))
          << method->full_name()
          << " needs the option required_role, or to be on the list of open methods";
    }
  }
  EXPECT_GE(seen, 30u);
}

TEST_F(GateTest, NoOtherMethodTakesTheSameRequest) {
  std::set<const google::protobuf::Descriptor*> requests;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    EXPECT_TRUE(requests.insert(method->input_type()).second) << method->full_name();
  }
}

TEST_F(GateTest, WithoutAKeyNothingIsAnswered) {
  const std::string before = Everything();
  for (const MethodDescriptor* const method : GuardedMethods()) {
    for (const std::string project : {"mine", "unknown", "-"}) {
      const Answer answer = Call(*method, *RequestFor(*method, project), "");
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << method->full_name();
      EXPECT_EQ(answer.reason(), "KEY_MISSING");
      EXPECT_EQ(answer.body, "");
    }
  }
  EXPECT_EQ(Everything(), before);
}

TEST_F(GateTest, WithAWrongKeyNothingIsAnswered) {
  const std::string revoked = MakeKey("-", Role::kAdmin);
  ASSERT_TRUE(keys_.Revoke({}, {.project = "-", .id = "key-1"}, "").ok());
  for (const MethodDescriptor* const method : GuardedMethods()) {
    for (const std::string& key :
         {revoked, std::string("tk_") + std::string(43, 'x'), std::string("password")}) {
      const Answer answer = Call(*method, *RequestFor(*method, "mine"), key);
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << method->full_name();
      EXPECT_EQ(answer.reason(), "KEY_UNKNOWN");
    }
  }
}

TEST_F(GateTest, ALowerRoleIsRefusedWithTheNameOfTheOneNeeded) {
  const std::string before = Everything();
  std::map<Role, std::string> keys;
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin, Role::kNotifier}) {
    keys[role] = MakeKey("-", role);
  }
  const std::string with_keys = Everything();
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const Role needed = *RuleOf(*method).role;
    const Answer answer = Call(*method, *RequestFor(*method, "mine"), keys[*RoleBelow(needed)]);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
        << method->full_name();
    EXPECT_EQ(answer.reason(), "ROLE_TOO_LOW");
    EXPECT_THAT(answer.status.error_message(),
                HasSubstr(absl::StrCat("the role ", std::string(RoleWord(needed)))));
  }
  EXPECT_EQ(Everything(), with_keys);
}

TEST_F(GateTest, AnotherProjectIsRefusedTheSameWhetherItExistsOrNot) {
  std::map<Role, std::string> keys;
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    keys[role] = MakeKey("mine", role);
  }
  const std::string before = Everything();
  size_t walked = 0;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const MethodRule rule = RuleOf(*method);
    if (rule.scope == MethodScope::kOwn) continue;  // streams of services; others have tests
    ++walked;
    const std::string& key = keys[*rule.role];
    const Answer theirs = Call(*method, *RequestFor(*method, "theirs"), key);
    EXPECT_EQ(theirs.status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
        << method->full_name();
    EXPECT_EQ(theirs.reason(), "OTHER_PROJECT");
    EXPECT_THAT(theirs.status.error_message(), Not(HasSubstr("theirs")));
    for (const std::string project : {"unknown", "-", "default"}) {
      const Answer other = Call(*method, *RequestFor(*method, project), key);
      EXPECT_EQ(other.status.error_code(), theirs.status.error_code()) << method->full_name();
      EXPECT_EQ(other.status.error_message(), theirs.status.error_message());
      EXPECT_EQ(other.status.error_details(), theirs.status.error_details());
      EXPECT_EQ(other.body, "");
    }
    // Its own is not refused so.
    if (rule.scope == MethodScope::kNamed) {
      const Answer own = Call(*method, *RequestFor(*method, "mine"), keys[Role::kViewer]);
      EXPECT_NE(own.reason(), "OTHER_PROJECT") << method->full_name();
    }
  }
  EXPECT_GE(walked, 25u);
  EXPECT_EQ(Everything(), before);
}

TEST_F(GateTest, AKeyOfAnotherProjectReachesNoStreamOfServices) {
  const std::string admin = MakeKey("mine", Role::kAdmin);
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const std::optional<Role> role = RuleOf(*method).role;
    if (role != Role::kGateway && role != Role::kNotifier) continue;
    EXPECT_EQ(Call(*method, *RequestFor(*method, ""), admin).status.error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
}

TEST_F(GateTest, AnswersNameNoOtherProject) {
  const std::string key = MakeKey("mine", Role::kAdmin);
  MakeKey("theirs", Role::kViewer);
  size_t answered = 0;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    if (!absl::StartsWith(method->name(), "Get") && !absl::StartsWith(method->name(), "List") &&
        !absl::StartsWith(method->name(), "Watch")) {
      continue;
    }
    for (const std::string token : {"", "dGhlaXJz" /* theirs */, "YQ" /* a */, "OTk5" /* 999 */}) {
      std::unique_ptr<Message> request = RequestFor(*method, "mine");
      const FieldDescriptor* const field = request->GetDescriptor()->FindFieldByName("page_token");
      if (field != nullptr) request->GetReflection()->SetString(request.get(), field, token);
      for (const char* const name : {"monitor", "channel"}) {
        const FieldDescriptor* const filter = request->GetDescriptor()->FindFieldByName(name);
        if (filter == nullptr || token.empty()) continue;
        request->GetReflection()->SetString(request.get(), filter,
                                            absl::StrCat("projects/theirs/", name, "s/unknown"));
        const Answer unknown = Call(*method, *request, key);
        request->GetReflection()->SetString(
            request.get(), filter,
            absl::StrCat("projects/theirs/", name, "s/", name[0] == 'm' ? "job" : "hook"));
        const Answer known = Call(*method, *request, key);
        EXPECT_FALSE(known.status.ok());
        EXPECT_EQ(known.status.error_message(), unknown.status.error_message());
        request->GetReflection()->ClearField(request.get(), filter);
      }
      const Answer answer = Call(*method, *request, key);
      EXPECT_THAT(answer.body, Not(HasSubstr("theirs"))) << method->full_name();
      EXPECT_THAT(answer.status.error_message(), Not(HasSubstr("theirs"))) << method->full_name();
      if (!answer.body.empty()) ++answered;
    }
  }
  EXPECT_GE(answered, 8u);
}

}  // namespace
}  // namespace tocsin::core
