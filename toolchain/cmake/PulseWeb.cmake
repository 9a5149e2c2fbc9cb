# The dashboard: web/build.mjs makes one page of it in PULSEBOARD_PAGE_DIR: index.html, the same
# gzipped, csp.txt, the policy that fits it, and the words of other languages. A source file that takes them in with .incbin
# says so: pulse_embeds_page(assets.c).

set(PULSEBOARD_PAGE_DIR ${CMAKE_BINARY_DIR}/web)
set(pages ${PULSEBOARD_PAGE_DIR}/index.html ${PULSEBOARD_PAGE_DIR}/index.html.gz
    ${PULSEBOARD_PAGE_DIR}/csp.txt ${PULSEBOARD_PAGE_DIR}/de.json ${PULSEBOARD_PAGE_DIR}/fr.json)

find_program(NODE node REQUIRED)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*)
add_custom_command(OUTPUT ${pages}
    COMMAND ${NODE} build.mjs --out ${PULSEBOARD_PAGE_DIR}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/web
    DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/web/build.mjs
        ${CMAKE_SOURCE_DIR}/web/package-lock.json
    COMMENT "Building the dashboard"
    VERBATIM)
add_custom_target(web_page DEPENDS ${pages})

# For the CMakeLists.txt of a room, after pulse_room().
function(pulse_embeds_page source)
    get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    add_dependencies(${room} web_page)
    set_property(SOURCE ${source} APPEND PROPERTY OBJECT_DEPENDS "${pages}")
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS
        PULSEBOARD_PAGE_DIR="${PULSEBOARD_PAGE_DIR}")
    # Symbols that a top-level asm defines are invisible to link-time optimisation.
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -fno-lto)
endfunction()
