// What core has of one kind, and how it is changed: the calls of the kinds are alike.
#pragma once

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tocsin::cli {

using MessagePtr = std::shared_ptr<const google::protobuf::Message>;

struct Made {
  MessagePtr message;
  std::string secret = "";  // that is shown this once; empty when the caller gave it
  std::string push_url = "";
};

// Thread-safe. Statuses are core's.
class Collection {
 public:
  virtual ~Collection() = default;

  // Everything of a project, also what is deleted and can be brought back.
  virtual absl::StatusOr<std::vector<MessagePtr>> List(const std::string& parent) const = 0;
  // `secret` is that of Kind::secret. On trial nothing is changed; the answer is what would be.
  virtual absl::StatusOr<Made> Create(const std::string& parent, const std::string& id,
                                      const google::protobuf::Message& message,
                                      const std::string& secret, bool trial) const = 0;
  // `message` has name and etag. ABORTED when the etag is stale.
  virtual absl::StatusOr<MessagePtr> Update(const google::protobuf::Message& message,
                                            const google::protobuf::FieldMask& mask,
                                            bool trial) const = 0;
  // Brings back what is deleted. It is not watched before Resume.
  virtual absl::Status Undelete(const std::string& name) const = 0;
  virtual absl::Status Resume(const std::string& name) const = 0;
  virtual absl::Status Delete(const std::string& name, const std::string& etag) const = 0;
};

// A text field of a message by its name in the proto; empty when it has none.
std::string TextOf(const google::protobuf::Message& message, const char* field);
bool IsDeleted(const google::protobuf::Message& message);

}  // namespace tocsin::cli
