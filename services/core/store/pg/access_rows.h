// How projects and keys are read from rows.
#pragma once

#include "services/core/domain/api_key.h"
#include "services/core/domain/project.h"
#include "services/core/store/pg/rows.h"

namespace tocsin::core::pg {

// The columns that ReadProject reads, of project p.
#define TOCSIN_PROJECT_COLUMNS \
  "p.project_id, p.id, p.display_name, p.created_at, p.updated_at, p.version"

// Those that ReadApiKey reads, of api_key k and its project p.
#define TOCSIN_KEY_COLUMNS                                                               \
  "k.api_key_id, k.project_id, coalesce(p.id, '-'), k.id, k.display_name, k.role, "      \
  "k.expires_at, k.push, k.created_at, k.updated_at, k.used_at, k.revoked_at, "          \
  "k.version, (SELECT s.prefix FROM api_key_secret s WHERE s.api_key_id = k.api_key_id " \
  "ORDER BY s.created_at DESC LIMIT 1)"

#define TOCSIN_KEY_TABLES "api_key k LEFT JOIN project p ON p.project_id = k.project_id "

Project ReadProject(Row& row);
// DATA_LOSS when its grant is damaged.
absl::StatusOr<ApiKey> ReadApiKey(Row& row);

}  // namespace tocsin::core::pg
