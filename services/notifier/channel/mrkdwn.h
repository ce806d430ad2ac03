// Text for chats that read Slack's markup.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace tocsin::notifier {

// `text` as PlainText writes it, for Slack, and for Mattermost and Discord, which read their own
// markup beside Slack's: `&`, `<` and `>` become entities, so that nothing in it is a link or a
// mention such as `<!channel>`; a zero-width space breaks `@here` and `[text](address)`, which
// Mattermost and Discord would follow; an `@` in an address is `%40`. At most `max_bytes` of
// output, with "…" in place of the rest.
std::string Mrkdwn(absl::string_view text, size_t max_bytes);

}  // namespace tocsin::notifier
