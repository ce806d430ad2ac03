// What files say, as resources.
#include "cli/apply/reader.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/apply/field_reader.h"
#include "cli/usage.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMaxIdBytes = 63;
constexpr char kIdRule[] = "1 to 63 of [a-z0-9-], beginning with a letter or digit";

bool IsId(absl::string_view id) {
  const auto fit = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  return !id.empty() && id.size() <= kMaxIdBytes && fit(id.front()) &&
         std::all_of(id.begin(), id.end(), [&fit](char c) { return fit(c) || c == '-'; });
}

std::string ReadId(const YamlNode& value, absl::string_view field, Faults& faults) {
  if (value.kind == YamlNode::Kind::kScalar && IsId(value.text)) return value.text;
  faults.Add(value.place, field, absl::StrCat("it is no id; accepted: ", kIdRule));
  return "";
}

void SetDefaults(const Kind& kind, Resource& resource) {
  // Whoever declares a monitor means it to be watched, also before its first heartbeat.
  const auto* const arm = kind.type->FindFieldByName("arm_on_create");
  if (arm != nullptr && resource.places.count("arm_on_create") == 0) {
    resource.wanted->GetReflection()->SetBool(resource.wanted.get(), arm, true);
  }
}

class DocumentReader {
 public:
  DocumentReader(const std::string& folder, std::string project, Declared& declared, Faults& faults)
      : folder_(folder), project_(std::move(project)), declared_(declared), faults_(faults) {}

  void Read(const YamlNode& document) {
    if (document.kind == YamlNode::Kind::kNull) return;
    if (document.kind != YamlNode::Kind::kMap) {
      faults_.Add(document.place, "",
                  absl::StrCat("a document is ", KindOf(document), "; accepted: ", Accepted()));
      return;
    }
    ReadProject(document);
    std::set<std::string> keys;
    for (const YamlEntry& entry : document.entries) {
      const std::string key = KeyOf(entry, faults_);
      if (key.empty()) continue;
      if (!keys.insert(key).second) {
        faults_.Add(entry.key.place, key, "it comes twice");
      } else if (key != "project") {
        ReadCollection(entry, key);
      }
    }
  }

 private:
  static std::vector<std::string> Names() {
    std::vector<std::string> names = {"project"};
    for (const Kind* kind : Kinds()) names.push_back(kind->collection);
    return names;
  }

  static std::string Accepted() { return "a mapping with project, channels and monitors"; }

  // First, since every name has it, wherever it stands in the document.
  void ReadProject(const YamlNode& document) {
    for (const YamlEntry& entry : document.entries) {
      if (entry.key.text != "project") continue;
      std::string project = ReadId(entry.value, "project", faults_);
      if (!project.empty()) project_ = std::move(project);
      break;
    }
    auto& projects = declared_.projects;
    if (std::find(projects.begin(), projects.end(), project_) == projects.end()) {
      projects.push_back(project_);
    }
  }

  void ReadCollection(const YamlEntry& entry, const std::string& key) {
    for (const Kind* kind : Kinds()) {
      if (kind->collection != key) continue;
      if (entry.value.kind == YamlNode::Kind::kNull) return;
      if (entry.value.kind != YamlNode::Kind::kList) {
        faults_.Add(entry.value.place, key,
                    absl::StrCat("it is ", KindOf(entry.value), "; accepted: a list"));
        return;
      }
      for (const YamlNode& item : entry.value.items) ReadItem(item, *kind);
      return;
    }
    const std::string nearest = Nearest(key, Names());
    faults_.Add(entry.key.place, key,
                absl::StrCat("unknown field; ",
                             nearest.empty() ? "" : absl::StrCat("did you mean ", nearest, "? "),
                             "accepted: project, channels, monitors"));
  }

  void ReadItem(const YamlNode& item, const Kind& kind) {
    if (item.kind != YamlNode::Kind::kMap) {
      faults_.Add(item.place, kind.collection,
                  absl::StrCat("an item is ", KindOf(item), "; accepted: a mapping with an id"));
      return;
    }
    Resource resource;
    resource.kind = &kind;
    resource.project = project_;
    resource.place = item.place;
    resource.wanted.reset(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(kind.type)->New());
    FieldReader fields(folder_, resource, faults_);
    bool has_id = false;
    for (const YamlEntry& entry : item.entries) {
      if (entry.key.text == "id") {
        if (has_id) faults_.Add(entry.key.place, "id", "it comes twice");
        has_id = true;
        resource.id = ReadId(entry.value, "id", faults_);
      } else if (entry.key.text == kind.secret) {
        if (!resource.places.emplace(kind.secret, entry.value.place).second) {
          faults_.Add(entry.key.place, kind.secret, "it comes twice");
        }
        resource.secret = fields.Text(entry.value, kind.secret);
      } else {
        fields.Read(entry);
      }
    }
    if (!has_id) faults_.Add(item.place, "id", absl::StrCat("missing; accepted: ", kIdRule));
    if (resource.id.empty()) return;
    SetDefaults(kind, resource);
    Add(std::move(resource));
  }

  void Add(Resource resource) {
    if (declared_.resources.size() >= kMaxDeclared) {
      if (declared_.resources.size() == kMaxDeclared) {
        faults_.Add(resource.place, "",
                    absl::StrCat("there are more than ", kMaxDeclared, " monitors and channels"));
      }
      return;
    }
    declared_.resources.push_back(std::move(resource));
  }

  const std::string& folder_;
  std::string project_;
  Declared& declared_;
  Faults& faults_;
};

}  // namespace

void ReadDocument(const YamlNode& document, const std::string& folder,
                  const std::string& default_project, Declared& declared, Faults& faults) {
  DocumentReader(folder, default_project, declared, faults).Read(document);
}

}  // namespace tocsin::cli
