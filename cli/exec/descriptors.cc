// File descriptors that keep out of the way of the standard streams.
#include "cli/exec/descriptors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::cli {

int MovedUp(int fd) {
  if (fd < 0) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  close(fd);
  return moved;
}

bool MakePipe(int& read_end, int& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end = MovedUp(ends[0]);
  write_end = MovedUp(ends[1]);
  return read_end >= 0 && write_end >= 0;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

bool IsSameFile(int a, int b) {
  struct stat first, second;
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

void PointToNull(int fd) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || null == fd) return;
  dup2(null, fd);
  close(null);
}

}  // namespace tocsin::cli
