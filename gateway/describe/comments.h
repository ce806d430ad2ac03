// The public contract with its comments, read from a descriptor set.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tocsin::gateway {

class Contract {
 public:
  // `descriptor_set` is what protoc writes with --include_imports and --include_source_info.
  static absl::StatusOr<std::unique_ptr<Contract>> Read(const std::string& descriptor_set);

  // The services of package tocsin.v1, in order of name.
  const std::vector<const google::protobuf::ServiceDescriptor*>& services() const {
    return services_;
  }
  // Every message of it, nested ones too.
  std::vector<const google::protobuf::Descriptor*> Messages() const;

 private:
  google::protobuf::DescriptorPool pool_;
  std::vector<const google::protobuf::FileDescriptor*> files_;
  std::vector<const google::protobuf::ServiceDescriptor*> services_;
};

// What a comment says, as CommonMark: lines that are indented in the proto become a block of code.
// Conventions of the protos: "Required.", "Output only: …", "Input only: …".
template <typename Descriptor>
std::string CommentOf(const Descriptor& descriptor);

bool SaysRequired(const google::protobuf::FieldDescriptor& field);
bool SaysOutputOnly(const google::protobuf::FieldDescriptor& field);
bool SaysInputOnly(const google::protobuf::FieldDescriptor& field);

// Up to the first full stop that ends a sentence.
std::string FirstSentence(const std::string& text);

}  // namespace tocsin::gateway
