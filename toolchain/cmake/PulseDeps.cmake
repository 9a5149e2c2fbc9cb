# The dependencies, from source, as toolchain/setup brings them: dep_mbedtls, dep_cjson, and
# dep_civetweb_src, which is only a place to include civetweb.c from (src/http/civet.c does).

set(PULSEBOARD_DEPS_DIR ${CMAKE_SOURCE_DIR}/build/deps/src CACHE PATH
    "sources of civetweb, mbedtls and cjson")

foreach(probe civetweb/src/civetweb.c mbedtls/library/ssl_tls.c cjson/cJSON.c)
    if(NOT EXISTS ${PULSEBOARD_DEPS_DIR}/${probe})
        message(FATAL_ERROR "${PULSEBOARD_DEPS_DIR}/${probe} is missing. Run toolchain/setup, "
            "or name the folder that has it with -DPULSEBOARD_DEPS_DIR=.")
    endif()
endforeach()

# mbedTLS finds our configuration as "sec/mbedtls_user_config.h". The view holds that one file,
# so that using mbedTLS does not open the rest of src/sec.
set(config_view ${CMAKE_BINARY_DIR}/rooms/dep_mbedtls)
file(MAKE_DIRECTORY ${config_view}/sec)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/sec/mbedtls_user_config.h
    ${config_view}/sec/mbedtls_user_config.h SYMBOLIC)

file(GLOB mbedtls_sources ${PULSEBOARD_DEPS_DIR}/mbedtls/library/*.c)
# X25519 from HACL*, which mbedTLS brings along: Hacl_Curve25519_joined.c is the whole of it.
set(everest ${PULSEBOARD_DEPS_DIR}/mbedtls/3rdparty/everest)
list(APPEND mbedtls_sources ${everest}/library/everest.c ${everest}/library/x25519.c
    ${everest}/library/Hacl_Curve25519_joined.c)
add_library(dep_mbedtls STATIC EXCLUDE_FROM_ALL ${mbedtls_sources})
target_compile_definitions(dep_mbedtls PUBLIC
    MBEDTLS_USER_CONFIG_FILE="sec/mbedtls_user_config.h")
target_include_directories(dep_mbedtls SYSTEM PUBLIC
    ${PULSEBOARD_DEPS_DIR}/mbedtls/include ${config_view})
target_include_directories(dep_mbedtls SYSTEM PUBLIC ${everest}/include)
target_include_directories(dep_mbedtls PRIVATE ${PULSEBOARD_DEPS_DIR}/mbedtls/library
    ${everest}/include/everest ${everest}/include/everest/kremlib)
target_compile_options(dep_mbedtls PRIVATE -w)
target_link_libraries(dep_mbedtls PUBLIC Threads::Threads)

# cJSON notes where it failed in a variable of the process. In our build every thread has its
# own, so that none waits for another to parse.
set(cjson_source ${PULSEBOARD_DEPS_DIR}/cjson/cJSON.c)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${cjson_source})
file(READ ${cjson_source} cjson_text)
string(REPLACE "\nstatic error global_error =" "\nstatic _Thread_local error global_error ="
    cjson_threaded "${cjson_text}")
if(cjson_threaded STREQUAL cjson_text)
    message(FATAL_ERROR "${cjson_source} is another cJSON: where does it note where it failed?")
endif()
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/cjson/cJSON.c CONTENT "${cjson_threaded}")

add_library(dep_cjson STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/cjson/cJSON.c)
# Depth costs stack: 32 is more than any message of ours needs.
target_compile_definitions(dep_cjson PUBLIC CJSON_HIDE_SYMBOLS CJSON_NESTING_LIMIT=32)
target_include_directories(dep_cjson SYSTEM PUBLIC ${PULSEBOARD_DEPS_DIR}/cjson)
target_compile_options(dep_cjson PRIVATE -w)
target_link_libraries(dep_cjson PUBLIC m)

add_library(dep_civetweb_src INTERFACE)
target_include_directories(dep_civetweb_src SYSTEM INTERFACE
    ${PULSEBOARD_DEPS_DIR}/civetweb/include ${PULSEBOARD_DEPS_DIR}/civetweb/src)
