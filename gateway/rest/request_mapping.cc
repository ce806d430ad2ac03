// Body first, then the query, then the path, which has the last word.
#include "gateway/rest/request_mapping.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "gateway/http/message.h"
#include "gateway/rest/field_path.h"
#include "gateway/rest/field_text.h"
#include "gateway/rest/json_mapping.h"
#include "gateway/rest/json_reader.h"
#include "gateway/rest/percent.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

constexpr char kUpdateMask[] = "update_mask";
constexpr size_t kMaxParameters = 200;

absl::Status Unusable(const char* why, const char* reason) {
  absl::Status status = absl::InvalidArgumentError(why);
  SetReason(status, reason);
  return status;
}

class Mapping {
 public:
  Mapping(const RestBinding& binding, const RestInput& input, const OutputOnly& output_only)
      : binding_(binding), input_(input), output_only_(output_only) {}

  absl::StatusOr<std::unique_ptr<Message>> Run() {
    message_.reset(
        MessageFactory::generated_factory()->GetPrototype(binding_.method->input_type())->New());
    RETURN_IF_ERROR(ReadBody());
    ReadQuery();
    FillUpdateMask();
    ASSIGN_OR_RETURN(const PathTemplate::Bindings bindings, binding_.path.Bind(input_.path));
    for (const auto& [path, value] : bindings) BindVariable(path, value);
    if (!violations_.empty()) return Violated();
    return std::move(message_);
  }

 private:
  void Fault(std::string field, std::string description) {
    violations_.push_back({std::move(field), std::move(description)});
  }

  absl::Status Violated() const {
    std::string text;
    for (const FieldViolation& violation : violations_) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", violation.field, ": ",
                      violation.description);
    }
    absl::Status status = absl::InvalidArgumentError(text);
    for (const FieldViolation& violation : violations_) {
      AddFieldViolation(status, violation.field, violation.description);
    }
    SetReason(status, "INVALID_FIELD");
    return InJsonNames(status, *binding_.method->input_type());
  }

  absl::Status ReadBody() {
    const std::string_view body = TrimSpace(input_.body);
    if (binding_.body.empty()) {
      if (body.empty()) return absl::OkStatus();
      return Unusable("This request takes no body: its parameters go into the query.",
                      "BODY_NOT_TAKEN");
    }
    if (!body.empty()) {
      ASSIGN_OR_RETURN(json_, ReadJson(body));
    }
    if (!json_.is_object()) {
      return Unusable("The body must be a JSON object.", "BODY_NOT_AN_OBJECT");
    }
    if (binding_.body == "*") {
      SetFromJson(json_, "", *message_, violations_);
    } else {
      const FieldDescriptor& field = *BodyField();
      SetFromJson(json_, field.name(),
                  *message_->GetReflection()->MutableMessage(message_.get(), &field), violations_);
    }
    return absl::OkStatus();
  }

  void ReadQuery() {
    std::set<std::string> seen;
    size_t count = 0;
    std::string_view rest = input_.query;
    while (!rest.empty()) {
      const size_t ampersand = std::min(rest.find('&'), rest.size());
      const std::string_view pair = rest.substr(0, ampersand);
      rest.remove_prefix(std::min(ampersand + 1, rest.size()));
      if (pair.empty()) continue;
      if (++count > kMaxParameters) {
        return Fault("query", absl::StrCat("has more than ", kMaxParameters, " parameters"));
      }
      const size_t equals = std::min(pair.find('='), pair.size());
      const auto name = DecodeStrictly(pair.substr(0, equals), Plus::kSpace);
      if (!name.ok()) {
        Fault("query", absl::StrCat("a parameter's name ", name.status().message()));
        continue;
      }
      const auto value =
          DecodeStrictly(pair.substr(std::min(equals + 1, pair.size())), Plus::kSpace);
      if (!value.ok()) {
        Fault(*name, std::string(value.status().message()));
        continue;
      }
      Parameter(*name, *value, seen);
    }
  }

  void Parameter(const std::string& name, const std::string& value, std::set<std::string>& seen) {
    Message* in = message_.get();
    std::string path;
    std::string_view rest = name;
    while (true) {
      const size_t dot = std::min(rest.find('.'), rest.size());
      const FieldDescriptor* field = FindField(*in->GetDescriptor(), rest.substr(0, dot));
      if (field == nullptr) return Fault(name, "is no parameter that is known here");
      absl::StrAppend(&path, path.empty() ? "" : ".", field->name());
      if (binding_.body == "*" || path == binding_.body) {
        return Fault(name, "belongs into the body");
      }
      const bool last = dot == rest.size();
      const bool message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      if (last && (!message || IsTextMessage(*field->message_type()))) {
        return Set(*in, *field, name, path, value, seen);
      }
      if (!message || field->is_repeated() || IsTextMessage(*field->message_type()) || last) {
        return Fault(name,
                     last ? "can be given only in a body" : "is no parameter that is known here");
      }
      in = in->GetReflection()->MutableMessage(in, field);
      rest.remove_prefix(dot + 1);
    }
  }

  void Set(Message& in, const FieldDescriptor& field, const std::string& name,
           const std::string& path, const std::string& value, std::set<std::string>& seen) {
    const auto& variables = binding_.path.variables();
    if (std::any_of(variables.begin(), variables.end(),
                    [&](const auto& variable) { return variable.field == path; })) {
      return Fault(name, "is given by the path");
    }
    if (!field.is_repeated() && !seen.insert(path).second) return Fault(name, "is given twice");
    if (absl::Status set = SetFromText(in, field, value); !set.ok()) {
      Fault(name, std::string(set.message()));
    }
  }

  void BindVariable(const std::string& path, const std::string& value) {
    Message* in = message_.get();
    std::string_view rest = path;
    while (true) {
      const size_t dot = rest.find('.');
      const FieldDescriptor& field = *FindField(*in->GetDescriptor(), rest.substr(0, dot));
      if (dot != std::string_view::npos) {
        in = in->GetReflection()->MutableMessage(in, &field);
        rest.remove_prefix(dot + 1);
        continue;
      }
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const std::string given = in->GetReflection()->GetString(*in, &field);
        if (!given.empty() && given != value) {
          return Fault(path, absl::StrCat("is not the one of the path, \"", value, "\""));
        }
      }
      if (absl::Status set = SetFromText(*in, field, value); !set.ok()) {
        Fault(path, std::string(set.message()));
      }
      return;
    }
  }

  void FillUpdateMask() {
    if (binding_.http_method != "PATCH" || binding_.body.empty() || binding_.body == "*") return;
    const FieldDescriptor* mask = binding_.method->input_type()->FindFieldByName(kUpdateMask);
    if (mask == nullptr || mask->message_type() == nullptr ||
        message_->GetReflection()->HasField(*message_, mask)) {
      return;
    }
    const Descriptor& type = *BodyField()->message_type();
    Message* const filled = message_->GetReflection()->MutableMessage(message_.get(), mask);
    const FieldDescriptor* const paths = filled->GetDescriptor()->FindFieldByName("paths");
    for (const std::string& path : PathsOf(json_, type)) {
      const FieldDescriptor& top = *FindField(type, path.substr(0, path.find('.')));
      if (output_only_(top) || IsBound(top)) continue;
      filled->GetReflection()->AddString(filled, paths, path);
    }
  }

  // Whether the path of the request gives the field of the body.
  bool IsBound(const FieldDescriptor& field) const {
    const auto& variables = binding_.path.variables();
    const std::string path = absl::StrCat(binding_.body, ".", field.name());
    return std::any_of(variables.begin(), variables.end(),
                       [&](const auto& variable) { return variable.field == path; });
  }

  const FieldDescriptor* BodyField() const {
    return FindField(*binding_.method->input_type(), binding_.body);
  }

  const RestBinding& binding_;
  const RestInput& input_;
  const OutputOnly& output_only_;
  std::unique_ptr<Message> message_;
  nlohmann::json json_ = nlohmann::json::object();
  std::vector<FieldViolation> violations_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Message>> MapRequest(const RestBinding& binding,
                                                    const RestInput& input,
                                                    const OutputOnly& output_only) {
  return Mapping(binding, input, output_only).Run();
}

bool IsJsonType(std::string_view content_type) {
  const std::string_view type = TrimSpace(content_type.substr(0, content_type.find(';')));
  if (type.empty() || http::EqualsIgnoreCase(type, "application/json")) return true;
  constexpr std::string_view kSuffix = "+json";
  return type.size() > kSuffix.size() &&
         http::EqualsIgnoreCase(type.substr(type.size() - kSuffix.size()), kSuffix);
}

}  // namespace tocsin::gateway
