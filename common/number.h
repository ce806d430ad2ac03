// Numbers as people read them.
#pragma once

#include <string>

namespace tocsin {

// The shortest decimal text that reads back as the same double: "0.1", "1234567", "-0.5". With an
// exponent only where there would be many zeros, below 1e-6 and from 1e15 on. "inf", "-inf", "nan".
std::string NumberText(double number);

}  // namespace tocsin
