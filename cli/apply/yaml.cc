// YAML as a tree that remembers where everything stood.
#include "cli/apply/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

size_t CountOf(const YamlNode& node) {
  size_t count = 1;
  for (const YamlNode& item : node.items) count += CountOf(item);
  for (const YamlEntry& entry : node.entries) count += CountOf(entry.key) + CountOf(entry.value);
  return count;
}

bool IsNull(const YamlNode& node) {
  return node.plain && (node.text.empty() || node.text == "~" || node.text == "null");
}

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t* get() { return &event_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_ = {};
};

// Makes trees of the parser's events. After a fault it makes nothing more.
class Composer {
 public:
  Composer(absl::string_view text, const std::string& file, Faults& faults)
      : text_(text), file_(file), faults_(faults) {
    failed_ = yaml_parser_initialize(&parser_) == 0;
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Composer() { yaml_parser_delete(&parser_); }
  Composer(const Composer&) = delete;
  Composer& operator=(const Composer&) = delete;

  std::vector<YamlNode> Documents() {
    std::vector<YamlNode> documents;
    while (!failed_) {
      Event event;
      if (!Next(event) || event->type == YAML_STREAM_END_EVENT) break;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      Event first;
      YamlNode root;
      if (Next(first) && Node(first, 1, root)) documents.push_back(std::move(root));
    }
    return documents;
  }

 private:
  bool Fail(const yaml_mark_t& mark, absl::string_view what) {
    if (!failed_) faults_.Add(PlaceOf(mark), "", what);
    failed_ = true;
    return false;
  }

  Place PlaceOf(const yaml_mark_t& mark) const {
    return {file_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }

  bool Next(Event& event) {
    if (failed_) return false;
    if (yaml_parser_parse(&parser_, event.get()) != 0) return true;
    const char* const problem = parser_.problem == nullptr ? "unreadable" : parser_.problem;
    if (parser_.error == YAML_READER_ERROR) {
      const absl::string_view before = text_.substr(0, parser_.problem_offset);
      yaml_mark_t mark = {};
      mark.line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
      return Fail(mark, absl::StrCat("it is no YAML: ", problem));
    }
    return Fail(parser_.problem_mark,
                absl::StrCat("it is no YAML: ", problem, parser_.context == nullptr ? "" : ", ",
                             parser_.context == nullptr ? "" : parser_.context));
  }

  bool Count(const yaml_mark_t& mark, size_t more) {
    nodes_ += more;
    if (nodes_ <= kMaxYamlNodes) return true;
    return Fail(mark, absl::StrCat("it has more than ", kMaxYamlNodes, " values"));
  }

  void Remember(const yaml_char_t* anchor, const YamlNode& node) {
    if (anchor != nullptr) anchors_[reinterpret_cast<const char*>(anchor)] = node;
  }

  bool Node(const Event& event, int depth, YamlNode& node) {
    const yaml_mark_t mark = event->start_mark;
    if (depth > kMaxYamlDepth) {
      return Fail(mark, absl::StrCat("it is nested deeper than ", kMaxYamlDepth, " levels"));
    }
    if (!Count(mark, 1)) return false;
    node.place = PlaceOf(mark);
    switch (event->type) {
      case YAML_SCALAR_EVENT:
        return Scalar(event, node);
      case YAML_ALIAS_EVENT:
        return Alias(event, node);
      case YAML_SEQUENCE_START_EVENT:
        return List(event, depth, node);
      case YAML_MAPPING_START_EVENT:
        return Map(event, depth, node);
      default:
        return Fail(mark, "a value is missing");
    }
  }

  bool Untagged(const yaml_char_t* tag, const yaml_mark_t& mark) {
    if (tag == nullptr) return true;
    return Fail(mark, "tags are not read: leave it out");
  }

  bool Scalar(const Event& event, YamlNode& node) {
    const auto& scalar = event->data.scalar;
    if (!Untagged(scalar.tag, event->start_mark)) return false;
    node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    node.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node.kind = IsNull(node) ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar;
    Remember(scalar.anchor, node);
    return true;
  }

  // The copy keeps its place: that is where it has to be mended.
  bool Alias(const Event& event, YamlNode& node) {
    const std::string name = reinterpret_cast<const char*>(event->data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return Fail(event->start_mark, absl::StrCat("there is no anchor &", name, " before it"));
    }
    if (!Count(event->start_mark, CountOf(found->second))) return false;
    node = found->second;
    return true;
  }

  bool List(const Event& event, int depth, YamlNode& node) {
    if (!Untagged(event->data.sequence_start.tag, event->start_mark)) return false;
    node.kind = YamlNode::Kind::kList;
    while (true) {
      Event next;
      if (!Next(next)) return false;
      if (next->type == YAML_SEQUENCE_END_EVENT) break;
      if (!Node(next, depth + 1, node.items.emplace_back())) return false;
    }
    Remember(event->data.sequence_start.anchor, node);
    return true;
  }

  bool Map(const Event& event, int depth, YamlNode& node) {
    if (!Untagged(event->data.mapping_start.tag, event->start_mark)) return false;
    node.kind = YamlNode::Kind::kMap;
    while (true) {
      Event key;
      if (!Next(key)) return false;
      if (key->type == YAML_MAPPING_END_EVENT) break;
      YamlEntry& entry = node.entries.emplace_back();
      if (!Node(key, depth + 1, entry.key)) return false;
      Event value;
      if (!Next(value) || !Node(value, depth + 1, entry.value)) return false;
    }
    Remember(event->data.mapping_start.anchor, node);
    return true;
  }

  absl::string_view text_;
  const std::string& file_;
  Faults& faults_;
  yaml_parser_t parser_ = {};
  bool failed_ = false;
  size_t nodes_ = 0;
  std::map<std::string, YamlNode> anchors_;
};

}  // namespace

std::vector<YamlNode> ParseYaml(absl::string_view text, const std::string& file, Faults& faults) {
  if (text.size() > kMaxYamlBytes) {
    faults.Add({.file = file}, "",
               absl::StrCat("it has more than ", kMaxYamlBytes >> 20, " MiB: split it"));
    return {};
  }
  return Composer(text, file, faults).Documents();
}

std::string KindOf(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
  }
  return "";
}

}  // namespace tocsin::cli
