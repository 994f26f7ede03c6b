# SPDX-License-Identifier: MIT
#
# CMake toolchain file: add_executable(NAME ...) makes NAME.sys, a driver for fltvm.
#
#   cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE=<fltvm>/sdk/toolchain/fltvm.cmake
#
# The compiler's flags are source.cfg's; linking is done by `fltvm cc`, so fltvm must have been built (./fltvm build;
# the environment's FLTVM_BUILD names another build folder).  The SDK's headers are found in any case, the driver's own as
# they are spelled.  -DFLTVM_ENTRY=NAME: another entry point than DriverEntry.

# CMake writes these names into makefiles and shell commands without quoting such characters.
if("${CMAKE_CURRENT_LIST_DIR} $ENV{FLTVM_BUILD}" MATCHES "[\"`$;#<>]")
  message(FATAL_ERROR "fltvm.cmake: CMake cannot use a folder whose name holds any of \" ` $ ; # < >: "
    "${CMAKE_CURRENT_LIST_DIR}\nmake a symbolic link to fltvm's folder under a plain name, and name the toolchain file through it")
endif()

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
# Names of headers by the way that the compiler is told, which may lead over a symbolic link.
set(fltvm_headers "${CMAKE_BINARY_DIR}/CMakeFiles/fltvm-headers.vfs")
execute_process(
  COMMAND "${CMAKE_CURRENT_LIST_DIR}/headers-vfs.py" -o "${fltvm_headers}" "${CMAKE_CURRENT_LIST_DIR}/../include"
    /usr/share/mingw-w64/include /usr/share/mingw-w64/include/ddk
  RESULT_VARIABLE fltvm_result ERROR_VARIABLE fltvm_error)
if(NOT fltvm_result EQUAL 0)
  message(FATAL_ERROR "fltvm.cmake: ${CMAKE_CURRENT_LIST_DIR}/headers-vfs.py failed: ${fltvm_result} ${fltvm_error}")
endif()
string(APPEND fltvm_cxx_flags " -ivfsoverlay \"${fltvm_headers}\"")
string(APPEND fltvm_flags " -ivfsoverlay \"${fltvm_headers}\"")
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
