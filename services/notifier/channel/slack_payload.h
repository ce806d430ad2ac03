// The JSON body of an incoming webhook of Slack.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// One attachment: the summary as text, coloured by how bad it is, with what the monitor is about.
// Attachments and not blocks, since Mattermost, and Discord under `/slack`, read only these. Within
// the limits of all three (see docs/api.md). A pure function of the message; always valid UTF-8.
std::string SlackPayload(const Message& message);

}  // namespace tocsin::notifier
