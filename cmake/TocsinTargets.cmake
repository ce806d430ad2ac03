# The three kinds of target that this project has.

# What executables get besides, depending on the build.
add_library(tocsin_executable INTERFACE)
if(TOCSIN_SANITIZE STREQUAL "thread")
  target_sources(tocsin_executable INTERFACE ${CMAKE_SOURCE_DIR}/common/testing/tsan_mutex.cc)
  target_link_libraries(tocsin_executable INTERFACE absl::synchronization ${CMAKE_DL_LIBS})
endif()

# tocsin_library(NAME SOURCES f.cc… [DEPS target…])
#   A static library whose headers are included by their path from the top of the tree.
function(tocsin_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE tocsin_warnings)
endfunction()

# What makes services small in memory (docs/performance.md, P9); lld can do both from its release 15
# on. The relocations of what is linked statically are packed: half a megabyte less to read at the
# start. And what runs from the start to idling lies side by side: tools/function_order.py.
set(function_order ${CMAKE_SOURCE_DIR}/cmake/function_order.txt)
if(TOCSIN_LLD_RELEASE GREATER_EQUAL 15 AND NOT TOCSIN_SANITIZE)
  set(TOCSIN_LINKS_SMALL ON)
endif()

# tocsin_binary(NAME SOURCES f.cc… [DEPS target…])
function(tocsin_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} tocsin_warnings tocsin_executable)
  if(TOCSIN_LINKS_SMALL)
    target_link_options(${name} PRIVATE -Wl,-z,pack-relative-relocs
      -Wl,--symbol-ordering-file=${function_order} -Wl,--no-warn-symbol-ordering)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${function_order})
  endif()
endfunction()

# The tests that need PostgreSQL share one throw-away server, which CTest starts and stops. Its
# folder is short, since the path of a unix socket may not exceed 107 bytes.
if(TOCSIN_BUILD_TESTS)
  string(MD5 build_hash ${CMAKE_BINARY_DIR})
  string(SUBSTRING ${build_hash} 0 10 build_hash)
  set(TOCSIN_TEST_POSTGRES /tmp/tocsin-test-${build_hash})
  foreach(verb start stop)
    add_test(NAME postgres_${verb}
      COMMAND ${CMAKE_SOURCE_DIR}/tools/test-postgres ${verb} ${TOCSIN_TEST_POSTGRES})
    set_tests_properties(postgres_${verb} PROPERTIES TIMEOUT 60)
  endforeach()
  set_tests_properties(postgres_start PROPERTIES FIXTURES_SETUP postgres)
  set_tests_properties(postgres_stop PROPERTIES FIXTURES_CLEANUP postgres)
endif()

# tocsin_test(NAME SOURCES f.cc… [DEPS target…] [LABELS l…] [TIMEOUT s] [ENVIRONMENT K=V…]
#             [POSTGRES])
#   One GoogleTest binary, one CTest test. With POSTGRES, TOCSIN_TEST_DATABASE_URL reaches a server
#   as superuser: make a database of your own.
function(tocsin_test name)
  cmake_parse_arguments(ARG "POSTGRES" "TIMEOUT" "SOURCES;DEPS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT TOCSIN_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main tocsin_warnings
    tocsin_executable)
  # Tests run briefly and are compiled often. (Precompiled headers would save as much again, but
  # with them GCC 12 takes the system's headers for ours and warns about them.)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(TOCSIN_SANITIZE STREQUAL "thread")
    list(APPEND ARG_ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp")
  endif()
  if(ARG_POSTGRES)
    list(APPEND ARG_ENVIRONMENT
      "TOCSIN_TEST_DATABASE_URL=postgresql:///postgres?host=${TOCSIN_TEST_POSTGRES}&user=tocsin")
    # One after the other: they look at what the server counts, and at its locks.
    set_tests_properties(${name} PROPERTIES
      FIXTURES_REQUIRED postgres RESOURCE_LOCK postgres)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
