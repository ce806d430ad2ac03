# Language level, warnings, sanitizers and the speed of the build.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(TOCSIN_WERROR "Treat warnings as errors" OFF)
option(TOCSIN_BUILD_TESTS "Build the tests" ON)
option(TOCSIN_BUILD_BENCHMARKS "Build the benchmarks" ON)
set(TOCSIN_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

# Warnings apply to our code only: generated code and dependencies are SYSTEM.
add_library(tocsin_warnings INTERFACE)
target_compile_options(tocsin_warnings INTERFACE -Wall -Wextra -Wnon-virtual-dtor)
if(TOCSIN_WERROR)
  # What a newer release of a library deprecates is no reason not to build with it.
  target_compile_options(tocsin_warnings INTERFACE -Werror -Wno-error=deprecated-declarations)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tocsin_warnings INTERFACE -Wthread-safety -Werror=thread-safety)
  # Boost.Asio 1.74 looks for Clang's experimental coroutines; Clang 14 and libstdc++ 12 have the
  # standard ones.
  add_compile_definitions(BOOST_ASIO_HAS_CO_AWAIT=1 BOOST_ASIO_HAS_STD_COROUTINE=1)
endif()

if(TOCSIN_SANITIZE)
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
  if(TOCSIN_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # fences, which libstdc++ has and TSan does not follow
  endif()
endif()

find_program(TOCSIN_CCACHE ccache)
if(TOCSIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TOCSIN_CCACHE})
endif()
# The newest that is installed: Debian's packages lld-N lie side by side. GCC knows no other way to
# name one than the folder in which it lies.
file(GLOB linkers /usr/lib/llvm-*/bin/ld.lld)
list(SORT linkers COMPARE NATURAL ORDER DESCENDING)
if(linkers)
  list(GET linkers 0 linker)
  string(REGEX MATCH "llvm-([0-9]+)" _ ${linker})
  set(TOCSIN_LLD_RELEASE ${CMAKE_MATCH_1})
  get_filename_component(folder ${linker} DIRECTORY)
  add_link_options(-B${folder} -fuse-ld=lld)
endif()
