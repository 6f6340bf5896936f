# Every C++ file is as .clang-format wants it (clang-format 14 or later).
cmake_policy(VERSION 3.25)
file(GLOB_RECURSE sources "${SOURCE}/app/*.h" "${SOURCE}/app/*.cpp" "${SOURCE}/engine/*.h" "${SOURCE}/engine/*.cpp"
    "${SOURCE}/ui/*.h" "${SOURCE}/ui/*.cpp" "${SOURCE}/tests/*.h" "${SOURCE}/tests/*.cpp"
    "${SOURCE}/resources/*.cpp")
execute_process(COMMAND "${CLANG_FORMAT}" --dry-run -Werror ${sources}
    RESULT_VARIABLE result ERROR_VARIABLE problems)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "Run clang-format -i on these:\n${problems}")
endif()
