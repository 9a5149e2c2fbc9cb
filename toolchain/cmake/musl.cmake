# CMake toolchain file: static programs for this machine, with the compiler that
# toolchain/deps/musl makes.

get_filename_component(musl_cc ${CMAKE_CURRENT_LIST_DIR}/../../build/deps/musl/cc ABSOLUTE)
if(NOT EXISTS ${musl_cc})
    message(FATAL_ERROR "${musl_cc} is missing. Run toolchain/setup.")
endif()
set(CMAKE_C_COMPILER ${musl_cc})
# The libraries that Debian built for glibc do not fit (cmocka is one).
set(PULSEBOARD_HOST_LIBRARIES OFF)
