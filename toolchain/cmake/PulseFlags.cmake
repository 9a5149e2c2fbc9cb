# Compiler and linker flags: those of everything, and the target pulse_warnings for our own code.

set(PULSEBOARD_SANITIZE "" CACHE STRING "-fsanitize= for everything, or empty")
option(PULSEBOARD_SMALL "optimise for size: a board's flash and memory come first" OFF)
option(PULSEBOARD_SYMBOLS "leave names and lines in what is built for release" OFF)
option(PULSEBOARD_FUZZ "build the fuzzers with libFuzzer (clang)" OFF)

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
# Nothing in the binary names the folder it was built in.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

set(CMAKE_C_FLAGS_DEBUG "-Og -g3 -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
if(PULSEBOARD_SMALL)
    set(CMAKE_C_FLAGS_RELEASE "-Os -DNDEBUG")
endif()
if(PULSEBOARD_SYMBOLS)
    string(APPEND CMAKE_C_FLAGS_RELEASE " -g")
else()
    string(APPEND CMAKE_C_FLAGS_RELEASE " -g0")
    set(strip -s)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_compile_options(-ffunction-sections -fdata-sections -fstack-protector-strong
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack ${strip})
    include(CheckIPOSupported)
    check_ipo_supported(RESULT PULSEBOARD_LTO OUTPUT why_not LANGUAGES C)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${PULSEBOARD_LTO})
endif()

if(PULSEBOARD_SANITIZE)
    # A finding ends the program: a test that only printed it would pass.
    add_compile_options(-fsanitize=${PULSEBOARD_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${PULSEBOARD_SANITIZE})
endif()
if(PULSEBOARD_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(pulse_warnings INTERFACE)
target_compile_options(pulse_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion
    -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla -Werror)
