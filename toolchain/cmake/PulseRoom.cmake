# A room is one folder of src/, one static library, one responsibility.
#
#   pulse_room(hub SOURCES hub.c hub_io.c DEPS base proto session)
#
# A room exports its headers as "<room>/x.h" through a view of its own: a folder that holds
# nothing but a link named <room>. So a room sees itself, its DEPS and what those are built on;
# an include against the arrows finds no such file.

function(pulse_room name)
    cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;DEPS")
    if(ROOM_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pulse_room(${name}): what is '${ROOM_UNPARSED_ARGUMENTS}'?")
    endif()
    add_library(${name} STATIC ${ROOM_SOURCES})

    set(view ${CMAKE_BINARY_DIR}/rooms/${name})
    file(MAKE_DIRECTORY ${view})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
    target_include_directories(${name} PUBLIC ${view})

    # CivetWeb stays behind its seam: who builds on the room that holds it does not see it.
    if("dep_civetweb_src" IN_LIST ROOM_DEPS)
        list(REMOVE_ITEM ROOM_DEPS dep_civetweb_src)
        target_link_libraries(${name} PRIVATE dep_civetweb_src)
    endif()
    target_link_libraries(${name} PUBLIC ${ROOM_DEPS} Threads::Threads PRIVATE pulse_warnings)
    if(name STREQUAL "app")
        target_compile_definitions(${name} PRIVATE PULSEBOARD_VERSION="${PULSEBOARD_VERSION}"
            PULSEBOARD_BUILT=${PULSEBOARD_BUILT})
    endif()
endfunction()

# pulse_test_program(TARGET SOURCE): a program of one file that says what it is built on in its
# first line, "// link: session base".
function(pulse_test_program target source)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} first LIMIT_COUNT 1)
    if(NOT first MATCHES "^// link: ([a-z_ ]+)$")
        message(FATAL_ERROR "${source}: the first line must be '// link: ROOM...'")
    endif()
    string(REPLACE " " ";" rooms "${CMAKE_MATCH_1}")
    foreach(room IN LISTS rooms)
        if(NOT TARGET ${room})
            message(FATAL_ERROR "${source}: there is no room '${room}'")
        endif()
    endforeach()
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE ${rooms} pulse_warnings)
    # Tests mean their assertions, in every preset.
    target_compile_options(${target} PRIVATE -UNDEBUG)
endfunction()

# 0.1.0+g1a2b3c4, or 0.1.0 where there is no history to ask (a tarball).
set(PULSEBOARD_VERSION ${PROJECT_VERSION})
find_program(GIT git)
if(GIT)
    execute_process(COMMAND ${GIT} describe --always --dirty=.dirty --exclude=*
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE described
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(described)
        string(APPEND PULSEBOARD_VERSION "+g${described}")
    endif()
endif()

# When it was built, in seconds since 1970: the time of the commit, so that the same source gives
# the same program. It is the earliest time that the program believes (app/identity.h).
set(PULSEBOARD_BUILT "$ENV{SOURCE_DATE_EPOCH}")
if(GIT AND NOT PULSEBOARD_BUILT)
    execute_process(COMMAND ${GIT} log -1 --format=%ct WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
        OUTPUT_VARIABLE PULSEBOARD_BUILT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT PULSEBOARD_BUILT MATCHES "^[0-9]+$")
    string(TIMESTAMP PULSEBOARD_BUILT %s UTC)
endif()
