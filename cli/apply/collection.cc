// What core has of one kind, and how it is changed.
#include "cli/apply/collection.h"

#include <google/protobuf/descriptor.h>

namespace tocsin::cli {

std::string TextOf(const google::protobuf::Message& message, const char* field) {
  const auto* const descriptor = message.GetDescriptor()->FindFieldByName(field);
  return descriptor == nullptr ? "" : message.GetReflection()->GetString(message, descriptor);
}

bool IsDeleted(const google::protobuf::Message& message) {
  const auto* const descriptor = message.GetDescriptor()->FindFieldByName("delete_time");
  return descriptor != nullptr && message.GetReflection()->HasField(message, descriptor);
}

}  // namespace tocsin::cli
