// Descriptors and their comments.
#include "gateway/describe/comments.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr char kPackage[] = "tocsin.v1";

void AddMessages(const Descriptor& type, std::vector<const Descriptor*>& out) {
  if (type.options().map_entry()) return;
  out.push_back(&type);
  for (int i = 0; i < type.nested_type_count(); ++i) AddMessages(*type.nested_type(i), out);
}

std::string ToMarkdown(const std::string& comment) {
  std::string text;
  bool code = false;
  for (absl::string_view line : absl::StrSplit(comment, '\n')) {
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    const bool indented = line.substr(0, 2) == "  ";
    if (indented != code) absl::StrAppend(&text, code ? "```\n" : "\n```\n");
    code = indented;
    absl::StrAppend(&text, indented ? line.substr(2) : line, "\n");
  }
  if (code) absl::StrAppend(&text, "```\n");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

bool Says(const FieldDescriptor& field, const char* words) {
  return CommentOf(field).find(words) != std::string::npos;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Contract>> Contract::Read(const std::string& descriptor_set) {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromString(descriptor_set)) {
    return absl::InvalidArgumentError("this is no descriptor set");
  }
  auto contract = std::make_unique<Contract>();
  for (const auto& file : set.file()) {
    const auto* built = contract->pool_.BuildFile(file);
    if (built == nullptr)
      return absl::InvalidArgumentError(absl::StrCat(file.name(), " is broken"));
    if (built->package() != kPackage) continue;
    contract->files_.push_back(built);
    for (int i = 0; i < built->service_count(); ++i) {
      contract->services_.push_back(built->service(i));
    }
  }
  std::sort(contract->services_.begin(), contract->services_.end(),
            [](const auto* a, const auto* b) { return a->full_name() < b->full_name(); });
  return contract;
}

std::vector<const Descriptor*> Contract::Messages() const {
  std::vector<const Descriptor*> messages;
  for (const auto* file : files_) {
    for (int i = 0; i < file->message_type_count(); ++i)
      AddMessages(*file->message_type(i), messages);
  }
  return messages;
}

template <typename T>
std::string CommentOf(const T& descriptor) {
  google::protobuf::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  return ToMarkdown(location.leading_comments);
}
template std::string CommentOf(const Descriptor&);
template std::string CommentOf(const EnumDescriptor&);
template std::string CommentOf(const EnumValueDescriptor&);
template std::string CommentOf(const FieldDescriptor&);
template std::string CommentOf(const MethodDescriptor&);
template std::string CommentOf(const ServiceDescriptor&);

bool SaysRequired(const FieldDescriptor& field) { return Says(field, "Required."); }
bool SaysOutputOnly(const FieldDescriptor& field) { return Says(field, "Output only"); }
bool SaysInputOnly(const FieldDescriptor& field) { return Says(field, "Input only"); }

std::string FirstSentence(const std::string& text) {
  for (size_t at = text.find('.'); at != std::string::npos; at = text.find('.', at + 1)) {
    const bool ends = at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == '\n';
    if (ends) return text.substr(0, at);
  }
  return text;
}

}  // namespace tocsin::gateway
