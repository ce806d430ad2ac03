// A named statement, prepared once on each session that uses it.
#pragma once

namespace tocsin::core::pg {

// Instances are constants with static lifetime; the name is unique among them. Results enumerate
// their columns, and every parameter is cast.
struct Statement {
  const char* name;
  const char* sql;
};

}  // namespace tocsin::core::pg
