# SPDX-License-Identifier: MIT
#
# CMake toolchain file: add_executable(NAME ...) makes NAME.sys, a driver for fltvm.
#
#   cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE=<fltvm>/sdk/toolchain/fltvm.cmake
#
# The compiler's flags are source.cfg's; linking is done by `fltvm cc`, so fltvm must have been built (./fltvm build;
# the environment's FLTVM_BUILD names another build folder).  The SDK's headers are found in any case, the driver's own as
# they are spelled.  -DFLTVM_ENTRY=NAME: another entry point than DriverEntry.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

find_program(FLTVM_CLANG NAMES clang-19 clang REQUIRED)
find_program(FLTVM_AR NAMES llvm-ar-19 llvm-ar REQUIRED)
set(CMAKE_C_COMPILER "${FLTVM_CLANG}")
set(CMAKE_CXX_COMPILER "${FLTVM_CLANG}")
set(CMAKE_ASM_COMPILER "${FLTVM_CLANG}")
set(CMAKE_AR "${FLTVM_AR}")

set(fltvm_cxx_flags "\"--config=${CMAKE_CURRENT_LIST_DIR}/cxx.cfg\"")
set(fltvm_flags "\"--config=${CMAKE_CURRENT_LIST_DIR}/source.cfg\"")
if(DEFINED ENV{FLTVM_BUILD})
  set(fltvm_build "$ENV{FLTVM_BUILD}")
else()
  get_filename_component(fltvm_build "${CMAKE_CURRENT_LIST_DIR}/../../build" ABSOLUTE)
endif()
if(EXISTS "${fltvm_build}/sdk/headers.vfs")
  string(APPEND fltvm_cxx_flags " -ivfsoverlay \"${fltvm_build}/sdk/headers.vfs\"")
  string(APPEND fltvm_flags " -ivfsoverlay \"${fltvm_build}/sdk/headers.vfs\"")
endif()
set(CMAKE_C_FLAGS_INIT "${fltvm_flags}")
set(CMAKE_CXX_FLAGS_INIT "${fltvm_cxx_flags}")
set(CMAKE_ASM_FLAGS_INIT "${fltvm_flags}")

set(CMAKE_EXECUTABLE_SUFFIX_C ".sys")
set(CMAKE_EXECUTABLE_SUFFIX_CXX ".sys")
set(CMAKE_EXECUTABLE_SUFFIX ".sys")
if(NOT DEFINED FLTVM_ENTRY)
  set(FLTVM_ENTRY DriverEntry)
endif()
set(CMAKE_C_LINK_EXECUTABLE
    "\"${CMAKE_CURRENT_LIST_DIR}/cc\" --entry ${FLTVM_ENTRY} -o <TARGET> <OBJECTS> <LINK_LIBRARIES>")
set(CMAKE_CXX_LINK_EXECUTABLE "${CMAKE_C_LINK_EXECUTABLE}")
