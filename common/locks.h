// How a program's locks behave.
#pragma once

namespace tocsin {

// Ends the search for deadlocks that Abseil's mutexes make at every lock: Debian builds Abseil with
// it, and it costs some percent of a busy service. Debug builds keep it, and the thread sanitizer
// searches, too. To be called before threads start.
void TrustLocks();

}  // namespace tocsin
