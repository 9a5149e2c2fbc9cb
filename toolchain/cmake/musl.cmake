# CMake toolchain file: static programs with the compilers that toolchain/deps/musl makes, for
# this machine or, with PULSEBOARD_ARCH (Debian's name), for another.

set(PULSEBOARD_ARCH "" CACHE STRING "the architecture to build for; empty: this machine's")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PULSEBOARD_ARCH)

set(musl musl)
if(PULSEBOARD_ARCH)
    set(musl musl-${PULSEBOARD_ARCH})
    set(CMAKE_SYSTEM_NAME Linux)
    set(CMAKE_SYSTEM_PROCESSOR ${PULSEBOARD_ARCH})
    # Nothing of this machine's is for that one, but its programs are for us.
    foreach(what LIBRARY INCLUDE PACKAGE)
        set(CMAKE_FIND_ROOT_PATH_MODE_${what} ONLY)
    endforeach()
    set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
endif()

get_filename_component(musl_cc ${CMAKE_CURRENT_LIST_DIR}/../../build/deps/${musl}/cc ABSOLUTE)
if(NOT EXISTS ${musl_cc})
    message(FATAL_ERROR "${musl_cc} is missing. Run toolchain/setup, or for another "
        "architecture toolchain/build PRESET, which makes it.")
endif()
set(CMAKE_C_COMPILER ${musl_cc})
# The libraries that Debian built for glibc do not fit (cmocka is one).
set(PULSEBOARD_HOST_LIBRARIES OFF)
