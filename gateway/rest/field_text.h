// One value of a protobuf field from text, as query parameters, path variables and JSON carry it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace tocsin::gateway {

// The field by its name in the proto or in JSON; nullptr when there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor& type,
                                                   std::string_view name);

// Whether one text (and in JSON one string) says all of the message: Timestamp, Duration,
// FieldMask.
bool IsTextMessage(const google::protobuf::Descriptor& type);

// What a value of the field is, for people, e.g. "a whole number of 32 bits" or "one of STATE_NEW,
// …".
std::string Expected(const google::protobuf::FieldDescriptor& field);

// Sets the field of `message`, or adds to it when it is repeated. INVALID_ARGUMENT says what is
// accepted. The field is a scalar, an enum, or a text message.
absl::Status SetFromText(google::protobuf::Message& message,
                         const google::protobuf::FieldDescriptor& field, const std::string& text);

// An enum's value by its name, or by its number; nullptr when there is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor& type, const std::string& text);

}  // namespace tocsin::gateway
