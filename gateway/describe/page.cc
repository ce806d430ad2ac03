// The page: an introduction, every operation by service, every schema.
#include "gateway/describe/page.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/describe/html.h"

namespace tocsin::gateway {
namespace {

constexpr char kIntroduction[] = R"(
<section id="conventions"><h2>Conventions</h2>
<p><b>Keys.</b> Management needs <code>Authorization: Bearer tk_…</code>; each operation names the role
that its key must have. Without a key the answer is <code>401</code>, without the role <code>403</code>.
A push needs only its token.</p>
<p><b>Lists.</b> <code>pageSize</code> bounds a page, <code>nextPageToken</code> of the answer is the
<code>pageToken</code> of the next one; it is absent on the last.</p>
<p><b>Changes.</b> <code>PATCH</code> changes the fields that its body gives, or those that
<code>updateMask</code> names. An <code>etag</code> that is sent back guards against overwriting somebody
else's change (<code>409</code>). A <code>requestId</code> makes a creation that is retried count once.</p>
<p><b>Errors.</b> <code>application/problem+json</code>: <code>code</code> and <code>reason</code> are for
programs, <code>detail</code> and <code>violations</code> for people, <code>requestId</code> finds the log
line. What a retry can cure is <code>503</code> or <code>429</code> with <code>Retry-After</code>.</p>
<p><b>In the examples</b> <code>$TOCSIN_GATEWAY_URL</code> is where you read this, and
<code>$TOCSIN_KEY</code> your key.</p></section>
)";

std::string NameOf(const OrderedJson& reference) {
  const std::string ref = reference["$ref"];
  return ref.substr(ref.rfind('/') + 1);
}

std::string Link(const std::string& name) {
  return absl::StrCat("<a href=\"#schema-", name, "\">", name, "</a>");
}

// What kind of value a schema takes, in a few words.
std::string TypeOf(const OrderedJson& schema) {
  if (schema.contains("$ref")) return Link(NameOf(schema));
  const std::string type = schema.value("type", "object");
  if (type == "array") return absl::StrCat("list of ", TypeOf(schema["items"]));
  if (schema.contains("additionalProperties")) {
    return absl::StrCat("map to ", TypeOf(schema["additionalProperties"]));
  }
  if (schema.contains("pattern")) return "duration";
  const std::string format = schema.value("format", "");
  if (format == "date-time") return "time";
  return format.empty() ? type : absl::StrCat(type, " (", format, ")");
}

std::string Row(const std::string& name, const std::string& type, const std::string& notes,
                const std::string& description) {
  return absl::StrCat("<tr><td><code>", Escaped(name), "</code>", notes, "</td><td>", type,
                      "</td><td>", Markdown(description), "</td></tr>\n");
}

std::string Note(const char* text) {
  return absl::StrCat(" <span class=\"note\">", text, "</span>");
}

std::string Table(const char* title, const std::string& rows) {
  if (rows.empty()) return "";
  return absl::StrCat("<h4>", title, "</h4><div class=\"scroll\"><table>\n", rows,
                      "</table></div>\n");
}

std::string ObjectRows(const OrderedJson& schema) {
  std::string rows;
  const OrderedJson required = schema.value("required", OrderedJson::array());
  const OrderedJson properties = schema.value("properties", OrderedJson::object());
  for (const auto& [name, property] : properties.items()) {
    std::string notes;
    for (const auto& each : required) {
      if (each == name) notes += Note("required");
    }
    if (property.value("readOnly", false)) notes += Note("output only");
    if (property.value("writeOnly", false)) notes += Note("input only");
    rows += Row(name, TypeOf(property), notes, property.value("description", ""));
  }
  return rows;
}

std::string Parameters(const OrderedJson& operation) {
  std::string rows;
  for (const auto& parameter : operation.value("parameters", OrderedJson::array())) {
    std::string notes = Note(parameter["in"].get<std::string>().c_str());
    if (parameter.value("required", false)) notes += Note("required");
    rows += Row(parameter["name"], TypeOf(parameter["schema"]), notes,
                parameter.value("description", ""));
  }
  return Table("Parameters", rows);
}

std::string Body(const OrderedJson& operation) {
  if (!operation.contains("requestBody")) return "";
  const OrderedJson& schema = operation["requestBody"]["content"]["application/json"]["schema"];
  if (schema.contains("$ref")) {
    return absl::StrCat("<p class=\"io\"><b>Body</b> ", Link(NameOf(schema)), "</p>\n");
  }
  return Table("Body", ObjectRows(schema));
}

std::string Answer(const OrderedJson& operation) {
  for (const auto& [type, content] : operation["responses"]["200"]["content"].items()) {
    const OrderedJson& schema = content["schema"];
    const OrderedJson& shown = schema.contains("contentSchema") ? schema["contentSchema"] : schema;
    const std::string what = shown.contains("$ref") ? Link(NameOf(shown))
                             : type == "text/plain" ? "text"
                                                    : "<code>{}</code>";
    const bool stream = type == "text/event-stream";
    return absl::StrCat("<p class=\"io\"><b>Answer</b> ", what,
                        stream ? " as a stream of server-sent events" : "", "</p>\n");
  }
  return "";
}

// The description without the sentence that is the heading.
std::string Rest(const OrderedJson& operation) {
  const std::string text = operation["description"];
  const std::string heading = operation["summary"].get<std::string>() + ".";
  if (text.compare(0, heading.size(), heading) != 0) return text;
  return text.substr(std::min(text.find_first_not_of(" \n", heading.size()), text.size()));
}

// Operations of one path that differ in nothing but the method.
struct Entry {
  std::string path;
  std::vector<std::string> methods;
  std::vector<std::string> ids;
  const OrderedJson* operation = nullptr;  // the first of them
};

std::string Methods(const Entry& entry) {
  std::string html;
  for (const std::string& method : entry.methods) {
    absl::StrAppend(&html, "<span class=\"method ", method, "\">", absl::AsciiStrToUpper(method),
                    "</span> ");
  }
  return html;
}

std::string Section(const OrderedJson& document, const Entry& entry) {
  const OrderedJson& operation = *entry.operation;
  const std::string& id = entry.ids.front();
  std::string anchors;  // what the other operations are linked by
  for (size_t i = 1; i < entry.ids.size(); ++i) {
    absl::StrAppend(&anchors, "<span id=\"", entry.ids[i], "\"></span>");
  }
  return absl::StrCat(
      "<article id=\"", id, "\">", anchors, "<h3><a class=\"anchor\" href=\"#", id, "\">",
      Escaped(operation["summary"].get<std::string>()), "</a></h3>\n<p class=\"route\">",
      Methods(entry), "<code>", Escaped(entry.path), "</code></p>\n", Markdown(Rest(operation)),
      Parameters(operation), Body(operation), Answer(operation), "<pre class=\"example\">",
      Escaped(CurlExample(document, entry.path, entry.methods.front(), operation)),
      "</pre></article>\n");
}

bool HasTag(const OrderedJson& operation, const std::string& tag) {
  return operation["tags"][0] == tag;
}

bool AreAlike(OrderedJson a, OrderedJson b) {
  a.erase("operationId");
  b.erase("operationId");
  return a == b;
}

// Those of a tag, in the document's order.
std::vector<Entry> EntriesOf(const OrderedJson& document, const std::string& tag) {
  std::vector<Entry> entries;
  for (const auto& [path, item] : document["paths"].items()) {
    const size_t first = entries.size();
    for (const auto& [method, operation] : item.items()) {
      if (!HasTag(operation, tag)) continue;
      const auto same = std::find_if(entries.begin() + first, entries.end(), [&](const Entry& e) {
        return AreAlike(*e.operation, operation);
      });
      Entry& entry = same != entries.end() ? *same : entries.emplace_back();
      entry.path = path;
      if (entry.operation == nullptr) entry.operation = &operation;
      entry.methods.push_back(method);
      entry.ids.push_back(operation["operationId"]);
    }
  }
  return entries;
}

std::string Navigation(const OrderedJson& document) {
  std::string html =
      "<nav><a class=\"top\" href=\"#top\">Tocsin API</a>\n"
      "<a href=\"#conventions\">Conventions</a>\n";
  for (const auto& tag : document["tags"]) {
    const std::string name = tag["name"];
    absl::StrAppend(&html, "<details><summary>", Escaped(name), "</summary><ul>\n");
    for (const Entry& entry : EntriesOf(document, name)) {
      absl::StrAppend(&html, "<li><a href=\"#", entry.ids.front(), "\">", Methods(entry),
                      entry.ids.front(), "</a></li>\n");
    }
    html += "</ul></details>\n";
  }
  return html +
         "<a href=\"#schemas\">Schemas</a>\n<a href=\"/openapi.json\">openapi.json</a></nav>\n";
}

std::string SchemaSections(const OrderedJson& document) {
  std::string html = "<section id=\"schemas\"><h2>Schemas</h2>\n";
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    absl::StrAppend(&html, "<article id=\"schema-", name,
                    "\"><h3><a class=\"anchor\" href=\"#schema-", name, "\">", name, "</a></h3>\n",
                    Markdown(schema.value("description", "")));
    if (const std::string rows = ObjectRows(schema); !rows.empty()) {
      absl::StrAppend(&html, "<div class=\"scroll\"><table>\n", rows, "</table></div>\n");
    }
    html += "</article>\n";
  }
  return html + "</section>\n";
}

}  // namespace

std::string MakePage(const OrderedJson& document, const std::string& stylesheet) {
  std::string html = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Tocsin API</title>\n<style>\n",
      stylesheet, "</style></head>\n<body id=\"top\">\n", Navigation(document),
      "<main><header><h1>Tocsin API <span class=\"note\">",
      Escaped(document["info"]["version"].get<std::string>()), "</span></h1>\n",
      Markdown(document["info"]["description"]), "</header>\n", kIntroduction);
  for (const auto& tag : document["tags"]) {
    const std::string name = tag["name"];
    absl::StrAppend(&html, "<section id=\"tag-", name, "\"><h2>", name, "</h2>\n",
                    Markdown(tag["description"]));
    for (const Entry& entry : EntriesOf(document, name)) html += Section(document, entry);
    html += "</section>\n";
  }
  return absl::StrCat(html, SchemaSections(document), "</main></body></html>\n");
}

}  // namespace tocsin::gateway
