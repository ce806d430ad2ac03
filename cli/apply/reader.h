// What files say, as resources: every field by the messages of tocsin.v1.
#pragma once

#include <string>
#include <vector>

#include "cli/apply/faults.h"
#include "cli/apply/resource.h"
#include "cli/apply/yaml.h"

namespace tocsin::cli {

// How many resources one run takes. Each costs some kilobytes of memory and a call or two.
inline constexpr size_t kMaxDeclared = 100'000;

struct Declared {
  std::vector<Resource> resources;
  std::vector<std::string>
      projects;  // ids, each once: of documents, also of those without resources
};

// Adds what a document declares to `declared`. A document has `project` (an id; `default_project`
// without it) and lists of resources by the collections of Kinds(). `folder` is that of its file,
// for the values that it has elsewhere. Everything that is wrong is a fault: fields that do not
// exist or come twice, values of the wrong kind, and resources that were declared before.
void ReadDocument(const YamlNode& document, const std::string& folder,
                  const std::string& default_project, Declared& declared, Faults& faults);

}  // namespace tocsin::cli
