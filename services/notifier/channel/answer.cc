// What a receiver means by its answer.
#include "services/notifier/channel/answer.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

// Slack's words, the whole body, for a webhook that will never work again.
constexpr std::array<absl::string_view, 6> kSlackIsGone = {
    "no_service",          "no_team",      "team_disabled", "channel_not_found",
    "channel_is_archived", "invalid_token"};

// Discord's codes for one that was deleted, or whose token is wrong.
constexpr std::array<absl::string_view, 2> kDiscordIsGone = {"10015", "50027"};

constexpr absl::string_view kMattermostWebhook = "\"web.incoming_webhook.";

// Whether `body` is JSON that has `"code": CODE`; good enough for an answer that is cut.
bool HasCode(absl::string_view body, absl::string_view code) {
  constexpr absl::string_view kKey = "\"code\"";
  const size_t key = body.find(kKey);
  if (key == absl::string_view::npos) return false;
  body.remove_prefix(key + kKey.size());
  const size_t digits = body.find_first_not_of(": ");
  if (digits == absl::string_view::npos) return false;
  body.remove_prefix(digits);
  return absl::StartsWith(body, code) &&
         (body.size() == code.size() || !absl::ascii_isdigit(body[code.size()]));
}

bool ChatIsGone(absl::string_view body) {
  const absl::string_view word = absl::StripAsciiWhitespace(body);
  return std::find(kSlackIsGone.begin(), kSlackIsGone.end(), word) != kSlackIsGone.end() ||
         std::any_of(kDiscordIsGone.begin(), kDiscordIsGone.end(),
                     [body](absl::string_view code) { return HasCode(body, code); });
}

// So much of a secret gives it away.
constexpr size_t kTellingBytes = 8;
constexpr size_t kLeastSecretBytes = 4;
constexpr size_t kShownBytes = 200;

bool Repeats(absl::string_view answer, absl::string_view secret) {
  return secret.size() >= kTellingBytes &&
         absl::StrContains(answer, secret.substr(0, kTellingBytes));
}

// Whether it has all of what is long enough to be told from a word of the answer's own.
bool HasAll(absl::string_view answer, absl::string_view secret) {
  return secret.size() >= kLeastSecretBytes && absl::StrContains(answer, secret);
}

// `user` is "name:password": as it stands, the password alone, or as HTTP sends it.
bool RepeatsUser(absl::string_view answer, absl::string_view user) {
  const absl::string_view password = user.substr(user.find(':') + 1);
  return Repeats(answer, user) || Repeats(answer, password) || HasAll(answer, password) ||
         absl::StrContains(answer, absl::Base64Escape(user));
}

bool IsWordCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

// Whether it has `word` and not as a part of a longer one.
bool HasWord(absl::string_view answer, absl::string_view word) {
  for (size_t at = answer.find(word); at != absl::string_view::npos;
       at = answer.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsWordCharacter(answer[at - 1])) &&
        (end == answer.size() || !IsWordCharacter(answer[end]))) {
      return true;
    }
  }
  return false;
}

constexpr std::array<absl::string_view, 5> kSchemes = {"apikey", "basic", "bearer", "digest",
                                                       "token"};

// Whether `value` goes on with what its last word is the name of: "session" of "session=TOKEN". The
// ends of base64 are none.
bool IsNamed(absl::string_view rest) {
  if (!absl::ConsumePrefix(&rest, "=")) return false;
  absl::ConsumePrefix(&rest, "\"");
  return !rest.empty() && IsWordCharacter(rest.front());
}

// Whether it has a word of a header's value: "Bearer TOKEN", "session=TOKEN". Those of a scheme or
// a parameter are none, and what follows "Basic" is a user, too.
bool RepeatsHeader(absl::string_view answer, absl::string_view value) {
  const absl::string_view scheme = value.substr(0, value.find(' '));
  if (std::any_of(kSchemes.begin(), kSchemes.end(), [scheme](absl::string_view known) {
        return absl::EqualsIgnoreCase(known, scheme);
      })) {
    value.remove_prefix(std::min(scheme.size() + 1, value.size()));
    if (value.empty()) return false;
    std::string user;
    if (absl::Base64Unescape(value, &user) && RepeatsUser(answer, user)) return true;
  }
  // It may have no word that is long enough.
  if (value.size() >= kLeastSecretBytes && HasWord(answer, value)) return true;
  for (size_t begin = 0; begin < value.size();) {
    size_t end = begin;
    while (end < value.size() && IsWordCharacter(value[end])) ++end;
    const absl::string_view word = value.substr(begin, end - begin);
    const bool repeats =
        Repeats(answer, word) || (word.size() >= kLeastSecretBytes && HasWord(answer, word));
    if (repeats && !IsNamed(value.substr(end))) return true;
    begin = end + 1;
  }
  return false;
}

// Whether the answer has the beginning of a secret, or of a part of the URL after its host.
bool RepeatsSecrets(absl::string_view answer, const Destination& destination) {
  for (const std::string& secret : destination.secrets) {
    if (Repeats(answer, absl::StripPrefix(secret, "whsec_"))) return true;
  }
  for (const auto& [name, value] : destination.headers) {
    if (RepeatsHeader(answer, value)) return true;
  }
  absl::string_view url = destination.url;
  const size_t scheme = url.find("://");
  if (scheme != absl::string_view::npos) url.remove_prefix(scheme + 3);
  const size_t at = url.substr(0, url.find_first_of("/?#")).rfind('@');
  if (at != absl::string_view::npos && RepeatsUser(answer, url.substr(0, at))) return true;
  const size_t host_end = url.find_first_of("/?#");
  if (host_end == absl::string_view::npos) return false;
  url.remove_prefix(host_end);
  // The end of a path is what tells webhooks apart, however short it is.
  const absl::string_view path = url.substr(0, url.find_first_of("?#"));
  if (HasAll(answer, path.substr(path.rfind('/') + 1))) return true;
  for (const absl::string_view part : absl::StrSplit(url, absl::ByAnyChar("/?#&="))) {
    if (Repeats(answer, part)) return true;
  }
  return false;
}

}  // namespace

Outcome JudgeAnswer(Format format, const HttpResult& result) {
  if (result.outcome != Outcome::kStatus4xx) return result.outcome;
  const bool refused = result.status == 400 || result.status == 413;
  switch (format) {
    case Format::kSlack:
      if (ChatIsGone(result.answer)) return Outcome::kGone;
      if (absl::StrContains(result.answer, kMattermostWebhook)) return result.outcome;
      return refused ? Outcome::kRejected : result.outcome;
    case Format::kPagerDuty:
      return refused ? Outcome::kRejected : result.outcome;
    default:
      return result.outcome;
  }
}

std::string AnswerToShow(const Delivery& delivery, const HttpResult& result) {
  if (result.outcome == Outcome::kOk && delivery.message.type != kChannelTest) return "";
  if (RepeatsSecrets(result.answer, delivery.destination)) return "";
  return PlainText(absl::StripAsciiWhitespace(result.answer), kShownBytes);
}

}  // namespace tocsin::notifier
