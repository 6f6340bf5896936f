# Holds the house against its plan: who may link whom (<build>/layers.txt, written by CMake from the link lines)
# and who may include what (the sources themselves). Run as
#   cmake -DSOURCE=... -DLAYERS=.../layers.txt -P tests/layering.cmake
cmake_policy(VERSION 3.25)

set(wrong "")

# What each part may link, as regular expressions over target names. Order matters: first match.
set(rules
    "engine/base|^(fmt::|spdlog::|Boost::|OpenSSL::)"
    "engine/reporting|^(sluice_base$|fmt::|spdlog::|Boost::|OpenSSL::|ZLIB::)"
    "engine/classification|^(sluice_(base|text|entities|thresholds|context|cache|evaluation|model)$|fmt::|spdlog::|Boost::|ICU::|PkgConfig::(RE2|HIREDIS|YAML)|ZLIB::|OpenSSL::)"
    "engine/service|^(sluice_(base|reporting|classification|text|entities|thresholds|context|cache|evaluation|model)$|fmt::|spdlog::|Boost::|PkgConfig::HIREDIS|OpenSSL::|ZLIB::|Threads::)"
    "engine/operations|^(sluice_(base|reporting|classification|text|entities|thresholds|context|cache|evaluation|model|ops_[a-z]+)$|fmt::|spdlog::|Boost::|PkgConfig::HIREDIS|Threads::|Qt6::(Core|Network|Sql)$|Qt6Keychain)"
    "resources|^(sluice_|CLI11::)"
    "ui|^(sluice_(base|reporting|classification|text|entities|thresholds|context|cache|evaluation|model|ops_[a-z]+|ui_[a-z]+)$|fmt::|spdlog::|Boost::|Qt6::(Core|Gui|Widgets|Charts|DBus|Network|Svg|Sql)$)"
    "app/sluiced|^(sluice_(base|reporting|classification|service|context|model)$|CLI11::|fmt::|spdlog::|Boost::)"
    "app/sluicectl|^(sluice_(base|reporting|classification|text|entities|thresholds|context|cache|evaluation|model|ops_[a-z]+|service)$|CLI11::|fmt::|spdlog::|Boost::|Qt6::(Core|Network|Sql)$)"
    "app/sluice|^(sluice_|CLI11::|fmt::|spdlog::|Qt6::)")

# Inside ui, only the pages link each other's neighbours below: shell and charts know no page.
set(ui_low "^sluice_ui_(shell|charts)$")

file(STRINGS "${LAYERS}" lines)
foreach(line IN LISTS lines)
    if(line STREQUAL "")
        continue()
    endif()
    # name|folder|link;link
    string(REGEX MATCH "^([^|]+)\\|([^|]+)\\|(.*)$" _ "${line}")
    set(target "${CMAKE_MATCH_1}")
    set(folder "${CMAKE_MATCH_2}")
    set(links "${CMAKE_MATCH_3}")
    set(allowed "")
    foreach(rule IN LISTS rules)
        string(REGEX MATCH "^([^|]+)\\|(.*)$" _ "${rule}")
        set(prefix "${CMAKE_MATCH_1}")
        set(pattern "${CMAKE_MATCH_2}")
        if(folder STREQUAL prefix OR folder MATCHES "^${prefix}/")
            set(allowed "${pattern}")
            break()
        endif()
    endforeach()
    if(allowed STREQUAL "")
        string(APPEND wrong "  ${folder} (${target}): no rule says what it may link\n")
        continue()
    endif()
    foreach(link IN LISTS links)
        if(link STREQUAL "")
            continue()
        endif()
        if(NOT link MATCHES "${allowed}")
            string(APPEND wrong "  ${folder} (${target}) links ${link}, which it may not know\n")
        endif()
        if(target MATCHES "${ui_low}" AND link MATCHES "^sluice_ui_" AND NOT link MATCHES "${ui_low}")
            string(APPEND wrong "  ${folder} (${target}) links the page ${link}\n")
        endif()
    endforeach()
endforeach()

# function(check FOLDER PATTERN WHY): no source below FOLDER has an include that matches PATTERN.
function(check folder pattern why)
    file(GLOB_RECURSE sources "${SOURCE}/${folder}/*.h" "${SOURCE}/${folder}/*.cpp")
    set(found "")
    foreach(source IN LISTS sources)
        file(STRINGS "${source}" includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
        foreach(include IN LISTS includes)
            if(include MATCHES "${pattern}")
                file(RELATIVE_PATH name "${SOURCE}" "${source}")
                string(APPEND found "  ${name}: ${include} (${why})\n")
            endif()
        endforeach()
    endforeach()
    set(wrong "${wrong}${found}" PARENT_SCOPE)
endfunction()

set(qt "<(Q[A-Z]|qt|Qt)")
set(gui "<(QtGui|QtWidgets|QtCharts|QWidget|QApplication|QGuiApplication|QPainter|QColor|QIcon|QFont|QPixmap|QImage|QChart)")
check(engine/base "${qt}" "engine/base knows no Qt")
check(engine/base "\"(engine/(classification|service|operations)|ui|app)/" "below everything")
check(engine/reporting "${qt}" "reporting knows no Qt")
check(engine/reporting "\"(engine/(classification|service|operations)|ui|app)/" "knows only engine/base")
check(engine/classification "${qt}" "the classifier knows no Qt")
check(engine/classification "\"(engine/(service|operations)|ui|app)/" "arrows point one way")
check(engine/service "${qt}" "the worker knows no Qt")
check(engine/service "\"(engine/operations|ui|app)/" "arrows point one way")
check(engine/operations "${gui}" "operations have no face")
check(engine/operations "\"(engine/service|ui|app)/" "arrows point one way")
check(ui "\"(engine/service|app)/" "arrows point one way")
check(ui/shell "\"ui/(classify|thresholds|monitor|load|rollout|history)/" "the shell knows no page")
check(ui/charts "\"ui/(classify|thresholds|monitor|load|rollout|history)/" "the charts know no page")
check(app/sluiced "${qt}" "the worker knows no Qt")
check(app/sluicectl "\"ui/" "the command line has no face")

if(NOT wrong STREQUAL "")
    message(FATAL_ERROR "The layering is broken:\n${wrong}See docs/ARCHITECTURE.md for who may know whom.")
endif()
message(STATUS "layering: as designed")
