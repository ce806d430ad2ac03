// The parameters of a push: collected from query and body, then interpreted once.
#include "gateway/push_parameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "gateway/http/message.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

using http::EqualsIgnoreCase;

// A parameter's first value that is not empty.
struct Field {
  std::string text;

  bool set() const { return !text.empty(); }
  void Offer(std::string_view value) {
    if (!set()) text.assign(value);
  }
};

struct ParameterSet {
  Field status, message, value, ping, run, create, exit_status;
  // The first name that is none of these, with a value that tells a failure.
  std::string stranger;

  void Clear() {
    stranger.clear();
    for (Field* field : {&status, &message, &value, &ping, &run, &create, &exit_status}) {
      field->text.clear();
    }
  }
  // Nothing for a parameter that we do not know.
  Field* Find(std::string_view name) {
    if (name == "status") return &status;
    if (name == "msg") return &message;
    if (name == "value") return &value;
    if (name == "ping") return &ping;
    if (name == "run") return &run;
    if (name == "create") return &create;
    if (name == "exit_status") return &exit_status;
    return nullptr;
  }
};

struct StatusWord {
  std::string_view word;
  PushKind kind;
};
constexpr std::array<StatusWord, 12> kStatusWords = {{
    {"up", PushKind::kUp},
    {"ok", PushKind::kUp},
    {"success", PushKind::kUp},
    {"true", PushKind::kUp},
    {"down", PushKind::kDown},
    {"fail", PushKind::kDown},
    {"failed", PushKind::kDown},
    {"failure", PushKind::kDown},
    {"error", PushKind::kDown},
    {"false", PushKind::kDown},
    {"start", PushKind::kStart},
    {"log", PushKind::kLog},
}};
constexpr size_t kMaxQuoted = 64;

std::optional<PushKind> ReadStatus(std::string_view text) {
  for (const StatusWord& known : kStatusWords) {
    if (EqualsIgnoreCase(text, known.word)) return known.kind;
  }
  return std::nullopt;
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

// Digits, as many as an exit status may have with zeros in front.
bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 8 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

enum class BodyKind { kNone, kForm, kJson };

// Nothing when the text is no number from 0 to 255.
std::optional<int> ReadExitStatus(std::string_view text) {
  int number = 0;
  const bool read = IsNumber(text) && absl::SimpleAtoi({text.data(), text.size()}, &number);
  return read && number <= 255 ? std::optional<int>(number) : std::nullopt;
}

void Warn(const std::string& what, PushParameters& out) {
  if (!out.warning.empty()) out.warning += "; ";
  out.warning += what;
}

// "application/json; charset=utf-8" and "application/vnd.x+json" are JSON.
BodyKind KindOf(std::string_view content_type) {
  if (content_type.empty()) return BodyKind::kNone;
  const std::string_view type = TrimSpace(content_type.substr(0, content_type.find(';')));
  if (EqualsIgnoreCase(type, "application/x-www-form-urlencoded")) return BodyKind::kForm;
  if (EqualsIgnoreCase(type, "application/json") || EqualsIgnoreCase(type, "text/json")) {
    return BodyKind::kJson;
  }
  constexpr std::string_view kSuffix = "+json";
  const bool suffix = type.size() > kSuffix.size() &&
                      EqualsIgnoreCase(type.substr(type.size() - kSuffix.size()), kSuffix);
  return suffix && StartsWithIgnoreCase(type, "application/") ? BodyKind::kJson : BodyKind::kNone;
}

// Whether a body with that Content-Encoding is something else than it seems. Some say their charset
// there, which is no encoding.
bool IsCompressed(std::string_view encoding) {
  constexpr std::array<std::string_view, 6> kCodings = {"gzip", "x-gzip", "deflate",
                                                        "br",   "zstd",   "compress"};
  // The last one was applied last.
  const size_t comma = encoding.rfind(',');
  if (comma != std::string_view::npos) encoding.remove_prefix(comma + 1);
  encoding = TrimSpace(encoding);
  return std::any_of(kCodings.begin(), kCodings.end(),
                     [&](std::string_view coding) { return EqualsIgnoreCase(encoding, coding); });
}

}  // namespace

void PushParameters::Clear() {
  kind = PushKind::kUp;
  message.clear();
  value.reset();
  run_id.clear();
  exit_status.reset();
  output.clear();
  create = false;
  warning.clear();
}

struct PushParser::Fields : ParameterSet {
  std::string key, text;  // scratch

  void ReadForm(std::string_view form);
  void ReadJson(std::string_view body, std::string& warning);
  // Takes a status that was found where it does not belong, if it means something: a body of
  // another type than its sender thought must not make an up of a down.
  void OfferStatus(std::string_view word) {
    if (ReadStatus(word)) status.Offer(word);
  }
  // The same of a body that may be JSON.
  void OfferStatusOfJson(std::string_view body);
  absl::Status Interpret(std::string_view action, PushParameters& out);
  absl::Status InterpretAction(std::string_view action, PushParameters& out);
  absl::Status InterpretStatus(PushParameters& out);
  void InterpretExitStatus(bool decides, PushParameters& out);
};

namespace {

// The members of the top-level object, as far as the text is JSON. Follows nlohmann's parser (the
// callbacks have its names) without building a document.
class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonReader(ParameterSet& fields) : fields_(fields) {}

  bool null() override { return true; }
  bool boolean(bool value) override { return Value(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return Value(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Value(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return Value(text); }
  bool string(string_t& value) override { return Value(value); }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override {
    is_object_ = is_object_ || depth_ == 0;
    ++depth_;
    return true;
  }
  bool start_array(size_t) override {
    if (InTopObject() && key_ == "alerts") alerts_ = true;
    ++depth_;
    return true;
  }
  bool key(string_t& value) override {
    if (InTopObject()) key_ = value;
    return true;
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

  bool is_object() const { return is_object_; }
  // Whether an array of that name is there.
  bool alerts() const { return alerts_; }

 private:
  bool InTopObject() const { return is_object_ && depth_ == 1; }
  bool End() {
    --depth_;
    return true;
  }
  bool Value(std::string_view text) {
    if (!InTopObject()) return true;
    if (Field* field = fields_.Find(key_)) field->Offer(text);
    return true;
  }

  ParameterSet& fields_;
  int depth_ = 0;
  bool is_object_ = false;
  bool alerts_ = false;
  std::string key_;
};

// The letters that `text` begins with, after blanks.
std::string_view FirstWord(std::string_view text) {
  text = TrimSpace(text);
  size_t end = 0;
  while (end < text.size() && ((text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z')) ++end;
  return text.substr(0, end);
}

// Whether the lines before a part's text say that it is the field "status", and no file.
bool IsStatusPart(std::string_view head) {
  constexpr std::string_view kName = "name=\"status\"";
  const size_t name = head.find(kName);
  return name != std::string_view::npos && name > 0 &&
         (head[name - 1] == ' ' || head[name - 1] == ';') &&
         head.find("filename") == std::string_view::npos;
}

// The boundary that a multipart Content-Type names (RFC 2046); empty when it names none.
std::string_view BoundaryOf(std::string_view content_type) {
  constexpr std::string_view kName = "boundary=";
  while (!content_type.empty()) {
    const size_t end = std::min(content_type.find(';'), content_type.size());
    std::string_view parameter = TrimSpace(content_type.substr(0, end));
    content_type.remove_prefix(std::min(end + 1, content_type.size()));
    if (!StartsWithIgnoreCase(parameter, kName)) continue;
    parameter.remove_prefix(kName.size());
    if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"') {
      parameter = parameter.substr(1, parameter.size() - 2);
    }
    return parameter;
  }
  return {};
}

// The word in the part "status" of a multipart body (RFC 7578), of the first that means something;
// empty when there is none. What files hold is no part, whatever it looks like.
std::string_view FindStatusPart(std::string_view content_type, std::string_view body) {
  constexpr size_t kLongestBoundary = 70;  // RFC 2046
  const std::string_view boundary = BoundaryOf(content_type);
  if (boundary.empty() || boundary.size() > kLongestBoundary) return {};
  const std::string delimiter = "--" + std::string(boundary);
  for (size_t at = body.find(delimiter); at != std::string_view::npos;) {
    const size_t head = at + delimiter.size();
    at = body.find("\r\n" + delimiter, head);
    const std::string_view part = body.substr(head, std::min(at, body.size()) - head);
    const size_t blank = part.find("\r\n\r\n");
    if (at != std::string_view::npos) at += 2;
    if (blank == std::string_view::npos || !IsStatusPart(part.substr(0, blank))) continue;
    const std::string_view word = FirstWord(part.substr(blank));
    if (ReadStatus(word)) return word;
  }
  return {};
}

// Whether its first name may be one of a form. curl says of whatever it sends that it is a form: of
// a log with URLs in it, too.
bool MayBeForm(std::string_view body) {
  constexpr size_t kLongest = 64;
  const std::string_view name = body.substr(0, body.find_first_of("=&"));
  return name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                  std::string_view("_-.%+[]").find(c) != std::string_view::npos;
         });
}

// The word of a `"status": "…"` (or `"status": true`) in text that is no JSON: of the first that is
// a failure, for nobody knows which of several is meant; else of the first; empty when there is
// none.
std::string_view FindStatus(std::string_view text) {
  constexpr std::string_view kKey = "\"status\"";
  // Or each look at the rest would go through the blanks at its end once more.
  text = TrimSpace(text);
  std::string_view first;
  for (size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
    std::string_view rest = TrimSpace(text.substr(at + kKey.size()));
    if (rest.empty() || rest.front() != ':') continue;
    rest = TrimSpace(rest.substr(1));
    if (!rest.empty() && rest.front() == '"') rest.remove_prefix(1);
    const std::string_view word = FirstWord(rest);
    if (ReadStatus(word) == PushKind::kDown) return word;
    if (first.empty()) first = word;
  }
  return first;
}

}  // namespace

void PushParser::Fields::ReadForm(std::string_view form) {
  while (!form.empty()) {
    const size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals + 1 == pair.size()) continue;  // empty: absent
    std::string_view name = pair.substr(0, equals);
    if (name.find('%') != std::string_view::npos) {
      DecodeForm(name, key);
      name = key;
    }
    Field* const field = Find(name);
    const std::string_view told = pair.substr(equals + 1);
    const bool says = !EqualsIgnoreCase(told, "false") || name == "success" || name == "ok";
    const bool fails = says && ReadStatus(told) == PushKind::kDown;
    if (field == nullptr && fails && stranger.empty()) CleanUtf8(name, kMaxQuoted, stranger);
    if (field == nullptr || field->set()) continue;
    DecodeForm(pair.substr(equals + 1), field->text);
  }
}

void PushParser::Fields::ReadJson(std::string_view body, std::string& warning) {
  if (TrimSpace(body).empty()) return;
  ParameterSet found;
  JsonReader reader(found);
  const bool valid = nlohmann::json::sax_parse(body, &reader) && reader.is_object();
  if (!valid) {
    warning = "the body is not a valid JSON object; what could not be read was ignored";
    // A word that means nothing is not worth a refusal in a body that is broken anyway.
    const auto known = [&](const std::string& word) {
      return ReadStatus(word) || (reader.alerts() && word == "firing");
    };
    if (!known(found.status.text)) found.status.text.assign(FindStatus(body));
    if (!known(found.status.text) && found.status.text != "resolved") found.status.text.clear();
  }
  // A body that broke off inside its alerts may not have shown that it is Alertmanager's.
  const bool broken_alert =
      !valid && (found.status.text == "firing" || found.status.text == "resolved");
  if (reader.alerts() || broken_alert) {
    if (!status.set() && found.status.text == "resolved") status.text = "log";
    return;
  }
  status.Offer(found.status.text);
  message.Offer(found.message.text);
  value.Offer(found.value.text);
  ping.Offer(found.ping.text);
  run.Offer(found.run.text);
  exit_status.Offer(found.exit_status.text);
  create.Offer(found.create.text);
}

void PushParser::Fields::OfferStatusOfJson(std::string_view body) {
  ParameterSet found;
  JsonReader reader(found);
  const bool valid = nlohmann::json::sax_parse(body, &reader) && reader.is_object();
  OfferStatus(valid ? FirstWord(found.status.text) : FindStatus(body));
}

absl::Status PushParser::Fields::InterpretAction(std::string_view action, PushParameters& out) {
  if (EqualsIgnoreCase(action, "start")) {
    out.kind = PushKind::kStart;
  } else if (EqualsIgnoreCase(action, "fail")) {
    out.kind = PushKind::kDown;
  } else if (EqualsIgnoreCase(action, "log")) {
    out.kind = PushKind::kLog;
  } else if (const auto number = ReadExitStatus(action)) {
    out.exit_status = number;
    out.kind = *number == 0 ? PushKind::kUp : PushKind::kDown;
  } else {
    CleanUtf8(action, kMaxQuoted, text);
    return absl::InvalidArgumentError(
        "the path must end with the monitor, start, fail, log or an exit status from 0 to 255; it "
        "ends with \"" +
        text + "\"");
  }
  return absl::OkStatus();
}

absl::Status PushParser::Fields::InterpretStatus(PushParameters& out) {
  const std::string_view word = TrimSpace(status.text);
  const auto kind = word.empty() ? PushKind::kUp : ReadStatus(word);
  if (!kind) {
    std::string accepted;
    for (const StatusWord& known : kStatusWords) {
      accepted.append(accepted.empty() ? "" : ", ").append(known.word);
    }
    CleanUtf8(word, kMaxQuoted, text);
    return absl::InvalidArgumentError("status must be one of " + accepted + "; it is \"" + text +
                                      "\"");
  }
  out.kind = *kind;
  return absl::OkStatus();
}

// One that we cannot keep is no success: a failure must not get lost in how it is said.
void PushParser::Fields::InterpretExitStatus(bool decides, PushParameters& out) {
  const std::string_view number = TrimSpace(exit_status.text);
  if (number.empty() || out.exit_status) return;
  out.exit_status = ReadExitStatus(number);
  if (decides && out.exit_status != 0) out.kind = PushKind::kDown;
  if (out.exit_status) return;
  CleanUtf8(number, kMaxQuoted, text);
  Warn("exit_status must be a number from 0 to 255 and was not kept; it is \"" + text + "\"", out);
}

absl::Status PushParser::Fields::Interpret(std::string_view action, PushParameters& out) {
  if (!action.empty()) {
    if (absl::Status read = InterpretAction(action, out); !read.ok()) return read;
  } else if (status.set()) {
    if (absl::Status read = InterpretStatus(out); !read.ok()) return read;
  }
  if (!stranger.empty() && !status.set() && action.empty() && !exit_status.set()) {
    Warn("it counts as up: \"" + stranger + "\" is not a parameter; status=down tells a failure",
         out);
  }
  InterpretExitStatus(/*decides=*/action.empty() && TrimSpace(status.text).empty(), out);
  if (message.set()) CleanUtf8(message.text, kMaxMessageBytes, out.message);
  if (run.set()) {
    const std::string_view id = TrimSpace(run.text);
    CleanUtf8(id, 3 * kMaxRunIdBytes, out.run_id);
    if (id.size() > kMaxRunIdBytes || out.run_id.size() > kMaxRunIdBytes) {
      return absl::InvalidArgumentError("run must be at most 64 bytes long");
    }
  }
  const std::string_view wish = TrimSpace(create.text);
  out.create = wish == "1" || EqualsIgnoreCase(wish, "true");
  const bool is_value = !TrimSpace(value.text).empty();
  const std::string_view number = TrimSpace(is_value ? value.text : ping.text);
  if (!number.empty()) {
    double parsed = 0;
    if (absl::SimpleAtod({number.data(), number.size()}, &parsed) && std::isfinite(parsed)) {
      out.value = parsed;
    } else {
      CleanUtf8(number, kMaxQuoted, text);
      Warn(std::string(is_value ? "value" : "ping") +
               " must be a finite number and was ignored; it is \"" + text + "\"",
           out);
    }
  }
  return absl::OkStatus();
}

PushParser::PushParser() : fields_(new Fields) {}
PushParser::~PushParser() { delete fields_; }

absl::Status PushParser::Parse(const PushInput& input, PushParameters& out) {
  out.Clear();
  const bool readable = input.body.empty() || !IsCompressed(input.content_encoding);
  const BodyKind body =
      input.body.empty() || !readable ? BodyKind::kNone : KindOf(input.content_type);
  const bool multipart = readable && body == BodyKind::kNone && !input.body.empty() &&
                         StartsWithIgnoreCase(TrimSpace(input.content_type), "multipart/");
  // The end of what a job says is where it says what went wrong.
  if (!readable) {
    Warn("the body is compressed and was not read; send it as it is", out);
  } else if (body == BodyKind::kNone && !input.body.empty()) {
    if (multipart) {
      Warn(
          "the body is multipart and was kept as output; but for its status, parameters are read "
          "from application/x-www-form-urlencoded and application/json",
          out);
    }
    out.output.assign(
        input.body.substr(input.body.size() - std::min(input.body.size(), kMaxOutputBytes)));
  }
  if (input.query.empty() && body == BodyKind::kNone && input.action.empty() && !multipart) {
    return absl::OkStatus();
  }
  fields_->Clear();
  fields_->ReadForm(input.query);
  if (body == BodyKind::kForm) {
    // curl -d says so of whatever it sends, and editors begin a file with a byte order mark.
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    std::string_view form = input.body;
    if (form.substr(0, kMark.size()) == kMark) form.remove_prefix(kMark.size());
    if (TrimSpace(form).substr(0, 1) == "{") {
      out.warning =
          "the body looks like JSON but its Content-Type says it is a form; only its status was "
          "read";
      fields_->OfferStatusOfJson(form);
    } else if (MayBeForm(form)) {
      fields_->ReadForm(form);
    } else if (form.find('=') != std::string_view::npos) {
      out.warning =
          "the body is no form but its Content-Type says so; it was ignored, and with another "
          "Content-Type is kept as output";
    }
  }
  if (multipart) fields_->OfferStatus(FindStatusPart(input.content_type, input.body));
  if (body == BodyKind::kJson) fields_->ReadJson(input.body, out.warning);
  return fields_->Interpret(input.action, out);
}

}  // namespace tocsin::gateway
