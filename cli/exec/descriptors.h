// File descriptors that keep out of the way of the standard streams.
#pragma once

namespace tocsin::cli {

// The same file as `fd`, which is closed, under a number of 3 or above and closed on exec. A
// program may be started without its standard streams; then a new file would become one. -1 stays
// -1.
int MovedUp(int fd);

// A pipe of such descriptors; false when there are none left.
bool MakePipe(int& read_end, int& write_end);

// Whether there is such a stream.
bool IsOpen(int fd);

// Whether both are one file: then what is written to either must stay in order.
bool IsSameFile(int a, int b);

// Makes `fd` lead to /dev/null, whatever it was.
void PointToNull(int fd);

}  // namespace tocsin::cli
