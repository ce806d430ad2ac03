// The language by which lists of monitors are filtered.
#include "services/core/domain/monitor_filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

constexpr std::string_view kField = "filter";
constexpr std::string_view kLabels = "labels.";
constexpr std::string_view kTerms =
    "terms joined by AND, each one of: state, severity, owner or labels.KEY = VALUE; labels.KEY:*; "
    "id:TEXT; display_name:TEXT; TEXT";
constexpr std::string_view kQuotes =
    "letters, digits and _ . - / @; anything else in double quotes, with \\\" and \\\\ for \" and "
    "\\";
constexpr std::string_view kStates = "NEW, UP, DOWN, PAUSED";
constexpr std::string_view kSeverities = "CRITICAL, ERROR, WARNING, INFO";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsWordByte(char c) {
  return absl::ascii_isalnum(c) || static_cast<unsigned char>(c) >= 0x80 || c == '_' || c == '.' ||
         c == '-' || c == '/' || c == '@';
}

struct Token {
  enum class Kind { kEnd, kWord, kQuoted, kOperator, kStar };
  Kind kind = Kind::kEnd;
  std::string text;
  size_t at = 0;  // where it begins, in bytes
};

// Cuts the text into tokens and words its faults.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  absl::StatusOr<Token> Next() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    Token token;
    token.at = at_;
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (c == '"') return Quoted();
    if (c == '-') return Fault(at_, "negation is not supported", kTerms);
    if (c == '(' || c == ')') return Fault(at_, "parentheses are not supported", kTerms);
    if (c == '!' || c == '<' || c == '>') {
      return Fault(at_, absl::StrCat("there is no comparison ", Comparison()), "= and :");
    }
    if (c == '=' || c == ':' || c == '*') {
      ++at_;
      token.kind = c == '*' ? Token::Kind::kStar : Token::Kind::kOperator;
      token.text = c;
      return token;
    }
    if (!IsWordByte(c))
      return Fault(at_, absl::StrCat("\"", Sign(), "\" is not expected"), kQuotes);
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    token.kind = Token::Kind::kWord;
    token.text = std::string(text_.substr(token.at, at_ - token.at));
    return token;
  }

  absl::Status Fault(size_t at, std::string_view problem, std::string_view accepted) const {
    const auto before = text_.substr(0, at);
    const auto position = 1 + std::count_if(before.begin(), before.end(), [](char c) {
                            return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                          });
    return InvalidField(kField, absl::StrCat("at position ", position, ": ", std::string(problem)),
                        accepted);
  }

 private:
  absl::StatusOr<Token> Quoted() {
    Token token;
    token.kind = Token::Kind::kQuoted;
    token.at = at_++;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return token;
      }
      if (text_[at_] == '\\') {
        const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (escaped != '"' && escaped != '\\') {
          return Fault(at_, "the backslash escapes nothing", "\\\" and \\\\");
        }
        ++at_;
      }
      token.text += text_[at_];
    }
    return Fault(token.at, "the quotes that begin here do not end", kQuotes);
  }

  std::string Comparison() const {
    const bool two = at_ + 1 < text_.size() && text_[at_ + 1] == '=';
    return std::string(text_.substr(at_, two ? 2 : 1));
  }

  // Control characters are not repeated in errors.
  std::string Sign() const {
    return absl::ascii_iscntrl(text_[at_]) ? "a control character" : std::string(1, text_[at_]);
  }

  const std::string_view text_;
  size_t at_ = 0;
};

// The word of the glossary in what may be the name of an enum's value, too: "up" of STATE_UP.
std::string WordOf(const Token& value, absl::string_view prefix) {
  const std::string lower = LowerAscii(value.text);
  return std::string(absl::StripPrefix(lower, prefix));
}

// Sets what was not asked before; two values that differ exclude each other.
template <typename Value>
void Ask(std::optional<Value>& wanted, Value value, MonitorFilter& filter) {
  if (wanted.has_value() && *wanted != value) filter.nothing = true;
  wanted = std::move(value);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) {}

  absl::StatusOr<MonitorFilter> Parse() {
    RETURN_IF_ERROR(Advance());
    int terms = 0;
    bool after_and = false;
    while (next_.kind != Token::Kind::kEnd) {
      if (IsWord("AND")) {
        if (terms == 0 || after_and) {
          return scanner_.Fault(next_.at, "AND has no term before it", kTerms);
        }
        after_and = true;
        RETURN_IF_ERROR(Advance());
        continue;
      }
      RETURN_IF_ERROR(RefuseOtherJunctions());
      if (++terms > kMaxFilterTerms) {
        return scanner_.Fault(next_.at, "there are too many terms",
                              absl::StrCat("at most ", kMaxFilterTerms));
      }
      RETURN_IF_ERROR(ParseTerm());
      after_and = false;
    }
    if (after_and) return scanner_.Fault(next_.at, "AND has no term after it", kTerms);
    return std::move(filter_);
  }

 private:
  absl::Status Advance() {
    ASSIGN_OR_RETURN(next_, scanner_.Next());
    return absl::OkStatus();
  }

  bool IsWord(std::string_view word) const {
    return next_.kind == Token::Kind::kWord && next_.text == word;
  }

  // Also in lower case, where they would be taken for texts that nothing contains.
  absl::Status RefuseOtherJunctions() const {
    if (next_.kind != Token::Kind::kWord) return absl::OkStatus();
    const std::string upper = absl::AsciiStrToUpper(next_.text);
    if (upper == "OR" || upper == "NOT") {
      return scanner_.Fault(
          next_.at, absl::StrCat(next_.text, " is not supported; as a text it stands in quotes"),
          kTerms);
    }
    if (upper == "AND") {
      return scanner_.Fault(
          next_.at, absl::StrCat(next_.text, " is no AND; as a text it stands in quotes"), kTerms);
    }
    return absl::OkStatus();
  }

  absl::Status ParseTerm() {
    const Token first = next_;
    if (first.kind == Token::Kind::kOperator) {
      return scanner_.Fault(first.at, absl::StrCat("there is no field before ", first.text),
                            kTerms);
    }
    if (first.kind == Token::Kind::kStar) {
      return scanner_.Fault(first.at, "* stands only in labels.KEY:*", kQuotes);
    }
    RETURN_IF_ERROR(Advance());
    if (next_.kind != Token::Kind::kOperator) {
      RETURN_IF_ERROR(RefuseLabelAlone(first));
      return AddText(TextTerm::In::kEither, first);
    }
    if (first.kind == Token::Kind::kQuoted) {
      return scanner_.Fault(first.at, "a field does not stand in quotes", kTerms);
    }
    const Token op = next_;
    RETURN_IF_ERROR(Advance());
    const Token value = next_;
    if (value.kind == Token::Kind::kEnd || value.kind == Token::Kind::kOperator) {
      return scanner_.Fault(value.at, absl::StrCat("a value is missing after ", op.text), kQuotes);
    }
    RETURN_IF_ERROR(AddComparison(first, op, value));
    return Advance();
  }

  // Elsewhere it asks whether there is such a label; here it would be a text that nothing contains.
  absl::Status RefuseLabelAlone(const Token& term) const {
    if (term.kind != Token::Kind::kWord || !absl::StartsWith(term.text, "labels.")) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckLabelKey(term));
    return scanner_.Fault(
        term.at, absl::StrCat("nothing is asked of ", term.text, "; as a text it stands in quotes"),
        absl::StrCat(term.text, ":*, that there is such a label; ", term.text, " = VALUE"));
  }

  absl::Status CheckLabelKey(const Token& field) const {
    if (IsLabelKey(field.text.substr(kLabels.size()))) return absl::OkStatus();
    return scanner_.Fault(field.at + kLabels.size(), "this is no key of a label",
                          "keys of 1 to 63 of [a-z0-9_.-]");
  }

  absl::Status AddComparison(const Token& field, const Token& op, const Token& value) {
    const bool is_label = absl::StartsWith(field.text, "labels.");
    if (value.kind == Token::Kind::kStar && !(is_label && op.text == ":")) {
      return scanner_.Fault(value.at, "* stands only in labels.KEY:*", kQuotes);
    }
    if (is_label) return AddLabel(field, value);
    if (field.text == "state") return AddState(value);
    if (field.text == "severity") return AddSeverity(value);
    if (field.text == "owner") {
      Ask(filter_.owner, value.text, filter_);
      return absl::OkStatus();
    }
    const bool is_id = field.text == "id";
    if (!is_id && field.text != "display_name" && field.text != "displayName") {
      return scanner_.Fault(field.at, absl::StrCat("there is no field \"", field.text, "\""),
                            "state, severity, owner, labels.KEY, id, display_name");
    }
    if (op.text != ":") {
      return scanner_.Fault(op.at, absl::StrCat(field.text, " is not compared with ="),
                            absl::StrCat(field.text, ":TEXT, which it contains"));
    }
    return AddText(is_id ? TextTerm::In::kId : TextTerm::In::kDisplayName, value);
  }

  absl::Status AddState(const Token& value) {
    const std::optional<State> state = ParseState(WordOf(value, "state_"));
    if (!state.has_value()) {
      return scanner_.Fault(value.at, absl::StrCat("there is no state \"", value.text, "\""),
                            kStates);
    }
    Ask(filter_.state, *state, filter_);
    return absl::OkStatus();
  }

  absl::Status AddSeverity(const Token& value) {
    const std::optional<Severity> severity = ParseSeverity(WordOf(value, "severity_"));
    if (!severity.has_value()) {
      return scanner_.Fault(value.at, absl::StrCat("there is no severity \"", value.text, "\""),
                            kSeverities);
    }
    Ask(filter_.severity, *severity, filter_);
    return absl::OkStatus();
  }

  absl::Status AddLabel(const Token& field, const Token& value) {
    RETURN_IF_ERROR(CheckLabelKey(field));
    const std::string key = field.text.substr(kLabels.size());
    if (value.kind == Token::Kind::kStar) {
      filter_.label_keys.insert(key);
      return absl::OkStatus();
    }
    const auto [label, is_new] = filter_.labels.try_emplace(key, value.text);
    if (!is_new && label->second != value.text) filter_.nothing = true;
    return absl::OkStatus();
  }

  absl::Status AddText(TextTerm::In in, const Token& value) {
    if (value.text.empty()) {
      return scanner_.Fault(value.at, "the text is empty", kTerms);
    }
    filter_.texts.push_back({.in = in, .text = LowerAscii(value.text)});
    return absl::OkStatus();
  }

  Scanner scanner_;
  Token next_;
  MonitorFilter filter_;
};

bool ContainsText(const TextTerm& term, const MonitorDefinition& definition) {
  const auto contains = [&](const std::string& text) {
    return LowerAscii(text).find(term.text) != std::string::npos;
  };
  return (term.in != TextTerm::In::kDisplayName && contains(definition.id)) ||
         (term.in != TextTerm::In::kId && contains(definition.display_name));
}

}  // namespace

absl::StatusOr<MonitorFilter> ParseMonitorFilter(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return InvalidField(kField, absl::StrCat("it has ", text.size(), " bytes"),
                        absl::StrCat("at most ", kMaxFilterBytes, " bytes"));
  }
  if (!IsCleanText(text)) {
    return InvalidField(kField, "it is not valid text", "UTF-8 without NUL");
  }
  return Parser(text).Parse();
}

bool Matches(const MonitorFilter& filter, const Monitor& monitor) {
  const MonitorDefinition& definition = monitor.definition;
  const auto has = [&](const Labels::value_type& wanted) {
    const auto label = definition.labels.find(wanted.first);
    return label != definition.labels.end() && label->second == wanted.second;
  };
  return !filter.nothing && (!filter.state || *filter.state == monitor.state.state) &&
         (!filter.severity || *filter.severity == definition.severity) &&
         (!filter.owner || *filter.owner == definition.owner) &&
         std::all_of(filter.labels.begin(), filter.labels.end(), has) &&
         std::all_of(filter.label_keys.begin(), filter.label_keys.end(),
                     [&](const std::string& key) { return definition.labels.contains(key); }) &&
         std::all_of(filter.texts.begin(), filter.texts.end(),
                     [&](const TextTerm& term) { return ContainsText(term, definition); });
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

}  // namespace tocsin::core
