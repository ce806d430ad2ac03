// Text → field.
#include "gateway/rest/field_text.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/time_util.h>

#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::TimeUtil;

absl::Status Unfit(const FieldDescriptor& field) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", Expected(field)));
}

bool ParseFloating(const std::string& text, double& value) {
  // Not strtod's words and hexadecimals: JSON has neither.
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return false;
  return absl::SimpleAtod(text, &value) && std::isfinite(value);
}

bool ParseBool(const std::string& text, bool& value) {
  value = text == "true" || text == "1";
  return value || text == "false" || text == "0";
}

bool ParseBytes(const std::string& text, std::string& value) {
  return absl::Base64Unescape(text, &value) || absl::WebSafeBase64Unescape(text, &value);
}

// Through the wire format, so that it works whatever class `out` is of.
bool CopyInto(const Message& from, Message& out) {
  return out.ParseFromString(from.SerializeAsString());
}

bool SetTextMessage(Message& out, const std::string& text) {
  const std::string& name = out.GetDescriptor()->full_name();
  if (name == "google.protobuf.Timestamp") {
    google::protobuf::Timestamp timestamp;
    return TimeUtil::FromString(text, &timestamp) && CopyInto(timestamp, out);
  }
  if (name == "google.protobuf.Duration") {
    google::protobuf::Duration duration;
    return TimeUtil::FromString(text, &duration) && CopyInto(duration, out);
  }
  // Paths are camelCase in JSON; those of the proto are understood as well.
  google::protobuf::FieldMask mask;
  if (text.find('_') != std::string::npos) {
    FieldMaskUtil::FromString(text, &mask);
  } else if (!FieldMaskUtil::FromJsonString(text, &mask)) {
    return false;
  }
  return CopyInto(mask, out);
}

template <typename T, typename Parse, typename Set, typename Add>
bool Put(const FieldDescriptor& field, const std::string& text, Parse parse, Set set, Add add) {
  T value{};
  if (!parse(text, value)) return false;
  if (field.is_repeated()) {
    add(value);
  } else {
    set(value);
  }
  return true;
}

}  // namespace

const FieldDescriptor* FindField(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name() == name || field->json_name() == name) return field;
  }
  return nullptr;
}

bool IsTextMessage(const Descriptor& type) {
  return type.full_name() == "google.protobuf.Timestamp" ||
         type.full_name() == "google.protobuf.Duration" ||
         type.full_name() == "google.protobuf.FieldMask";
}

const EnumValueDescriptor* FindEnumValue(const EnumDescriptor& type, const std::string& text) {
  if (const auto* value = type.FindValueByName(text)) return value;
  int number;
  return absl::SimpleAtoi(text, &number) ? type.FindValueByNumber(number) : nullptr;
}

std::string Expected(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return "a whole number of 32 bits";
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number of 64 bits";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "a whole number of 32 bits, not negative";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "a whole number of 64 bits, not negative";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a finite number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "base64" : "a string";
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::string names;
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        absl::StrAppend(&names, i == 0 ? "" : ", ", field.enum_type()->value(i)->name());
      }
      return absl::StrCat("one of ", names);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  const std::string& name = field.message_type()->full_name();
  if (name == "google.protobuf.Timestamp") return "a time such as \"2026-01-05T12:00:00Z\"";
  if (name == "google.protobuf.Duration") return "a number of seconds such as \"90s\" or \"0.5s\"";
  if (name == "google.protobuf.FieldMask")
    return "fields with commas, such as \"owner,displayName\"";
  return "an object";
}

absl::Status SetFromText(Message& message, const FieldDescriptor& field, const std::string& text) {
  const Reflection& r = *message.GetReflection();
  Message* const m = &message;
  const FieldDescriptor* const f = &field;
  // One for each kind of accessor that reflection has.
#define TOCSIN_PUT(type, parse, name)                                           \
  Put<type>(                                                                    \
      field, text, parse, [&](const type& value) { r.Set##name(m, f, value); }, \
      [&](const type& value) { r.Add##name(m, f, value); })
  const auto integer = [](const std::string& t, auto& value) {
    return absl::SimpleAtoi(t, &value);
  };
  bool fits = false;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      fits = TOCSIN_PUT(int32_t, integer, Int32);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      fits = TOCSIN_PUT(int64_t, integer, Int64);
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      fits = TOCSIN_PUT(uint32_t, integer, UInt32);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      fits = TOCSIN_PUT(uint64_t, integer, UInt64);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      fits = TOCSIN_PUT(double, ParseFloating, Double);
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      fits = TOCSIN_PUT(
          float,
          [](const std::string& t, float& value) {
            double wide;
            if (!ParseFloating(t, wide)) return false;
            value = static_cast<float>(wide);
            return std::isfinite(value);
          },
          Float);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      fits = TOCSIN_PUT(bool, ParseBool, Bool);
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool bytes = field.type() == FieldDescriptor::TYPE_BYTES;
      fits = TOCSIN_PUT(
          std::string,
          [bytes](const std::string& t, std::string& value) {
            if (bytes) return ParseBytes(t, value);
            value = t;
            return true;
          },
          String);
      break;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      if (const auto* value = FindEnumValue(*field.enum_type(), text)) {
        fits = true;
        if (field.is_repeated()) {
          r.AddEnum(m, f, value);
        } else {
          r.SetEnum(m, f, value);
        }
      }
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      fits =
          IsTextMessage(*field.message_type()) &&
          SetTextMessage(field.is_repeated() ? *r.AddMessage(m, f) : *r.MutableMessage(m, f), text);
      break;
  }
#undef TOCSIN_PUT
  return fits ? absl::OkStatus() : Unfit(field);
}

}  // namespace tocsin::gateway
