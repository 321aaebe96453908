# Compiler settings every target shares. Sanitizers and the fuzzer come as presets (CMakePresets.json).
option(RINGWEIR_TESTS "build the tests" ON)
option(RINGWEIR_BENCH "build bench/" ON)
option(RINGWEIR_FUZZ "build only the fuzz targets (clang)" OFF)
set(RINGWEIR_SANITIZE "" CACHE STRING "address,undefined or thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(ringweir_options INTERFACE)
target_include_directories(ringweir_options INTERFACE "${CMAKE_SOURCE_DIR}/include")
target_compile_options(ringweir_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
  -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang 19 sees through libstdc++ 12's own use of what the standard has deprecated since (std::stable_sort).
  target_compile_options(ringweir_options INTERFACE -Wno-deprecated-declarations)
endif()
target_compile_definitions(ringweir_options INTERFACE RINGWEIR_VERSION="${PROJECT_VERSION}")
# The data path is compiled as one program: a datagram's way crosses six modules. What that gains is
# not settled: see DECISIONS.md. Fat objects, so that tests link in no time (-fno-lto).
set(RINGWEIR_DATA_PATH_OPTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT RINGWEIR_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(RINGWEIR_DATA_PATH_OPTIONS -O3 -flto=auto -ffat-lto-objects)
  add_link_options($<$<NOT:$<BOOL:$<TARGET_PROPERTY:RINGWEIR_WHOLE_PROGRAM>>>:-fno-lto>
                   $<$<BOOL:$<TARGET_PROPERTY:RINGWEIR_WHOLE_PROGRAM>>:-flto=auto>)
endif()
if(RINGWEIR_SANITIZE)
  target_compile_options(ringweir_options INTERFACE -fsanitize=${RINGWEIR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ringweir_options INTERFACE -fsanitize=${RINGWEIR_SANITIZE})
endif()
if(RINGWEIR_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # liburcu's and our own fences are seen through the atomics around them; GCC only warns that TSan skips fences.
  target_compile_options(ringweir_options INTERFACE -Wno-tsan)
endif()
if(RINGWEIR_FUZZ)
  target_compile_options(ringweir_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  target_link_options(ringweir_options INTERFACE -fsanitize=address,undefined)
endif()
