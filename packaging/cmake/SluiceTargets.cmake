# What every target of ours shares: language level, warnings, Qt definitions, output folder; and
# one function per kind of target. A folder is one target, and says in one line what it may know:
# the list is written to <build>/layers.txt, where the test "layering" holds it against the design.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
endif()

add_library(sluice_options INTERFACE)
target_include_directories(sluice_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
target_compile_options(sluice_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wcast-align -Wformat=2 -Wimplicit-fallthrough -Werror)
target_compile_definitions(sluice_options INTERFACE
    SLUICE_VERSION="${PROJECT_VERSION}" BOOST_ALL_NO_LIB)
target_link_libraries(sluice_options INTERFACE Threads::Threads)
if(SLUICE_SANITIZE)
    target_compile_options(sluice_options INTERFACE
        -fsanitize=${SLUICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(sluice_options INTERFACE -fsanitize=${SLUICE_SANITIZE})
    if(SLUICE_SANITIZE MATCHES "thread")
        # ThreadSanitizer knows no fences (GCC warns); Asio's locks order what it is to see.
        target_compile_definitions(sluice_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()
if(SLUICE_FUZZ)
    # Clang 14 can't check the types of calls into coroutines ("difference across sections").
    target_compile_options(sluice_options INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(sluice_options INTERFACE -fsanitize=address,undefined)
endif()
if(SLUICE_COVERAGE)
    target_compile_options(sluice_options INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(sluice_options INTERFACE --coverage)
endif()

add_library(sluice_qt_options INTERFACE)
target_compile_definitions(sluice_qt_options INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_CAST_FROM_BYTEARRAY QT_NO_URL_CAST_FROM_STRING
    QT_NO_KEYWORDS QT_NO_FOREACH QT_USE_QSTRINGBUILDER QT_NO_NARROWING_CONVERSIONS_IN_CONNECT
    QT_STRICT_ITERATORS QT_DISABLE_DEPRECATED_BEFORE=0x060400)

set_property(GLOBAL PROPERTY SLUICE_LAYERS "")

function(sluice_finish target qt)
    target_link_libraries(${target} PRIVATE sluice_options)
    if(qt)
        target_link_libraries(${target} PRIVATE sluice_qt_options)
        set_target_properties(${target} PROPERTIES AUTOMOC ON AUTORCC ON)
    endif()
endfunction()

# sluice_library(NAME [QT] SOURCES file... [LINKS target...] [PRIVATE_LINKS target...])
# A static library of the current folder.
function(sluice_library name)
    cmake_parse_arguments(ARG "QT" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
    target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    sluice_finish(${name} ${ARG_QT})
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    set_property(GLOBAL APPEND_STRING PROPERTY SLUICE_LAYERS
        "${name}|${folder}|${ARG_LINKS};${ARG_PRIVATE_LINKS}\n")
endfunction()

# sluice_program(NAME [QT] SOURCES file... LINKS target...)
function(sluice_program name)
    cmake_parse_arguments(ARG "QT" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LINKS})
    sluice_finish(${name} ${ARG_QT})
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    set_property(GLOBAL APPEND_STRING PROPERTY SLUICE_LAYERS
        "${name}|${folder}|${ARG_LINKS}\n")
endfunction()

# sluice_test(NAME [LABEL quick|system|soak|fuzz|bench|drills] [TIMEOUT seconds] SOURCES file... LINKS target...)
# One Qt Test program and one CTest entry. Tests run offscreen, and never in parallel with another
# of the same RESOURCE_LOCK (system tests share the machine's two cores).
function(sluice_test name)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LINKS" ${ARGN})
    if(NOT ARG_LABEL)
        set(ARG_LABEL quick)
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    if(SLUICE_SANITIZE OR SLUICE_COVERAGE)
        math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5") # up to ten times slower under ThreadSanitizer
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LINKS} sluice_test_support Qt6::Test)
    sluice_finish(${name} TRUE)
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/bin")
    add_test(NAME ${name} COMMAND ${name})
    # Qt Test ends a test function after 5 minutes of its own accord; CTest's bound is the one meant.
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;SLUICE_BIN=${CMAKE_BINARY_DIR}/bin;QTEST_FUNCTION_TIMEOUT=${ARG_TIMEOUT}000")
    if(NOT ARG_LABEL STREQUAL "quick")
        set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
    endif()
endfunction()

function(sluice_write_layers)
    get_property(layers GLOBAL PROPERTY SLUICE_LAYERS)
    file(WRITE "${CMAKE_BINARY_DIR}/layers.txt" "${layers}")
endfunction()
