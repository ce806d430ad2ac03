// Messages of every kind, for golden files and benchmarks.
#pragma once

#include <string>
#include <vector>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

struct SampleMessage {
  std::string name;  // of the golden files
  Message message;
};

// One of each case that a summary tells apart.
std::vector<SampleMessage> SampleMessages();

// The one of this name; it must exist.
Message SampleNamed(const std::string& name);

}  // namespace tocsin::notifier
